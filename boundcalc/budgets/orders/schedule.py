"""Step-size schedules, the rate that the unperturbed bound has, and what that takes."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from boundcalc.budgets.orders.kind import Orders
from boundcalc.budgets.orders.order import CONSTANT, HORIZON, LOGARITHM, Order
from boundcalc.budgets.orders.quantity import Quantity
from boundcalc.budgets.orders.terms import discounted, nonconvex, pl, problem
from boundcalc.errors import SpecError
from boundcalc.rates import statements
from boundcalc.rates.statements import Level, Problem
from boundcalc.theories.perturbed.descent import Descent


@dataclass(frozen=True)
class Plan:
    """A regime, a schedule and the rate to keep.

    Attributes
    ----------
    step, rate
        Orders of γ and of the bound.
    kind, problem
        To evaluate further terms with.
    conditions
        On the constant in front of γ, and remarks on the rate.
    optimisation
        The order of the term of the starting gap, as text.
    """

    regime: str
    step: Order
    rate: Order
    kind: Orders
    problem: Problem
    conditions: tuple[str, ...]
    optimisation: str


def plan(
    noise: Quantity, d: Descent, regime: str, step: Order | None = None, rate: Order | None = None
) -> Plan:
    """The plan for a schedule and a rate.

    Parameters
    ----------
    noise
        The order of σ.
    step
        The order of γ; by default :func:`default_step`.
    rate
        The order of the bound to keep; by default that of the unperturbed bound with σ > 0.

    Raises
    ------
    SpecError
        If the step grows with T, or the unperturbed bound is larger than the rate.

    Examples
    --------
    >>> from boundcalc.theories.perturbed.descent import PUBLISHED
    >>> found = plan(Orders().number(1), PUBLISHED, "pl")
    >>> print(found.rate, *found.conditions, found.optimisation, sep="; ")
    T^(-1) ln T; γ = c T^(-1) ln T with c ≥ 3/μ; T^(-cμ/3)
    """
    step = default_step(d, regime) if step is None else step
    if step > CONSTANT:
        raise SpecError(
            f"a step size γ that grows as {step}",
            where="step",
            value=str(step),
            expected=f"at most order 1: the bound holds for γ ≤ 1/({d.limit}L)",
            fix="choose a schedule T^(-a) with a ≥ 0",
        )
    kind = Orders()
    bare = _unperturbed(kind, step, noise, d, regime)
    least = _total(bare)
    if rate is None:
        rate = _total(_unperturbed(kind, step, kind.number(1), d, regime))
    elif least > rate:
        raise SpecError(
            f"without any perturbation the bound is of order {least}, larger than the rate",
            where="rate",
            value=str(rate),
            expected=f"at least the order {least}",
            fix="ask for a larger rate, or choose another step-size schedule",
        )
    return Plan(
        regime=regime,
        step=step,
        rate=rate,
        kind=kind,
        problem=problem(kind, kind.order(step), noise),
        conditions=(*_on_constants(kind, d, step, rate), *_on_rate(kind, step, rate, bare)),
        optimisation=_optimisation(kind, d, bare["optimisation"]),
    )


def default_step(d: Descent, regime: str) -> Order:
    """T^{-1/2}, the best fixed step (Lemma 6.6); under PL ln T/T.

    The latter is the smallest order for which (1 − cμγ)^T falls as a power of T.
    """
    if regime == "pl":
        return LOGARITHM / HORIZON
    kind = Orders()
    at_any = problem(kind, kind.number(1), kind.number(1))
    still = [Level(error=kind.number(0), bias=kind.number(0), unbiased=True)]
    best: Quantity = statements.best_nonconvex_step(at_any, d, still, [kind.number(1)])
    return best.order()


def _unperturbed(
    kind: Orders, step: Order, noise: Quantity, d: Descent, regime: str
) -> dict[str, Quantity]:
    p = problem(kind, kind.order(step), noise)
    still = [Level(error=kind.number(0), bias=kind.number(0), unbiased=True)]
    if regime == "nonconvex":
        return nonconvex(p, d, still, [kind.horizon])
    return pl(p, d, still, [discounted(p, d, kind.horizon, kind.number(1))])


def _total(terms: dict[str, Quantity]) -> Order:
    return max(term.order() for term in terms.values())


def _on_constants(kind: Orders, d: Descent, step: Order, rate: Order) -> list[str]:
    """What the constant c in γ = c·step has to satisfy."""
    found = []
    if step == CONSTANT:
        found.append(f"γ ≤ 1/{_times(d.limit, 'L')} for the statement to hold")
    # (1 − κμγ)^T ≤ e^{−κμγT} = T^{−κμc}, which is to be at most T^power ln^log T.
    needed = -rate.power / Fraction(*d.contraction)
    if kind.critical and needed > 0:
        relation = "≥" if rate.log >= 0 else ">"
        below = "μ" if needed.denominator == 1 else f"({needed.denominator}μ)"
        found.append(f"γ = c {step} with c {relation} {needed.numerator}/{below}")
    return found


def _times(factor: int, symbol: str) -> str:
    return symbol if factor == 1 else f"({factor}{symbol})"


def _on_rate(kind: Orders, step: Order, rate: Order, bare: dict[str, Quantity]) -> list[str]:
    found = []
    if kind.slow:
        found.append(
            f"(1 − cμγ)^T decays more slowly than every power of T, since γT = {step * HORIZON}: "
            "taken as order 1"
        )
    elif rate >= CONSTANT:
        stuck = [name for name, term in bare.items() if term.order() >= CONSTANT]
        found.append(
            f"the bound does not converge to 0: {' and '.join(stuck)} of order {_total(bare)}"
            if stuck
            else f"the rate that is kept, {rate}, does not tend to 0"
        )
    if bare["sampling"] == 0:
        found.append("σ = 0: the unperturbed bound may be of smaller order than the rate")
    return found


def _optimisation(kind: Orders, d: Descent, term: Quantity) -> str:
    """Where it vanishes in the arithmetic of orders, what it is instead."""
    if term != 0:
        return str(term)
    if not kind.critical:
        return "smaller than every power of T"
    top, bottom = d.contraction
    over = "" if bottom == 1 else f"/{bottom}"
    return f"T^(-{'' if top == 1 else top}cμ{over})"
