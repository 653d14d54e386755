"""Graphs in flat arrays: from constants, from arrays, from repeated blocks, and what is refused."""

from __future__ import annotations

from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from strategies import constant_chain, perturbed_chains

from boundcalc.arithmetic import WIDE
from boundcalc.errors import SpecError
from boundcalc.graph import ChainConstants, Levels
from boundcalc.graph.arrays import GraphArrays
from boundcalc.graph.level_arrays import LevelArrays
from boundcalc.graph.numbers import Run

F = Fraction
NAN = float("nan")
ONES = {"a": 1.0, "b": 1.0, "l": 1.0, "A": 1.0, "B": 1.0, "A3": 1.0, "B3": 1.0}


def same(found: GraphArrays, expected: GraphArrays) -> bool:
    """Whether all columns agree, NaN with NaN; entry 0, the data's, aside."""
    for field in fields(GraphArrays):
        own, other = getattr(found, field.name), getattr(expected, field.name)
        if field.name in ("b", "K", "B3"):
            own, other = own[1:], other[1:]
        if not np.array_equal(own, other, equal_nan=own.dtype.kind == "f"):
            return False
    return True


@settings(deadline=None, max_examples=30)
@given(perturbed_chains(low=1))
def test_a_chain_from_arrays_is_the_chain_from_constants(case: Any) -> None:
    c, x = case
    found = GraphArrays.from_constants(c.graph)
    given = {name: [float(value) for value in getattr(c, name)[1:]] for name in ONES}
    for name in ("a", "l", "A", "B", "A3"):
        given[name][0] = 0.0  # the data does not move
    expected = GraphArrays.chain(**given)
    assert same(found, expected)
    levels = LevelArrays.from_levels(x, found)
    columns = {name: [float(value) for value in getattr(x, name)[1:]] for name in ("e", "m")}
    columns |= {name: [float(value) for value in getattr(x, name)[1:]] for name in ("eps", "n")}
    for name in ("e", "m", "eps", "n"):
        assert np.array_equal(
            getattr(levels, name), getattr(LevelArrays.on(found, **columns), name)
        )
    assert levels.forward_centred == x.forward_centred
    assert levels.backward_centred == x.backward_centred


# -- Blocks ----------------------------------------------------------------------------------------

RUNS = {"run_first": [0, 2], "run_nodes": [2, 3], "run_norm": [0.5], "run_affine": [True]}

#: z = g(y); y + z, which reads y, z and z again through a mixed second derivative.
RESIDUAL = {
    "first": [0, 0, 1, 4],
    "inputs": [0, 0, 1, 1],
    "edges": [1, 2, 3, 3],
    "a": [2.0, 3.0, 4.0, 5.0],
    "l": [2.5, 3.5, 4.5, 5.5],
    "A": [7.0, *range(10, 19)],
    "J": [NAN] * 4,
    "A3": [1.0, 2.0, NAN, 4.0],
    "b": [0.0, 0.5, 0.25],
    "B": [6.0, 7.0, 8.0, 9.0],
    "K": [0.0, NAN, NAN],
    "B3": [0.0, 1.5, NAN],
    "groups": [0, 1, 2],
}


def test_a_repeated_block_is_the_graph_written_out() -> None:
    head = {name: [0.0] for name in ("b", "K", "B3")}
    copies = {
        name: [*head.get(name, []), *(RESIDUAL[name][len(head.get(name, [])) :] * 3)]
        for name in ("a", "l", "A", "J", "A3", "b", "B", "K", "B3")
    }
    expected = GraphArrays(
        first=[0, 0, 1, 4, 5, 8, 9, 12],
        inputs=[0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5],
        edges=[1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9],
        groups=range(7),
        **copies,
    )
    block = GraphArrays(**RESIDUAL)
    assert same(GraphArrays.repeated(block, 3), expected)
    assert same(GraphArrays.in_series(block, block, block), expected)
    assert same(GraphArrays.in_series(GraphArrays.repeated(block, 2), block), expected)
    assert same(GraphArrays.repeated(block, 1), block)
    tied = GraphArrays.repeated(block, 3, shared_weights=True)
    assert tied.groups.tolist() == [0, 1, 2, 1, 2, 1, 2]
    assert tied.members.tolist() == [-1, 0, 1, 0, 1, 0, 1]
    assert GraphArrays.in_series(block, tied).groups.tolist() == [0, 1, 2, 3, 4, 3, 4, 3, 4]


def test_a_repeated_chain_is_a_longer_chain() -> None:
    rng = np.random.default_rng(0)
    given = {name: rng.random(4) for name in ONES}
    block = GraphArrays.chain(**given)
    expected = GraphArrays.chain(**{name: np.tile(column, 5) for name, column in given.items()})
    assert same(GraphArrays.repeated(block, 5), expected)


def test_a_block_that_reads_the_data_has_no_constants_to_repeat() -> None:
    constants = constant_chain(2).graph
    assert GraphArrays.repeated(constants, 1).size == 2
    with pytest.raises(SpecError, match="no constants for the block's input"):
        GraphArrays.repeated(constants, 2)
    block, stem = GraphArrays.from_constants(constants), GraphArrays.chain(1, **ONES)
    assert GraphArrays.in_series(block, stem).size == 3
    with pytest.raises(SpecError, match="operator 1 of the block has no constants"):
        GraphArrays.in_series(stem, block)


