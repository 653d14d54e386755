"""Admissible orders of perturbations and of events, derived from the bounds themselves.

[KZY], Corollaries 1 to 4 and Table 1; docs/theory.md, section 7.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from boundcalc.budgets.orders.admissible import admissible, all_kept
from boundcalc.budgets.orders.constants import Shape, generic, of_graph
from boundcalc.budgets.orders.order import CONSTANT, HORIZON, NOTHING, Order
from boundcalc.budgets.orders.quantity import Quantity
from boundcalc.budgets.orders.results import FrequentOrders, IntermittentOrders, RegimeOrders
from boundcalc.budgets.orders.schedule import Plan, plan
from boundcalc.budgets.orders.terms import LEVELS, MOMENTS, LevelOrders, discounted, nonconvex, pl
from boundcalc.errors import SpecError, nearest
from boundcalc.graph import OperatorGraph
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.rates.statements import Level
from boundcalc.theories.perturbed.families import FAMILIES, Family

REGIMES = ("nonconvex", "pl")

_COUNT = "Q"


def orders(
    graph: OperatorGraph,
    family: str = "sharp",
    *,
    steps: Mapping[str, Order] | None = None,
    rates: Mapping[str, Order] | None = None,
) -> dict[str, RegimeOrders]:
    """Largest admissible orders for a graph; PL only where ``loss.pl`` is given.

    Which constants of the graph are 0 matters, and nothing else does: where no operator is
    curved, a zero-mean forward perturbation need not shrink.  Levels are alike at all sites.

    Parameters
    ----------
    family
        ``published``, ``corrected`` or ``sharp``.
    steps
        Regime → order of the step size; by default T^{-1/2} and ln T/T.
    rates
        Regime → order of the bound that is to be kept; by default that of the unperturbed one.

    Raises
    ------
    SpecError
        If the training is not plain SGD, the family has no bounds for the graph, the step exceeds
        every constant, or the unperturbed bound is already larger than the rate that is
        asked for.

    Notes
    -----
    Exact, in rationals; O(N + slot pairs) operations, of which few differ.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> graph = bc.build(bc.load(example("three-operators")))
    >>> print(orders(graph)["nonconvex"].frequent.forward_rms)
    T^(-1/8)
    """
    chosen = _family(family)
    unknown = not_plain_sgd(graph)
    if unknown is not None:
        raise SpecError(
            f"no orders: {unknown}",
            where="training",
            expected="plain SGD: without `optimizer` and `clip`",
            fix="remove `optimizer` and `clip`; with them the spec can be simulated",
        )
    refused = chosen.refusal(graph)
    if refused is not None:
        raise SpecError(
            f"the {chosen.name} family has no orders here: {refused}",
            where="budget.family",
            value=family,
            fix="choose family: sharp",
        )
    regimes = REGIMES if graph.spec.loss.pl is not None else REGIMES[:1]
    return _all(of_graph(graph), chosen, regimes, steps, rates)


def paper_orders(
    family: str = "sharp",
    *,
    steps: Mapping[str, Order] | None = None,
    rates: Mapping[str, Order] | None = None,
) -> dict[str, RegimeOrders]:
    """Corollaries 1 to 4 and Table 1 of [KZY]: a chain of three operators, no constant 0.

    Arguments as those of :func:`orders`.  The number of operators does not matter.

    Examples
    --------
    >>> found = paper_orders()["pl"]
    >>> print(found.step, found.frequent.forward_rms, found.frequent.backward_rms, sep=";  ")
    T^(-1) ln T;  T^(-1/4) ln^(1/4) T;  1
    >>> found.conditions
    ('γ = c T^(-1) ln T with c ≥ 1/μ',)
    """
    return _all(generic(), _family(family), REGIMES, steps, rates)


def _all(
    shape: Shape,
    family: Family,
    regimes: tuple[str, ...],
    steps: Mapping[str, Order] | None,
    rates: Mapping[str, Order] | None,
) -> dict[str, RegimeOrders]:
    for given in (steps or {}, rates or {}):
        for name in given:
            if name not in regimes:
                raise SpecError("no such regime here", value=name, expected=" or ".join(regimes))
    levels = LevelOrders(shape, MOMENTS[family.name])
    return {
        regime: regime_orders(
            levels, family, regime, (steps or {}).get(regime), (rates or {}).get(regime)
        )
        for regime in regimes
    }


def _family(name: str) -> Family:
    if name not in FAMILIES:
        near = nearest(name, FAMILIES)
        raise SpecError(
            "unknown family",
            value=name,
            expected=", ".join(FAMILIES),
            fix=None if near is None else f"write {near}",
        )
    return FAMILIES[name]


def regime_orders(
    levels: LevelOrders,
    family: Family,
    regime: str,
    step: Order | None = None,
    rate: Order | None = None,
) -> RegimeOrders:
    """Orders in one regime; arguments as those of :func:`orders`, one of each."""
    found = plan(levels.shape.noise, family.descent, regime, step, rate)
    frequent, terms, together = _frequent(levels, family, found)
    conditions = list(found.conditions)
    if not together:
        conditions.append("each order is for that level alone: together they exceed the rate")
    return RegimeOrders(
        step=found.step,
        rate=found.rate,
        conditions=tuple(conditions),
        frequent=frequent,
        zero_mean=_intermittent(levels, family, found, means=False),
        general=_intermittent(levels, family, found, means=True),
        terms={
            name: found.optimisation if name == "optimisation" else str(term)
            for name, term in terms.items()
        },
    )


def _frequent(
    levels: LevelOrders, family: Family, found: Plan
) -> tuple[FrequentOrders, dict[str, Quantity], bool]:
    """The same levels at every step; also the terms, and whether all answers hold together."""
    kind, target = found.kind, found.rate

    def terms(*names: str) -> dict[str, Quantity]:
        return _terms(family, found, [levels.unknown(names)], [kind.horizon], even=False)

    answers: dict[str, Order | None] = {}
    for rms, mean in (("e", "m"), ("eps", "n")):
        size = answers[rms] = _most(terms(rms), LEVELS[rms], target)
        # The mean is part of the root mean square, which has its own largest order.
        given = {LEVELS[rms]: CONSTANT if size is None else size}
        alone = _most(terms(rms, mean), LEVELS[mean], target, given)
        answers[mean] = min((x for x in (alone, size) if x is not None), default=None)
    present = [name for name, x in answers.items() if x is None or not x.zero]
    at_all = {LEVELS[name]: x for name in present if (x := answers[name]) is not None}
    together = terms(*present)
    free = {name: CONSTANT for t in together.values() for name in t.unknowns if name not in at_all}
    frequent = FrequentOrders(
        forward_rms=answers["e"],
        forward_mean=answers["m"],
        backward_rms=answers["eps"],
        backward_mean=answers["n"],
    )
    return frequent, terms(*LEVELS), all_kept(together, {**free, **at_all}, target)


def _most(
    terms: dict[str, Quantity], name: str, target: Order, given: Mapping[str, Order] | None = None
) -> Order | None:
    """The largest order; 0 where the unknown makes a term too large, however small it is.

    Without perturbations no term is, or there would be no plan.
    """
    try:
        return admissible(terms, name, target, given).most
    except SpecError:
        return NOTHING


def _intermittent(
    levels: LevelOrders, family: Family, found: Plan, *, means: bool
) -> IntermittentOrders:
    """Events of order 1, with means of order 1 or none, at Q of the T steps."""
    kind = found.kind
    count = kind.unknown(_COUNT)

    def most(rms: str, mean: str, *, even: bool) -> Order:
        hit = levels.of_order_one([rms, mean] if means else [rms])
        still = levels.of_order_one([])
        terms = _terms(family, found, [hit, still], [count, kind.horizon], even=even)
        largest = _most(terms, _COUNT, found.rate)
        # There are no more than T steps, and there is no part of an event.
        within = HORIZON if largest is None else min(largest, HORIZON)
        return NOTHING if within < CONSTANT else within

    return IntermittentOrders(
        forward=most("e", "m", even=False),
        backward=most("eps", "n", even=False),
        forward_even=most("e", "m", even=True),
        backward_even=most("eps", "n", even=True),
    )


def _terms(
    family: Family, found: Plan, levels: list[Level], counts: list[Quantity], *, even: bool
) -> dict[str, Quantity]:
    """The terms with each level at so many steps: spread evenly, or the last ones of the run."""
    d, p = family.descent, found.problem
    if found.regime == "nonconvex":
        return nonconvex(p, d, levels, counts)
    one = found.kind.number(Fraction(1))
    strides = [found.kind.horizon / count if even else one for count in counts]
    sums = [discounted(p, d, n, s) for n, s in zip(counts, strides, strict=True)]
    return pl(p, d, levels, sums)
