"""The vectorised passes against their literal twin, symbolic derivatives and each other."""

import numpy as np
import pytest
from programs import PROGRAMS, graph_of

import boundcalc as bc
from boundcalc.errors import SimulationError
from boundcalc.simulate.literal import literal_gradient
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.streams import stream


def setting(name, replicas=4):
    graph = graph_of(name)
    program, noise = make_program(graph), make_noise(graph)
    rng = stream(7, "check")
    w = rng.standard_normal((replicas, program.weights))
    x, y = graph.data.features[None], graph.data.labels[None]
    active = (True,) * len(noise.perturbations)
    delta, epsilon = noise.draw(rng, replicas, x.shape[1], active)
    return graph, program, w, x, y, delta, epsilon


@pytest.mark.parametrize("name", PROGRAMS)
def test_vectorised_passes_equal_the_literal_twin(name):
    graph, program, w, x, y, delta, epsilon = setting(name)
    fast = program.sample_gradients(w, program.outputs(w, x, y, delta), y, epsilon)
    slow = literal_gradient(graph, w, x, y, delta, epsilon)
    scale = np.abs(slow).max()
    assert np.abs(fast - slow).max() <= 1e-12 * scale


@pytest.mark.parametrize("name", PROGRAMS)
def test_mean_gradient_is_the_mean_of_sample_gradients(name):
    _, program, w, x, y, delta, epsilon = setting(name)
    path = program.outputs(w, x, y, delta)
    mean = program.mean_gradient(w, path, y, epsilon)
    each = program.sample_gradients(w, path, y, epsilon)
    np.testing.assert_allclose(mean, each.mean(axis=1), rtol=0, atol=1e-13 * np.abs(each).max())


@pytest.mark.parametrize("name", PROGRAMS)
def test_unperturbed_gradient_is_the_derivative_of_the_objective(name):
    _, program, w, x, y, _, _ = setting(name, replicas=2)
    loss, gradient = program.objective(w, x, y)
    for k in range(program.weights):
        h = 1e-5
        step = np.zeros_like(w)
        step[:, k] = h
        ahead, behind = program.objective(w + step, x, y)[0], program.objective(w - step, x, y)[0]
        scale = 1 + np.abs(loss)
        np.testing.assert_allclose(
            (ahead - behind) / (2 * h), gradient[:, k], atol=1e-7 * scale.max()
        )


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_perturbation_changes_nothing_to_the_last_bit(name):
    _, program, w, x, y, delta, epsilon = setting(name)
    clean = program.sample_gradients(w, program.outputs(w, x, y, {}), y, {})
    zeros = {site: np.zeros_like(a) for site, a in delta.items()}
    backward = {site: np.zeros_like(a) for site, a in epsilon.items()}
    same = program.sample_gradients(w, program.outputs(w, x, y, zeros), y, backward)
    assert np.array_equal(same, clean)


@pytest.mark.parametrize("kind", ["squared", "nonconvex"])
def test_regulariser_gradients(kind):
    text = f"""
version: 1
name: regulariser
graph: {{operators: [{{id: f1, type: margin}}, {{id: f2, type: softplus}}]}}
training: {{step_size: 1, horizon: 1}}
simulation:
  data: {{generator: logistic, samples: 3, dimension: 4}}
  regulariser: {{kind: {kind}, strength: 0.3}}
"""
    program = make_program(bc.build(bc.loads(text)))
    w = np.linspace(-2, 2, 8).reshape(2, 4)
    expected = {"squared": w**2, "nonconvex": w**2 / (1 + w**2)}[kind]
    np.testing.assert_allclose(program.penalty(w), 0.3 * expected.sum(axis=1))
    for k in range(4):
        step = np.zeros_like(w)
        step[:, k] = 1e-6
        slope = (program.penalty(w + step) - program.penalty(w - step)) / 2e-6
        np.testing.assert_allclose(program.penalty_gradient(w)[:, k], slope, atol=1e-8)


def test_operators_given_by_constants_cannot_be_simulated():
    text = """
version: 1
name: constants only
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
training: {step_size: 1, horizon: 1}
simulation: {data: {points: [[1]]}}
"""
    with pytest.raises(SimulationError, match="'f1' is given by constants only"):
        bc.simulate(bc.loads(text))
