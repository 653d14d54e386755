"""The loss and the run of a spec as a certificate states them, and its rates as steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from boundcalc.arithmetic import Scalar
from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph
from boundcalc.perturbations.schedules import Progression
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.rates.timeline import Pattern, Timeline
from boundcalc.spec.expressions import Expression
from boundcalc.verify.certificate.derive import Derivation
from boundcalc.verify.certificate.numbers import (
    Given,
    at_least,
    at_most,
    root_up,
    rounded_down,
    rounded_up,
    short,
    text_of,
)
from boundcalc.verify.certificate.steps import Step, smallest, step

#: Most sets of perturbations that act together.
PATTERNS = 64

#: Most progressions of steps of one schedule.
PARTS = 10_000


class NotCoveredError(BoundcalcError):
    """A claim that a certificate cannot make, with the reason."""


@dataclass(frozen=True)
class Run:
    """The objective's constants and the run: short rationals, γ exact, μ from below."""

    L: Fraction
    mu: Fraction | None
    gap: Fraction
    sigma: Fraction
    batch: int
    step: Fraction
    horizon: int
    patterns: tuple[Pattern, ...]
    #: Of the one schedule that is not "always", or None where there are several.
    steps: tuple[Progression, ...] | None

    def json(self, level_of: Callable[[Pattern], int]) -> dict[str, object]:
        """As the certificate has it; the first pattern's steps are those that are left."""
        entries: list[list[object]] = []
        for k, pattern in enumerate(self.patterns):
            steps = [list(part) for part in self.steps] if k and self.steps is not None else None
            entries.append([level_of(pattern), pattern.count, steps])
        return {
            "smoothness": text_of(self.L),
            "pl": None if self.mu is None else text_of(self.mu),
            "gap": text_of(self.gap),
            "sigma": text_of(self.sigma),
            "batch": self.batch,
            "step": text_of(self.step),
            "horizon": self.horizon,
            "schedule": entries,
        }


def run_of(graph: OperatorGraph, kind: Given) -> Run:
    """What the spec says of the loss and the run.

    Raises
    ------
    NotCoveredError
        If something that every rate needs is missing, or the theorems do not hold.
    """
    loss, training = graph.spec.loss, graph.spec.training
    if training is None:
        raise NotCoveredError("rates: the spec has no training section")
    if (why := not_plain_sgd(graph)) is not None:
        raise NotCoveredError(f"rates: {why}")
    values = graph.values(kind)

    def number(expression: Expression | None, name: str) -> Scalar:
        if expression is None:
            raise NotCoveredError(f"rates: {name} is not given")
        try:
            return expression.evaluate(kind, values)
        except BoundcalcError as error:
            raise NotCoveredError(f"rates: {name}: {error.problem}") from None

    gamma = number(training.step_size, "training.step_size")
    if not isinstance(gamma, Fraction) or not short(gamma):
        raise NotCoveredError("rates: the step size is not a short rational number")
    L = at_most(number(loss.smoothness, "loss.smoothness"))
    if not 0 < gamma * L <= 1:
        raise NotCoveredError("rates: the step size is above 1/L or not positive")
    mu = None if loss.pl is None else at_least(number(loss.pl, "loss.pl"))
    if mu is not None and not 0 < mu <= L:
        raise NotCoveredError("rates: the PL constant is not in (0, L]")
    timeline = Timeline(graph, training.horizon)
    if len(timeline.patterns) > PATTERNS:
        raise NotCoveredError(f"rates: more than {PATTERNS} sets of perturbations act together")
    return Run(
        L=L,
        mu=mu,
        gap=at_most(number(loss.initial_gap, "loss.initial_gap")),
        sigma=at_most(number(loss.gradient_noise, "loss.gradient_noise")),
        # Of errors that samples share nothing is averaged (docs/theory.md, Lemma 6.7 (a)).
        batch=1 if any(p.shared for p in graph.perturbations) else loss.batch,
        step=gamma,
        horizon=training.horizon,
        patterns=_ordered(timeline.patterns),
        steps=_steps(graph, timeline),
    )


