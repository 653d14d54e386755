"""Constants: given, else uniform, else derived; per operator and as uniform maxima."""

from fractions import Fraction

import pytest
from graph_texts import ALL, SIMULATION, exact, graph, refused
from spec.spec_texts import DESIGN

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SymbolError
from boundcalc.graph.model import CONSTANT_NAMES

PRIMES = "uniform: {jac: 2, lip: 3, hess: 7, hess_op: 5, third: 11}"


def constants(node):
    return {name: exact(getattr(node.constants, name)) for name in CONSTANT_NAMES}


def test_uniform_constants_become_per_operator_ones():
    # a = b = jac, ℓ = lip, A = hess, B = min(hess, hess_op), A′ = B′ = third
    expected = {
        "jac_input": 2,
        "jac_weight": 2,
        "lip_input": 3,
        "hess_input": 7,
        "hess_mixed": 5,
        "third_input": 11,
        "third_mixed": 11,
    }
    assert [constants(node) for node in graph("a", "b", uniform=PRIMES).nodes] == [expected] * 2


def test_the_smaller_of_hess_and_hess_op_bounds_the_mixed_derivative():
    swapped = PRIMES.replace("hess: 7, hess_op: 5", "hess: 5, hess_op: 7")
    assert constants(graph("a", uniform=swapped).nodes[0])["hess_mixed"] == 5


def test_given_constants_win_over_uniform_ones():
    found = constants(graph("a", "{id: b, constants: {hess_input: 1/3}}", uniform=PRIMES).nodes[1])
    assert (found["hess_input"], found["hess_mixed"]) == (Fraction(1, 3), 5)


def test_uniform_constants_win_over_derived_ones():
    node = graph("a", "{id: b, type: sine, bias: true}", uniform=PRIMES).nodes[1]
    assert exact(node.constants.jac_input) == 2
    assert exact(node.derived.jac_input) == 1


def test_given_constants_win_over_derived_ones():
    node = graph(
        "{id: a, type: sine, bias: true}",
        "{id: b, type: sine, bias: true, constants: {third_input: 1/2}}",
        uniform="",
    ).nodes[1]
    assert (exact(node.constants.third_input), exact(node.constants.third_mixed)) == (
        Fraction(1, 2),
        1,
    )


def test_lip_input_defaults_to_jac_input():
    values = "jac_input: 2, hess_input: 1, third_input: 1"
    node = graph("a", f"{{id: b, constants: {{{values}}}}}", uniform="").nodes[1]
    assert exact(node.constants.lip_input) == 2


def test_the_first_operator_needs_no_input_constants():
    node = graph("{id: a, constants: {jac_weight: 3}}", f"{{id: b, {ALL}}}", uniform="").nodes[0]
    assert constants(node) == {**dict.fromkeys(CONSTANT_NAMES, 0), "jac_weight": 3}


def test_no_weight_constants_mean_no_weights_and_a_note():
    built = graph(
        "{id: a, constants: {jac_weight: 1}}",
        "{id: b, constants: {jac_input: 1, hess_input: 1, third_input: 1}}",
        uniform="",
    )
    found = constants(built.nodes[1])
    assert [found[name] for name in ("jac_weight", "hess_mixed", "third_mixed")] == [0, 0, 0]
    assert built.notes == ("operator b: no weight constants given, read as having no weights",)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ("", "jac_input, lip_input, hess_input, third_input"),
        ("constants: {jac_input: 1}", "hess_input, third_input"),
        (
            "constants: {jac_input: 1, hess_input: 1, third_input: 1, jac_weight: 1}",
            "hess_mixed, third_mixed",
        ),
    ],
)
def test_missing_constants_are_named_with_their_operator(given, missing):
    error = refused("a", f"{{id: bee, {given}}}".replace(", }", "}"), uniform="")
    assert error.problem == "operator 'bee' lacks constants"
    assert error.where.endswith("graph.operators[1].constants")
    assert error.value == missing


def test_a_missing_radius_is_named():
    error = refused("a", "{id: b, type: quadratic}", uniform="")
    assert error.where.startswith("my.yaml:")
    assert "graph.operators[1]" in error.where
    assert "region" in str(error)


def test_constants_of_data_reading_operators_need_the_data():
    error = refused("{id: m, type: margin}", "{id: loss, type: softplus}", uniform="")
    assert "graph.operators[0]" in error.where
    assert "jac_weight" in str(error)


def test_constants_by_predecessor():
    built = graph("a", "{id: b, constants: {jac_input: {a: 2}, hess_input: {a: {a: 3}}}}")
    found = constants(built.nodes[1])
    assert (found["jac_input"], found["lip_input"], found["hess_input"]) == (2, 2, 3)


@pytest.mark.parametrize(
    "mapping", ["jac_input: {z: 2}", "hess_input: {a: {z: 2}}", "hess_input: {a: {a: 1, z: 2}}"]
)
def test_constants_by_something_that_is_no_predecessor(mapping):
    error = refused("a", f"{{id: b, constants: {{{mapping}}}}}")
    assert error.problem == "constants by input name other operators than the inputs"
    assert error.expected == "one number, or a mapping from a"


def test_per_operator_constants_become_uniform_maxima():
    second = (
        "{id: b, constants: {jac_input: 4, jac_weight: 1, lip_input: 1, hess_input: 20, "
        "hess_mixed: 1, third_input: 1, third_mixed: 1}}"
    )
    built = graph(f"{{id: a, {ALL}}}", second, uniform="")
    published = built.uniform_constants(RATIONALS, corrected=False)
    corrected = built.uniform_constants(RATIONALS, corrected=True)
    assert (published.size, published.jac, published.lip) == (2, 4, 5)
    assert (published.hess, published.third) == (20, 17)
    # C_∇²f: hess_mixed alone as Assumption 3 is printed; both with E2 applied.
    assert (published.hess_op, corrected.hess_op) == (11, 20)
    assert (corrected.jac, corrected.lip, corrected.hess, corrected.third) == (4, 5, 20, 17)


