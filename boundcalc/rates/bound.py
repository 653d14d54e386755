"""One family's bound in one regime, in the best number kind, at any step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE, Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import converted, enclosed, kind_of
from boundcalc.arithmetic.combine import added
from boundcalc.arithmetic.number import worst
from boundcalc.errors import InexactError
from boundcalc.graph import OperatorGraph
from boundcalc.rates import statements, steps
from boundcalc.rates.inputs import limit_value, problem_as, status_in
from boundcalc.rates.shared import SharedDraws, shared_draws
from boundcalc.rates.statements import Level, Problem
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed.families import Bounds, Family

#: Terms that no perturbation enters.
_UNPERTURBED = ("optimisation", "sampling")

#: Terms of a bound in one number kind.
Terms: TypeAlias = dict[str, Scalar]


def batch_level(
    bounds: Bounds,
    batch: int,
    kind: Arithmetic | None = None,
    shared: SharedDraws | None = None,
) -> Level:
    """A batch's level: E‖·‖² ≤ min{ζ², (1 − 1/M)·common + ζ²/M} (docs/theory.md, 6.4 and 6.7).

    The first entry is Minkowski's inequality.  ``common`` bounds what the samples' errors have
    in common: bias² where each sample draws for itself, for then that entry matters only where
    a family's bias bound is above its error bound; and more where draws are shared.

    Parameters
    ----------
    kind
        In which kind; by default the best one that holds both bounds.
    shared
        What samples of the batch share, if anything.
    """
    assert bounds.error is not None  # noqa: S101 - every family bounds the error
    assert bounds.bias is not None  # noqa: S101 - callers have looked
    kind = kind or kind_of([bounds.error.value, bounds.bias.value])
    error, bias = converted(bounds.error.value, kind), converted(bounds.bias.value, kind)
    common = bias if shared is None else shared.common(error, kind)
    averaged = kind.minimum(error, (common * (batch - 1) + error) / batch)
    return Level(error=averaged, bias=bias, unbiased=bool(bias == 0))


def wide(value: Any) -> Scalar:
    """Any number as a wide one; of an enclosure the midpoint."""
    return converted(value, WIDE)


class Statement:
    """One family's statement in one regime, to be evaluated at several steps; O(patterns) each.

    Made by :func:`statement`.
    """

    def __init__(
        self,
        graph: OperatorGraph,
        p: Problem,
        family: Family,
        bounds: Sequence[Bounds],
        shared: Sequence[SharedDraws | None],
        terms: Callable[[Problem, list[Level]], Terms],
    ) -> None:
        self.p, self.family, self.bounds, self._terms = p, family, bounds, terms
        self.batch, self.shared = graph.spec.loss.batch, shared
        #: Where the bound is least, not above the limit; None where that is not known.
        self.best_step: Callable[[], Scalar | None] = lambda: None
        self._wide_levels: list[Level] | None = None
        self._parts = [x for draws in shared if draws is not None for x in draws.numbers()]
        values = (x for b in bounds for x in (b.error, b.bias) if x is not None)
        self.kind = kind_of([*(x.value for x in (*values, *self._parts)), p.kind.number(0)])

    def levels(self, kind: Arithmetic) -> list[Level]:
        """The patterns' levels, averaged over the batch."""
        return [
            batch_level(b, self.batch, kind, draws)
            for b, draws in zip(self.bounds, self.shared, strict=True)
        ]

    def numbers(self, step: Scalar | None = None) -> dict[str, Number]:
        """The terms at a step, by default the spec's, each with its status."""
        found, kind = _in_best_kind(
            lambda kind: self._terms(problem_as(self.p, kind, step), self.levels(kind)), self.kind
        )
        found = dict(found)
        statuses = dict.fromkeys(found, status_in(kind))
        if kind is not self.p.kind:
            # Levels that are irrational or measured do not make the other terms less certain.
            still, kind = self._unperturbed(step)
            found |= still
            statuses |= dict.fromkeys(still, status_in(kind))
        error = [b.error.status for b in self.bounds if b.error is not None]
        error += [x.status for x in self._parts]
        bias = [b.bias.status for b in self.bounds if b.bias is not None]
        mixed = self.batch > 1 or self.family.descent.splits_variance
        statuses["perturbation_error"] = worst(
            statuses["perturbation_error"], *error, *(bias if mixed else ())
        )
        statuses["perturbation_bias"] = worst(statuses["perturbation_bias"], *bias)
        return {name: Number(value, statuses[name]) for name, value in found.items()}

    def _unperturbed(self, step: Scalar | None) -> tuple[Terms, Arithmetic]:
        none = [Level(error=0, bias=0, unbiased=True) for _ in self.bounds]
        found, kind = _in_best_kind(
            lambda kind: self._terms(problem_as(self.p, kind, step), none), self.p.kind
        )
        return {name: found[name] for name in _UNPERTURBED}, kind

    def wide_bound(self, step: Scalar) -> Scalar:
        """The bound at a step in floating point, for searches."""
        if self._wide_levels is None:
            self._wide_levels = self.levels(WIDE)
        return sum(self._terms(problem_as(self.p, WIDE, step), self._wide_levels).values())

    def at_best(self, step: Scalar | None) -> tuple[Number, Number] | None:
        """A step next to the given one and the bound there; None without one."""
        chosen = None if step is None else steps.exact_step(step, limit_value(self.p, self.family))
        if chosen is None or chosen <= 0:
            return None
        exact = isinstance(step, Fraction)
        status = Status.PROVED if exact else Status.COMPUTED
        return Number(chosen, status, limit=True), added(self.numbers(chosen).values())