def test_runs_are_repeated_with_their_block() -> None:
    constants = replace(constant_chain(3).graph, runs=(Run((2, 3), F(1, 2), True),))
    found = GraphArrays.from_constants(constants)
    assert found.run_first.tolist() == [0, 2]
    assert found.run_nodes.tolist() == [2, 3]
    assert (found.run_norm.tolist(), found.run_affine.tolist()) == ([0.5], [True])
    chain = GraphArrays.chain(3, **ONES)
    head = replace(chain, **RUNS)
    graph = GraphArrays.in_series(head, GraphArrays.repeated(head, 2), chain)
    assert graph.run_first.tolist() == [0, 2, 4, 6]
    assert graph.run_nodes.tolist() == [2, 3, 5, 6, 8, 9]
    assert graph.run_norm.tolist() == [0.5] * 3
    assert graph.run_affine.tolist() == [True] * 3
    assert np.flatnonzero(graph.run_from >= 0).tolist() == [2, 5, 8]
    assert graph.run_to[[3, 6, 9]].tolist() == [0, 1, 2]


def test_groups_are_numbered_by_their_first_operators() -> None:
    graph = GraphArrays.chain(5, **ONES, groups=[7, 3, 7, 9, 3])
    assert graph.members.tolist() == [-1, 0, 1, 0, 2, 1]
    twice = GraphArrays.repeated(GraphArrays.chain(2, **ONES, groups=[0, 1]), 2)
    assert twice.members.tolist() == [-1, 0, 1, 2, 3]


def test_what_follows_from_the_columns() -> None:
    graph = GraphArrays(**RESIDUAL)
    assert (graph.size, graph.edge_count) == (2, 3)
    assert graph.owners.tolist() == [1, 2, 2, 2]
    assert graph.pairs.tolist() == [0, 1, 4, 7, 10]
    assert graph.leads.tolist() == [True, True, True, False]
    assert graph.data_edges.tolist() == [1, 2]
    assert graph.smooth.tolist() == [True] * 3
    kinked = GraphArrays(**{**RESIDUAL, "A": [7.0, *range(10, 18), NAN], "J": [1.0] * 4})
    assert kinked.smooth.tolist() == [True, True, False]


