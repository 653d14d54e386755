"""The pipeline of queues against weights indexed by version, and against backpropagation."""

import numpy as np
import pytest
from theories.staleness.staleness_cases import (
    graph_of,
    literal,
    parts_of,
    piped,
    spec_text,
)

from boundcalc.simulate.numpy_engine import NumpyRunner
from boundcalc.simulate.runner import Out
from boundcalc.theories.staleness.pipeline import PipelineEngine, Queue
from boundcalc.theories.staleness.pipeline_stages import mixed_gradient
from boundcalc.theories.staleness.queues import Queues

GAUSSIAN = "  noise: {kind: gaussian, std: 1/10}\n"
MINIBATCH = "  noise: {kind: minibatch}\n"
RIDGE = "  regulariser: {kind: nonconvex, strength: 1/10}\n"

QUEUES = {
    "paper": ((1, 1, 0), (4, 2, 0)),
    "long": ((2, 3, 0), (9, 5, 1)),
    "operators": ((1, 2, 1, 0), (9, 6, 3, 1)),
    "two": ((1, 0), (3, 1)),
    "one": ((0,), (5,)),
}
BLOCKS = {"two": "staleness: {blocks: [f1, f3], "}

METHODS = [
    "sgd",
    "nesterov",
    "momentum",
    "{type: heavy_ball, momentum: 1/2}",
    "{type: unified_momentum, momentum: 3/4, s: 2}",
]


def case(name, **more):
    text = spec_text(*QUEUES[name], **more)
    return text.replace("staleness: {", BLOCKS.get(name, "staleness: {"))


@pytest.mark.parametrize("noise", ["", GAUSSIAN, MINIBATCH, RIDGE])
@pytest.mark.parametrize("name", QUEUES)
def test_queues_give_the_versions_that_the_theorem_speaks_of(name, noise):
    """To the last bit: final weights, and what every block was at, forward and backward."""
    graph = graph_of(case(name, more=noise))
    versions, _ = literal(graph)
    engine, recorder = piped(graph)
    assert np.array_equal(engine.w, versions[-1])
    problem, _, queues = parts_of(graph)
    assert recorder.steps.tolist() == list(range(41))
    assert np.array_equal(recorder.last, versions[-1])
    for n in range(41):
        for place, part in enumerate(recorder.parts):
            old = versions[max(0, n - queues.m[part.block])][:, part.columns]
            moved = versions[n][:, part.columns] - old
            expected = np.sqrt(np.sum(moved**2, axis=1))
            assert np.array_equal(recorder.distance[n, place], expected)
    loss, gradient = problem.program.objective(
        versions[17], problem.features[None], problem.labels[None]
    )
    assert np.array_equal(recorder.loss[17], loss)
    assert np.array_equal(recorder.gradient_norm[17], np.sqrt(np.sum(gradient**2, axis=1)))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_moves_each_block_by_its_own_versions(method):
    graph = graph_of(case("paper", method=method, step="1/20"))
    versions, _ = literal(graph)
    assert np.array_equal(piped(graph)[0].w, versions[-1])
    assert np.abs(versions[-1] - versions[0]).max() > 1e-2


def ordinary(graph):
    """The final weights of the ordinary simulator's NumPy engine."""
    problem, _, _ = parts_of(graph)
    shape = (problem.settings.records, problem.settings.replicas)
    out = Out(np.empty(shape), np.empty(shape))
    runner = NumpyRunner(problem, range(problem.settings.replicas), out)
    runner.advance(problem.settings.horizon)
    runner.finish()
    return runner.w, out


PERTURBED = """
perturbations:
  - {at: f2, pass: forward, model: gaussian, std: 1/10}
  - {at: f3, pass: forward, model: uniform, half_width: 1/10, probability: 1/2}
  - {at: f3, pass: backward, model: gaussian, std: 1/10, every: 3}
"""


