"""Which constants are 0, and where levels go."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import strategies
from hypothesis import given, settings
from hypothesis import strategies as st
from order_graphs import HEAD, chain, graph

from boundcalc import build, loads
from boundcalc.arithmetic import RATIONALS
from boundcalc.budgets.orders import orders
from boundcalc.budgets.orders.constants import Shape, generic, of_graph
from boundcalc.budgets.orders.kind import Orders
from boundcalc.budgets.orders.quantity import as_quantity, unknown
from boundcalc.budgets.orders.terms import MOMENTS
from boundcalc.graph.numbers import ChainConstants, Levels
from boundcalc.theories.perturbed import sharp

F = Fraction


def test_symbols_without_values_count_as_positive():
    text = (
        HEAD
        + """
symbols: {C: }
graph:
  uniform: {jac: C, lip: C, hess: C, hess_op: C, third: 0}
  operators: [{id: f1}, {id: f2}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: C}
"""
    )
    found = of_graph(build(loads(text)))
    assert found.graph.A[2] == ((as_quantity(1),),)
    assert found.graph.A3[2] == (as_quantity(0),)
    assert found.noise == as_quantity(1)


def test_constants_that_cancel_are_zero():
    found = of_graph(chain(hess_input="1/3 - 1/3"))
    assert found.graph.A[2] == ((as_quantity(0),),)
    assert found.graph.B[2] == (as_quantity(1),)


def longer(operators: int) -> Any:
    one = (
        "jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 0, third_input: 0, third_mixed: 1"
    )
    two = (
        "jac_input: 1, jac_weight: 0, hess_input: 0, hess_mixed: 1, third_input: 1, third_mixed: 0"
    )
    return graph(
        f"    - {{id: a, repeat: {operators}, constants: {{{one}}}}}\n"
        f"    - {{id: b, repeat: {operators}, constants: {{{two}}}}}\n"
    )


def test_operators_alike_are_counted_up_to_some_number_only():
    long, short = longer(40), longer(17)
    assert of_graph(long).graph.size == of_graph(short).graph.size == 32
    for family in MOMENTS:
        assert orders(long, family) == orders(short, family) == orders(longer(3), family)


@given(st.lists(st.tuples(*[st.sampled_from([0, 1])] * 7), min_size=1, max_size=2))
@settings(max_examples=40)
def test_cutting_long_runs_changes_no_order(patterns):
    """The recurrences on 16 and on 40 operators alike, in runs of random zero patterns."""
    rows = [tuple(as_quantity(x) for x in pattern) for pattern in patterns]
    found = []
    for length in (16, 40):
        columns = list(
            zip(*([rows[0]] + [row for row in rows for _ in range(length)]), strict=True)
        )
        shape = Shape(ChainConstants(*columns).graph, None, as_quantity(1))
        kind = Orders()
        sizes = {name: kind.unknown(name) for name in ("e", "m", "eps", "n")}
        levels = shape.levels(kind.number(0), **sizes)
        found.append(MOMENTS["sharp"](shape, levels, kind))
    assert found[0] == found[1]


def exact_power(value: F, doubled: F) -> int | None:
    if value == 0:
        return None
    return round(doubled / value).bit_length() - 1


@given(strategies.chains(3), st.sampled_from(["e", "eps", "m", "n"]))
def test_powers_of_small_levels_are_those_of_the_exact_bounds(c, name):
    """By doubling a tiny level in exact arithmetic, as the errata do: an independent way."""
    tiny = F(1, 2**90)

    def exact(size: F) -> tuple[F, F]:
        column, zero = (F(0), size, size, F(0)), (F(0),) * 4
        backward = (F(0), F(0), size, size)
        here = {
            "e": {"e": column},
            "m": {"m": column},
            "eps": {"eps": backward},
            "n": {"n": backward},
        }[name]
        levels = Levels(**{"e": zero, "m": zero, "q": zero, "eps": zero, "n": zero, **here})
        second = sharp.centred(c, levels, RATIONALS, forward=False, backward=False)
        mean = sharp.means(c, levels, second, RATIONALS, capped=False)
        return second.total(), mean.total()

    columns = [tuple(as_quantity(x) for x in getattr(c, field)) for field in c.__dataclass_fields__]
    shape = Shape(ChainConstants(*columns).graph, None, as_quantity(1))
    kind = Orders()
    levels = shape.levels(kind.number(0), **{name: unknown("x")})
    second = sharp.centred(shape.graph, levels, kind, forward=False, backward=False)
    mean = sharp.means(shape.graph, levels, second, kind, capped=False)
    for value, doubled, quantity in zip(
        exact(tiny), exact(2 * tiny), (second.total(), mean.total()), strict=True
    ):
        degrees = [x.degree("x") for p in quantity.alternatives for x in p]
        assert exact_power(value, doubled) == (min(degrees) if degrees else None)


def test_shape_puts_levels_where_they_reach_the_gradient():
    one, zero = as_quantity(1), as_quantity(0)
    levels = generic(3).levels(zero, e=one, eps=one)
    assert levels.e == (zero, one, one, zero)
    assert levels.eps == (zero, zero, one, one)
    assert levels.q == levels.e
    assert set(levels.m) == set(levels.n) == {zero}
