"""Transforms in the graph: where their values lie, their moments, and what they move."""

from fractions import Fraction

import pytest
from graph_texts import refused as refused_plain
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_transforms import NETWORKS, TOYS, network
from transform_texts import GIVEN, built, number, reach, refused, still

from boundcalc.arithmetic import FLOATS
from boundcalc.graph.ranges import not_above, not_below
from boundcalc.operators import OPERATORS
from boundcalc.perturbations import DISTRIBUTIONS, Dependence, Reach, VectorMoments
from boundcalc.perturbations.vector import thinned_moments
from boundcalc.spec.expressions import exact
from boundcalc.spec.grammar import parse
from boundcalc.spec.schema import json_schema

# --- forward: where the value lies ------------------------------------------------------------


def test_a_transform_is_given_the_exact_output():
    (p,) = still("at: f1, pass: forward, model: halving").perturbations
    assert p.reach == reach(-1, 2, 2)
    assert (number(p.moments.mean_squared), number(p.moments.second)) == (1, 1)
    assert (p.distribution, p.rms, p.dependence) == (None, None, Dependence.CONDITIONAL)
    assert 1 <= p.largest < 1 + 1e-12


def test_noise_before_it_at_the_same_operator_is_part_of_its_value_and_noise_after_it_is_not():
    noise, half = (
        "at: f1, pass: forward, model: uniform, half_width: 1/2",
        "at: f1, pass: forward, model: halving",
    )
    before = still(noise, half).perturbations[1].reach
    assert float(before.low) == pytest.approx(-1.5, abs=1e-11)
    assert before.low <= Fraction(-3, 2)
    assert Fraction(5, 2) <= before.high < Fraction(5, 2) + Fraction(1, 10**10)
    assert still(half, noise).perturbations[0].reach == reach(-1, 2, 2)


def test_what_a_transform_changes_enlarges_the_values_after_it():
    graph = still("at: [f1, f2], pass: forward, model: rounding, step: 1/2")
    first, second = (p.reach for p in graph.perturbations)
    assert (first.low, first.high) == (-1, 2)
    assert second.low <= Fraction(-5, 4)
    assert Fraction(9, 4) <= second.high < Fraction(9, 4) + Fraction(1, 10**10)
    assert graph.nodes[0].domain.high == graph.nodes[1].region.high == float(second.high)
    assert graph.nodes[1].domain.high > 2.5
    assert number(graph.nodes[1].region.input) >= second.high


def test_a_transform_that_changes_nothing_leaves_every_region_and_constant_as_it_is():
    plain = still()
    same = still("at: '*', pass: forward, model: unchanged")
    assert [n.domain for n in same.nodes] == [n.domain for n in plain.nodes]
    assert [n.region for n in same.nodes] == [n.region for n in plain.nodes]
    for name in NETWORKS:
        first = network(name)
        second = network(name, "at: '*', pass: forward, model: unchanged")
        assert [n.constants for n in first.nodes] == [n.constants for n in second.nodes]


def test_several_transforms_at_one_site_follow_each_other():
    half = "at: f1, pass: forward, model: halving"
    graph = still(half, half)
    assert [float(p.reach.high) for p in graph.perturbations] == [
        2.0,
        pytest.approx(3.0, abs=1e-12),
    ]
    # levels add: 1 + 3/2
    assert graph.levels(FLOATS).e[1] == pytest.approx(2.5)
    assert graph.levels(FLOATS).dependence[1] is Dependence.CONDITIONAL


def test_a_transform_meets_noise_of_the_operators_before():
    graph = still(
        "at: f1, pass: forward, model: two_point, magnitude: 1",
        "at: f2, pass: forward, model: halving",
    )
    assert float(graph.perturbations[1].reach.high) == pytest.approx(3, abs=1e-11)


# --- forward: a stated reach ------------------------------------------------------------------


def test_a_stated_reach_is_met_with_what_is_derived():
    graph = still("at: f1, pass: forward, model: halving, reach: {radius: 3/2, low: -3}")
    assert graph.perturbations[0].reach == reach(-1, 2, "3/2")
    assert number(graph.perturbations[0].moments.second) == Fraction(9, 16)
    # Clean values may lie anywhere in the region: it is not cut.
    assert graph.nodes[0].domain.high >= 2 + 0.75
    assert any("`reach` is taken as stated" in note for note in graph.notes)


