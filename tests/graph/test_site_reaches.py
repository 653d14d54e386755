"""Where the values of all sites lie: backward, and as they are foretold."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_transforms import NETWORKS, TOYS, network, network_text
from transform_texts import GIVEN, built, refused

import boundcalc as bc
from boundcalc.graph import build
from boundcalc.graph.ranges import Range
from boundcalc.graph.reaches import site_reaches
from boundcalc.perturbations import Dependence, Reach

# --- backward ---------------------------------------------------------------------------------


def test_backward_reaches_are_products_of_constants_and_what_comes_in_between():
    graph = built(
        GIVEN,
        "at: f3, pass: backward, model: two_point, magnitude: 2",
        "at: [f3, f2], pass: backward, model: halving",
    )
    third, second = (p.reach for p in graph.perturbations[1:])
    assert third.shape == second.shape == (2,)
    # ‖∇f₃‖ = 3/2, then ±2 in two components
    v = 1.5 + 2 * np.sqrt(2)
    assert float(third.radius) == pytest.approx(v, rel=1e-14)
    assert third.radius >= Fraction(3, 2) + Fraction(v - 1.5)
    assert float(second.radius) == pytest.approx(1.5 * 1.5 * v, rel=1e-14)
    assert (third.low, third.high) == (None, None)
    assert all(p.dependence is Dependence.ANY for p in graph.perturbations)


def test_exact_constants_give_exact_radii():
    graph = built(GIVEN, "at: [f3, f2], pass: backward, model: unchanged")
    assert [p.reach.radius for p in graph.perturbations] == [Fraction(3, 2), Fraction(9, 4)]


SKIP = (
    "{id: f1, constants: C1}, {id: f2, inputs: [f1], constants: C2}, "
    "{id: f3, inputs: [f1, f2, f1], constants: {jac_input: {f1: 5, f2: 7}, REST}}"
)
REST = "jac_weight: 1, hess_input: 1, hess_mixed: 1, third_input: 1, third_mixed: 1"


def skip(*lines, **options):
    operators = SKIP.replace("C1", f"{{jac_input: 1, {REST}}}")
    operators = operators.replace("C2", f"{{jac_input: 3, {REST}}}").replace("REST", REST)
    return built(operators, *lines, **options)


def test_slots_that_share_an_edge_add_up():
    graph = skip("at: 'f1->f3', pass: backward, model: halving")
    (p,) = graph.perturbations
    assert p.reach.radius == 10  # two slots of 5
    assert graph.ends[p.edge] == (1, 3)
    reaches = site_reaches(graph)
    assert reaches["backward", p.edge].radius == pytest.approx(Fraction(15), rel=1e-12)
    edges = {graph.ends[i]: i for i in range(1, len(graph.ends))}
    assert reaches["backward", edges[2, 3]].radius == 7
    assert reaches["backward", edges[1, 2]].radius == 21


def test_a_value_gathers_what_all_its_readers_send():
    operators = (
        "{id: f0, constants: {jac_input: 1, REST}}, {id: f1, inputs: [f0], constants: "
        "{jac_input: 2, REST}}, {id: f2, inputs: [f1], constants: {jac_input: 3, REST}}, "
        "{id: f3, inputs: [f1, f2], constants: {jac_input: {f1: 5, f2: 7}, REST}}"
    ).replace("REST", REST)
    reaches = site_reaches(built(operators))
    assert [reaches["backward", edge].radius for edge in (2, 3, 4, 5)] == [2 * 26, 21, 5, 7]
    shifted = built(operators, "at: f1->f3, pass: backward, model: constant, value: -4")
    assert site_reaches(shifted)["backward", 2].radius == 2 * 30


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (
            ["at: f3, pass: backward, model: gaussian, std: 1"],
            "perturbations[0], before it, is unbounded",
        ),
        (["at: f3, pass: backward, rms: 1"], "perturbations[0], before it, is unbounded"),
        ([], "jac_input of f3 is C*2: C has no value"),
    ],
)
def test_an_unknown_backward_reach_says_why(lines, why):
    operators = GIVEN if lines else GIVEN.replace("3/2", "C*2")
    lines = [*lines, "at: f2, pass: backward, model: halving"]
    error = refused(operators, *lines, symbols="C: ")
    assert error.value == why
    assert error.where == f"my.yaml:1: perturbations[{len(lines) - 1}]"
    lines[-1] += ", reach: {radius: 2}"
    assert built(operators, *lines, symbols="C: ").perturbations[-1].reach.radius == 2


def test_a_constant_with_a_symbol_that_has_a_value():
    graph = built(
        GIVEN.replace("3/2", "sqrt(C)"), "at: f3, pass: backward, model: halving", symbols="C: 4"
    )
    assert graph.perturbations[0].reach.radius == 2


# --- the reaches of all sites -----------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_every_site_has_a_reach(name):
    graph = network(name)
    reaches = site_reaches(graph)
    assert list(reaches) == [(site.direction, site.index) for site in graph.sites]
    for (direction, index), found in reaches.items():
        node = graph.nodes[(index if direction == "forward" else graph.ends[index][0]) - 1]
        assert found.shape == node.shape
        assert found.radius is not None
        assert (found.low is not None) == (direction == "forward")


@pytest.mark.parametrize("name", NETWORKS)
def test_reaches_of_sites_are_those_that_a_transform_there_is_given(name):
    """Placed anywhere alone, a transform is given what was foretold for its site."""
    noise = "at: '*', pass: {}, model: uniform, half_width: 1/10"
    lines = [noise.replace("{}", side) for side in ("forward", "backward")]
    graph = network(name, *lines)
    foretold = site_reaches(graph)
    for site in graph.sites:
        at = site.label if site.direction == "forward" else _edge(graph, site.index)
        line = f"at: '{at}', pass: {site.direction}, model: unchanged"
        (p,) = [p for p in network(name, *lines, line).perturbations if p.transform]
        assert p.reach == foretold[site.direction, site.index]


def _edge(graph, edge):
    u, v = graph.ends[edge]
    return f"{graph.ids[u - 1]}->{graph.ids[v - 1]}"


def test_unknown_reaches_of_sites_say_nothing():
    reaches = site_reaches(built(GIVEN.replace("3/2", "C", 1), symbols="C: "))
    assert reaches["forward", 1] == Reach((2,), None, None, None)
    assert reaches["backward", 2].radius == Fraction(9, 4)
    noisy = built(GIVEN, "at: f3, pass: backward, rms: 1")
    assert site_reaches(noisy)["backward", 3].radius is None


def test_numbers_out_of_range_are_no_reach():
    huge = GIVEN.replace("3/2", "1e200")
    reaches = site_reaches(built(huge))
    assert float(reaches["backward", 3].radius) == pytest.approx(1e200)
    assert reaches["backward", 2].radius is None
    error = refused(huge, "at: f2, pass: backward, model: halving")
    assert error.value == "numbers exceed the range of float64"


@given(*([st.none() | st.fractions(-4, 4)] * 6), st.lists(st.fractions(-4, 4), min_size=1))
@settings(max_examples=60, deadline=None)
def test_an_intersection_holds_what_both_hold(r1, l1, h1, r2, l2, h2, vector):
    def holds(ends):
        return (
            (ends.radius is None or sum(x * x for x in vector) <= ends.radius * abs(ends.radius))
            and (ends.low is None or min(vector) >= ends.low)
            and (ends.high is None or max(vector) <= ends.high)
        )

    first, second = Range(r1, l1, h1), Range(r2, l2, h2)
    both = first.within(second)
    assert holds(both) == (holds(first) and holds(second))
    if both.empty:
        assert not holds(both)


def test_regions_that_were_measured_stay_sampled():
    text = network_text("chain", "at: f2, pass: forward, model: halving").replace(
        "graph:\n", "graph:\n  regions: visited\n"
    )
    text = text.replace("type: dense,", "type: dense, initial: {normal: 1/3},")
    text = text.replace("type: tanh,", "type: tanh, initial: {normal: 1/3},")
    graph = build(bc.loads(text), transforms=TOYS)
    assert graph.sampled
    assert graph.perturbations[0].reach.radius is not None
