"""Convergence bounds of a spec: every family, both regimes, term by term."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import RATIONALS, WIDE, Number, Scalar, Status
from boundcalc.arithmetic.number import format_limit, format_number
from boundcalc.errors import InexactError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.rates import statements
from boundcalc.rates.statements import Level, Problem
from boundcalc.rates.timeline import Timeline
from boundcalc.spec.expressions import Expression
from boundcalc.theories.perturbed.families import FAMILIES, Bounds, Family

_GRID = 120  # points of one round of the search for the best PL step
_ROUNDS = 5
_DECADES = 30  # below the limit, over which that search looks
_SEARCH_STEPS = 2_000  # longest horizon over which that search sums step by step


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
        The fixed step that minimises the bound for this horizon, and the bound there.
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
        perturbation = t["perturbation_error"].value + t["perturbation_bias"].value
        return {
            "optimisation": t["optimisation"],
            "sampling": t["sampling"],
            "perturbation": Number(perturbation, t["optimisation"].status),
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
    problem = _problem(graph)
    timeline = Timeline(graph, problem.horizon)
    bounds = {
        name: [family.bounds(graph, pattern.active) for pattern in timeline.patterns]
        for name, family in families.items()
    }
    nonconvex = {
        name: _nonconvex(graph, problem, timeline, family, bounds[name])
        for name, family in families.items()
    }
    pl = {}
    if problem.mu is not None:
        pl = {
            name: _pl(graph, problem, timeline, family, bounds[name])
            for name, family in families.items()
        }
    notes = [] if problem.mu is not None else ["no PL constant is claimed (loss.pl): no PL bound"]
    return Rates(
        horizon=problem.horizon,
        step_size=Number(problem.step, Status.COMPUTED, limit=True),
        nonconvex=nonconvex,
        pl=pl,
        notes=(*graph.notes, *notes),
    )


def _problem(graph: OperatorGraph) -> Problem:
    loss, training = graph.spec.loss, graph.spec.training
    if training is None:
        raise SpecError(
            "a rate needs a step size and a horizon",
            where="training",
            expected="training: {step_size: γ, horizon: T}",
            fix="add a `training` section",
        )
    values = graph.values(WIDE)

    def number(name: str, meaning: str) -> Scalar:
        expression: Expression | None = getattr(loss, name)
        if expression is None:
            raise SpecError(
                f"a rate needs {meaning}",
                where=f"loss.{name}",
                expected="a number ≥ 0",
                fix=f"add `{name}` to the `loss` section",
            )
        return expression.evaluate(WIDE, values)

    L = number("smoothness", "the Lipschitz constant of the gradient")
    mu = None if loss.pl is None else loss.pl.evaluate(WIDE, values)
    step = training.step_size.evaluate(WIDE, values)
    for where, value in (("training.step_size", step), ("loss.smoothness", L), ("loss.pl", mu)):
        if value is not None and value <= 0:
            raise SpecError("not a positive number", where=where, value=str(value), expected="> 0")
    if mu is not None and mu > L:
        raise SpecError(
            "the PL constant is larger than the smoothness",
            where="loss.pl",
            value=f"{loss.pl} > {loss.smoothness}",
            expected="pl ≤ smoothness: 2μ(ℓ−ℓ*) ≤ ‖∇ℓ‖² ≤ 2L(ℓ−ℓ*)",
            fix="lower `pl` or raise `smoothness`",
        )
    return Problem(
        L=L,
        mu=mu,
        gap=number("initial_gap", "the initial gap ℓ(w⁰) − ℓ*"),
        sigma=number("gradient_noise", "the sampling noise σ"),
        step=step,
        horizon=training.horizon,
    )


def batch_level(bounds: Bounds, batch: int) -> Level:
    """A batch's level: E‖·‖² ≤ min{ζ², (1 − 1/M)·bias² + ζ²/M} (docs/theory.md, Lemma 6.4).

    The first entry is Minkowski's inequality.  It matters where a family's bias bound is
    above its error bound.
    """
    assert bounds.error is not None  # noqa: S101 - every family bounds the error
    assert bounds.bias is not None  # noqa: S101 - callers have looked
    error, bias = wide(bounds.error.value), wide(bounds.bias.value)
    averaged = WIDE.minimum(error, (bias * (batch - 1) + error) / batch)
    return Level(error=averaged, bias=bias, unbiased=bool(bias == 0))


def wide(value: Any) -> Scalar:
    """Any number as a wide one."""
    if isinstance(value, Fraction | int):
        return WIDE.number(value)
    return WIDE.measured(value) if isinstance(value, float) else value


def _refusal(graph: OperatorGraph, p: Problem, family: Family, bounds: list[Bounds]) -> str | None:
    uncovered = family.refusal(graph)
    if uncovered is not None:
        return uncovered
    if _above_limit(graph, p, family):
        k = family.descent.limit
        name = "1/L" if k == 1 else f"1/({k}L)"
        step, limit = format_number(p.step), format_limit(_limit(p, family).value)
        return f"step_size {step} is above the limit {name} = {limit} of the theorem"
    return next((b.reason for b in bounds if b.bias is None), None)


def _above_limit(graph: OperatorGraph, p: Problem, family: Family) -> bool:
    """γ·kL > 1, decided exactly where the numbers are rational."""
    k = family.descent.limit
    try:
        values = graph.values(RATIONALS)
        training, smoothness = graph.spec.training, graph.spec.loss.smoothness
        assert training is not None  # noqa: S101 - _problem() has looked
        assert smoothness is not None  # noqa: S101 - the same
        step = training.step_size.evaluate(RATIONALS, values)
        return bool(step * k * smoothness.evaluate(RATIONALS, values) > 1)
    except InexactError:
        return bool(p.step * k * p.L > 1)


def _limit(p: Problem, family: Family) -> Number:
    return Number(1 / (family.descent.limit * p.L), Status.COMPUTED, limit=True)


def _levels(graph: OperatorGraph, bounds: list[Bounds]) -> list[Level]:
    return [batch_level(b, graph.spec.loss.batch) for b in bounds]


def _nonconvex(
    graph: OperatorGraph, p: Problem, timeline: Timeline, family: Family, bounds: list[Bounds]
) -> Rate:
    source = family.descent.nonconvex_source
    refused = _refusal(graph, p, family, bounds)
    best = None
    terms: dict[str, Number] = {}
    if all(b.bias is not None for b in bounds):
        levels = _levels(graph, bounds)
        shares = [WIDE.number(q.count) / p.horizon for q in timeline.patterns]
        step = statements.best_nonconvex_step(p, family.descent, levels, shares)
        if step > 0:
            at_best = statements.nonconvex_terms(_at(p, step), family.descent, levels, shares)
            best = (Number(step, Status.COMPUTED, limit=True), _computed(sum(at_best.values())))
        if refused is None:
            found = statements.nonconvex_terms(p, family.descent, levels, shares)
            terms = {name: _computed(value) for name, value in found.items()}
    return _rate(family, terms, _limit(p, family), best, refused, source)


def _pl(
    graph: OperatorGraph, p: Problem, timeline: Timeline, family: Family, bounds: list[Bounds]
) -> Rate:
    source = family.descent.pl_source
    refused = _refusal(graph, p, family, bounds)
    best = None
    terms: dict[str, Number] = {}
    if all(b.bias is not None for b in bounds):
        levels = _levels(graph, bounds)

        def at(step: Scalar) -> dict[str, Scalar]:
            q = _at(p, step)
            drop = statements.contraction_drop(q, family.descent)
            discounts = timeline.discounted(drop, family.descent.lag)
            return statements.pl_terms(q, family.descent, levels, discounts)

        step = None
        if timeline.closed or p.horizon <= _SEARCH_STEPS:
            step = _search(lambda s: sum(at(s).values()), 1 / (family.descent.limit * p.L))
        if step is not None:
            best = (Number(step, Status.COMPUTED, limit=True), _computed(sum(at(step).values())))
        if refused is None:
            terms = {name: _computed(value) for name, value in at(p.step).items()}
    return _rate(family, terms, _limit(p, family), best, refused, source)


def _search(bound: Callable[[Scalar], Scalar], limit: Scalar) -> Scalar | None:
    """The best step in (0, limit] on a logarithmic grid that is refined around its minimum.

    None if the bound only grows with the step: then no step improves on Δ₀.
    """
    low, high = WIDE.log(limit) - _DECADES * WIDE.log(WIDE.number(10)), WIDE.log(limit)
    best = None
    for _ in range(_ROUNDS):
        points = [low + (high - low) * k / (_GRID - 1) for k in range(_GRID)]
        steps = [WIDE.minimum(limit, WIDE.exp(x)) for x in points]
        values = [bound(step) for step in steps]
        k = min(range(_GRID), key=values.__getitem__)
        if best is None and k == 0:
            return None
        best = steps[k]
        low, high = points[max(k - 1, 0)], points[min(k + 1, _GRID - 1)]
    return best


def _at(p: Problem, step: Scalar) -> Problem:
    return Problem(L=p.L, mu=p.mu, gap=p.gap, sigma=p.sigma, step=step, horizon=p.horizon)


def _computed(value: Scalar) -> Number:
    return Number(wide(value), Status.COMPUTED)


def _rate(
    family: Family,
    terms: dict[str, Number],
    limit: Number,
    best: tuple[Number, Number] | None,
    refused: str | None,
    source: str,
) -> Rate:
    bound = _computed(sum(term.value for term in terms.values())) if terms else None
    return Rate(family.name, bound, terms, limit, best, refused, source)
