"""Variance and bias of the gradient before it is shortened: of the sample and of perturbed passes.

docs/theory-shrinkage.md, Theorem 11.7: with perturbed passes V bounds Var(ũ + r) and B² the
squared bias.
"""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import Arithmetic, Scalar, Status
from boundcalc.arithmetic.number import worst
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.rates.bound import batch_level
from boundcalc.rates.shared import SharedDraws, shared_draws
from boundcalc.rates.statements import variance
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed.families import FAMILIES, Bounds


@dataclass(frozen=True)
class PassLevels:
    """What the perturbed passes add, by pattern of perturbations that act together.

    Attributes
    ----------
    bounds, shared
        Of every pattern; empty without perturbations.
    batch
        The number of samples that a step averages.
    """

    bounds: tuple[Bounds, ...] = ()
    shared: tuple[SharedDraws | None, ...] = ()
    batch: int = 1

    def in_kind(self, sigma: Scalar, kind: Arithmetic) -> tuple[Scalar, Scalar]:
        """V and B²: the largest over the patterns, which covers every step."""
        spread, bias = sigma**2, kind.number(0)
        for bounds, draws in zip(self.bounds, self.shared, strict=True):
            level = batch_level(bounds, self.batch, kind, draws)
            spread = kind.maximum(spread, variance(level, sigma, kind))
            bias = kind.maximum(bias, level.bias)
        return spread, bias

    @property
    def status(self) -> Status:
        """That of the bounds which it is made of."""
        numbers = [x for b in self.bounds for x in (b.error, b.bias) if x is not None]
        numbers += [x for draws in self.shared if draws is not None for x in draws.numbers()]
        return worst(Status.PROVED, *(number.status for number in numbers))


def pass_levels(graph: OperatorGraph) -> PassLevels:
    """The sharp bounds of the spec's perturbations (theory.md, sections 4 and 6).

    Raises
    ------
    SpecError
        If there is no bound on the bias.
    """
    training = graph.spec.training
    if not graph.perturbations or training is None:
        return PassLevels()
    family = FAMILIES["sharp"]
    patterns = Timeline(graph, training.horizon).patterns
    bounds = tuple(family.best_bounds(graph, pattern.active) for pattern in patterns)
    for found in bounds:
        if found.bias is None:
            raise SpecError(
                found.reason or "there is no bound on the bias",
                where=graph.spec.where("perturbations"),
            )
    batch = graph.spec.loss.batch
    shared: tuple[SharedDraws | None, ...] = (None,) * len(bounds)
    if batch > 1:
        shared = tuple(shared_draws(graph, family, pattern.active) for pattern in patterns)
    return PassLevels(bounds, shared, batch)