# -- What is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"first": [0, 0, 1, 1]}, "`first` does not give every operator its slots"),
        ({"first": [0]}, "`first` does not give every operator its slots"),
        ({"first": [0, 1, 2, 4]}, "`first` does not give every operator its slots"),
        ({"inputs": [0, 0, 1]}, "`inputs` does not fit `first`"),
        ({"A": [1.0] * 9}, "`A` does not fit `first`"),
        ({"b": [1.0]}, "`b` does not fit `first`"),
        ({"inputs": [0, 0, 2, 2]}, "operator 2 reads an operator that is not before it"),
        ({"inputs": [0, 0, -1, -1]}, "operator 2 reads an operator that is not before it"),
        ({"inputs": [0.5, 0, 1, 1]}, "inputs is no array of whole numbers"),
        ({"edges": [1, 2, 3, 4]}, "edges are not numbered one by one"),
        ({"edges": [1, 2, 2, 2]}, "edges are not numbered one by one"),
        ({"edges": [1, 1, 2, 2]}, "edges are not numbered one by one"),
        ({"edges": [1, 3, 2, 2]}, "edges are not numbered one by one"),
        ({"edges": [0, 1, 2, 2]}, "edges are not numbered one by one"),
        ({"edges": [1, 2, 4, 4]}, "edges are not numbered one by one"),
        ({"a": [1.0, -1.0, 1.0, 1.0]}, "a of slot 1 is no size"),
        ({"a": [1.0, NAN, 1.0, 1.0]}, "a of slot 1 is no size"),
        ({"l": [1.0, 1.0, np.inf, 1.0]}, "l of slot 2 is no size"),
        ({"A3": [1.0, NAN, np.inf, 1.0]}, "A3 of entry 2 is no size"),
        ({"b": [0.0, NAN, 1.0]}, "b of entry 1 is no size"),
        ({"K": [0.0, -1.0, 1.0]}, "K of entry 1 is no size"),
        ({"A": [NAN, *[1.0] * 8, NAN]}, "operator 2 has neither A nor J"),
        ({"B": [NAN, NAN, 1.0, 1.0]}, "operator 2 has neither B nor K"),
        ({"a": ["x"] * 4}, "a is no array of numbers"),
    ],
)
def test_arrays_that_are_no_graph(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        GraphArrays(**{**RESIDUAL, **change})
    assert caught.value.problem == message


@pytest.mark.parametrize(
    ("size", "change", "message"),
    [
        (None, {}, "size is no count"),
        (0, {}, "size is no count"),
        (True, {}, "size is no count"),
        (2.0, {}, "size is no count"),
        (3, {"a": [1, 2]}, "a does not fit the graph"),
        (None, {"a": [1, 2], "b": [1, 2, 3]}, "a does not fit the graph"),
        (None, {"a": [[1, 2]]}, "a does not fit the graph"),
        (2, {"A": None}, "operator 2 has neither A nor J"),
        (2, {"groups": [1, 2, 3]}, "`groups` does not fit `first`"),
        (2, {"a": "many"}, "a is no array of numbers"),
    ],
)
def test_arrays_that_are_no_chain(size: Any, change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        GraphArrays.chain(size, **{**ONES, **change})
    assert caught.value.problem == message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run_first": [0, 1]}, "`run_first` does not fit the other columns of runs"),
        ({"run_first": [0, 1, 2]}, "`run_first` does not fit the other columns of runs"),
        ({"run_first": [0, 3]}, "`run_first` does not fit the other columns of runs"),
        ({"run_norm": []}, "`run_first` does not fit the other columns of runs"),
        ({"run_affine": [1]}, "run_affine is no array of truth values"),
        ({"run_norm": [-1.0]}, "run_norm of entry 0 is no size"),
        ({"run_nodes": [1, 3]}, "a run is not one operator after the other"),
        ({"run_nodes": [3, 4]}, "a run is not one operator after the other"),
        ({"run_nodes": [0, 1]}, "a run is not one operator after the other"),
    ],
)
def test_runs_that_are_none(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        replace(GraphArrays.chain(3, **ONES), **{**RUNS, **change})
    assert caught.value.problem == message


def test_runs_that_meet_or_branch() -> None:
    chain = GraphArrays.chain(4, **ONES)
    two = {"run_first": [0, 2, 4], "run_norm": [1.0, 1.0], "run_affine": [True, True]}
    replace(chain, **two, run_nodes=[1, 2, 3, 4])
    for nodes in ([1, 2, 2, 3], [1, 2, 1, 2]):
        with pytest.raises(SpecError, match="a run is not one operator after the other"):
            replace(chain, **two, run_nodes=nodes)
    # Operator 2 has several slots; then two operators read operator 1.
    join = {**RESIDUAL, "inputs": [0, 1, 0, 1], "edges": [1, 2, 3, 2]}
    with pytest.raises(SpecError, match="a run is not one operator after the other"):
        GraphArrays(**join, **{**RUNS, "run_nodes": [1, 2]})
    join = {**RESIDUAL, "inputs": [0, 1, 0, 0], "edges": [1, 2, 3, 3]}
    with pytest.raises(SpecError, match="a run is not one operator after the other"):
        GraphArrays(**join, **{**RUNS, "run_nodes": [1, 2]})
    with pytest.raises(SpecError, match="a run is not one operator after the other"):
        replace(chain, inputs=[0, 1, 1, 3], **{**RUNS, "run_nodes": [1, 2]})


def test_series_of_nothing() -> None:
    with pytest.raises(SpecError, match="nothing to put in series"):
        GraphArrays.in_series()
    with pytest.raises(SpecError, match="count is no count"):
        GraphArrays.repeated(GraphArrays.chain(1, **ONES), 0)


@pytest.mark.parametrize(
    "value", [F(10) ** 400, F(1, 10**400), WIDE.number(10) ** 400, WIDE.number(10) ** -310]
)
def test_constants_outside_float64_are_refused(value: Any) -> None:
    row = (F(0), F(1), value)
    with pytest.raises(SpecError, match="outside the range of float64"):
        GraphArrays.from_constants(ChainConstants(*[row] * 7).graph)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"e": [1, 2]}, "e does not fit the graph"),
        ({"eps": [1, 2]}, "eps does not fit the graph"),
        ({"e": -1}, "e of entry 1 is no size"),
        ({"e": NAN}, "e of entry 1 is no size"),
        ({"eps": np.inf}, "eps of entry 2 is no size"),
        ({"e": 1, "m": [0, 2, 0]}, "m exceeds e at entry 2"),
        ({"n": 1}, "n exceeds eps at entry 2"),
    ],
)
def test_levels_that_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as caught:
        LevelArrays.on(GraphArrays.chain(3, **ONES), **given)
    assert caught.value.problem == message


def test_levels_of_another_graph() -> None:
    short, long = GraphArrays.chain(3, **ONES), GraphArrays.chain(4, **ONES)
    LevelArrays.on(short).check_fits(short)
    with pytest.raises(SpecError, match="levels e are not those of the graph"):
        LevelArrays.on(short).check_fits(long)
    levels = Levels(*[(F(0),) * 5] * 5)
    with pytest.raises(SpecError, match="levels n are not those of the graph"):
        LevelArrays(**{**vars(LevelArrays.from_levels(levels, long)), "n": [0.0]}).check_fits(long)


def test_means_that_reach_the_gradient() -> None:
    graph = GraphArrays.chain(3, **ONES)
    for last, expected in ((0, False), (1, False), (2, True)):
        m = np.zeros(3)
        m[last] = 1.0
        assert LevelArrays.on(graph, e=1, m=m).forward_centred == expected
        assert LevelArrays.on(graph, eps=1, n=m).backward_centred == (last == 0)
