"""Whether a run is long enough for orders to say anything about it."""

from __future__ import annotations

from fractions import Fraction

from boundcalc.arithmetic import WIDE, Scalar
from boundcalc.arithmetic.number import format_limit, format_number
from boundcalc.graph import OperatorGraph
from boundcalc.perturbations.schedules import Progression
from boundcalc.rates import statements
from boundcalc.rates.discounts import geometric
from boundcalc.rates.inputs import limit_value, problem, problem_as
from boundcalc.rates.statements import Level, Problem
from boundcalc.theories.perturbed.families import FAMILIES, Family

#: Longest run that is looked for: what is longer is not worth a number.
_LONGEST = 10**30


def horizon_note(graph: OperatorGraph, family: str, regime: str) -> str | None:
    """Why the orders of :func:`~boundcalc.budgets.orders.regimes.orders` say little about a run.

    Nonconvex: the best step for the horizon is still the limit 1/(kL), so that the bound falls
    as 1/T.  PL: ln T/(cμT) is above that limit, or the starting gap still outweighs the noise.

    Returns
    -------
    A sentence, computed in 113 bits; None where nothing is to be said.

    Raises
    ------
    SpecError
        If the spec has no ``training`` section or lacks a constant of the loss.

    Examples
    --------
    >>> import boundcalc as bc
    >>> spec = bc.loads('''
    ... version: 1
    ... name: a short run
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... loss: {smoothness: 1, pl: 1/10, initial_gap: 1, gradient_noise: 1/10}
    ... training: {step_size: 1/4, horizon: 20}
    ... ''')
    >>> print(horizon_note(bc.build(spec), "sharp", "pl"))
    the horizon 20 is too short for the orders: ln T/(μT) = 1.49787 is above the limit 1/L = 1
    of the step size, up to T = 35
    """
    chosen = FAMILIES[family]
    p = problem_as(problem(graph), WIDE)
    if regime == "nonconvex":
        return _nonconvex(p, chosen)
    return None if p.mu is None else _pl(p, chosen)


def _still() -> Level:
    return Level(error=WIDE.number(0), bias=WIDE.number(0), unbiased=True)


def _nonconvex(p: Problem, family: Family) -> str | None:
    d, one = family.descent, WIDE.number(1)
    limit = limit_value(p, family)
    if p.sigma == 0:
        return (
            f"without sampling noise (σ = 0) the best step is the limit {_limit(family)} at every "
            "horizon, and the unperturbed bound falls as 1/T: the orders are those of T^(-1/2)"
        )
    if statements.best_nonconvex_step(p, d, [_still()], [one]) < limit:
        return None
    # The uncut step falls as T^{-1/2}: it meets the limit where its square at T = 1 does.
    uncut = d.gap * p.gap / (p.L * d.noise * p.sigma**2)
    return (
        f"the horizon {p.horizon} is too short for the orders: the best step is the limit "
        f"{_limit(family)} = {format_limit(limit)}, and the bound falls as 1/T, up to "
        f"T = {_whole(uncut / limit**2)}"
    )


def _pl(p: Problem, family: Family) -> str | None:
    d, limit = family.descent, limit_value(p, family)
    rate = WIDE.number(d.contraction[0]) / d.contraction[1] * p.mu
    step = WIDE.log(WIDE.number(p.horizon)) / (rate * p.horizon)
    top, bottom = d.contraction
    name = f"{'' if bottom == 1 else f'{bottom} '}ln T/({'' if top == 1 else top}μT)"
    if step > limit:
        return (
            f"the horizon {p.horizon} is too short for the orders: {name} = {format_number(step)} "
            f"is above the limit {_limit(family)} = {format_limit(limit)} of the step size, "
            f"up to T = {_last_above(rate * limit)}"
        )
    for at, what in ((step, f"the step {name}"), (p.step, "the spec's step")):
        if at <= 0 or at > limit:
            continue
        terms = _pl_terms(problem_as(p, WIDE, at), family)
        start, noise = terms["optimisation"], terms["sampling"]
        if start > noise > 0:
            return (
                f"the horizon {p.horizon} is short for the orders: with {what} the term of the "
                f"starting gap is {format_number(start)}, that of the noise {format_number(noise)}"
            )
    return None


def _pl_terms(p: Problem, family: Family) -> dict[str, Scalar]:
    d = family.descent
    drop = statements.contraction_drop(p, d)
    everything = geometric(drop, Progression(0, 1, p.horizon), p.horizon - d.lag)
    return statements.pl_terms(p, d, [_still()], [everything])


def _last_above(least: Scalar) -> str:
    """The largest T with ln T/T > least; ln T/T falls from T = 3 on."""
    low, high = 3, 6
    while high < _LONGEST and WIDE.log(WIDE.number(high)) / high > least:
        low, high = high, 2 * high
    if high >= _LONGEST:
        return format_number(WIDE.number(_LONGEST)) + " at least"
    while high - low > 1:
        middle = (low + high) // 2
        if WIDE.log(WIDE.number(middle)) / middle > least:
            low = middle
        else:
            high = middle
    return str(low)


def _whole(value: Scalar) -> str:
    """Rounded down, but for the rounding of a number that is meant to be whole."""
    if value >= _LONGEST:
        return format_number(value)
    return str(int(value * (1 + WIDE.number(Fraction(1, 10**25)))))


def _limit(family: Family) -> str:
    k = family.descent.limit
    return "1/L" if k == 1 else f"1/({k}L)"
