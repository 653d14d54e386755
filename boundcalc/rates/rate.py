"""Convergence bounds of a spec: every family, both regimes, term by term."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, TypeAlias

from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE, Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import converted, enclosed, kind_of
from boundcalc.arithmetic.combine import added
from boundcalc.arithmetic.number import worst
from boundcalc.errors import InexactError
from boundcalc.graph import OperatorGraph
from boundcalc.rates import statements, steps
from boundcalc.rates.inputs import (
    limit_value,
    problem,
    problem_as,
    status_in,
    step_limit,
    too_large_a_step,
)
from boundcalc.rates.statements import Level, Problem
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed.families import FAMILIES, Bounds, Family

#: Terms that no perturbation enters.
_UNPERTURBED = ("optimisation", "sampling")

#: Terms of a bound in one number kind.
Terms: TypeAlias = dict[str, Scalar]


@dataclass(frozen=True)
class Rate:
    """One family's bound in one regime.

    Attributes
    ----------
    bound
        On (1/T) Σ E‖∇ℓ‖² (nonconvex) or E[ℓ(w^T) − ℓ*] (PL); None where ``refused``
        says why.
    terms
        optimisation, sampling, perturbation_error, perturbation_bias; they add up
        to the bound.
    step_size_limit
        The largest step for which the statement holds, 1/(3L) or 1/L.
    best_step
        A fixed step that nearly minimises the bound for this horizon, and the bound there.
        The step is an exact number below the limit, so that the bound there is proved where
        the spec's numbers are; that no other step is better is computed.
    refused
        Why there is no bound.
    source
        Theorem and equation.
    """

    family: str
    bound: Number | None
    terms: Mapping[str, Number]
    step_size_limit: Number | None
    best_step: tuple[Number, Number] | None
    refused: str | None
    source: str

    def split(self) -> dict[str, Number]:
        """Optimisation error, sampling noise and perturbation: three parts of the bound."""
        if self.bound is None:
            return {}
        t = self.terms
        return {
            "optimisation": t["optimisation"],
            "sampling": t["sampling"],
            "perturbation": added((t["perturbation_error"], t["perturbation_bias"])),
        }


@dataclass(frozen=True)
class Rates:
    """Every family's bounds.

    Attributes
    ----------
    nonconvex, pl
        Family name → :class:`Rate`; ``pl`` is empty when the spec claims no PL constant.
    """

    horizon: int
    step_size: Number
    nonconvex: Mapping[str, Rate]
    pl: Mapping[str, Rate]
    notes: tuple[str, ...] = field(default=())


def rates(graph: OperatorGraph, *, families: Mapping[str, Family] = FAMILIES) -> Rates:
    """Nonconvex and PL bounds of every family at the spec's step size and horizon.

    Parameters
    ----------
    graph
        A compiled spec with ``loss`` and ``training`` sections.

    Returns
    -------
    Rates
        Upper bounds; unit-free apart from the loss's own unit.  A bound whose step
        size is above the theorem's limit is refused, with the limit named.

    Raises
    ------
    SpecError
        If the spec lacks a constant that every rate needs.
    SymbolError
        If a symbol in it has no value.

    Notes
    -----
    Theorems 3 to 5 of [KZY]; docs/theory.md, Theorems 6.1 and 6.2.  Work is O(N) per
    distinct set of active perturbations, plus O(T) if some act only at some steps.
    The batch enters through docs/theory.md, Lemma 6.4.

    Examples
    --------
    >>> import boundcalc as bc
    >>> spec = bc.loads('''
    ... version: 1
    ... name: noise-free gradient descent
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
    ... training: {step_size: 1/4, horizon: 100}
    ... ''')
    >>> {name: str(rate.bound) for name, rate in bc.rates(spec).nonconvex.items()}
    {'published': '0.24', 'corrected': '0.24', 'sharp': '0.08'}
    """
    p = problem(graph)
    timeline = Timeline(graph, p.horizon)
    bounds = {
        name: [family.bounds(graph, pattern.active) for pattern in timeline.patterns]
        for name, family in families.items()
    }
    nonconvex, pl = (
        {
            name: _regime(graph, p, timeline, family, bounds[name], regime)
            for name, family in families.items()
            if regime == "nonconvex" or p.mu is not None
        }
        for regime in ("nonconvex", "pl")
    )
    notes = [] if p.mu is not None else ["no PL constant is claimed (loss.pl): no PL bound"]
    return Rates(
        horizon=p.horizon,
        step_size=Number(p.step, status_in(p.kind), limit=True),
        nonconvex=nonconvex,
        pl=pl,
        notes=(*graph.notes, *notes),
    )


def batch_level(bounds: Bounds, batch: int, kind: Arithmetic | None = None) -> Level:
    """A batch's level: E‖·‖² ≤ min{ζ², (1 − 1/M)·bias² + ζ²/M} (docs/theory.md, Lemma 6.4).

    The first entry is Minkowski's inequality.  It matters where a family's bias bound is
    above its error bound.

    Parameters
    ----------
    kind
        In which kind; by default the best one that holds both bounds.
    """
    assert bounds.error is not None  # noqa: S101 - every family bounds the error
    assert bounds.bias is not None  # noqa: S101 - callers have looked
    kind = kind or kind_of([bounds.error.value, bounds.bias.value])
    error, bias = converted(bounds.error.value, kind), converted(bounds.bias.value, kind)
    averaged = kind.minimum(error, (bias * (batch - 1) + error) / batch)
    return Level(error=averaged, bias=bias, unbiased=bool(bias == 0))


def wide(value: Any) -> Scalar:
    """Any number as a wide one; of an enclosure the midpoint."""
    return converted(value, WIDE)


def _refusal(graph: OperatorGraph, p: Problem, family: Family, bounds: list[Bounds]) -> str | None:
    return (
        family.refusal(graph)
        or too_large_a_step(graph, p, family)
        or next((b.reason for b in bounds if b.bias is None), None)
    )


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
        terms: Callable[[Problem, list[Level]], Terms],
    ) -> None:
        self.p, self.family, self.bounds, self._terms = p, family, bounds, terms
        self.batch = graph.spec.loss.batch
        #: Where the bound is least, not above the limit; None where that is not known.
        self.best_step: Callable[[], Scalar | None] = lambda: None
        self._wide_levels: list[Level] | None = None
        values = (x.value for b in bounds for x in (b.error, b.bias) if x is not None)
        self.kind = kind_of([*values, p.kind.number(0)])

    def levels(self, kind: Arithmetic) -> list[Level]:
        """The patterns' levels, averaged over the batch."""
        return [batch_level(b, self.batch, kind) for b in self.bounds]

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
) -> Statement:
    """One family's statement in one regime, with bounds for each pattern of the timeline.

    Every bound must have a bias.
    """

    def shares(kind: Arithmetic) -> list[Scalar]:
        return [kind.number(Fraction(q.count, p.horizon)) for q in timeline.patterns]

    def nonconvex(q: Problem, levels: list[Level]) -> Terms:
        return statements.nonconvex_terms(q, family.descent, levels, shares(q.kind))

    def pl(q: Problem, levels: list[Level]) -> Terms:
        drop = statements.contraction_drop(q, family.descent)
        discounts = timeline.discounted(drop, family.descent.lag, q.kind)
        return statements.pl_terms(q, family.descent, levels, discounts)

    made = Statement(graph, p, family, bounds, nonconvex if regime == "nonconvex" else pl)

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


def _regime(
    graph: OperatorGraph,
    p: Problem,
    timeline: Timeline,
    family: Family,
    bounds: list[Bounds],
    regime: str,
) -> Rate:
    refused = _refusal(graph, p, family, bounds)
    best = None
    terms: dict[str, Number] = {}
    if all(b.bias is not None for b in bounds):
        found = statement(graph, p, timeline, family, bounds, regime)
        best = found.at_best(found.best_step())
        if refused is None:
            terms = found.numbers()
    descent = family.descent
    source = descent.nonconvex_source if regime == "nonconvex" else descent.pl_source
    return _rate(family, terms, step_limit(p, family), best, refused, source)


def _rate(
    family: Family,
    terms: dict[str, Number],
    limit: Number,
    best: tuple[Number, Number] | None,
    refused: str | None,
    source: str,
) -> Rate:
    bound = added(terms.values()) if terms else None
    return Rate(family.name, bound, terms, limit, best, refused, source)
