"""Names become a chain: repeats, edges, order, and everything that is no chain."""

from dataclasses import FrozenInstanceError

import networkx as nx
import pytest
from graph_texts import SIMULATION, graph, refused, text

import boundcalc as bc
from boundcalc.errors import DataError, SpecError, UnsupportedError


def test_a_chain_knows_its_ids_size_and_neighbours():
    built = graph("a", "b", "c")
    assert (built.ids, built.size, built.name) == (("a", "b", "c"), 3, "test")
    assert [built.predecessors(name) for name in built.ids] == [(), ("a",), ("b",)]
    assert [built.successors(name) for name in built.ids] == [("b",), ("c",), ()]
    assert tuple(nx.topological_sort(built.edges)) == built.ids
    assert list(built.edges.edges) == [("a", "b"), ("b", "c")]


def test_one_operator_is_a_chain():
    built = graph("only")
    assert (built.ids, built.predecessors("only"), built.successors("only")) == (("only",), (), ())


def test_a_graph_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        graph("a").nodes = ()


def test_build_is_pure():
    spec = bc.loads(
        text(
            "a",
            "{id: b, type: sine, bias: true}",
            at="{at: a, pass: forward, model: gaussian, std: 1/10, every: 3}",
            rest=SIMULATION,
        )
    )
    # The first operator has no type, so there is a simulation that cannot run, and data.
    first, second = bc.build(spec), bc.build(spec)
    assert first.nodes == second.nodes
    assert first.perturbations == second.perturbations
    assert first.notes == second.notes
    assert nx.utils.graphs_equal(first.edges, second.edges)
    assert first.data.features.tolist() == second.data.features.tolist()
    assert bc.build(first.spec).nodes == first.nodes


def test_repeat_is_written_out_and_can_be_referred_to():
    built = graph(
        "f1",
        "{id: block, repeat: 8, inputs: [f1]}",
        "{id: loss, inputs: [block.8]}",
        at="{at: [block.1, block.8], pass: backward, rms: 1, mean: 0}",
    )
    assert built.ids == ("f1", *(f"block.{k}" for k in range(1, 9)), "loss")
    assert built.predecessors("block.1") == ("f1",)
    assert built.predecessors("block.2") == ("block.1",)
    assert [p.site for p in built.perturbations] == [2, 9]


def test_repeat_once_still_gets_a_number():
    assert graph("{id: block, repeat: 1}", "b").ids == ("block.1", "b")


def test_repeats_share_their_constants():
    built = graph("{id: block, repeat: 3, constants: {jac_input: 2}}", "b")
    assert len({id(node.constants.jac_input) for node in built.nodes[:3]}) == 1
    assert [node.where for node in built.nodes[:3]] == ["graph.operators[0]"] * 3


def test_inputs_may_be_written_out():
    assert graph("a", "{id: b, inputs: [a]}", "{id: c, inputs: [b]}").ids == ("a", "b", "c")


@pytest.mark.parametrize(
    ("operators", "name"),
    [
        (("a", "a"), "a"),
        (("a", "b", "a"), "a"),
        (("{id: block, repeat: 2}", "block.1"), "block.1"),
        (("block.1", "{id: block, repeat: 2}"), "block.1"),
        (("{id: block, repeat: 2}", "{id: block, repeat: 3}"), "block.1"),
    ],
)
def test_duplicate_ids_are_refused(operators, name):
    error = refused(*operators)
    assert (error.problem, error.value) == ("two operators have the same id", name)
    assert "graph.operators[0]" in error.expected
    assert error.where.startswith("my.yaml:")


@pytest.mark.parametrize(
    ("operators", "cycle"),
    [
        (("{id: a, inputs: [c]}", "b", "c"), "a -> b -> c -> a"),
        (("a", "{id: b, inputs: [b]}"), "b -> b"),
        (("{id: a, inputs: [a]}", "b"), "a -> a"),
        (("a", "{id: b, inputs: [c]}", "c"), "b -> c -> b"),
    ],
)
def test_a_cycle_is_named(operators, cycle):
    error = refused(*operators)
    assert type(error) is SpecError
    assert (error.problem, error.value) == ("the operators form a cycle", cycle)


@pytest.mark.parametrize(
    ("name", "fix"),
    [("alpa", "did you mean 'alpha'?"), ("block", "did you mean 'block.2'?"), ("zzz", None)],
)
def test_an_unknown_input_is_refused(name, fix):
    error = refused("alpha", "{id: block, repeat: 2}", f"{{id: c, inputs: [{name}]}}")
    assert error.problem == "an input that is no operator"
    assert error.where.endswith("graph.operators[2].inputs")
    assert (error.value, error.fix) == (name, fix)


