"""Stale passes that are perturbed as well (docs/theory-staleness.md, Theorem 10.9).

Error and mean bounds of docs/theory.md, section 4, hold along stale passes.  With bias² and Var of
the perturbed gradient, averaged over the run, and 1 − Lα − (1+τ)α²Q ≥ 0 for some τ > 0,

    avg E‖∇f(xⁿ)‖² ≤ 2Δ₀/(Nα) + LαVar + (1+τ)α²Q·Var + (1 + 1/τ)bias².
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.rates.bound import batch_level
from boundcalc.rates.shared import SharedDraws, shared_draws
from boundcalc.rates.statements import Level, variance
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed.families import FAMILIES, Bounds
from boundcalc.theories.staleness import published
from boundcalc.theories.staleness.setting import Problem, Setting


@dataclass(frozen=True)
class Passes:
    """Levels of the perturbed passes, pattern by pattern.

    Attributes
    ----------
    bounds, shared
        Those of the sharp family, by pattern.
    counts
        Steps of each pattern.
    batch
        Samples of a step.
    """

    bounds: Sequence[Bounds]
    shared: Sequence[SharedDraws | None]
    counts: Sequence[int]
    batch: int

    @property
    def refused(self) -> str | None:
        """Why there is no bias bound; None where there is one."""
        return next((b.reason for b in self.bounds if b.error is None or b.bias is None), None)

    def averages(self, s: Setting) -> tuple[Scalar, Scalar]:
        """The averages over the run of bias² and Var."""
        total, bias, spread = sum(self.counts), s.kind.number(0), s.kind.number(0)
        for level, count in zip(self.levels(s.kind), self.counts, strict=True):
            share = s.kind.number(Fraction(count, total))
            bias = bias + share * level.bias
            spread = spread + share * variance(level, s.sigma, s.kind)
        return bias, spread

    def levels(self, kind: Arithmetic) -> list[Level]:
        """Error and bias of every pattern, averaged over the batch."""
        return [
            batch_level(bound, self.batch, kind, draws)
            for bound, draws in zip(self.bounds, self.shared, strict=True)
        ]


def passes_of(problem: Problem) -> Passes:
    """What the spec's perturbations do to one gradient."""
    graph, family = problem.graph, FAMILIES["sharp"]
    horizon = problem.horizon
    if horizon is None:
        horizon = 1 if graph.spec.training is None else graph.spec.training.horizon
    patterns = Timeline(graph, horizon).patterns
    batch = graph.spec.loss.batch
    shared = [shared_draws(graph, family, q.active) if batch > 1 else None for q in patterns]
    bounds = [family.best_bounds(graph, q.active) for q in patterns]
    return Passes(bounds, shared, [q.count for q in patterns], batch)


def terms(s: Setting, passes: Passes) -> dict[str, Scalar]:
    """The bound, term by term, for nearly the best τ that the step leaves.

    Without delays τ is as large as one likes, and the bound that of docs/theory.md, Theorem 6.1.
    """
    bias, spread = passes.averages(s)
    found = {
        "optimisation": published.optimisation(s),
        "sampling": s.smooth * s.step * spread,
        "staleness": s.kind.number(0),
        "perturbation_bias": bias,
    }
    lost = s.step**2 * s.Q
    if s.Q == 0:
        return found
    tau = s.kind.number(0)
    if bias != 0:
        tau = (1 - s.smooth * s.step - lost) / lost
        if spread != 0:
            tau = s.kind.minimum(tau, s.kind.sqrt(bias / (lost * spread)))
        found["perturbation_bias"] = (1 + 1 / tau) * bias
    found["staleness"] = (1 + tau) * lost * spread
    return found
