"""Names become a chain: repeats, edges, order, and everything that is no chain."""

from dataclasses import FrozenInstanceError

import networkx as nx
import pytest
from graph_texts import SIMULATION, graph, refused, text

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import DataError, SpecError


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
    [("alpa", "did you mean 'alpha'?"), ("block.3", "did you mean 'block.2'?"), ("zzz", None)],
)
def test_an_unknown_input_is_refused(name, fix):
    error = refused("alpha", "{id: block, repeat: 2}", f"{{id: c, inputs: [{name}]}}")
    assert error.problem == "an input that is no operator"
    assert error.where.endswith("graph.operators[2].inputs")
    assert (error.value, error.fix) == (name, fix)


@pytest.mark.parametrize(
    ("operators", "ends"),
    [
        (("a", "b", "{id: c, inputs: [a]}"), "b, c"),
        (("a", "{id: b, inputs: []}", "c"), "a, c"),
        (("a", "{id: alone, inputs: []}", "{id: c, inputs: [a]}"), "alone, c"),
    ],
    ids=["two sinks", "separate parts", "disconnected node"],
)
def test_a_graph_has_one_end(operators, ends):
    error = refused(*operators)
    assert (error.problem, error.value) == ("the graph has more than one end", ends)
    assert error.where.startswith("my.yaml:")
    assert ends.split(", ")[0] in error.fix


@pytest.mark.parametrize(
    ("operators", "reads", "ends"),
    [
        (("a", "b", "{id: c, inputs: [a, b]}"), ((0,), (1,), (1, 2)), ((1, 2), (1, 3), (2, 3))),
        (("a", "{id: b, inputs: []}", "{id: c, inputs: [a, b]}"), ((0,), (0,), (1, 2)), None),
        (("a", "{id: b, inputs: [a, a]}"), ((0,), (1, 1)), ((1, 2),)),
    ],
    ids=["skip", "join", "twice"],
)
def test_branches_and_joins(operators, reads, ends):
    built = graph(*operators)
    assert not built.is_chain
    assert tuple(node.reads for node in built.nodes) == reads
    if ends is not None:
        assert tuple(end for end in built.ends[1:] if end[0]) == ends


def test_slots_that_read_the_same_operator_share_an_edge():
    built = graph("a", "b", "{id: c, inputs: [a, b, a]}")
    assert built.nodes[2].edges == (3, 4, 3)
    assert [site.label for site in built.sites] == ["a", "b", "b", "a->c", "b->c"]


@pytest.mark.parametrize(
    ("operators", "order"),
    [
        (("{id: b, inputs: [a]}", "{id: a, inputs: []}"), ("a", "b")),
        (("{id: c, inputs: [b]}", "{id: a, inputs: []}", "b"), ("a", "b", "c")),
        (("z", "{id: j, inputs: [y, z]}", "{id: y, inputs: [z]}"), ("z", "y", "j")),
    ],
)
def test_operators_may_be_listed_in_any_order(operators, order):
    assert graph(*operators).ids == order


def test_a_chain_is_a_graph_with_one_slot_for_each_operator():
    built = graph("a", "b", "c")
    assert built.is_chain
    assert built.ends == ((0, 0), (0, 1), (1, 2), (2, 3))
    assert [(s.direction, s.index, s.label) for s in built.sites] == [
        ("forward", 1, "a"),
        ("forward", 2, "b"),
        ("backward", 2, "b"),
        ("backward", 3, "c"),
    ]


def test_operators_with_the_same_weights_form_a_group():
    built = graph(
        "{id: a, type: tanh, bias: true, weights: w}",
        "{id: b, type: sine, bias: true, weights: w}",
        "{id: c, type: sine, bias: true}",
    )
    assert [node.group for node in built.nodes] == [1, 1, 3]
    assert not built.is_chain


def test_shared_weights_have_one_size():
    error = refused(
        "{id: a, type: sine, bias: true, weights: w}", "{id: b, type: sine, weights: w}"
    )
    assert (error.value, error.where.endswith("graph.operators[1].weights")) == ("a: 1, b: 0", True)


def test_shared_weights_have_one_start():
    same = "type: sine, bias: true, weights: w"
    first = f"{{id: a, {same}, initial: {{normal: 1}}}}"
    built = graph(first, f"{{id: b, {same}}}", f"{{id: c, {same}, initial: {{normal: 1}}}}")
    assert all(node.values is built.nodes[0].values for node in built.nodes)
    for other in (f"{{id: b, {same}, initial: {{normal: 2}}}}",):
        error = refused(first, other)
        assert error.problem == "operators that share weights start from different ones"
        assert error.where.endswith("graph.operators[1].initial")
    assert (
        "give `initial` to a alone"
        in refused(f"{{id: a, {same}}}", first.replace("a,", "b,", 1)).fix
    )


