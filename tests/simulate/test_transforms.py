"""Transforms in the simulator: order, randomness, thinning, reaches, and the literal twin."""

from fractions import Fraction

import numpy as np
import pytest
from programs import PROGRAMS, graph_of
from toy_transforms import EVERYWHERE, NETWORKS, PAIR, TOYS, inside, network, network_text, pair

import boundcalc as bc
from boundcalc.graph import build
from boundcalc.graph.reaches import site_reaches
from boundcalc.simulate.literal import literal_gradient
from boundcalc.simulate.memory import Memory
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.start import initial_weights
from boundcalc.simulate.streams import Streams, stream
from boundcalc.simulate.transforms import Change, as_added


def gradient(graph, replicas=1, seed=0, w=(0.5, 0.75)):
    """ũ of every replica and sample, from one draw of everything."""
    program, noise = make_program(graph), make_noise(graph)
    x, y = graph.data.features[None], graph.data.labels[None]
    active = (True,) * len(noise.perturbations)
    delta, epsilon = noise.draw(stream(seed, "check"), replicas, x.shape[1], active)
    weights = np.array([w])
    return program.sample_gradients(weights, program.outputs(weights, x, y, delta), y, epsilon)


HALF, SHIFT = "model: halving", "model: constant, value: 3"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # u = (v₁ x, y₁) with y₁ = w₁x = 1 and v₁ = w₂ = 3/4
        ([], [1.5, 1.0]),
        ([f"at: f1, pass: forward, {HALF}"], [1.5, 0.5]),
        ([f"at: f1, pass: forward, {SHIFT}", f"at: f1, pass: forward, {HALF}"], [1.5, 2.0]),
        ([f"at: f1, pass: forward, {HALF}", f"at: f1, pass: forward, {SHIFT}"], [1.5, 3.5]),
        ([f"at: f1, pass: forward, {HALF}", f"at: f1, pass: forward, {HALF}"], [1.5, 0.25]),
        ([f"at: f2, pass: backward, {SHIFT}", f"at: f1->f2, pass: backward, {HALF}"], [3.75, 1.0]),
        ([f"at: f2, pass: backward, {HALF}", f"at: f1->f2, pass: backward, {SHIFT}"], [6.75, 1.0]),
        (
            [
                f"at: f2, pass: backward, {SHIFT}",
                f"at: f2, pass: backward, {SHIFT}",
                f"at: f2, pass: backward, {HALF}",
                f"at: f2, pass: backward, {SHIFT}",
                f"at: f2, pass: backward, {SHIFT}",
            ],
            [2 * (6.75 / 2 + 6), 1.0],
        ),
    ],
)
def test_perturbations_act_at_a_site_in_the_order_of_the_spec(lines, expected):
    assert gradient(pair(*lines), replicas=3).tolist() == [[expected]] * (3 if lines else 1)


def test_slots_that_share_an_edge_are_summed_before_a_transform():
    text = PAIR.replace(
        "    - {id: f2, type: bilinear, region: {input: 99, weight: 9}}",
        "    - {id: sum, type: add, inputs: [f1, f1, f1]}\n"
        "    - {id: loss, type: identity, inputs: [sum]}",
    ).replace("initial_weights: [1/2, 3/4]", "initial_weights: [1/2]")
    line = "{at: f1->sum, pass: backward, model: rounding, step: 2}"
    graph = build(bc.loads(text.replace("PERTURBATIONS", line)), transforms=TOYS)
    # 3 is rounded to 4; three times 1, each rounded to 0, would be 0.
    assert gradient(graph, w=(0.5,)).tolist() == [[[8.0]]]


# --- nothing changes where nothing is transformed ---------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_transforms_that_do_nothing_change_no_run_in_a_single_bit(name):
    plain = bc.simulate(network(name))
    lines = [
        "at: '*', pass: forward, model: unchanged",
        "at: '*', pass: backward, model: unchanged",
    ]
    same = bc.simulate(network(name, *lines))
    for field in ("loss", "gradient_norm", "final"):
        assert np.array_equal(getattr(plain.trajectory, field), getattr(same.trajectory, field))
    assert all(check.error.max() < 1e-28 for check in same.checks)
    assert len(same.transformed) == len(network(name).sites)


