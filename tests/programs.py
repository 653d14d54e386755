"""Small chains and graphs for simulator tests, and exact enumeration of two-point noise."""

from itertools import product

import numpy as np

import boundcalc as bc
from boundcalc.simulate.compiled.build import compiler

#: Engines that can run here.
ENGINES = ["numpy", *(["compiled"] if compiler() else [])]

HEADER = """
version: 1
name: test program
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


#: Graphs that are no chains: branches, joins, shared and kept weights, double edges.
GRAPHS = {
    "diamond": (
        """
    - {id: f1, type: dense, units: 3}
    - {id: left, type: tanh, bias: true, inputs: [f1]}
    - {id: right, type: sine, scale: 2, inputs: [f1]}
    - {id: join, type: add, factors: [1, -1/2], inputs: [left, right]}
    - {id: loss, type: bilinear, region: {weight: 9}}""",
        """
  - {at: [f1, right, join], pass: forward, model: uniform, half_width: 0.2}
  - {at: [left, left->join, right->join, loss], pass: backward, model: gaussian, std: 0.2}""",
    ),
    "residual": (
        """
    - {id: f1, type: dense, units: 2}
    - id: block
      repeat: 2
      block:
        - {id: g, type: relu, bias: true}
        - {id: h, type: dense, units: 2, region: {input: 99, weight: 9}}
        - {id: sum, type: add, inputs: [input, h]}
    - {id: out, type: dense, units: 1, region: {input: 99, weight: 9}}
    - {id: loss, type: sigmoid, bias: true}""",
        """
  - {at: f1, pass: forward, model: gaussian, std: 0.3, center: 0.1}
  - {at: 'block.*', pass: forward, model: two_point, magnitude: 0.1}
  - {at: 'block.*', pass: backward, model: uniform, low: -0.1, high: 0.3, probability: 1/2}""",
    ),
    "siamese": (
        """
    - {id: x1, type: select, stop: 1, inputs: []}
    - {id: x2, type: select, start: 1, inputs: []}
    - {id: a1, type: dense, units: 3, inputs: [x1], weights: tower, region: {weight: 9}}
    - {id: b1, type: dense, units: 3, inputs: [x2], weights: tower, region: {weight: 9}}
    - {id: a2, type: tanh, bias: true, inputs: [a1], weights: bias}
    - {id: b2, type: tanh, bias: true, inputs: [b1], weights: bias}
    - {id: difference, type: add, factors: [1, -1], inputs: [a2, b2]}
    - {id: out, type: dense, units: 1, region: {weight: 9}}
    - {id: loss, type: squared}""",
        """
  - {at: [x1, a1, b1, a2, difference], pass: forward, model: two_point, magnitude: 0.2}
  - {at: [a1, b1, b2, difference, loss], pass: backward, model: uniform, low: -0.1, high: 0.2}""",
    ),
    "double edges": (
        """
    - {id: f1, type: sine, bias: true}
    - {id: square, type: multiply, inputs: [f1, f1]}
    - {id: wide, type: concat, inputs: [f1, square, f1]}
    - {id: out, type: dense, units: 2, region: {weight: 9}}
    - {id: loss, type: inner, inputs: [out, out]}""",
        """
  - {at: [f1, wide], pass: forward, model: uniform, half_width: 0.3}
  - at: [square, f1->wide, square->wide, loss]
    pass: backward
    model: two_point
    magnitude: 0.4""",
    ),
    "kept weights": (
        """
    - {id: f1, type: dense, units: 3, trainable: false, initial: {normal: 1, seed: 5}}
    - {id: f2, type: tanh}
    - {id: f3, type: dense, units: 2, inputs: [f2], initial: {normal: 1},
       region: {weight_change: 9}}
    - {id: f4, type: dense, units: 2, inputs: [f2], trainable: false, initial: {uniform: 1}}
    - {id: gate, type: sigmoid, bias: true, inputs: [f4]}
    - {id: f5, type: multiply, inputs: [f3, gate]}
    - {id: loss, type: bilinear, region: {weight: 9}}""",
        """
  - {at: [f1, f2, f4], pass: forward, model: uniform, half_width: 0.3}
  - {at: [f2, f3, gate, f5], pass: backward, model: two_point, magnitude: 0.4}""",
    ),
}

PROGRAMS = CHAINS | GRAPHS


def graph_of(name):
    operators, perturbations = PROGRAMS[name]
    text = f"{HEADER}graph:\n  operators:{operators}\nperturbations:{perturbations}\n"
    return bc.build(bc.loads(text))


def outcomes(count):
    """All 2^count sign patterns, (2^count, count): equally likely outcomes of two-point noise."""
    return np.array(list(product((-1.0, 1.0), repeat=count)))
