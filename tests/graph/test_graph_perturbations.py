"""Perturbations: sites, moments, and how several at one site add up."""

from fractions import Fraction
from math import sqrt

import pytest
from graph_texts import graph, refused

import boundcalc as bc
from boundcalc.arithmetic import FLOATS, RATIONALS, WIDE
from boundcalc.errors import SpecError

DENSE = ("{id: f1, type: dense, units: 3}", "{id: f2, type: dense, units: 1}")


def levels(*operators, at, kind=RATIONALS, **options):
    return graph(*operators, at=at, **options).levels(kind)


def test_forward_and_backward_sites():
    found = levels(
        "a",
        "b",
        "c",
        at="{at: b, pass: forward, rms: 2, mean: 1, fourth: 3}\n"
        "{at: c, pass: backward, rms: 5, mean: 4}",
    )
    assert (found.e, found.m, found.q) == ((0, 0, 2, 0), (0, 0, 1, 0), (0, 0, 81, 0))
    assert (found.eps, found.n) == ((0, 0, 0, 5), (0, 0, 0, 4))


def test_an_edge_names_the_operator_that_passes_back_through_it():
    built = graph("a", "b", at="{at: a->b, pass: backward, rms: 1, mean: 0}")
    assert [(p.site, p.direction) for p in built.perturbations] == [(2, "backward")]
    spaced = graph("a", "b", at="{at: a -> b, pass: backward, rms: 1, mean: 0}")
    assert spaced.levels(RATIONALS) == built.levels(RATIONALS)


def test_a_forward_perturbation_on_an_edge_is_refused():
    error = refused("a", "b", at="{at: a->b, pass: forward, rms: 1}")
    assert error.problem == "a forward perturbation on an edge"
    assert error.where.endswith("perturbations[0].at")
    assert (error.value, error.expected) == ("a->b", "an operator, such as 'a'")


@pytest.mark.parametrize(
    ("site", "fix"),
    [
        ("alpah", "did you mean 'alpha'?"),
        ("block", "did you mean 'block.2'?"),
        ("zzzz", "the ids are alpha, block.1, block.2"),
    ],
)
def test_an_unknown_site_is_refused_with_the_nearest_name(site, fix):
    error = refused("alpha", "{id: block, repeat: 2}", at=f"{{at: {site}, pass: backward, rms: 1}}")
    assert error.problem == "a perturbation at an unknown operator"
    assert (error.value, error.fix) == (site, fix)


@pytest.mark.parametrize("edge", ["block.1->alpha", "alpha->block.2", "alpha->zzz"])
def test_an_edge_that_is_not_in_the_graph_is_refused(edge):
    error = refused("alpha", "{id: block, repeat: 2}", at=f"{{at: {edge}, pass: backward, rms: 1}}")
    assert (error.problem, error.value) == ("a perturbation at an unknown operator", edge)


def test_several_sites_in_one_entry_get_one_perturbation_each():
    built = graph("a", "b", "c", at="{at: [a, b], pass: forward, rms: 2, mean: 0, every: 10}")
    assert [p.site for p in built.perturbations] == [1, 2]
    assert built.levels(RATIONALS).e == (0, 2, 2, 0)
    assert {p.where for p in built.perturbations} == {"perturbations[0]"}


def test_several_perturbations_at_one_site_add_in_every_norm():
    found = levels(
        "a",
        "b",
        at="{at: a, pass: forward, rms: 2, mean: 1, fourth: 2}\n"
        "{at: a, pass: forward, rms: 3, mean: 1/2, fourth: 4}\n"
        "{at: b, pass: backward, rms: 1, mean: 1}\n"
        "{at: b, pass: backward, rms: 1/4, mean: 0}",
        kind=WIDE,
    )
    assert (found.e[1], found.m[1]) == (5, Fraction(3, 2))
    assert found.q[1] == pytest.approx(6**4, rel=1e-25)
    assert (found.eps[2], found.n[2]) == (Fraction(5, 4), 1)


def test_one_unknown_fourth_moment_makes_the_sum_unknown():
    found = levels(
        "a",
        "b",
        at="{at: a, pass: forward, rms: 1, mean: 0}\n"
        "{at: a, pass: forward, rms: 1, mean: 0, fourth: 1}",
    )
    assert found.q[1] is None


def test_only_active_perturbations_count():
    built = graph(
        "a",
        "b",
        at="{at: a, pass: forward, rms: 2, mean: 0}\n{at: a, pass: forward, rms: 3, mean: 0}",
    )
    assert built.levels(RATIONALS, active=[1]).e == (0, 3, 0)
    assert built.levels(RATIONALS, active=[]).e == (0, 0, 0)


@pytest.mark.parametrize(
    ("moments", "symbols", "problem"),
    [
        ("rms: 1, mean: 2", "", "mean is larger than rms"),
        ("rms: 1, mean: C", "C: 2", "mean is larger than rms"),
        ("rms: 1, mean: 0, fourth: 1/2", "", "rms is larger than fourth"),
        ("rms: 1, mean: 0, fourth: C", "C: 1/2", "rms is larger than fourth"),
    ],
)
def test_mean_rms_and_fourth_are_in_order(moments, symbols, problem):
    error = refused("a", "b", at=f"{{at: a, pass: forward, {moments}}}", symbols=symbols)
    assert error.problem == problem
    assert "mean ≤ rms ≤ fourth" in error.expected


def test_equal_moments_are_in_order():
    found = levels("a", "b", at="{at: a, pass: forward, rms: 1/3, mean: 1/3, fourth: 1/3}")
    assert (found.e[1], found.m[1], found.q[1]) == (Fraction(1, 3), Fraction(1, 3), Fraction(1, 81))