def test_a_stated_reach_serves_operators_that_are_given_by_constants():
    graph = built(
        GIVEN,
        "at: [f1, f2], pass: forward, model: halving, reach: {low: -1, high: '1/C'}",
        symbols="C: 4",
    )
    assert [p.reach for p in graph.perturbations] == [
        Reach((2,), None, Fraction(-1), Fraction(1, 4))
    ] * 2
    assert number(graph.perturbations[0].moments.second) == Fraction(1, 2)
    assert "read as a perturbation of 2 component(s)" in " ".join(graph.notes)


def test_repeats_of_an_operator_without_a_type_all_get_their_transform():
    graph = built(
        GIVEN.replace("id: f2,", "id: f2, repeat: 3,"),
        "at: 'f*', pass: forward, model: halving, reach: {radius: 1}",
    )
    assert [p.site for p in graph.perturbations] == [1, 2, 3, 4]


def test_irrational_ends_are_rounded_outwards():
    stated = "{radius: sqrt(2), low: '-sqrt(1/2)', high: 1/7}"
    found = still(f"at: f1, pass: forward, model: halving, reach: {stated}").perturbations[0].reach
    assert 2 < found.radius**2 < 2 + Fraction(1, 10**14)
    assert Fraction(1, 2) < found.low**2 < Fraction(1, 2) + Fraction(1, 10**14)
    assert (found.low < 0, found.high) == (True, Fraction(1, 7))
    assert not_above(parse("sqrt(2)")) ** 2 < 2 < not_below(parse("sqrt(2)")) ** 2


@pytest.mark.parametrize(
    ("given", "problem", "found"),
    [
        ("{low: 2, high: 1}", "a reach that holds nothing", "low: 2, high: 1"),
        ("{low: 2, radius: 1}", "a reach that holds nothing", "radius: 1, low: 2"),
        ("{}", "a reach that says nothing", "{}"),
        ("{radius: C}", "a reach is made of numbers", "C"),
        ("{low: 5}", "a reach that holds none of the values", "low 5"),
    ],
)
def test_a_reach_that_is_none(given, problem, found):
    error = refused(
        f"at: f1, pass: forward, model: halving, reach: {given}", make=still, symbols="C: "
    )
    assert (error.problem, error.value) == (problem, found)
    assert "my.yaml:1: perturbations[0].reach" in error.where
    assert error.fix


# --- forward: nothing is known ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (["at: f2, pass: forward, model: halving"], "nothing bounds the output of f2"),
        (
            [
                "at: f1, pass: forward, model: gaussian, std: 1",
                "at: f2, pass: forward, model: halving",
            ],
            "nothing bounds the output of f2: perturbations[0] is unbounded",
        ),
        (
            ["at: f1, pass: forward, rms: 1", "at: f1, pass: forward, model: halving"],
            "nothing bounds the output of f1: perturbations[0] is unbounded",
        ),
    ],
)
def test_no_reach_is_the_models_own_error_with_the_reason(lines, why):
    error = refused(GIVEN, *lines)
    assert error.problem == "the model needs to know where the value lies"
    assert error.where == f"my.yaml:1: perturbations[{len(lines) - 1}]"
    assert error.value == why
    assert "reach: {radius: R}" in error.fix


def test_a_radius_with_a_symbol_asks_for_its_value():
    lines = ("at: f1, pass: forward, model: halving",)
    error = refused(*lines, make=still, box="{radius: C}", symbols="C: ")
    assert error.value == "where the output of f1 lies depends on C, which has no value"
    (p,) = still(*lines, box="{radius: C}", symbols="C: 3/2").perturbations
    assert p.reach == reach("-3/2", "3/2", "3/2")
    # A stated one will do.
    stated = "at: f1, pass: forward, model: halving, reach: {radius: 1}"
    assert still(stated, box="{radius: C}", symbols="C: ").perturbations[0].reach.radius == 1


def test_a_transform_that_needs_no_reach_needs_none():
    graph = built(GIVEN, "at: [f1, f2, f3], pass: forward, model: rounding")
    assert [number(p.moments.second) for p in graph.perturbations] == [Fraction(1, 2)] * 2


def test_a_transform_of_the_loss_is_left_out_with_a_note():
    graph = built(GIVEN, "at: f3, pass: forward, model: halving")
    assert graph.perturbations == ()
    assert (
        "perturbations[0]: a forward perturbation at f3 never reaches the gradient" in graph.notes
    )
    graph = built(GIVEN, "at: f1, pass: backward, model: halving")
    assert graph.perturbations == ()
    assert "a backward perturbation at f1 never reaches" in graph.notes[-1]