@pytest.mark.parametrize(
    ("operators", "found"),
    [
        (("a", "b", "{id: c, inputs: [a]}"), "a has 0 inputs and feeds 2 operators"),
        (("a", "{id: b, inputs: []}", "{id: c, inputs: [a, b]}"), "c has 2 inputs"),
        (("a", "b", "{id: c, inputs: [a, b]}"), "a has 0 inputs and feeds 2 operators"),
    ],
    ids=["two sinks", "join", "skip"],
)
def test_branches_and_joins_are_not_supported_yet(operators, found):
    error = refused(*operators)
    assert type(error) is UnsupportedError
    assert error.problem == "branches are not supported yet"
    assert error.value.startswith(found)


def test_separate_parts_are_refused():
    error = refused("a", "{id: b, inputs: []}", "c")
    assert type(error) is UnsupportedError
    assert (error.problem, error.value) == ("the graph has several separate parts", "a, b")


@pytest.mark.parametrize(
    ("operators", "order"),
    [
        (("{id: b, inputs: [a]}", "{id: a, inputs: []}"), "a -> b"),
        (("{id: c, inputs: [b]}", "{id: a, inputs: []}", "b"), "a -> b -> c"),
    ],
)
def test_operators_are_listed_in_the_order_of_the_chain(operators, order):
    error = refused(*operators)
    assert error.problem == "the operators are not listed in the order of the chain"
    assert error.value == order


def test_an_input_listed_twice_is_no_chain():
    assert type(refused("a", "{id: b, inputs: [a, a]}")) is UnsupportedError


def test_shared_weights_are_not_supported_yet():
    assert type(refused("{id: a, weights: w}", "{id: b, weights: w}")) is UnsupportedError


def test_margin_comes_first():
    error = refused("a", "{id: m, type: margin}")
    assert "must come first" in error.problem
    assert error.where.endswith("graph.operators[1].type")
    assert error.value == "m"


def test_the_last_operator_is_scalar():
    for last in ("{id: m, type: dense, units: 3}", "{id: m, dim: 3}"):
        error = refused("a", last)
        assert "the last operator is the loss" in error.problem
        assert error.value == "m: 3 outputs"


def test_a_size_that_does_not_fit_its_type():
    error = refused("{id: m, type: dense, units: 3, dim: 4}", "b")
    assert error.where.endswith("graph.operators[0].dim")
    assert (error.value, error.expected) == (4, "3, or no `dim` at all")


def test_a_scalar_loss_takes_one_number():
    error = refused("{id: m, type: dense, units: 3}", "{id: loss, type: logistic}")
    assert error.where.endswith("graph.operators[1]")
    assert error.value == 3


def test_sizes_run_from_the_data_to_the_loss():
    built = graph(
        "{id: f1, type: dense, units: 3}",
        "{id: f2, type: tanh, bias: true}",
        "{id: f3, type: dense, units: 1, bias: false}",
        rest=SIMULATION,
    )
    assert [(n.inputs, n.outputs, n.weights) for n in built.nodes] == [
        (2, 3, 9),
        (3, 3, 3),
        (3, 1, 3),
    ]


def test_labels_of_a_margin_are_signs():
    error = refused(
        "{id: m, type: margin}",
        "{id: loss, type: softplus}",
        rest="training: {step_size: 1, horizon: 1}\n"
        "simulation: {data: {points: [[1], [2]], labels: [0, 1]}}",
    )
    assert type(error) is DataError
    assert (error.value, error.expected) == (0.0, "1 or -1")


def test_an_unknown_type_names_the_nearest():
    error = refused("{id: m, type: margn}", "b")
    assert (error.value, error.fix) == ("margn", "did you mean 'margin'?")
    assert error.where.endswith("graph.operators[0].type")


def test_an_undeclared_symbol_in_a_parameter_is_refused():
    error = refused("{id: a, type: sine, scale: Z}", "b", symbols="C: 2")
    assert error.problem == "undeclared symbol 'Z'"
    assert error.where.endswith("graph.operators[0].scale")


def test_too_many_operators_in_all():
    error = refused("{id: a, repeat: 600000}", "{id: b, repeat: 600000}")
    assert (error.problem, error.value) == ("too many operators", 1_200_000)
