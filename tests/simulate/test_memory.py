"""Transforms with memory: what is sent, what is kept, and for whom."""

import numpy as np
import pytest
from toy_transforms import TOYS, inside, network, network_text

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SimulationError, SpecError
from boundcalc.graph import build
from boundcalc.perturbations import Dependence
from boundcalc.simulate import memory as memories
from boundcalc.simulate.memory import Memory
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.streams import stream

TOP = "model: top_k, k: 2"
MEMORIES = ("feedback", "difference")


def noise_of(*lines, **options):
    return make_noise(network("chain", *lines, **options))


def step(noise, memory, value, *, active=(True,), rows=None, seed=0):
    """What one pass makes of the output of f1."""
    replicas, samples = len(value), value.shape[1]
    rng = stream(seed, "perturbations")
    delta, _ = noise.draw(rng, replicas, samples, active, memory=memory, rows=rows)
    return delta[1](value) if 1 in delta else value


# --- what is sent and kept --------------------------------------------------------------------


def top(vector, k=2):
    """The k largest components, written out."""
    order = sorted(range(len(vector)), key=lambda j: (-abs(vector[j]), j))
    return np.array([x if j in order[:k] else 0.0 for j, x in enumerate(vector)])


def remembered_by_hand(kind, values):
    """Values sent for one sample, one after the other, and the last state."""
    state, sent = np.zeros(len(values[0])), []
    for y in values:
        if kind == "feedback":
            sent.append(top(y + state))
            state = y + state - sent[-1]
        else:
            state = state + top(y - state)
            sent.append(state)
    return np.array(sent), state


@pytest.mark.parametrize("kind", MEMORIES)
def test_what_is_sent_is_as_defined_for_every_replica_and_sample(kind):
    noise = noise_of(f"at: f1, pass: forward, {TOP}, memory: {kind}")
    memory = Memory(noise.perturbations, 2, 6)
    values = np.random.default_rng(1).standard_normal((7, 2, 6, 3))
    found = np.array([step(noise, memory, value) for value in values])
    for r, m in np.ndindex(2, 6):
        sent, state = remembered_by_hand(kind, values[:, r, m])
        np.testing.assert_array_equal(found[:, r, m], sent)
        np.testing.assert_array_equal(memory.slot(0, None).state[r, m], state)


def test_feedback_sends_everything_in_the_end():
    """Σ sent = Σ y − e_T: nothing is lost, only late."""
    noise = noise_of(f"at: f1, pass: forward, {TOP}, memory: feedback")
    memory = Memory(noise.perturbations, 1, 6)
    values = np.random.default_rng(2).standard_normal((20, 1, 6, 3))
    sent = sum(step(noise, memory, value) for value in values)
    np.testing.assert_allclose(sent, values.sum(axis=0) - memory.slot(0, None).state, atol=1e-13)


def test_difference_reaches_a_value_that_stands_still():
    noise = noise_of(f"at: f1, pass: forward, {TOP}, memory: difference")
    memory = Memory(noise.perturbations, 1, 6)
    value = np.random.default_rng(3).standard_normal((1, 6, 3))
    assert not np.allclose(step(noise, memory, value), value)
    np.testing.assert_allclose(step(noise, memory, value), value, atol=1e-15)


@pytest.mark.parametrize("kind", MEMORIES)
def test_the_first_step_is_that_of_a_transform_without_memory(kind):
    value = np.random.default_rng(4).standard_normal((1, 6, 3))
    plain = step(noise_of(f"at: f1, pass: forward, {TOP}"), None, value)
    noise = noise_of(f"at: f1, pass: forward, {TOP}, memory: {kind}")
    assert np.array_equal(step(noise, Memory(noise.perturbations, 1, 6), value), plain)
    assert np.array_equal(step(noise, None, value), plain)
    assert np.array_equal(step(noise, None, value), plain)


@pytest.mark.parametrize("kind", MEMORIES)
def test_a_transform_that_does_not_act_leaves_its_memory_alone(kind):
    noise = noise_of(f"at: f1, pass: forward, {TOP}, memory: {kind}")
    memory = Memory(noise.perturbations, 1, 6)
    values = np.random.default_rng(5).standard_normal((3, 1, 6, 3))
    step(noise, memory, values[0])
    before = memory.slot(0, None).state.copy()
    assert np.array_equal(step(noise, memory, values[1], active=(False,)), values[1])
    assert np.array_equal(memory.slot(0, None).state, before)