# --- moments ----------------------------------------------------------------------------------


def test_a_probability_thins_the_bounds():
    graph = still("at: f1, pass: forward, model: halving, probability: 1/4")
    found = graph.perturbations[0].moments
    assert [number(x) for x in (found.mean_squared, found.second, found.fourth)] == [
        Fraction(1, 16),
        Fraction(1, 4),
        Fraction(1, 4),
    ]
    error = refused("at: f1, pass: forward, model: halving, probability: 3/2", make=still)
    assert error.where.endswith("perturbations[0].probability")


@given(st.fractions(0, 1), st.lists(st.fractions(-3, 3), min_size=1, max_size=4))
@settings(max_examples=30, deadline=None)
def test_thinned_moments_are_those_of_an_event_times_the_vector(p, entries):
    """Two equally likely vectors, one of them 0, kept with probability p."""
    square = sum(x * x for x in entries)
    whole = VectorMoments(*(exact(x) for x in (square / 4, square / 2, square**2 / 2)))
    found = thinned_moments(whole, exact(p))
    outcomes = [(p / 2, entries), (1 - p / 2, [Fraction(0)] * len(entries))]
    mean = [sum(w * v[j] for w, v in outcomes) for j in range(len(entries))]
    assert number(found.mean_squared) == sum(x * x for x in mean)
    for power, size in ((1, found.second), (2, found.fourth)):
        assert number(size) == sum(w * sum(x * x for x in v) ** power for w, v in outcomes)


# --- what is refused --------------------------------------------------------------------------


def test_an_unknown_model_names_the_nearest_of_either_kind():
    error = refused(GIVEN, "at: f1, pass: forward, model: halvin")
    assert (error.problem, error.fix) == ("unknown perturbation model", "did you mean 'halving'?")
    assert {"gaussian", "halving"} <= set(error.expected.removeprefix("one of ").split(", "))


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("reach: {radius: 1}", "model: gaussian, std: 1"),
        ("reach: {radius: 1}", "rms: 1"),
        ("memory: feedback", "model: uniform, half_width: 1"),
        ("memory: difference", "rms: 1"),
    ],
)
def test_keys_of_transforms_without_one(key, what):
    error = refused(GIVEN, f"at: f1, pass: forward, {what}, {key}")
    name = key.split(":")[0]
    assert error.problem.startswith(f"`{name}` of a perturbation that is added")
    assert error.where == f"my.yaml:1: perturbations[0].{name}"
    assert error.fix.startswith(f"remove `{name}`")


@pytest.mark.parametrize(
    ("what", "problem"),
    [
        ("rms: 1", "a perturbation is given by moments and by a model at once"),
        ("dependence: any", "`dependence` of a perturbation with a model"),
        ("std: 1", "unknown key 'std'"),
    ],
)
def test_keys_that_a_transform_has_not(what, problem):
    assert refused(GIVEN, f"at: f1, pass: forward, model: halving, {what}").problem == problem


def test_parameters_of_a_transform_are_numbers():
    line = "at: f1, pass: forward, model: rounding, step: C/2"
    error = refused(GIVEN, line, symbols="C: ")
    assert (error.value, error.expected) == ("C/2", "a value for C")
    assert error.where == "my.yaml:1: perturbations[0].step"
    assert number(built(GIVEN, line, symbols="C: 4").perturbations[0].moments.second) == 2
    assert refused(GIVEN, line).problem == "undeclared symbol 'C'"


def test_without_a_registry_entry_the_model_is_unknown():
    error = refused(GIVEN, "at: f1, pass: forward, model: halving", transforms={})
    assert error.problem == "unknown perturbation model"


def test_plain_sections_are_refused_as_before():
    error = refused_plain("a", "b", at="{at: a, pass: forward, mean: 1}")
    assert error.problem == "a perturbation without a size"


def test_the_schema_takes_transforms():
    schema = json_schema(OPERATORS, DISTRIBUTIONS | TOYS)
    cases = schema["$defs"]["PerturbationSection"]["allOf"]
    named = [case["if"]["properties"]["model"].get("const") for case in cases]
    assert {"gaussian", "halving", "dropping"} <= set(named)
    (case,) = [c for c in cases if c["if"]["properties"]["model"].get("const") == "dropping"]
    assert case["then"]["required"] == ["keep"]
    assert {"reach", "memory", "keep"} <= set(case["then"]["properties"])
