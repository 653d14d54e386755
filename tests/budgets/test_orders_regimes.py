"""Orders of graphs, schedules and rates."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from order_graphs import chain, graph

from boundcalc import build, load
from boundcalc.budgets.orders import Order, orders, paper_orders
from boundcalc.budgets.orders.constants import Shape, generic, of_graph
from boundcalc.budgets.orders.order import CONSTANT, LOGARITHM, NOTHING
from boundcalc.budgets.orders.quantity import as_quantity
from boundcalc.budgets.orders.regimes import regime_orders
from boundcalc.budgets.orders.table import latex, markdown
from boundcalc.budgets.orders.terms import MOMENTS, LevelOrders
from boundcalc.errors import SpecError
from boundcalc.resources import example
from boundcalc.theories.perturbed.families import FAMILIES

F = Fraction


def frequent(found: Any) -> list[str]:
    x = found.frequent
    return [str(o) for o in (x.forward_rms, x.forward_mean, x.backward_rms, x.backward_mean)]


def counts(found: Any) -> list[str]:
    return [
        str(o) for o in (found.forward, found.backward, found.forward_even, found.backward_even)
    ]


def test_three_operators_are_the_generic_chain():
    found = orders(chain())
    assert found == paper_orders()
    assert found["nonconvex"] == orders(build(load(example("three-operators"))))["nonconvex"]
    assert counts(found["pl"].zero_mean) == ["1", "T", "ln T", "T"]
    assert counts(found["pl"].general) == ["1", "1", "ln T", "ln T"]


def test_terms_show_which_of_them_carry_the_step():
    found = paper_orders("published")
    assert found["nonconvex"].terms == {
        "optimisation": "T^(-1/2)",
        "sampling": "T^(-1/2)",
        "perturbation_error": "T^(-1/2) ‖δ‖^2 + T^(-1/2) ‖ε‖^2",
        "perturbation_bias": "‖Eδ‖^2 + ‖Eε‖^2 + ‖δ‖^4",
    }
    assert found["pl"].terms["optimisation"] == "T^(-cμ/3)"
    sharp_terms = paper_orders()["pl"].terms
    assert sharp_terms["optimisation"] == "T^(-cμ)"
    # Var ≤ (σ + ζ)²: ζ² and 2σζ
    assert sharp_terms["perturbation_error"].split(" + ")[:2] == [
        "T^(-1) ln T ‖δ‖",
        "T^(-1) ln T ‖δ‖^2",
    ]


@pytest.mark.parametrize("family", list(MOMENTS))
@pytest.mark.parametrize("size", [2, 3, 7])
def test_families_and_lengths_have_the_same_orders(family, size):
    names = ("pl", "nonconvex")
    found = orders(chain(size), family)
    for name in names:
        expected = paper_orders("sharp")[name]
        assert found[name].frequent == expected.frequent
        assert (found[name].zero_mean, found[name].general) == (
            expected.zero_mean,
            expected.general,
        )


def test_bias_vanishes_where_nothing_is_curved():
    """A = A′ = B′ = 0: zero-mean δ has no bias and need not shrink; without B it does nothing."""
    flat = {"hess_input": "0", "third_input": "0", "third_mixed": "0"}
    found = orders(chain(**flat))
    assert frequent(found["nonconvex"]) == ["1", "T^(-1/4)", "1", "T^(-1/4)"]
    assert counts(found["nonconvex"].zero_mean) == ["T"] * 4
    assert counts(found["nonconvex"].general) == ["T^(1/2)"] * 4
    still = orders(chain(**flat, hess_mixed="0"))
    assert frequent(still["pl"])[:2] == ["None", "None"]
    assert frequent(still["pl"])[2:] == ["1", "T^(-1/2) ln^(1/2) T"]
    assert counts(still["pl"].general) == ["T", "1", "T", "ln T"]


def test_as_printed_the_mean_of_a_bilinear_chain_is_free_up_to_its_size():
    """E1: (33a) is 0 where ∇²f is constant; corrected and sharp see the bias."""
    graph = chain(hess_input="0", third_input="0", third_mixed="0")
    assert frequent(orders(graph, "published")["nonconvex"])[1] != "T^(-1/4)"
    assert frequent(orders(graph, "corrected")["nonconvex"])[1] == "T^(-1/4)"


def test_one_jump_of_a_jacobian_leaves_no_order():
    """Past a ReLU a bias may be of order 1 however small δ is: docs/theory.md, section 4.8."""
    constants = (
        "jac_input: 1, jac_weight: 1, hess_mixed: 1, third_input: 1, third_mixed: 1, hess_input: 1"
    )
    smooth = graph(
        "".join(f"    - {{id: {name}, constants: {{{constants}}}}}\n" for name in ("f1", "f2"))
    )
    shape = of_graph(smooth)
    g = shape.graph
    one = as_quantity(1)
    jumps = type(g)(
        **{
            **{name: getattr(g, name) for name in g.__dataclass_fields__},
            "A": ((), g.A[1], ((None,),)),
            "J": ((), g.J[1], (one,)),
            "A3": ((), g.A3[1], (None,)),
        }
    )
    levels = LevelOrders(Shape(jumps, None, one), MOMENTS["sharp"])
    found = regime_orders(levels, FAMILIES["sharp"], "nonconvex")
    assert found.frequent.forward_rms == found.frequent.forward_mean == NOTHING
    assert frequent(found)[2:] == ["1", "T^(-1/4)"]
    assert counts(found.zero_mean) == ["T^(1/2)", "T", "T^(1/2)", "T"]
    assert found.conditions == ()
    # a Lipschitz Jacobian without a Lipschitz derivative: the mean drift is of the size of δ
    bent = type(g)(
        **{
            **{name: getattr(g, name) for name in g.__dataclass_fields__},
            "A3": ((), g.A3[1], (None,)),
            "B3": (g.B3[0], g.B3[1], None),
        }
    )
    levels = LevelOrders(Shape(bent, None, one), MOMENTS["sharp"])
    found = regime_orders(levels, FAMILIES["sharp"], "nonconvex")
    assert frequent(found) == ["T^(-1/4)", "T^(-1/4)", "1", "T^(-1/4)"]


def test_without_sampling_noise():
    found = orders(graph("    - {id: f1, constants: {jac_weight: 1}}\n", sigma="0"))
    # the rate that noisy gradients would give
    assert [str(x.rate) for x in found.values()] == ["T^(-1/2)", "T^(-1) ln T"]
    for regime in found.values():
        assert regime.terms["sampling"] == "0"
        assert regime.conditions[-1].startswith("σ = 0")


@pytest.mark.parametrize(
    ("step", "rate", "rms", "mean", "events"),
    [
        # γ = T^-a: rate max(T^(a-1), T^-a), δ⁴ ≲ rate, Q/T ≲ rate
        ("T^-2/3", "T^(-1/3)", "T^(-1/12)", "T^(-1/6)", "T^(2/3)"),
        ("T^-1/3", "T^(-1/3)", "T^(-1/12)", "T^(-1/6)", "T^(2/3)"),
        ("T^-1/2 ln T", "T^(-1/2) ln T", "T^(-1/8) ln^(1/4) T", "T^(-1/4) ln^(1/2) T", None),
    ],
)
def test_other_steps_in_the_nonconvex_regime(step, rate, rms, mean, events):
    found = paper_orders(steps={"nonconvex": Order.read(step)})["nonconvex"]
    assert str(found.rate) == rate
    assert frequent(found)[:2] == [rms, mean]
    if events is not None:
        assert str(found.zero_mean.forward) == events


def test_small_steps_allow_larger_errors_than_order_one():
    """γ = T^(-2/3) keeps T^(-1/3) while γζ² ≲ T^(-1/3): ε up to T^(1/6)."""
    found = paper_orders(steps={"nonconvex": Order.read("T^-2/3")})["nonconvex"]
    assert str(found.frequent.backward_rms) == "T^(1/6)"


@pytest.mark.parametrize(
    ("step", "rate", "rms", "worst", "even", "optimisation"),
    [
        ("T^-1/2", "T^(-1/2)", "T^(-1/8)", "1", "T^(1/2)", "smaller than every power of T"),
        ("ln^2 T/T", "T^(-1) ln^2 T", "T^(-1/4) ln^(1/2) T", "1", "ln^2 T", "smaller"),
    ],
)
def test_other_steps_under_pl(step, rate, rms, worst, even, optimisation):
    found = paper_orders(steps={"pl": Order.read(step)})["pl"]
    assert str(found.rate) == rate
    assert frequent(found)[0] == rms
    assert (str(found.zero_mean.forward), str(found.zero_mean.forward_even)) == (worst, even)
    assert found.terms["optimisation"].startswith(optimisation)
    assert found.conditions == ()


def test_larger_rates_allow_more():
    found = paper_orders(rates={"nonconvex": Order.read("T^-1/4"), "pl": Order.read("T^-1/2")})
    assert frequent(found["nonconvex"]) == ["T^(-1/16)", "T^(-1/8)", "T^(1/8)", "T^(-1/8)"]
    assert str(found["nonconvex"].zero_mean.forward) == "T^(3/4)"
    assert found["pl"].conditions == ("γ = c T^(-1) ln T with c ≥ 1/(2μ)",)
    # γ Σ q^k over the last Q steps ≲ T^(-1/2): Q ≲ T^(1/2)/ln T
    assert str(found["pl"].zero_mean.forward) == "T^(1/2) ln^(-1) T"
    assert str(found["pl"].zero_mean.forward_even) == "T^(1/2)"


def test_levels_above_order_one_meet_the_square_of_the_error():
    """(σ + ζ)² with ζ beyond 1 is ζ²: γε² ≲ T^(-1/4) at γ = T^(-1/2)."""
    found = paper_orders(rates={"nonconvex": Order.read("T^-1/4")})["nonconvex"]
    assert str(found.frequent.backward_rms) == "T^(1/8)"


def test_rates_that_not_one_event_keeps():
    """σ = 0 and γ = c ln T/T allow the rate T^{-2}, which an event of order γ at the end breaks."""
    shape = Shape(generic().graph, None, as_quantity(0))
    levels = LevelOrders(shape, MOMENTS["sharp"])
    found = regime_orders(levels, FAMILIES["sharp"], "pl", None, Order.read("T^-2"))
    assert found.conditions[0] == "γ = c T^(-1) ln T with c ≥ 2/μ"
    assert counts(found.zero_mean) == counts(found.general) == ["0", "0", "0", "0"]
    # γ‖δ‖² ≲ T^{-2} asks for more than ‖δ‖⁴ ≲ T^{-2}
    assert frequent(found)[0] == "T^(-1/2) ln^(-1/2) T"


def test_powers_of_the_logarithm_in_the_rate_count():
    rates = {"pl": Order.read("T^-3/4 ln^-1 T")}
    assert paper_orders(rates=rates)["pl"].conditions == ("γ = c T^(-1) ln T with c > 3/(4μ)",)
    found = paper_orders("published", rates=rates)["pl"]
    assert found.conditions == ("γ = c T^(-1) ln T with c > 9/(4μ)",)


@pytest.mark.parametrize(
    ("regime", "step", "rate", "words"),
    [
        ("pl", "T^-1", "1", "the bound does not converge to 0: optimisation of order 1"),
        ("pl", "ln^1/2 T/T", "1", "more slowly than every power of T, since γT = ln^(1/2) T"),
        ("nonconvex", "T^-1", "1", "the bound does not converge to 0: optimisation of order 1"),
        ("nonconvex", "1", "1", "the bound does not converge to 0: sampling of order 1"),
        ("pl", "1", "1", "the bound does not converge to 0: sampling of order 1"),
        ("nonconvex", "T^-2", "T", "the bound does not converge to 0: optimisation of order T"),
    ],
)
def test_schedules_that_do_not_converge_say_so(regime, step, rate, words):
    found = paper_orders(steps={regime: Order.read(step)})[regime]
    assert str(found.rate) == rate
    assert any(words in condition for condition in found.conditions)
    # then every step may be hit
    assert counts(found.general) == ["T"] * 4


def test_constant_steps_must_stay_below_the_limit():
    for family, limit in (("sharp", "1/L"), ("published", "1/(3L)")):
        for found in paper_orders(family, steps={"nonconvex": CONSTANT, "pl": CONSTANT}).values():
            assert found.conditions[0] == f"γ ≤ {limit} for the statement to hold"


def test_a_rate_that_does_not_vanish_is_remarked():
    found = paper_orders(rates={"nonconvex": CONSTANT})["nonconvex"]
    assert found.conditions == ("the rate that is kept, 1, does not tend to 0",)
    assert frequent(found)[:2] == ["1", "1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": {"nonconvex": Order.read("T^1/8")}}, "grows as T"),
        ({"steps": {"pl": LOGARITHM}}, "at most order 1: the bound holds for γ ≤ 1/"),
        ({"rates": {"nonconvex": Order.read("T^-2/3")}}, "larger than the rate"),
        ({"rates": {"pl": Order.read("T^-1")}}, "the bound is of order T"),
        ({"steps": {"Nonconvex": CONSTANT}}, "no such regime"),
        ({"family": "shrap"}, "write sharp"),
    ],
)
def test_what_cannot_be_is_refused(arguments, message):
    with pytest.raises(SpecError, match=message):
        paper_orders(**arguments)


def test_regimes_and_families_that_a_graph_lacks():
    plain = chain()
    tail = "\nloss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}\n"
    without_pl = graph("    - {id: f1, constants: {jac_weight: 1}}\n", tail=tail)
    assert list(orders(without_pl)) == ["nonconvex"]
    assert list(orders(plain)) == ["nonconvex", "pl"]
    with pytest.raises(SpecError, match="no such regime"):
        orders(without_pl, steps={"pl": CONSTANT})
    with pytest.raises(SpecError, match="no orders here"):
        orders(build(load(example("diamond"))), "published")
    assert orders(build(load(example("diamond"))))["nonconvex"].frequent.forward_rms == Order(
        F(-1, 8)
    )


def test_tables():
    found = paper_orders()
    lines = markdown(found).splitlines()
    assert lines[2] == "| nonconvex | T^(-1/2) | T^(-1/2) | T^(-1/8) | T^(-1/4) | 1 | T^(-1/4) |"
    assert lines[-3:] == [
        "| nonconvex | (T^(1/2), T) | (T^(1/2), T^(1/2)) |",
        "| PL, worst placement | (1, T) | (1, 1) |",
        "| PL, evenly spread | (ln T, T) | (ln T, ln T) |",
    ]
    text = latex(found)
    assert r"PL, evenly spread & $(\ln T, T)$ & $(\ln T, \ln T)$ \\" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert text.count("{") == text.count("}")
    flat = {"hess_input": "0", "third_input": "0", "third_mixed": "0", "hess_mixed": "0"}
    free = orders(chain(**flat))
    assert "| any | any | 1 |" in markdown(free)
    assert "& any & any & $1$ &" in latex(free)


def test_the_rate_of_the_unperturbed_bound_may_be_asked_for():
    default = paper_orders()
    assert paper_orders(rates={name: found.rate for name, found in default.items()}) == default


def test_backward_noise_of_mean_zero_adds_its_square_to_the_variance():
    """Lemma 6.3 (c1): then Var ≤ σ² + ζ², and else (σ + ζ)²."""
    levels = LevelOrders(generic(), MOMENTS["sharp"])
    assert levels.unknown(["eps"]).unbiased
    assert not levels.unknown(["eps", "n"]).unbiased
    assert not levels.of_order_one(["e"]).unbiased
