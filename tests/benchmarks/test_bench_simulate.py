"""Steps of the simulator against plain NumPy written for this one problem."""

import numpy as np
import pytest
from bench_specs import LOGISTIC

import boundcalc as bc
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.train import Settings, train

STEPS, REPLICAS, STEP, RHO = 50, 8, 0.5, 0.001


@pytest.fixture(scope="module")
def graph():
    return bc.build(bc.loads(LOGISTIC.replace("STEPS", str(STEPS))))


@pytest.mark.benchmark(group=f"{STEPS} logistic steps, M = 2000, R = {REPLICAS}, d = 10")
def test_simulator(benchmark, graph):
    """With what it records besides: loss and gradient at every step, the secant, the reach."""
    program, noise = make_program(graph), make_noise(graph)
    settings = Settings(
        step_size=STEP,
        horizon=STEPS,
        replicas=REPLICAS,
        seed=0,
        noise_std=0.001,
        batch=None,
        snapshot_steps=frozenset({0, STEPS}),
        track_inputs=False,
    )
    start = np.zeros((REPLICAS, program.weights))

    def run():
        data = graph.data
        return train(program, noise, data.features, data.labels, start, settings, lambda done: None)

    found = benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    assert found.loss[-1].max() < found.loss[0].min()


def gradient(h, y, w, delta=0.0, epsilon=0.0):
    z = -y * (h @ w) + delta
    v = 1.0 / (1.0 + np.exp(-z)) + epsilon
    return h.T @ (-y * v) / len(y) + 2.0 * RHO * w / (1.0 + w**2) ** 2


@pytest.mark.benchmark(group=f"{STEPS} logistic steps, M = 2000, R = {REPLICAS}, d = 10")
def test_plain_numpy(benchmark, graph):
    """The peer: one replica after the other, the same noise, loss and gradient recorded."""
    h, y = graph.data.features, graph.data.labels

    def run():
        rng = np.random.default_rng(0)
        losses = np.empty((STEPS + 1, REPLICAS))
        norms = np.empty_like(losses)
        for r in range(REPLICAS):
            w = np.zeros(h.shape[1])
            for t in range(STEPS + 1):
                losses[t, r] = np.logaddexp(0.0, -y * (h @ w)).mean() + RHO * np.sum(
                    w**2 / (1.0 + w**2)
                )
                norms[t, r] = np.linalg.norm(gradient(h, y, w))
                delta, epsilon = rng.uniform(-0.1, 0.1, (2, len(y)))
                noisy = gradient(h, y, w, delta, epsilon) + 0.001 * rng.standard_normal(len(w))
                w = w - STEP * noisy
        return losses

    found = benchmark.pedantic(run, rounds=5, warmup_rounds=1)
    assert found[-1].max() < found[0].min()
