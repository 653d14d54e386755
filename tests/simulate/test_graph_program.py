"""What is particular to graphs: sums over edges, shared and kept weights, where ε is added."""

import numpy as np
import pytest
from programs import GRAPHS, graph_of

import boundcalc as bc
from boundcalc.errors import SimulationError, SpecError
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.start import initial_weights
from boundcalc.simulate.streams import stream

TEXT = """
version: 1
name: graph
graph:
  operators:
OPERATORS
perturbations: [PERTURBATIONS]
training: {step_size: 1/10, horizon: 4}
simulation: {replicas: 2, data: {points: [[2, 3]]}, check: {draws: 32}INITIAL}
"""


def built(operators, perturbations="", initial=""):
    lines = "\n".join(f"    - {{{line}}}" for line in operators)
    text = TEXT.replace("OPERATORS", lines).replace("PERTURBATIONS", perturbations)
    return bc.build(bc.loads(text.replace("INITIAL", initial and f", initial_weights: {initial}")))


def gradient(graph, w, delta=None, epsilon=None):
    program, x, y = make_program(graph), graph.data.features[None], graph.data.labels[None]
    w = np.array([w])
    path = program.outputs(w, x, y, delta or {})
    each = program.sample_gradients(w, path, y, epsilon or {})
    mean = program.mean_gradient(w, path, y, epsilon or {})
    np.testing.assert_allclose(mean, each.mean(axis=1), rtol=1e-13)
    return each[0, 0].tolist()


DOUBLE = [
    "id: f1, type: bilinear, region: {weight: 9}",
    "id: sum, type: add, inputs: [f1, f1, f1]",
    "id: loss, type: identity",
]


def test_slots_that_read_the_same_operator_share_one_epsilon():
    """y = 3(2w₁ + 3w₂): v₁ = 3 + ε, and not 3 + 3ε."""
    graph = built(DOUBLE, "{at: sum, pass: backward, model: constant, value: 1/2}")
    assert gradient(graph, [1.0, 1.0]) == [6.0, 9.0]
    delta, epsilon = make_noise(graph).draw(stream(0, "check"), 1, 1, (True,))
    assert (delta, list(epsilon)) == ({}, [2])
    assert gradient(graph, [1.0, 1.0], epsilon=epsilon) == [7.0, 10.5]


def test_perturbations_of_one_edge_add():
    graph = built(
        DOUBLE,
        "{at: sum, pass: backward, model: constant, value: 1/2}, "
        "{at: f1->sum, pass: backward, model: constant, value: 2}",
    )
    _, epsilon = make_noise(graph).draw(stream(0, "check"), 1, 1, (True, True))
    assert epsilon[2].tolist() == [[[2.5]]]


def test_draws_are_mirrored_about_the_sum_of_all_centres_on_an_edge():
    graph = built(
        DOUBLE,
        "{at: f1->sum, pass: backward, model: uniform, low: 0, high: 1}, "
        "{at: sum, pass: backward, model: gaussian, std: 1, center: 2}",
    )
    noise = make_noise(graph)
    _, epsilon = noise.draw(stream(0, "check"), 3, 1, (True, True))
    mirrored = noise.mirrored("backward", epsilon)
    np.testing.assert_allclose(mirrored[2], 5.0 - epsilon[2], rtol=1e-15)


def test_every_consumer_passes_its_own_epsilon_back():
    """y = f₁ + 2f₁ on two paths: v₁ = 1 + ε₁ + 2(1 + ε_loss) + ε₂ for ε on three edges."""
    graph = built(
        [
            "id: f1, type: bilinear, region: {weight: 9}",
            "id: a, type: identity, inputs: [f1]",
            "id: b, type: add, factors: [2], inputs: [f1]",
            "id: loss, type: add, inputs: [a, b]",
        ]
    )
    edges = {label: edge for edge in range(1, 6) for label in [graph.edge_label(edge)]}
    shifts = {"a": 0.25, "b": 0.5, "b->loss": 1.0}
    epsilon = {edges[label]: np.full((1, 1, 1), value) for label, value in shifts.items()}
    v = 1.25 + 2 * 2.0 + 0.5
    assert gradient(graph, [1.0, 1.0], epsilon=epsilon) == [2 * v, 3 * v]


def test_shared_weights_have_one_slice_and_their_gradients_add():
    """y = w₁·2 + w₁·3 through two towers: u = 2 + 3."""
    towers = [
        "id: x1, type: select, stop: 1, inputs: []",
        "id: x2, type: select, start: 1, inputs: []",
        "id: a, type: bilinear, inputs: [x1], weights: w, region: {weight: 9}",
        "id: b, type: bilinear, inputs: [x2], weights: w, region: {weight: 9}",
        "id: loss, type: add, inputs: [a, b]",
    ]
    graph = built(towers)
    assert make_program(graph).weights == 1
    assert gradient(graph, [7.0]) == [5.0]


