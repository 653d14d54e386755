"""Blocks that begin at the data, of which an operator reads nothing else."""

from __future__ import annotations

import pytest
from graph_texts import graph, refused

SKIP = "{id: r, block: [{id: fc}, {id: s, type: add, inputs: [input, fc]}]}"


def test_input_next_to_other_inputs_is_not_dropped() -> None:
    error = refused(SKIP, "loss")
    assert "reads the data next to other inputs" in error.problem
    assert error.where is not None
    assert error.where.endswith("graph.operators[0].block[1].inputs")
    assert error.value == "[input, fc]"
    assert error.expected is not None
    assert "input alone" in error.expected
    assert error.fix is not None
    assert "type: identity" in error.fix


@pytest.mark.parametrize(
    ("block", "where"),
    [
        ("{id: r, block: [{id: q, type: add, inputs: [input, input]}]}", "[0].block[0].inputs"),
        (
            "{id: r, inputs: [], block: [{id: q, type: add, inputs: [input, input]}]}",
            "[0].block[0].inputs",
        ),
        (
            "{id: o, block: [{id: r, repeat: 2, "
            "block: [{id: f}, {id: s, type: add, inputs: [f, input]}]}]}",
            "[0].block[0].block[1].inputs",
        ),
        (
            "{id: o, block: [{id: a}, {id: r, inputs: [input, a], block: [{id: f, type: add}]}]}",
            "[0].block[1].inputs",
        ),
    ],
)
def test_nor_in_other_shapes(block: str, where: str) -> None:
    error = refused(block, "loss")
    assert "reads the data next to other inputs" in error.problem
    assert error.where is not None
    assert error.where.endswith(f"graph.operators{where}")


def test_what_the_message_proposes_is_accepted() -> None:
    built = graph("{id: start, type: identity}", SKIP, "loss")
    assert built.predecessors("r.s") == ("start", "r.fc")


def test_input_alone_is_the_data() -> None:
    built = graph("{id: r, block: [{id: f, inputs: [input]}, {id: s, inputs: [f]}]}", "loss")
    assert built.predecessors("r.f") == ()
    assert built.predecessors("r.s") == ("r.f",)


def test_an_operator_called_input_is_that_operator() -> None:
    built = graph("{id: r, block: [{id: input}, {id: f}, {id: s, inputs: [input, f]}]}", "loss")
    assert built.predecessors("r.s") == ("r.input", "r.f")


def test_of_constants_alone_the_data_may_be_left_out() -> None:
    built = graph("{id: r, block: [{id: fc}, {id: s, inputs: [input, fc]}]}", "loss")
    assert built.predecessors("r.s") == ("r.fc",)
