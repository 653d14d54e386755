"""The interface for other theories: largest and smallest orders of anything in a bound."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from boundcalc.budgets.orders import Order, Orders, Range, admissible, all_kept
from boundcalc.budgets.orders.order import CONSTANT, HORIZON, NOTHING
from boundcalc.budgets.orders.quantity import known, unknown
from boundcalc.errors import SpecError

F = Fraction

HALF = Order(F(-1, 2))


def test_staleness_of_layers():
    """Xu, Huo, Huang, Corollary 1: (2Δ₀ + Lσ²(2 + KΔt² + ¼Kc₁))/√N, α = min{1/√N, limit}.

    c₁ = −(Δt²+2) + √((Δt²+2)² + 2c₀Δt²), cancellation removed: 2c₀Δt²/(√(…) + Δt² + 2), and
    the limit 2/(L(√(…) + Δt² + 2)).  The rate N^{−1/2} is kept while the staleness is of order 1;
    the step 1/√N is admissible up to N^{1/4}; the rate N^{−1/4} allows N^{1/8}.
    """
    kind = Orders()
    N, staleness = kind.horizon, kind.unknown("Δt")
    one = kind.number(1)
    L = sigma = gap = K = c0 = one
    square = staleness**2 + 2
    root = kind.sqrt(square**2 + 2 * c0 * staleness**2)
    c1 = 2 * c0 * staleness**2 / (root + square)
    limit = 2 / (L * (root + square))
    step = 1 / kind.sqrt(N)
    terms = {
        "gap": 2 * gap / (step * N),
        "noise": L * sigma**2 * (2 + K * staleness**2 + K * c1 / 4) * step,
    }
    assert str(terms["noise"]) == "T^(-1/2) + T^(-1/2) Δt^2"
    assert admissible(terms, "Δt", HALF) == Range(None, CONSTANT)
    assert admissible(terms, "Δt", Order(F(-1, 4))).most == Order(F(1, 8))
    assert admissible({"step over limit": step / limit}, "Δt", CONSTANT).most == Order(F(1, 4))
    with pytest.raises(SpecError, match="gap is too large"):
        admissible(terms, "Δt", Order(F(-2, 3)))


def test_shrinkage_of_steps():
    """Yun: 2Δ₀/(Kμq) + Lμ(qσ² + σ_e²/q), K steps, steps μ of order K^{−1/2}, q ≤ 1.

    q must not shrink for the rate K^{−1/2}; for the rate K^{−1/4} it may shrink as K^{−1/4}.  At a
    fixed μ the rate 1 is kept down to q of order 1, and without rounding noise to K^{−1}.
    """
    kind = Orders()
    K, q, one = kind.horizon, kind.unknown("q"), kind.number(1)
    L = gap = sigma = one

    def terms(step, rounding):
        return {
            "gap": 2 * gap / (K * step * q),
            "noise": L * step * (q * sigma**2 + rounding**2 / q),
        }

    step = 1 / kind.sqrt(K)
    assert str(terms(step, one)["noise"]) == "T^(-1/2) q^(-1) + T^(-1/2) q"
    assert admissible(terms(step, one), "q", HALF) == Range(CONSTANT, CONSTANT)
    assert admissible(terms(step, one), "q", Order(F(-1, 4))).least == Order(F(-1, 4))
    assert admissible(terms(one, one), "q", CONSTANT).least == CONSTANT
    assert admissible(terms(one, kind.number(0)), "q", CONSTANT).least == HORIZON**-1


def test_decreasing_limit_under_pl():
    """Yun, PL: (1 − mμq)^K Δ₀: at μ = K^{−1/2} it vanishes while q is above K^{−1/2} ln K."""
    kind = Orders()
    K, step = kind.horizon, kind.order(HALF)
    for q, decays in ((Order.read("T^-1/2 ln^2 T"), True), (Order.read("T^-1/2"), False)):
        drop = step * kind.order(q)
        assert (kind.exp(K * kind.log1p(-drop)) == 0) is decays


def test_the_other_unknowns_are_zero_unless_they_are_given():
    e, n = unknown("e"), unknown("n")
    terms = {"bias": e * n + n**2}
    assert admissible(terms, "e", HALF) == Range(None, None)
    assert admissible(terms, "n", HALF).most == Order(F(-1, 4))
    assert admissible(terms, "n", HALF, {"e": CONSTANT}).most == HALF
    assert admissible(terms, "e", HALF, {"n": Order(F(-1, 4))}).most == Order(F(-1, 4))


def test_answers_for_one_need_not_hold_together():
    e, n = unknown("e"), unknown("n")
    terms = {"bias": e * n}
    assert all_kept(terms, {"e": CONSTANT, "n": HALF}, HALF)
    assert not all_kept(terms, {"e": Order(F(1, 100)), "n": HALF}, HALF)
    assert all_kept(terms, {"e": HORIZON, "n": NOTHING}, HALF)


def test_ranges_that_fall_apart_are_refused():
    x = unknown("x")
    apart = (x * known(HORIZON)).least(known(HORIZON) / x)
    with pytest.raises(ValueError, match="not one range"):
        admissible({"bound": apart}, "x", CONSTANT)
    # overlapping ones are joined
    joined = (x / known(HORIZON)).least(known(HORIZON) ** -1 / x)
    assert admissible({"bound": joined}, "x", CONSTANT) == Range(None, None)
    bounded = (x + known(HALF) / x).least(x / known(HORIZON) + 1 / x)
    assert admissible({"bound": bounded}, "x", CONSTANT) == Range(HALF, HORIZON)


def test_no_order_at_all():
    x = unknown("x")
    with pytest.raises(SpecError, match="no order of x is admissible: second"):
        admissible({"first": x, "second": 1 / x}, "x", HALF)
    with pytest.raises(SpecError, match="alone is too large"):
        admissible({"alone": known(CONSTANT)}, "x", HALF)
    assert not Range(HALF, CONSTANT).empty
    assert Range(CONSTANT, HALF).empty


exponents = st.sampled_from([F(p, 2) for p in range(-4, 5)])
orders = st.builds(Order, exponents, exponents)
monomials = st.tuples(orders, st.sampled_from([F(d) for d in (0, F(1, 2), 1, 2, 4)]))
polynomials = st.lists(monomials, min_size=1, max_size=3)


@given(st.lists(polynomials, min_size=1, max_size=3), orders)
def test_the_largest_order_is_kept_and_no_larger_one(alternatives, target):
    x = unknown("x")
    found = None
    for polynomial in alternatives:
        part = sum(known(order) * x**degree for order, degree in polynomial)
        found = part if found is None else found.least(part)
    assert found is not None
    try:
        most = admissible({"bound": found}, "x", target).most
    except SpecError:
        # no order: then not even a tiny one
        assert found.given({"x": Order(F(-1000))}).order() > target
        return
    if most is None:
        assert found.given({"x": Order(F(1000))}).order() <= target
        return
    assert found.given({"x": most}).order() <= target
    for step in (Order(F(1, 1000)), Order(F(0), F(1, 1000))):
        assert found.given({"x": most * step}).order() > target


@given(polynomials, orders)
def test_the_smallest_order_is_that_of_the_reciprocal(polynomial, target):
    x = unknown("x")
    rising = {"bound": sum(known(order) * x**degree for order, degree in polynomial)}
    falling = {"bound": sum(known(order) / x**degree for order, degree in polynomial)}
    try:
        most = admissible(rising, "x", target).most
    except SpecError:
        with pytest.raises(SpecError):
            admissible(falling, "x", target)
        return
    assume(most is not None)
    assert admissible(falling, "x", target) == Range(CONSTANT / most, None)
