"""What the theory refuses, and what it says."""

from __future__ import annotations

import pytest

import boundcalc as bc
from boundcalc.errors import SpecError
from boundcalc.theories.registry import build_for
from boundcalc.theories.staleness.setting import Problem
from boundcalc.theories.staleness.theory import THEORY

DSP = """
version: 1
name: three blocks
theory: staleness
staleness: {queues: {p: [1, 1, 0], m: [4, 2, 0]}, lipschitz: 1, error_gradient: 1}
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}, {id: f3}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}
training: {step_size: 1/100, horizon: 1000}
"""


def refused(text: str) -> SpecError:
    with pytest.raises(SpecError) as caught:
        THEORY.rate(build_for(bc.loads(text)))
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "where", "said"),
    [
        ("m: [4, 2, 0]", "m: [4, 3, 0]", "staleness.queues.m[0]", "q_1"),
        ("p: [1, 1, 0]", "p: [1, 1]", "staleness.queues", "2 lengths p and 3 lengths m"),
        ("m: [4, 2, 0]", "m: [4, 2, 0.5]", "staleness.queues.m", "whole number"),
        ("m: [4, 2, 0]", "m: []", "staleness.queues.m", "at least 1"),
        ("p: [1, 1, 0], m: [4, 2, 0]", "p: [1, 0], m: [4, 2]", "staleness.queues", "K = 2"),
        (
            "p: [1, 1, 0], m: [4, 2, 0]",
            "p: [1, 1, 1, 0], m: [8, 6, 4, 0]",
            "staleness.queues",
            "3 operators",
        ),
        ("lipschitz: 1", "lipschitz: 0", "staleness.lipschitz", "zero"),
        ("lipschitz: 1", "lipschitz: -1", "staleness.lipschitz", "negative"),
        ("lipschitz: 1", "lipschits: 1", "staleness.lipschits", ""),
        ("lipschitz: 1", "blocks: [f1, f2]", "staleness.blocks", "2 blocks, K = 3"),
        ("lipschitz: 1", "blocks: [f1, f9, f3]", "staleness.blocks[1]", "f9"),
        ("lipschitz: 1", "blocks: [f2, f1, f3]", "staleness.blocks[0]", "f2"),
        ("lipschitz: 1", "blocks: [f1, f3, f2]", "staleness.blocks[2]", "f2"),
        ("lipschitz: 1", "blocks: [f1, f2, f2]", "staleness.blocks[2]", "f2"),
        ("lipschitz: 1", "stragglers: {probability: 2}", "staleness.stragglers", "above 1"),
        ("horizon: 1000", "horizon: 1000, optimizer: adam", "training.optimizer", "adam"),
        ("horizon: 1000", "horizon: 1000, clip: 1", "training.clip", "clipping"),
        (
            "horizon: 1000",
            "horizon: 1000, optimizer: {type: heavy_ball, momentum: 1}",
            "training.optimizer",
            "not below 1",
        ),
        ("smoothness: 1, ", "", "loss.smoothness", "Lipschitz constant of the gradient"),
        ("initial_gap: 1, ", "", "loss.initial_gap", "gap"),
        (", gradient_noise: 1", "", "loss.gradient_noise", "noise"),
        ("training: {step_size: 1/100, horizon: 1000}", "", "training", "step size"),
        ("step_size: 1/100", "step_size: 0", "training.step_size", "a step size of 0"),
        ("smoothness: 1", "smoothness: 0", "loss.smoothness", "positive"),
    ],
)
def test_bad_input_is_named(old: str, new: str, where: str, said: str) -> None:
    assert old in DSP
    text = DSP.replace(old, new)
    if where == "loss.smoothness" and not new:
        text = text.replace("lipschitz: 1, error_gradient: 1", "error_gradient: 1")
    error = refused(text)
    assert where in str(error.where)
    assert said in str(error)


def test_a_symbol_for_momentum_of_one_admits_no_step() -> None:
    error = refused(
        DSP.replace("theory:", "symbols: {b: 1}\ntheory:").replace(
            "horizon: 1000", "horizon: 1000, optimizer: {type: heavy_ball, momentum: b}"
        )
    )
    assert "no step size is admissible" in str(error)
    assert "training.optimizer.momentum" in str(error.where)