@pytest.mark.parametrize("kind", MEMORIES)
@pytest.mark.parametrize("batch", [False, True])
def test_an_event_that_does_not_happen_leaves_the_memory_of_its_sample_alone(kind, batch):
    line = f"at: f1, pass: forward, {TOP}, memory: {kind}, probability: 1/2"
    noise = noise_of(line)
    memory = Memory(noise.perturbations, 2, 6)
    values = np.random.default_rng(6).standard_normal((9, 2, 3 if batch else 6, 3))
    sent: dict = {}
    for t, value in enumerate(values):
        rows = np.array([[5, 0, 3], [1, 4, 2]]) if batch else None
        found = step(noise, memory, value, rows=rows, seed=t)
        acts = stream(t, "perturbations").random(value.shape[:-1]) < 0.5
        assert np.array_equal(found[~acts], value[~acts])
        for r, m in zip(*np.nonzero(acts), strict=True):
            row = rows[r, m] if batch else m
            sent.setdefault((r, row), []).append((value[r, m], found[r, m]))
    assert len(sent) > 4
    for (r, row), pairs in sent.items():
        expected, state = remembered_by_hand(kind, [y for y, _ in pairs])
        assert np.array_equal([s for _, s in pairs], expected)
        assert np.array_equal(memory.slot(0, None).state[r, row], state)


# --- minibatches ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MEMORIES)
def test_a_batch_moves_the_memory_of_its_own_rows(kind):
    noise = noise_of(f"at: f1, pass: forward, {TOP}, memory: {kind}")
    memory = Memory(noise.perturbations, 2, 6)
    rng, seen = np.random.default_rng(7), {}
    for _ in range(8):
        rows = np.array([rng.permutation(6)[:3] for _ in range(2)])
        value = rng.standard_normal((2, 3, 3))
        found = step(noise, memory, value, rows=rows)
        for r, m in np.ndindex(2, 3):
            seen.setdefault((r, rows[r, m]), []).append((value[r, m], found[r, m]))
    for pairs in seen.values():
        expected, _ = remembered_by_hand(kind, [y for y, _ in pairs])
        assert np.array_equal([s for _, s in pairs], expected)


def test_of_a_row_that_is_twice_in_a_batch_the_later_state_is_kept():
    noise = noise_of(f"at: f1, pass: forward, {TOP}, memory: feedback")
    memory = Memory(noise.perturbations, 1, 6)
    value = np.array([[[1.0, 2.0, 3.0], [6.0, 5.0, 4.0]]])
    found = step(noise, memory, value, rows=np.array([[2, 2]]))
    assert found.tolist() == [[[0, 2, 3], [6, 5, 0]]]
    assert memory.slot(0, None).state[0].tolist() == [[0, 0, 0]] * 2 + [[0, 0, 4]] + [[0, 0, 0]] * 3


@pytest.mark.parametrize("noise", ["{kind: none}", "{kind: minibatch}"])
def test_runs_with_memory_are_reproducible_and_differ_from_those_without(noise):
    lines = [f"at: f1, pass: forward, {TOP}", "at: f2, pass: backward, model: top_k, k: 1"]

    def run(memory):
        with_memory = [f"{line}{memory}" for line in lines]
        text = network_text("chain", *with_memory, noise=noise, rest="loss: {batch: 4}\n")
        return bc.simulate(build(bc.loads(text), transforms=TOYS)).trajectory.final

    plain, *others = run(""), run(", memory: feedback"), run(", memory: difference")
    for kind, final in zip(MEMORIES, others, strict=True):
        assert np.array_equal(final, run(f", memory: {kind}"))
        assert not np.array_equal(final, plain)


# --- runs -------------------------------------------------------------------------------------


def test_a_run_with_memory_is_the_loop_that_it_stands_for():
    """One sample, f = w₂·Q(w₁x) and Q(ṽ) backwards: every number by hand."""
    text = """
version: 1
name: pair
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: bilinear, region: {input: 99, weight: 9}}
perturbations:
  - {at: f1, pass: forward, model: halving, memory: feedback}
  - {at: f2, pass: backward, model: halving, memory: difference, every: 2}
training: {step_size: 1/10, horizon: 5}
simulation: {replicas: 2, data: {points: [[2]]}, initial_weights: [1/2, 3/4]}
"""
    run = bc.simulate(build(bc.loads(text), transforms=TOYS))
    w1, w2, e, m = 0.5, 0.75, 0.0, 0.0
    for t in range(5):
        y = 2 * w1
        sent = (y + e) / 2
        e = y + e - sent
        v = w2
        if t % 2 == 0:
            m = m + (v - m) / 2
            v = m
        w1, w2 = w1 - 0.1 * 2 * v, w2 - 0.1 * sent
    np.testing.assert_allclose(run.trajectory.final, [[w1, w2]] * 2, rtol=1e-13)