def test_a_transform_that_draws_nothing_leaves_other_draws_as_they_are():
    noise = "at: '*', pass: {}, model: uniform, half_width: 1/10"
    lines = [noise.replace("{}", side) for side in ("forward", "backward")]
    plain = bc.simulate(network("skip", *lines))
    same = bc.simulate(
        network("skip", lines[0], "at: '*', pass: forward, model: unchanged", lines[1])
    )
    assert np.array_equal(plain.trajectory.final, same.trajectory.final)
    assert plain.transformed == ()


@pytest.mark.parametrize("name", PROGRAMS)
def test_without_transforms_a_draw_is_arrays_alone(name):
    noise = make_noise(graph_of(name))
    delta, epsilon = noise.draw(stream(0, "check"), 2, 3, (True,) * len(noise.perturbations))
    assert not any(isinstance(x, Change) for x in [*delta.values(), *epsilon.values()])
    assert not noise.transformed


# --- randomness -------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_numbers():
    first, second = (bc.simulate(network("skip", *EVERYWHERE)) for _ in range(2))
    assert np.array_equal(first.trajectory.loss, second.trajectory.loss)
    assert np.array_equal(first.checks[1].error, second.checks[1].error)
    assert first.transformed == second.transformed
    assert not np.array_equal(first.trajectory.final[0], first.trajectory.final[1])


def test_replicas_and_samples_draw_for_themselves():
    found = gradient(pair("at: f1, pass: forward, model: dropping, keep: 1/2"), replicas=4000)
    kept = found[:, 0, 1] == 2.0
    assert np.array_equal(kept, found[:, 0, 1] != 0.0)
    assert abs(kept.mean() - 0.5) < 4 * 0.5 / np.sqrt(4000)


def test_an_event_is_drawn_for_every_sample_and_for_all_components_together():
    graph = network("chain", "at: f1, pass: forward, model: halving, probability: 1/4")
    noise = make_noise(graph)
    delta, _ = noise.draw(stream(3, "check"), 500, 6, (True,))
    value = np.ones((1, 6, 3))
    after = delta[1](value)
    assert value.min() == 1.0
    halved = after == 0.5
    assert np.array_equal(halved, np.repeat(halved[..., :1], 3, axis=-1))
    assert np.array_equal(after == 1.0, ~halved)
    rate = halved[..., 0].mean()
    assert abs(rate - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 3000)
    assert len(np.unique(halved[..., 0], axis=0)) > 30


@pytest.mark.parametrize(("p", "expected"), [("0", 1.0), ("1", 0.5)])
def test_certain_events(p, expected):
    graph = pair(f"at: f1, pass: forward, model: halving, probability: {p}")
    assert gradient(graph, replicas=5)[..., 1].tolist() == [[expected]] * 5


def test_schedules_decide_when_a_transform_acts():
    graph = pair("at: f1, pass: forward, model: halving, steps: [1]")
    run = bc.simulate(graph)
    # w₂ moves by γ·y₁: by the whole in the first step, by half of it in the second.
    w1, w2 = 0.5, 0.75
    w1, w2 = w1 - 0.1 * w2 * 2, w2 - 0.1 * w1 * 2
    w1, w2 = w1 - 0.1 * w2 * 2, w2 - 0.1 * w1 * 2 / 2
    np.testing.assert_allclose(run.trajectory.final, [[w1, w2]] * 2, rtol=1e-14)


