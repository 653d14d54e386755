"""Small chains for simulator tests, and exact enumeration of two-point noise."""

from itertools import product

import numpy as np

import boundcalc as bc

HEADER = """
version: 1
name: test chain
training: {step_size: 1/10, horizon: 20}
simulation:
  data: {generator: gaussian, samples: 5, dimension: 2, seed: 1}
  replicas: 3
  seed: 4
  initial_weights: 1/2
  check: {iterates: [0, 1], samples: 3, draws: 64}
"""

#: Operators, then perturbations: chains that use every operator of the library.
CHAINS = {
    "dense-tanh-dense": (
        """
    - {id: f1, type: dense, units: 3}
    - {id: f2, type: tanh, bias: true, region: {input: 10, weight: 10}}
    - {id: f3, type: dense, units: 1, bias: false, region: {input: 10, weight: 10}}
    - {id: f4, type: squared, region: {input: 30}}""",
        """
  - {at: f1, pass: forward, model: gaussian, std: 0.1}
  - {at: [f2, f3], pass: forward, model: uniform, low: -0.1, high: 0.3}
  - {at: [f2, f3, f4], pass: backward, model: two_point, magnitude: 0.2}""",
    ),
    "margin-logit": (
        """
    - {id: f1, type: margin}
    - {id: f2, type: softplus}""",
        """
  - {at: f1, pass: forward, model: gaussian, std: 0.5, center: 0.1}
  - {at: f2, pass: backward, model: constant, value: 0.2}""",
    ),
    "sine-bilinear": (
        """
    - {id: f1, type: sine, bias: true, scale: 2}
    - {id: f2, type: bilinear, region: {input: 3, weight: 9}}
    - {id: f3, type: sigmoid, bias: true}
    - {id: f4, type: quadratic, region: {input: 1}}""",
        """
  - {at: [f1, f2], pass: forward, model: uniform, half_width: 0.2, probability: 1/2}
  - {at: f2, pass: backward, model: gaussian, std: 0.3}""",
    ),
    "dense-logistic": (
        """
    - {id: f1, type: dense, units: 1}
    - {id: f2, type: logistic}""",
        """
  - {at: f1, pass: forward, model: two_point, low: -0.1, high: 0.4, p_high: 1/4}
  - {at: f2, pass: backward, model: uniform, half_width: 0.2}""",
    ),
}


def graph_of(name):
    operators, perturbations = CHAINS[name]
    text = f"{HEADER}graph:\n  operators:{operators}\nperturbations:{perturbations}\n"
    return bc.build(bc.loads(text))


def outcomes(count):
    """All 2^count sign patterns, (2^count, count): equally likely outcomes of two-point noise."""
    return np.array(list(product((-1.0, 1.0), repeat=count)))