def _ordered(patterns: tuple[Pattern, ...]) -> tuple[Pattern, ...]:
    """The pattern in which the least acts first."""
    return tuple(sorted(patterns, key=lambda pattern: len(pattern.active)))


def _steps(graph: OperatorGraph, timeline: Timeline) -> tuple[Progression, ...] | None:
    """At which steps all perturbations act, where that is known; else None."""
    schedules = {repr(p.schedule): p.schedule for p in graph.perturbations}
    timed = [schedule for schedule in schedules.values() if not schedule.always]
    if len(timed) > 1 or len(timeline.patterns) > 2:
        return None
    parts = timed[0].progressions(timeline.horizon) if timed else []
    parts = [part for part in parts if part.length]
    return tuple(parts) if len(parts) <= PARTS else None


def nonconvex(run: Run, levels: list[tuple[int, Derivation]]) -> tuple[Step, list[Step]]:
    """Theorem 6.1 at the levels of the run's patterns, and the variances."""
    variances, operands, total = [], [], Fraction(0)
    for pattern, (number, found) in zip(run.patterns, levels, strict=True):
        variance = _variance(run, number, found)
        variances.append(variance)
        operands += [found.bias, variance]
        total += pattern.count * (found.bias.value + run.L * run.step * variance.value)
    value = (2 * run.gap / run.step + total) / run.horizon
    return step("nonconvex", (), operands, value), variances


def _variance(run: Run, number: int, found: Derivation) -> Step:
    """Lemmas 6.3 and 6.4."""
    at, error, bias, M = (number,), found.error, found.bias, run.batch
    averaged = smallest(
        step("batch.minkowski", at, [error], error.value),
        step("batch", at, [bias, error], ((M - 1) * bias.value + error.value) / M),
    )
    options = [step("variance", at, [averaged], (run.sigma + root_up(averaged.value)) ** 2)]
    if bias.value == 0:
        value = run.sigma**2 + averaged.value
        options.append(step("variance.unbiased", at, [bias, averaged], value))
    return smallest(*reversed(options))


def pl(run: Run, levels: list[tuple[int, Derivation]], variances: list[Step]) -> Step:
    """Theorem 6.2: the level of the first pattern throughout, and what the other one adds.

    Raises
    ------
    NotCoveredError
        If several schedules overlap, or 1 − μγ cannot be told from 1.
    """
    if run.steps is None or run.mu is None:
        raise NotCoveredError("the PL rate: several schedules, or one with too many parts")
    q = 1 - run.mu * run.step
    if len(levels) == 1:
        parts = [[Progression(0, 1, run.horizon)]]
    else:
        parts = [[Progression(0, 1, run.horizon)], list(run.steps)]
    value, operands, first = _power(q, run.horizon, rounded_up) * run.gap, [], None
    for k, ((_, found), variance) in enumerate(zip(levels, variances, strict=True)):
        level = run.step / 2 * (found.bias.value + run.L * run.step * variance.value)
        discount = step("discount", (k,), [], _discount(q, parts[k], run.horizon))
        operands += [found.bias, variance, discount]
        value += discount.value * (level if first is None else level - first)
        first = level if first is None else first
        if level < first:
            raise NotCoveredError("the PL rate: the bounds are smaller while more acts")
    return step("pl", (), operands, value)


def _discount(q: Fraction, parts: list[Progression], horizon: int) -> Fraction:
    """Σ q^(T − 1 − t) over progressions of steps, rounded up."""
    total = Fraction(0)
    for start, stride, length in parts:
        spread = 1 - _power(q, stride, rounded_up)
        if spread <= 0:
            raise NotCoveredError("the PL rate: 1 − μγ is too near to 1")
        last = _power(q, horizon - 1 - start - stride * (length - 1), rounded_up)
        most = 1 - _power(q, stride * length, rounded_down)
        total = rounded_up(total + last * most / spread)
    return total


def _power(q: Fraction, n: int, rounded: Callable[[Fraction], Fraction]) -> Fraction:
    """q^n by squaring, from the leading bit of n, rounded after every product."""
    result = Fraction(1)
    for place in range(n.bit_length() - 1, -1, -1):
        result = rounded(result**2)
        if n >> place & 1:
            result = rounded(result * q)
    return result