KEPT = [
    "id: f1, type: dense, units: 1, bias: false, trainable: false, initial: {values: [1, 2]}",
    "id: f2, type: bilinear, region: {weight: 9}",
    "id: f3, type: bilinear, trainable: false, initial: {values: [1/2]}",
]


def test_kept_weights_are_used_but_not_trained():
    """y = ½·w·(2 + 6): u = 4 whatever w."""
    graph = built(KEPT)
    assert make_program(graph).weights == 1
    assert gradient(graph, [7.0]) == [4.0]
    run = bc.simulate(graph)
    assert run.trajectory.final.tolist() == [[-1.6], [-1.6]]


def test_values_that_no_later_step_needs_are_forgotten():
    graph = built(["id: f0, type: identity", *KEPT])
    program = make_program(graph)
    x, y = graph.data.features[None], graph.data.labels[None]
    sizes = [value.size for value in program.outputs(np.ones((1, 1)), x, y, {})]
    # The data, then f₀ (read by f₁, before which nothing is trained), f₁, f₂ and the loss.
    assert sizes == [2, 0, 1, 1, 1]


def test_nothing_to_train_is_an_error():
    with pytest.raises(SimulationError, match="nothing to train"):
        make_program(built([KEPT[0]]))


def test_operators_start_from_their_own_weights_and_the_others_from_the_simulation():
    operators = [
        "id: f1, type: dense, units: 2, bias: false, initial: {values: [1, 2, 3, 4]}, "
        "region: {weight_change: 9}",
        "id: f2, type: sine, bias: true",
        "id: f3, type: bilinear, region: {weight: 9}",
    ]
    graph = built(operators, initial="[5, 6, 7, 8]")
    start = initial_weights(graph, make_program(graph))
    assert start.tolist() == [[1, 2, 3, 4, 5, 6, 7, 8]] * 2
    with pytest.raises(SpecError, match="wrong number") as error:
        bc.simulate(built(operators, initial="[1]"))
    assert error.value.expected.startswith("4, one for each weight")
    drawn = built(operators, initial="1/2")
    row = initial_weights(drawn, make_program(drawn))[0]
    assert row[:4].tolist() == [1, 2, 3, 4]
    assert row[4:].tolist() == (0.5 * stream(0, "weights").standard_normal(4)).tolist()


def test_shared_weights_start_from_the_values_of_the_one_that_has_them():
    shared = "type: sine, bias: true, weights: w"
    last = "id: f3, type: bilinear, region: {weight: 9}"
    first = f"id: f1, {shared}, initial: {{values: [5, 6]}}"
    graph = built([first, f"id: f2, {shared}", last])
    assert initial_weights(graph, make_program(graph))[0].tolist() == [5, 6, 0, 0]


@pytest.mark.parametrize("first", ["", ", initial: {values: [5, 6]}"])
def test_shared_weights_have_one_start(first):
    shared = "type: sine, bias: true, weights: w"
    last = "id: f3, type: bilinear, region: {weight: 9}"
    with pytest.raises(SpecError, match="start from different ones"):
        built([f"id: f1, {shared}{first}", f"id: f2, {shared}, initial: {{values: [7, 6]}}", last])


def test_noise_that_cannot_reach_the_gradient_is_not_drawn():
    graph = built(
        [
            "id: x1, type: select, stop: 1, inputs: []",
            "id: x2, type: select, start: 1, inputs: []",
            "id: join, type: concat, inputs: [x1, x2]",
            "id: loss, type: bilinear, region: {weight: 9}",
        ],
        "{at: [x1, x2, join, loss], pass: backward, model: constant, value: 1}, "
        "{at: [x1, loss], pass: forward, model: constant, value: 1}",
    )
    noise = make_noise(graph)
    assert [p.direction for p in noise.perturbations] == ["backward"] * 3 + ["forward"]
    delta, epsilon = noise.draw(stream(0, "check"), 2, 1, (True,) * 4)
    assert list(delta) == [1]
    assert sorted(graph.ends[edge] for edge in epsilon) == [(1, 3), (2, 3), (3, 4)]


@pytest.mark.parametrize("name", GRAPHS)
def test_mean_pass_and_sample_pass_agree_with_the_passes_of_a_single_sample(name):
    """Batched or alone, on one replica or several: the same numbers."""
    graph = graph_of(name)
    program, rng = make_program(graph), np.random.default_rng(3)
    w = rng.standard_normal((4, program.weights))
    x, y = graph.data.features[None], graph.data.labels[None]
    whole = program.sample_gradients(w, program.outputs(w, x, y, {}), y, {})
    for r, m in np.ndindex(4, 5):
        one, at = w[r : r + 1], (x[:, m : m + 1], y[:, m : m + 1])
        alone = program.sample_gradients(one, program.outputs(one, *at, {}), at[1], {})
        np.testing.assert_allclose(alone[0, 0], whole[r, m], rtol=1e-12, atol=1e-13)