def test_a_missing_section() -> None:
    error = refused("\n".join(x for x in DSP.splitlines() if not x.startswith("staleness:")))
    assert "needs its section" in str(error)
    assert "`queues`" in str(error)


def test_branches_and_shared_weights_are_refused() -> None:
    error = refused(DSP.replace("{id: f3}", "{id: f3, inputs: [f1, f2]}"))
    assert "chain" in str(error)
    shared = """
version: 1
name: shared
theory: staleness
staleness: {queues: {p: [1, 0], m: [2, 0]}, lipschitz: 1, error_gradient: 1}
graph:
  input: {shape: [1]}
  operators:
    - {id: f1, type: dense, units: 1, weights: w}
    - {id: f2, type: dense, units: 1, weights: w}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}
training: {step_size: 1/100, horizon: 1000}
"""
    assert "shares its weights" in str(refused(shared))


KINKED = """
version: 1
name: kinked
theory: staleness
staleness: {queues: {p: [1, 0], m: [2, 0]}PAPER}
graph:
  input: {shape: [2], radius: 1}
  operators:
    - {id: f1, type: dense, units: 2, region: {weight: 1}}
    - {id: r, type: relu}
    - {id: f2, type: dense, units: 1, region: {weight: 1}}
    - {id: g, type: square}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}
training: {step_size: 1/100, horizon: 1000}
"""


def test_a_kink_asks_for_both_numbers() -> None:
    error = refused(KINKED.replace("PAPER", ""))
    assert "'r'" in str(error)
    assert "staleness.lipschitz" in str(error.where)
    assert "`lipschitz` and `error_gradient`" in str(error)
    spec = bc.loads(KINKED.replace("PAPER", ", lipschitz: 1, error_gradient: 1"))
    found = THEORY.rate(build_for(spec)).value.statements["sgd.sharp"]
    assert found.bound is not None


def test_operators_without_regions_do_with_both_numbers() -> None:
    text = KINKED.replace(", region: {weight: 1}", "").replace(
        "{id: r, type: relu}", "{id: r, type: tanh}"
    )
    spec = bc.loads(text.replace("PAPER", ", lipschitz: 1, error_gradient: 1"))
    assert THEORY.rate(build_for(spec)).value.statements["sgd"].bound is not None
    error = refused(text.replace("PAPER", ""))
    assert "region" in str(error)


def test_blocks_by_default_begin_at_trained_weights() -> None:
    spec = bc.loads(KINKED.replace("PAPER", ", lipschitz: 1, error_gradient: 1"))
    graph = build_for(spec)
    pipeline = Problem(graph, THEORY.own(spec)).pipeline
    assert [(b.name, list(b.operators)) for b in pipeline.blocks] == [
        ("f1", [1, 2]),
        ("f2", [3, 4]),
    ]
    assert [pipeline.block_of(v) for v in (1, 2, 3, 4)] == [0, 0, 1, 1]
    named = KINKED.replace("PAPER", ", lipschitz: 1, error_gradient: 1, blocks: [f1, g]")
    spec = bc.loads(named)
    pipeline = Problem(build_for(spec), THEORY.own(spec)).pipeline
    assert [list(b.operators) for b in pipeline.blocks] == [[1, 2, 3], [4]]


def test_leading_operators_without_weights_belong_to_the_first_block() -> None:
    text = KINKED.replace("PAPER", ", lipschitz: 1, error_gradient: 1").replace(
        "    - {id: f1,", "    - {id: t, type: tanh}\n    - {id: f1,"
    )
    spec = bc.loads(text)
    pipeline = Problem(build_for(spec), THEORY.own(spec)).pipeline
    assert [list(b.operators) for b in pipeline.blocks] == [[1, 2, 3], [4, 5]]


def test_measured_regions_are_sampled_numbers() -> None:
    text = (
        KINKED.replace("PAPER", "")
        .replace("type: relu", "type: tanh")
        .replace("graph:\n  input: {shape: [2], radius: 1}", "graph:\n  regions: visited")
    )
    text += "simulation: {data: {points: [[0.5, 0.25], [1, -1]]}}\n"
    spec = bc.loads(text)
    found = THEORY.rate(build_for(spec)).value
    assert str(found.lipschitz.status) == "sampled"
    assert str(found.statements["sgd.sharp"].step_size_limit.status) == "sampled"