@pytest.mark.parametrize("kind", MEMORIES)
def test_levels_with_memory_hold_for_what_a_run_adds(kind):
    """‖δ‖ of top-k never exceeds what is proved always, nor its mean square on average."""
    line = f"at: [f1, f2], pass: forward, {TOP}, memory: {kind}"
    back = f"at: [f2, f3], pass: backward, {TOP.replace('2', '1')}, memory: {kind}"
    graph = network("chain", line, back.replace("[f2, f3]", "f3"))
    assert {p.dependence for p in graph.perturbations} == {Dependence.ANY}
    program, noise = make_program(graph), make_noise(graph)
    memory, rng = Memory(noise.perturbations, 4, 6), np.random.default_rng(8)
    x, y = graph.data.features[None], graph.data.labels[None]
    levels = graph.levels(FLOATS)
    w, worst = np.zeros((4, program.weights)), 0.0
    for _ in range(60):
        w = w + 0.3 * rng.standard_normal(w.shape)
        for part in program.slices.values():
            size = np.sqrt(np.sum(w[:, part] ** 2, axis=1, keepdims=True))
            w[:, part] *= np.minimum(1.0, 2 / size)
        active = (True,) * len(noise.perturbations)
        delta, epsilon = noise.draw(rng, 4, 6, active, memory=memory, record=True)
        program.mean_gradient(w, program.outputs(w, x, y, delta), y, epsilon)
        for side, squares, limits in (
            (delta, levels.e, {p.site: p.largest for p in graph.perturbations if not p.edge}),
            (epsilon, levels.eps, {p.edge: p.largest for p in graph.perturbations if p.edge}),
        ):
            for site, change in side.items():
                norm = np.linalg.norm(change.added, axis=-1)
                assert norm.max() <= limits[site] * (1 + 1e-12)
                assert np.mean(norm**2) <= squares[site] ** 2
                worst = max(worst, norm.max() / limits[site])
    assert worst > 0.05
    assert all(inside(met, p.reach) for p, met in noise.transformed)


def test_only_the_start_is_checked_where_a_memory_has_a_past():
    graph = network("chain", f"at: f1, pass: forward, {TOP}, memory: feedback")
    run = bc.simulate(graph)
    assert [check.step for check in run.checks] == [0]
    assert (
        run.unchecked == "not measured after the start: perturbations[0] remembers the steps before"
    )
    plain = bc.simulate(network("chain", f"at: f1, pass: forward, {TOP}"))
    assert ([check.step for check in plain.checks], plain.unchecked) == ([0, 12], "")
    assert np.array_equal(run.checks[0].error, plain.checks[0].error)
    verdicts = bc.verify(graph)
    assert {v.status for v in verdicts.verdicts if v.family == "sharp"} == {"holds"}


# --- what is refused --------------------------------------------------------------------------


def test_memories_that_do_not_fit(monkeypatch):
    monkeypatch.setattr(memories, "MAX_STATE", 3 * 6 * 3 * 2)
    bc.simulate(network("chain", f"at: [f1, f2], pass: forward, {TOP}, memory: feedback"))
    monkeypatch.setattr(memories, "MAX_STATE", 3 * 6 * 3 * 2 - 1)
    with pytest.raises(SimulationError, match="too large") as caught:
        bc.simulate(network("chain", f"at: [f1, f2], pass: forward, {TOP}, memory: feedback"))
    assert caught.value.value == "3 replicas × 6 samples × 6 components"
    assert "perturbations[0]" in caught.value.where


def test_a_transform_of_which_nothing_can_be_proved_is_refused():
    with pytest.raises(SpecError) as caught:
        network("chain", "at: f1, pass: forward, model: rounding, memory: feedback")
    assert "my.yaml" in caught.value.where
    assert "perturbations[0]" in caught.value.where


def test_an_unknown_memory_is_refused():
    with pytest.raises(SpecError) as caught:
        network("chain", f"at: f1, pass: forward, {TOP}, memory: forever")
    assert caught.value.where.endswith("perturbations[0].memory")


def test_memory_needs_a_reach():
    text = """
version: 1
name: unbounded
graph:
  operators: [{id: f1, dim: 3, constants: CONSTANTS}, {id: f2, constants: CONSTANTS}]
perturbations: [{at: f1, pass: forward, model: top_k, k: 2, memory: feedbackREACH}]
""".replace(
        "CONSTANTS",
        "{jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1, third_input: 1, "
        "third_mixed: 1}",
    )
    with pytest.raises(SpecError) as caught:
        build(bc.loads(text.replace("REACH", "")))
    assert caught.value.value == "nothing bounds the output of f1"
    assert "reach: {radius: " in caught.value.fix
    graph = build(bc.loads(text.replace("REACH", ", reach: {radius: 1/2}")))
    assert graph.perturbations[0].memory == "feedback"
    assert any("with memory its moments hold on average" in note for note in graph.notes)