BLOCK = "{id: res, repeat: 2, block: [{id: f}, {id: g}, {id: s, inputs: [input, g]}]}"


def test_a_block_is_a_small_graph():
    built = graph("a", BLOCK, "loss")
    assert built.ids == (
        *("a", "res.1.f", "res.1.g", "res.1.s", "res.2.f", "res.2.g", "res.2.s", "loss"),
    )
    assert built.predecessors("res.1.s") == ("a", "res.1.g")
    assert built.predecessors("res.2.f") == ("res.1.s",)
    assert built.predecessors("res.2.s") == ("res.1.s", "res.2.g")
    assert built.predecessors("loss") == ("res.2.s",)
    assert built.nodes[2].where == "graph.operators[1].block[1]"


def test_a_block_is_read_by_its_own_name():
    built = graph("a", BLOCK, "b", "{id: loss, inputs: [res, b, res.1]}")
    assert built.predecessors("loss") == ("res.2.s", "b", "res.1.s")


def test_blocks_inside_blocks():
    inner = "{id: in, repeat: 2, block: [{id: f}]}"
    built = graph("a", f"{{id: out, block: [{inner}, {{id: j, inputs: [input, in]}}]}}", "loss")
    assert built.ids == ("a", "out.in.1.f", "out.in.2.f", "out.j", "loss")
    assert built.predecessors("out.j") == ("a", "out.in.2.f")


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("{id: b, block: [{id: f, inputs: [a]}]}", "an input that is no operator of the block"),
        ("{id: b, type: sine, block: [{id: f}]}", "a block has no `type` of its own"),
        ("{id: b, dim: 2, block: [{id: f}]}", "a block has no `dim` of its own"),
        ("{id: b, block: [{id: f}, {id: f}]}", "two operators have the same id"),
    ],
)
def test_what_a_block_may_not_be(block, problem):
    error = refused("a", block, "c")
    assert error.problem == problem
    assert "graph.operators[1]" in error.where


def test_a_count_may_be_a_symbol():
    built = graph("{id: b, repeat: n}", "loss", symbols="n: 3")
    assert built.ids == ("b.1", "b.2", "b.3", "loss")
    assert graph("{id: b, repeat: n}", "loss", symbols="n: 6/2").size == 4


@pytest.mark.parametrize(
    ("symbols", "problem"),
    [
        ("n: 1/2", "a count is no whole number"),
        ("n: 0", "a count is no whole number"),
        ("n: 2000000", "a count is no whole number"),
        ("n: sqrt(2)", "a count is no whole number"),
        ("m: 2", "unknown symbol 'n'"),
        ("n: ", "symbol 'n' has no value, and the number of operators depends on it"),
    ],
)
def test_a_count_without_a_number(symbols, problem):
    error = refused("{id: b, repeat: n}", "loss", symbols=symbols)
    assert error.problem == problem
    assert error.where.endswith("graph.operators[0].repeat")


def test_a_pattern_names_all_operators_that_match():
    built = graph("a", BLOCK, "loss", at='{at: "res.*.f", pass: forward, rms: 1, mean: 0}')
    assert [built.ids[p.site - 1] for p in built.perturbations] == ["res.1.f", "res.2.f"]


def test_a_backward_perturbation_acts_on_every_edge_into_its_operator():
    built = graph(
        "a",
        "b",
        "{id: c, inputs: [a, b]}",
        at="{at: c, pass: backward, rms: 1, mean: 0}\n{at: a->c, pass: backward, rms: 2, mean: 0}",
    )
    assert [(p.site, built.ends[p.edge]) for p in built.perturbations] == [
        (3, (1, 3)),
        (3, (2, 3)),
        (3, (1, 3)),
    ]
    assert built.levels(RATIONALS).eps == (0, 0, 0, 3, 1)


def test_a_shape_that_does_not_fit_names_the_edges_and_both_shapes():
    error = refused(
        "{id: x, type: dense, units: 3}",
        "{id: y, type: dense, units: 2, inputs: [x]}",
        "{id: j, type: add, inputs: [x, y]}",
    )
    assert error.where.endswith("graph.operators[2]")
    assert error.value == "x->j has shape 3; y->j has shape 2"


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
    assert error.value in (3, "m->loss has shape 3")


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