def test_jacobians_in_the_weights_count_for_the_uniform_maximum():
    built = graph(f"{{id: a, {ALL}}}", f"{{id: b, {ALL}}}", uniform="")
    assert built.uniform_constants(RATIONALS, corrected=False).jac == 3


def test_uniform_constants_stay_as_given_in_both_families():
    built = graph("a", "b", uniform=PRIMES)
    for corrected in (False, True):
        found = built.uniform_constants(RATIONALS, corrected=corrected)
        assert (found.jac, found.lip, found.hess, found.hess_op, found.third) == (2, 3, 7, 5, 11)


def test_uniform_constants_are_raised_to_what_operators_state():
    built = graph("a", "{id: b, constants: {jac_input: 9, hess_mixed: 8}}", uniform=PRIMES)
    found = built.uniform_constants(RATIONALS, corrected=False)
    assert (found.jac, found.lip, found.hess) == (9, 9, 8)


def test_derived_constants_do_not_raise_uniform_ones():
    small = "uniform: {jac: 1/4, lip: 1/4, hess: 1/4, hess_op: 1/4, third: 1/4}"
    built = graph("a", "{id: b, type: sine, bias: true}", uniform=small)
    assert built.uniform_constants(RATIONALS, corrected=False).jac == Fraction(1, 4)


def test_the_example_of_the_documentation_builds():
    built = bc.build(bc.loads(DESIGN))
    assert built.size == 10
    assert built.ids[:2] == ("f1", "block.1")
    assert [exact_with(built, built.nodes[1].constants, n) for n in ("jac_input", "lip_input")] == [
        1,
        2,
    ]
    assert exact_with(built, built.nodes[9].constants, "hess_input") == Fraction(1, 2)
    assert [(p.site, p.direction) for p in built.perturbations] == [
        (1, "forward"),
        (2, "backward"),
        (10, "backward"),
    ]
    assert bc.coefficients(built).error_bound().value > 0


def exact_with(built, found, name):
    return getattr(found, name).evaluate(RATIONALS, built.values(RATIONALS))


def test_chain_constants_are_padded_and_in_order():
    found = graph(f"{{id: a, {ALL}}}", f"{{id: b, {ALL}}}", uniform="").chain_constants(RATIONALS)
    assert (found.a, found.b, found.l) == ((0, 2, 2), (0, 3, 3), (0, 5, 5))
    assert (found.A, found.B, found.A3, found.B3) == (
        (0, 7, 7),
        (0, 11, 11),
        (0, 13, 13),
        (0, 17, 17),
    )
    assert found.size == 2


def test_a_symbol_with_a_value_is_that_value():
    built = graph("a", "{id: b, constants: {jac_input: 2*C}}", symbols="C: 1/3")
    assert built.chain_constants(RATIONALS).a[2] == Fraction(2, 3)


def test_a_symbol_without_a_value_builds_but_gives_no_numbers():
    built = graph(
        "a",
        "{id: b, constants: {jac_input: C}}",
        symbols="C: ",
        at="{at: a, pass: forward, rms: 1, mean: 0}",
    )
    with pytest.raises(SymbolError, match="'C' has no value"):
        built.chain_constants(RATIONALS)
    for family in ("published", "corrected", "sharp"):
        found = bc.coefficients(built, family)
        assert found.columns == {}
        assert "'C' has no value" in found.missing
        assert found.error_bound() is None
        assert found.bias_bound() is None


@pytest.mark.parametrize(
    ("options", "where"),
    [
        (
            {"uniform": "uniform: {jac: C-2, lip: 1, hess: 1, hess_op: 1, third: 1}"},
            "graph.uniform.jac",
        ),
        ({"at": "{at: a, pass: forward, rms: C-2}"}, "perturbations[0].rms"),
        ({"at": "{at: a, pass: forward, rms: 1, mean: C-2}"}, "perturbations[0].mean"),
        ({"rest": "loss: {initial_gap: C-2}"}, "loss.initial_gap"),
        ({"rest": "loss: {gradient_noise: C-2}"}, "loss.gradient_noise"),
    ],
)
def test_a_negative_number_through_a_symbol_is_refused(options, where):
    error = refused("a", "b", symbols="C: 1", **options)
    assert error.problem == "a negative number"
    assert error.where.endswith(where)
    assert "C-2" in error.value


def test_a_negative_constant_through_a_symbol_is_refused():
    error = refused("a", "{id: b, constants: {third_mixed: C-2}}", symbols="C: 1")
    assert error.where.endswith("graph.operators[1].constants.third_mixed")


def test_division_by_zero_through_a_symbol_is_refused():
    error = refused("a", "{id: b, constants: {jac_input: 1/(C-1)}}", symbols="C: 1")
    assert error.problem == "division by zero"
    assert error.where.endswith("graph.operators[1].constants.jac_input")


def test_a_value_without_a_simulation_needs_no_data():
    assert graph("a", "b").data is None
    assert graph("{id: a, type: sine, bias: true}", rest=SIMULATION.replace("2", "1")).data


def test_symbols_inside_lists_of_parameters_get_their_values():
    built = graph(
        "{id: a, type: sine}",
        "{id: c, type: quadratic_cost, diagonal: [lam], region: {input: 1}}",
        uniform="",
        symbols="lam: 3",
    )
    assert exact(built.nodes[1].derived.hess_input) == 3
