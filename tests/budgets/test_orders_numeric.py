"""Orders against the bounds themselves, in 113 bits, at horizons from 10^300 to 10^3000.

Nothing of the engine takes part but its answers: the levels are put at the claimed order, the
statements and discounted sums are evaluated as for any spec, and bound over rate must stay
bounded; with a power of T or of ln T more it must not.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from boundcalc.arithmetic import WIDE
from boundcalc.budgets.orders import Order, paper_orders
from boundcalc.graph.numbers import ChainConstants, Levels, UniformConstants
from boundcalc.perturbations.schedules import Progression
from boundcalc.rates.discounts import geometric
from boundcalc.rates.statements import (
    Level,
    Problem,
    contraction_drop,
    nonconvex_terms,
    pl_terms,
)
from boundcalc.theories.perturbed import sharp, sums
from boundcalc.theories.perturbed.families import FAMILIES

F = Fraction
MU = F(1, 2)
HORIZONS = (10**300, 10**3000)

#: What a bounded quotient may change by between the horizons, where ln T grows tenfold; and the
#: least growth with ln^{1/2} T more, where the rest of the bound is of the order of the rate, too.
STEADY, GROWN = 1.05, 1.5

N = 3
ONES = tuple(WIDE.number(int(i > 0)) for i in range(N + 1))


def value(order: Order, T: int) -> Any:
    big = WIDE.number(T)
    return WIDE.exp(
        WIDE.number(order.power) * WIDE.log(big) + WIDE.number(order.log) * WIDE.log(WIDE.log(big))
    )


def level(family: str, **sizes: Any) -> Level:
    def row(name: str, first: int, last: int) -> tuple[Any, ...]:
        size = sizes.get(name, WIDE.number(0))
        return tuple(size if first <= i <= last else WIDE.number(0) for i in range(N + 1))

    e = row("e", 1, N - 1)
    levels = Levels(
        e=e, m=row("m", 1, N - 1), q=tuple(x**4 for x in e), eps=row("eps", 2, N), n=row("n", 2, N)
    )
    if family == "sharp":
        c = ChainConstants(*[ONES] * 7)
        second = sharp.centred(
            c, levels, WIDE, forward=levels.forward_centred, backward=levels.backward_centred
        )
        error, bias = second.total(), sharp.means(c, levels, second, WIDE, capped=False).total()
    else:
        corrected = family == "corrected"
        uniform = UniformConstants(N, *[WIDE.number(1)] * 5)
        columns = sums.coefficients(uniform, WIDE, corrected=corrected)
        error = sums.error_bound(columns, levels, WIDE)
        bias = sums.bias_bound(columns, levels, WIDE)
    return Level(error=error, bias=bias, unbiased=bool(bias == 0))


def bound(family: str, regime: str, step: Order, T: int, hit: Level, Q: int, even: bool) -> Any:
    """The bound where Q of T steps are hit: the last ones, or evenly spread ones."""
    d = FAMILIES[family].descent
    front = 1 / (MU * F(*d.contraction)) if regime == "pl" else F(1)
    one = WIDE.number(1)
    p = Problem(
        L=one,
        mu=WIDE.number(MU),
        gap=one,
        sigma=one,
        step=WIDE.number(front) * value(step, T),
        horizon=T,
        kind=WIDE,
    )
    zero = WIDE.number(0)
    levels = [hit, Level(error=zero, bias=zero, unbiased=True)]
    if regime == "nonconvex":
        share = WIDE.number(F(Q, T))
        return sum(nonconvex_terms(p, d, levels, [share, 1 - share]).values())
    drop, top, stride = contraction_drop(p, d), T - d.lag, T // Q if even else 1
    acting = geometric(drop, Progression(T - 1 - (Q - 1) * stride, stride, Q), top)
    others = geometric(drop, Progression(0, 1, T), top) - acting
    return sum(pl_terms(p, d, levels, [acting, others]).values())


def growth(family: str, regime: str, found: Any, sizes: Any, count: Any, even: bool) -> float:
    """(bound over rate at the longer horizon) / (the same at the shorter one)."""
    quotients = []
    for T in HORIZONS:
        hit = level(family, **{name: value(order, T) for name, order in sizes.items()})
        Q = min(T, max(1, int(value(count, T))))
        quotients.append(bound(family, regime, found.step, T, hit, Q, even) / value(found.rate, T))
    return float(quotients[1] / quotients[0])


MORE = [Order(F(0), F(1, 2)), Order(F(1, 1000))]
T_ITSELF = Order(F(1))

#: Schedules beside the canonical ones.
STEPS = {
    "nonconvex": [None, Order(F(-2, 3)), Order(F(-1, 3)), Order(F(-1, 2), F(1))],
    "pl": [None, Order(F(-1, 2)), Order(F(-1), F(2))],
}

CASES = [
    (family, regime, step)
    for family in FAMILIES
    for regime, steps in STEPS.items()
    for step in (steps if family == "sharp" else steps[:1])
]


def found_orders(family: str, regime: str, step: Order | None) -> Any:
    return paper_orders(family, steps=None if step is None else {regime: step})[regime]


@pytest.mark.parametrize(("family", "regime", "step"), CASES)
def test_frequent_orders_are_the_largest(family, regime, step):
    found = found_orders(family, regime, step)
    x = found.frequent
    cases = [
        {"e": x.forward_rms},
        {"e": x.forward_rms, "m": x.forward_mean},
        {"eps": x.backward_rms},
        {"eps": x.backward_rms, "n": x.backward_mean},
    ]
    together = {name: order for case in cases for name, order in case.items()}
    assert growth(family, regime, found, together, T_ITSELF, False) <= STEADY
    for sizes in cases:
        name = list(sizes)[-1]
        assert growth(family, regime, found, sizes, T_ITSELF, False) <= STEADY
        for more in MORE:
            larger = {**sizes, name: sizes[name] * more}
            assert growth(family, regime, found, larger, T_ITSELF, False) >= GROWN


@pytest.mark.parametrize(("family", "regime", "step"), CASES)
@pytest.mark.parametrize("even", [False, True])
def test_counts_of_events_are_the_largest(family, regime, step, even):
    found = found_orders(family, regime, step)
    for part, means in ((found.zero_mean, False), (found.general, True)):
        for rms, mean, count in (
            ("e", "m", part.forward_even if even else part.forward),
            ("eps", "n", part.backward_even if even else part.backward),
        ):
            sizes = dict.fromkeys([rms, mean] if means else [rms], Order())
            assert growth(family, regime, found, sizes, count, even) <= STEADY
            if count == T_ITSELF:
                continue
            for more in MORE:
                assert growth(family, regime, found, sizes, count * more, even) >= GROWN


@pytest.mark.parametrize("family", list(FAMILIES))
def test_the_constant_in_front_of_ln_T_over_T(family):
    """T (1 − κμγ)^T stays bounded at the c of the condition, and not at a tenth less."""
    d = FAMILIES[family].descent
    least = 1 / F(*d.contraction)
    assert paper_orders(family)["pl"].conditions == (f"γ = c T^(-1) ln T with c ≥ {least}/μ",)

    def start(c: Fraction, T: int) -> Any:
        one = WIDE.number(1)
        step = WIDE.number(c / MU) * WIDE.log(WIDE.number(T)) / T
        p = Problem(
            L=one, mu=WIDE.number(MU), gap=one, sigma=0 * one, step=step, horizon=T, kind=WIDE
        )
        still = Level(error=0 * one, bias=0 * one, unbiased=True)
        return pl_terms(p, d, [still], [one])["optimisation"] * T

    short, long = (start(least, T) for T in HORIZONS)
    assert abs(long / short - 1) < 1e-3
    short, long = (start(least * F(9, 10), T) for T in HORIZONS)
    assert long / short > WIDE.number(10) ** 250