def _in_best_kind(compute: Callable[[Arithmetic], Any], best: Arithmetic) -> tuple[Any, Arithmetic]:
    """Run ``compute`` in the given kind, or in the next best one that does."""
    if best.exact:
        try:
            return compute(RATIONALS), RATIONALS
        except InexactError:
            pass
    if best is not WIDE:
        try:
            return enclosed(compute), INTERVALS
        except InexactError:
            pass
    return compute(WIDE), WIDE


def statement(
    graph: OperatorGraph,
    p: Problem,
    timeline: Timeline,
    family: Family,
    bounds: Sequence[Bounds],
    regime: str,
    shared: Sequence[SharedDraws | None] | None = None,
) -> Statement:
    """One family's statement in one regime, with bounds for each pattern of the timeline.

    Every bound must have a bias.

    Parameters
    ----------
    shared
        By pattern: what the samples of a batch share; by default as the graph has it.
    """
    if shared is None:
        shared = [None] * len(bounds)
        if graph.spec.loss.batch > 1:
            shared = [shared_draws(graph, family, q.active) for q in timeline.patterns]

    def shares(kind: Arithmetic) -> list[Scalar]:
        return [kind.number(Fraction(q.count, p.horizon)) for q in timeline.patterns]

    def nonconvex(q: Problem, levels: list[Level]) -> Terms:
        return statements.nonconvex_terms(q, family.descent, levels, shares(q.kind))

    def pl(q: Problem, levels: list[Level]) -> Terms:
        drop = statements.contraction_drop(q, family.descent)
        discounts = timeline.discounted(drop, family.descent.lag, q.kind)
        return statements.pl_terms(q, family.descent, levels, discounts)

    terms = nonconvex if regime == "nonconvex" else pl
    made = Statement(graph, p, family, bounds, shared, terms)

    def nonconvex_step() -> Scalar:
        def at(kind: Arithmetic) -> Scalar:
            levels = made.levels(kind)
            return statements.best_nonconvex_step(
                problem_as(p, kind), family.descent, levels, shares(kind)
            )

        return _in_best_kind(at, made.kind)[0]

    def pl_step() -> Scalar | None:
        if not steps.searchable(timeline.closed, p.horizon):
            return None
        return steps.search(made.wide_bound, wide(limit_value(p, family)))

    made.best_step = nonconvex_step if regime == "nonconvex" else pl_step
    return made