@pytest.mark.parametrize(
    ("method", "noise"),
    [("sgd", ""), ("sgd", GAUSSIAN), *((method, MINIBATCH + RIDGE) for method in METHODS)],
)
@pytest.mark.parametrize("blocks", [3, 1])
def test_without_staleness_it_is_backpropagation_to_the_last_bit(method, noise, blocks):
    zeros = (0,) * blocks
    graph = graph_of(spec_text(zeros, zeros, method=method, more=noise, step="1/20"))
    engine, recorder = piped(graph)
    final, out = ordinary(graph)
    assert np.array_equal(engine.w, final)
    assert np.array_equal(recorder.loss, out.loss)
    assert np.array_equal(recorder.gradient_norm, out.gradient_norm)
    assert not recorder.distance.any()
    assert not recorder.difference.any()
    assert not recorder.forward_difference.any()


def test_the_gradient_of_equal_weights_is_the_gradient():
    graph = graph_of(case("paper"))
    problem, stages, _ = parts_of(graph)
    x, y, w = problem.features[None], problem.labels[None], problem.start
    path = problem.program.outputs(w, x, y, {})
    expected = problem.program.mean_gradient(w, path, y, {})
    assert np.array_equal(mixed_gradient(stages, w, w, x, y), expected)


def test_the_recorded_difference_is_that_of_the_gradients_that_were_used():
    graph = graph_of(case("long"))
    versions, gradients = literal(graph)
    _, recorder = piped(graph)
    problem, stages, queues = parts_of(graph)
    x, y = problem.features[None], problem.labels[None]
    for n in (0, 1, 7, 39):
        own = problem.program.objective(versions[n], x, y)[1]
        old = versions[[max(0, n - m) for m in queues.m]]
        ahead = np.concatenate([old[k][:, s.columns] for k, s in enumerate(stages)], axis=1)
        forward = problem.program.objective(ahead, x, y)[1]
        for name, other in (("difference", own), ("forward_difference", forward)):
            measured = recorder.by_block(getattr(recorder, name))[n]
            for block, stage in enumerate(stages):
                gap = (gradients[n] - other)[:, stage.columns]
                expected = np.sqrt(np.sum(gap**2, axis=1))
                np.testing.assert_allclose(measured[block], expected, rtol=1e-9, atol=1e-15)
    assert (recorder.difference[20:] > 1e-6).all()


def test_other_lengths_of_a_gradient_queue_do_not_fit():
    """q_k = m_{k−1} − p_{k−1} − m_k is what brings a gradient to its batch."""
    graph = graph_of(case("paper"))
    problem, stages, queues = parts_of(graph)

    class Wrong:
        p, m, q = queues.p, queues.m, (0, 2, 1)

    engine = PipelineEngine(problem, stages, Wrong())
    for _ in range(4):
        engine.tick()
    with pytest.raises(RuntimeError, match="together"):
        engine.tick()


def test_every_kth_step_is_recorded_and_the_run_is_the_same():
    every = "  record: {every: 7}\n"
    fine, coarse = (piped(graph_of(case("paper", more=GAUSSIAN + more))) for more in ("", every))
    assert np.array_equal(fine[0].w, coarse[0].w)
    assert coarse[1].steps.tolist() == [0, 7, 14, 21, 28, 35, 40]
    for name in ("loss", "gradient_norm", "difference", "distance"):
        assert np.array_equal(getattr(fine[1], name)[coarse[1].steps], getattr(coarse[1], name))


def test_queues_hold_as_many_batches_as_they_say():
    graph = graph_of(case("long"))
    problem, stages, queues = parts_of(graph)
    engine = PipelineEngine(problem, stages, queues)
    for _ in range(30):
        engine.tick()
    assert engine.held == queues.held
    for _ in range(engine.ticks - 30):
        engine.tick()
    assert engine.held == 0


def test_a_queue_of_no_length_lets_everything_through_at_once():
    queue = Queue(0)
    assert [queue.through(item) for item in "ab"] == ["a", "b"]


def test_a_run_that_blows_up_is_recorded_without_a_warning():
    graph = graph_of(
        spec_text((0,), (3,), graph=QUARTIC, step=1000, steps=60).replace(DATA, "{points: [[0]]}")
    )
    _, recorder = piped(graph)
    assert not np.isfinite(recorder.loss[-1]).any()


DATA = "{generator: logistic, samples: 5, dimension: 3, seed: 4}"
QUARTIC = """
  operators:
    - {id: half, type: square, bias: true, scale: 1/2}
    - {id: f, type: square}
"""


def test_lengths_are_those_of_the_queues():
    assert Queues((1, 1, 0), (4, 2, 0)).held == 10