# --- the literal twin -------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_a_run_equals_a_loop_over_the_literal_twin(name):
    graph = network(name, *EVERYWHERE)
    run = bc.simulate(graph)
    program, noise = make_program(graph), make_noise(graph)
    x, y = graph.data.features[None], graph.data.labels[None]
    w = np.tile(run.trajectory.snapshots[0], (3, 1))
    draws = Streams.of_replicas(4, range(3), noise.keys)
    active = (True,) * len(noise.perturbations)
    for _ in range(12):
        delta, epsilon = noise.draw(draws, 3, x.shape[1], active, record=True)
        program.mean_gradient(w, program.outputs(w, x, y, delta), y, epsilon)
        # What goes back to operators before which nothing is trained is never asked for.
        seen = {
            e: s for e, s in epsilon.items() if not isinstance(s, Change) or s.added is not None
        }
        arrays = as_added(delta), as_added(seen)
        w = w - literal_gradient(graph, w, x, y, *arrays).mean(axis=1) / 20
    np.testing.assert_allclose(run.trajectory.final, w, rtol=0, atol=1e-12)


# --- reaches ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("backward", [4, 3])
def test_no_value_leaves_its_reach(name, backward):
    """With weights anywhere in their regions, and bounded noise before the transforms."""
    lines = [line for line in EVERYWHERE if "gaussian" not in line]
    graph = network(name, *lines[:backward])
    program, noise = make_program(graph), make_noise(graph)
    active = (True,) * len(noise.perturbations)
    rng = np.random.default_rng(5)
    x, y = graph.data.features[None], graph.data.labels[None]
    for _ in range(40):
        w = rng.standard_normal((8, program.weights))
        for part in program.slices.values():
            w[:, part] *= 2 / np.sqrt(np.sum(w[:, part] ** 2, axis=1, keepdims=True))
        delta, epsilon = noise.draw(rng, 8, x.shape[1], active)
        program.mean_gradient(w, program.outputs(w, x, y, delta), y, epsilon)
    assert len(noise.transformed) > 4
    for p, met in noise.transformed:
        assert inside(met, p.reach), (p.direction, p.site, p.edge)
    # They are no bounds that anything would satisfy: some come close.
    norms = [met.norm / float(p.reach.radius) for p, met in noise.transformed]
    assert max(norms) > 0.7


def test_sites_of_an_unperturbed_graph_stay_in_their_reaches():
    for name in NETWORKS:
        graph = network(name)
        reaches = site_reaches(graph)
        program = make_program(graph)
        x, y = graph.data.features[None], graph.data.labels[None]
        w = initial_weights(graph, program)
        path = program.outputs(w, x, y, {})
        for v, node in enumerate(graph.nodes[:-1], 1):
            reach = reaches["forward", v]
            assert path[v].min() >= float(reach.low), node.id
            assert np.linalg.norm(path[v], axis=-1).max() <= float(reach.radius)


def test_what_a_run_met_is_kept_for_the_premises():
    graph = pair("at: f1, pass: forward, model: halving, reach: {radius: 1/4}")
    run = bc.simulate(graph)
    ((p, met),) = run.transformed
    assert p.reach.radius == Fraction(1, 4)
    assert met.norm == met.high == 1.0
    assert not inside(met, p.reach)


def test_nan_is_not_lost_in_what_was_met():
    noise = make_noise(pair("at: f1, pass: forward, model: halving"))
    delta, _ = noise.draw(stream(0, "check"), 1, 2, (True,))
    delta[1](np.array([[[np.nan], [1.0]]]))
    delta[1](np.array([[[2.0], [1.0]]]))
    ((_, met),) = noise.transformed
    assert np.isnan([met.norm, met.low, met.high]).all()


def test_an_empty_memory_keeps_nothing_of_transforms_without_one():
    noise = make_noise(network("chain", *EVERYWHERE))
    memory = Memory(noise.perturbations, 3, 6)
    assert all(memory.slot(k, None) is None for k in range(len(noise.perturbations)))


def test_minibatches():
    spec = network_text("chain", *EVERYWHERE, noise="{kind: minibatch}", rest="loss: {batch: 2}\n")
    first, second = (bc.simulate(build(bc.loads(spec), transforms=TOYS)) for _ in range(2))
    assert np.array_equal(first.trajectory.final, second.trajectory.final)
    assert np.isfinite(first.trajectory.final).all()
