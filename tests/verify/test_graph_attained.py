"""How close shallow graphs come to the sharp bound, at weights and inputs chosen against it."""

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

import boundcalc as bc
from boundcalc.simulate.program import make_program

GRAPHS = {
    "diamond": """
    - {id: stem, type: sine, bias: true}
    - {id: left, type: sine, bias: true, inputs: [stem]}
    - {id: right, type: sine, bias: true, inputs: [stem]}
    - {id: join, type: add, inputs: [left, right]}
""",
    "residual block": """
    - {id: stem, type: sine, bias: true}
    - {id: branch, type: sine, bias: true, inputs: [stem]}
    - {id: skip, type: add, inputs: [stem, branch]}
    - {id: loss, type: sine, bias: true}
""",
    "shared weights": """
    - {id: stem, type: sine, bias: true}
    - {id: left, type: sine, bias: true, weights: w, inputs: [stem]}
    - {id: right, type: sine, bias: true, weights: w, inputs: [stem]}
    - {id: join, type: add, inputs: [left, right]}
""",
    "product": """
    - {id: stem, type: sine, bias: true}
    - {id: left, type: sine, bias: true, inputs: [stem]}
    - {id: right, type: tanh, bias: true, inputs: [stem]}
    - {id: join, type: multiply, inputs: [left, right]}
""",
}
REST = """
perturbations:
  - {at: stem, pass: forward, model: two_point, magnitude: 1/10}
  - {at: %s, pass: backward, model: two_point, magnitude: 1/10}
training: {step_size: 1, horizon: 1}
simulation: {data: {points: [[0]]}, replicas: 2}
"""


def observed(graph, program, point):
    """E‖ũ−u‖² at one input and one set of weights, over all outcomes of the noise."""
    x, w = point[:1].reshape(1, 1, 1), point[1:].reshape(1, -1)
    labels = np.zeros((1, 1))
    exact = program.sample_gradients(w, program.outputs(w, x, labels, {}), labels, {})
    noisy = graph.perturbations
    outcomes = np.array(list(itertools.product((-0.1, 0.1), repeat=len(noisy))))
    delta, epsilon = {}, {}
    for perturbation, values in zip(noisy, outcomes.T, strict=True):
        side = delta if perturbation.direction == "forward" else epsilon
        number = perturbation.site if perturbation.direction == "forward" else perturbation.edge
        side[number] = values[:, None, None]
    weights = np.repeat(w, len(outcomes), axis=0)
    path = program.outputs(weights, x, labels, delta)
    found = program.sample_gradients(weights, path, labels, epsilon)
    return float(np.mean(np.sum((found - exact) ** 2, axis=-1)))


@pytest.mark.parametrize("name", GRAPHS)
def test_an_adversary_reaches_half_of_the_bound(name):
    last = GRAPHS[name].strip().splitlines()[-1].split("id: ")[1].split(",")[0]
    text = "version: 1\nname: t\ngraph:\n  operators:" + GRAPHS[name] + REST % last
    graph = bc.build(bc.loads(text))
    bound = float(bc.coefficients(graph).error_bound())
    program = make_program(graph)
    rng = np.random.default_rng(0)
    best = 0.0
    for _ in range(6):
        start = rng.uniform(-np.pi, np.pi, 1 + program.weights)
        found = minimize(
            lambda point: -observed(graph, program, point),
            start,
            method="Nelder-Mead",
            options={"maxiter": 300, "xatol": 1e-6, "fatol": 1e-9},
        )
        best = max(best, -found.fun)
    assert 0.5 <= np.sqrt(best / bound) <= 1 + 1e-9