def test_a_mean_that_is_left_out_is_as_large_as_the_rms_and_is_noted():
    built = graph("a", "b", at="{at: a, pass: forward, rms: 1/3}")
    assert built.levels(RATIONALS).m[1] == Fraction(1, 3)
    assert built.notes == (
        "perturbations[0]: no mean given, so it is taken as large as the rms allows",
    )


def test_without_fourth_the_published_bias_is_null_with_a_reason():
    built = graph("a", "b", at="{at: a, pass: forward, rms: 1, mean: 0}")
    for family in ("published", "corrected"):
        found = bc.coefficients(built, family)
        assert found.bias_bound() is None
        assert "`fourth` is not given" in found.bounds.reason
        assert found.error_bound().value == 16
    assert bc.coefficients(built, "sharp").bias_bound().value == Fraction(1, 2)


def test_without_fourth_of_a_perturbation_that_does_not_count_there_is_a_bias():
    built = graph("a", "b", at="{at: b, pass: forward, rms: 1, mean: 0}")
    assert built.notes == (
        "perturbations[0]: a forward perturbation at b never reaches the gradient",
    )
    assert bc.coefficients(built, "published").bias_bound().value == 0


def test_a_backward_perturbation_at_the_first_operator_is_idle():
    built = graph("a", "b", at="{at: a, pass: backward, rms: 1, mean: 1}")
    assert "never reaches the gradient" in built.notes[-1]
    assert bc.coefficients(built).error_bound().value == 0


def test_moments_of_a_model_grow_with_the_size_of_its_site():
    # 3 components with mean 1/2 and variance 1/12; y_1 has 3 components, and so has v_1
    forward = "{at: f1, pass: forward, model: uniform, low: 0, high: 1}"
    found = levels(*DENSE, at=forward, kind=FLOATS)
    assert found.e[1] == pytest.approx(sqrt(3 * (1 / 3)))
    assert found.m[1] == pytest.approx(sqrt(3 / 4))
    # E‖x‖⁴ = n E x⁴ + n(n−1) (E x²)²
    assert found.q[1] == pytest.approx(3 / 5 + 6 / 9)
    backward = forward.replace("f1, pass: forward", "f2, pass: backward")
    assert levels(*DENSE, at=backward, kind=FLOATS).eps[2] == pytest.approx(1.0)


def test_a_model_at_an_operator_without_a_type_is_one_component_or_dim():
    model = "{at: a, pass: forward, model: two_point, magnitude: 1}"
    assert levels("a", "b", at=model).e[1] == 1
    built = graph("{id: a, dim: 4}", "b", at=model)
    assert built.levels(RATIONALS).e[1] == 2
    assert built.notes == ("perturbations[0]: read as a perturbation of 4 component(s) at a",)


@pytest.mark.parametrize(
    "what", ["rms: 2, mean: 2, fourth: 2", "model: two_point, low: 0, high: 2, p_high: 1"]
)
def test_a_probability_thins_the_moments(what):
    # b δ with P(b = 1) = 1/16: E‖bδ‖² = 4/16, ‖E bδ‖ = 2/16, E‖bδ‖⁴ = 16/16
    at = f"{{at: a, pass: forward, {what}, probability: 1/16}}"
    found = levels("a", "b", at=at, kind=WIDE)
    assert found.e[1] == pytest.approx(Fraction(1, 2), rel=1e-25)
    assert found.m[1] == pytest.approx(Fraction(1, 8), rel=1e-25)
    assert found.q[1] == pytest.approx(1, rel=1e-25)


@pytest.mark.parametrize("what", ["rms: 1", "model: gaussian, std: 1"])
@pytest.mark.parametrize(("p", "symbols"), [("2", ""), ("C", "C: 2"), ("C/3", "C: 4")])
def test_a_probability_above_one_is_refused(what, p, symbols):
    at = f"{{at: a, pass: forward, {what}, probability: {p}}}"
    error = refused("a", "b", at=at, symbols=symbols)
    assert "probability" in error.problem
    assert "0 and 1" in error.expected
    assert error.where.endswith("perturbations[0].probability")


@pytest.mark.parametrize(
    "parameters",
    [
        "model: gaussian, std: C-3",
        "model: uniform, half_width: C-3",
        "model: uniform, low: C, high: 1",
        "model: two_point, low: 0, high: 1, p_high: C",
        "model: two_point, magnitude: C-3",
    ],
)
def test_parameters_that_contradict_each_other_through_a_symbol(parameters):
    error = refused("a", "b", at=f"{{at: a, pass: forward, {parameters}}}", symbols="C: 2")
    assert isinstance(error, SpecError)
    assert "perturbations[0]" in error.where


def test_a_model_and_moments_at_once_are_refused():
    error = refused("a", "b", at="{at: a, pass: forward, rms: 1, model: gaussian, std: 1}")
    assert error.value == "rms, model"
    assert "`rms`" in error.fix


def test_a_perturbation_without_a_size_is_refused():
    error = refused("a", "b", at="{at: a, pass: forward, mean: 1}")
    assert (error.problem, error.value) == ("a perturbation without a size", "mean")


def test_an_unknown_model_names_the_nearest():
    error = refused("a", "b", at="{at: a, pass: forward, model: gausian, std: 1}")
    assert (error.value, error.fix) == ("gausian", "did you mean 'gaussian'?")


def test_an_undeclared_symbol_of_a_model_is_refused():
    error = refused("a", "b", at="{at: a, pass: forward, model: gaussian, std: Z}")
    assert error.problem == "undeclared symbol 'Z'"
    assert error.where.endswith("perturbations[0].std")


def test_two_schedules_at_once_are_refused():
    error = refused("a", "b", at="{at: a, pass: forward, rms: 1, every: 2, steps: [1]}")
    assert "perturbations[0]" in error.where
    assert error.value == "every and steps"
