"""Specs that ask everything of the explorer's engine: schedules, symbols, kinks, shared draws."""

from __future__ import annotations

import boundcalc as bc
from boundcalc.graph import OperatorGraph
from boundcalc.resources import example

#: Shipped specs: chains, a diamond, residual blocks, depth, batches.
SHIPPED = (
    "logistic-nonconvex",
    "logistic-strongly-convex",
    "three-operators",
    "deep-uniform",
    "diamond",
    "unrolled-gd",
    "siamese",
    "transformer-block",
)

#: Short specs by what is peculiar in them.
TEXTS = {
    "symbols in constants": """
version: 1
name: symbols
symbols: {C: 5/4, L: 1/2, s: 1/10, m: 1/50, gap: 2}
graph:
  operators:
    - {id: f1, constants: {jac_input: C, jac_weight: 1, hess_input: 1, hess_mixed: 1,
       third_input: 1, third_mixed: 1}}
    - {id: f2, constants: {jac_input: 2 - C/2, jac_weight: C**2, hess_input: sqrt(L), hess_mixed: L,
       third_input: 1/(1 + L), third_mixed: 0}}
    - {id: f3, constants: {jac_input: exp(-L), jac_weight: "max(C, 1)", hess_input: 1,
       hess_mixed: "min(L, 1)", third_input: log(1 + C), third_mixed: 1}}
loss: {smoothness: 2*C, pl: L/10, initial_gap: gap, gradient_noise: 1/10, batch: 4}
perturbations:
  - {at: [f1, f2], pass: forward, rms: s, mean: m, fourth: 2*s, every: 3}
  - {at: [f2, f3], pass: backward, rms: 2*s, mean: 0}
training: {step_size: 1/30, horizon: 500}
""",
    "two schedules": """
version: 1
name: two schedules
graph:
  uniform: {jac: 1, lip: 1, hess: 1/2, hess_op: 1, third: 1/4}
  operators: [{id: f1}, {id: f2}, {id: f3}]
loss: {smoothness: 1, pl: 1/20, initial_gap: 1, gradient_noise: 1/4, batch: 3}
perturbations:
  - {at: f1, pass: forward, rms: 1/10, mean: 0, fourth: 1/8, every: 4, dependence: independent}
  - {at: f2, pass: forward, rms: 1/5, mean: 1/10, fourth: 1/4, last: 50}
  - {at: f2, pass: backward, rms: 1/10, mean: 1/20}
  - {at: f3, pass: backward, rms: 1/10, mean: 0, every: 4}
training: {step_size: 1/5, horizon: 600}
""",
    "listed steps": """
version: 1
name: listed steps
graph:
  uniform: {jac: 6/5, lip: 1, hess: 1/2, hess_op: 1, third: 1/4}
  operators: [{id: f1}, {id: f2}, {id: f3}, {id: f4}]
loss: {smoothness: 1, pl: 1/20, initial_gap: 1, gradient_noise: 0}
perturbations:
  - {at: [f1, f3], pass: forward, rms: 1/10, mean: 0, fourth: 1/8, steps: [3, 7, 400, 900]}
training: {step_size: 1/5, horizon: 600}
""",
    "no fourth moment": """
version: 1
name: no fourth moment
graph:
  uniform: {jac: 1, lip: 1, hess: 1/2, hess_op: 1, third: 1/4}
  operators: [{id: f1}, {id: f2}, {id: f3}]
loss: {smoothness: 3, initial_gap: 1, gradient_noise: 1/4}
perturbations:
  - {at: f1, pass: forward, rms: 1/10, first: 20}
training: {step_size: 1/9, horizon: 600}
""",
    "shared draws": """
version: 1
name: shared draws
graph:
  operators:
    - {id: f1, type: sine, bias: true}
    - {id: f2, type: tanh, bias: true}
    - {id: f3, type: sigmoid, bias: true}
loss: {smoothness: 1, pl: 1/50, initial_gap: 1, gradient_noise: 1/10, batch: 16}
perturbations:
  - {at: f1, pass: forward, model: gaussian, std: 1/20, draw: per_batch}
  - {at: f2, pass: forward, model: gaussian, std: 1/30, center: 1/100}
  - {at: f2, pass: backward, model: gaussian, std: 1/20, center: 1/30, draw: per_batch, every: 2}
  - {at: f3, pass: backward, model: uniform, low: -1/20, high: 1/10}
training: {step_size: 1/4, horizon: 300}
""",
    "all draws shared": """
version: 1
name: all draws shared
graph:
  operators: [{id: f1, type: sine, bias: true}, {id: f2, type: tanh}, {id: f3, type: sigmoid}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1/10, batch: 16}
perturbations:
  - {at: f1, pass: forward, model: gaussian, std: 1/20, draw: per_batch}
  - {at: f2, pass: backward, rms: 1/20, mean: 1/50, draw: per_batch}
training: {step_size: 1/4, horizon: 300}
""",
    "kinks": """
version: 1
name: kinks
graph:
  input: {shape: [3], low: -1, high: 1}
  operators:
    - {id: f1, type: dense, units: 4, initial: {normal: 1/2, seed: 1},
       region: {weight_change: 1/10}}
    - {id: f2, type: relu}
    - {id: f3, type: dense, units: 1, initial: {normal: 1/2, seed: 1},
       region: {weight_change: 1/10}}
    - {id: f4, type: tanh}
    - {id: loss, type: squared}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1/10, batch: 2}
perturbations:
  - {at: [f1, f3], pass: forward, model: uniform, half_width: 1/100}
  - {at: [f3, loss], pass: backward, model: gaussian, std: 1/100, probability: 1/4}
training: {step_size: 1/4, horizon: 300}
simulation: {data: {generator: uniform, samples: 8, dimension: 3, seed: 1, low: -1, high: 1}}
""",
    "repeated": """
version: 1
name: repeated
symbols: {n: 4, C: 11/10}
graph:
  operators:
    - {id: stem, constants: {jac_weight: 1}}
    - id: block
      repeat: n
      block:
        - {id: a, constants: {jac_input: C, jac_weight: 1, hess_input: 1/2, hess_mixed: 1/2,
           third_input: 1/4, third_mixed: 1/4}}
        - {id: sum, inputs: [input, a], constants: {jac_input: 1, hess_input: 0, third_input: 0}}
    - {id: loss, constants: {jac_input: 1, hess_input: 1, third_input: 1}}
loss: {smoothness: 4, pl: 1/4, initial_gap: 1, gradient_noise: 1/10}
perturbations:
  - {at: [block.1.a, block.4.a], pass: forward, rms: 1/10, mean: 0, dependence: conditional}
  - {at: block.*.sum, pass: forward, rms: 1/50, mean: 0, dependence: independent}
  - {at: block.2.a->block.2.sum, pass: backward, rms: 1/20, mean: 1/50}
training: {step_size: 1/8, horizon: 200}
""",
    "depth in everything": """
version: 1
name: depth in everything
symbols: {n: 3, C: 11/10, s: 1/10}
graph:
  operators:
    - {id: stem, constants: {jac_weight: 1}}
    - id: b
      repeat: n
      constants: {jac_input: C, jac_weight: 1, hess_input: 1/2, hess_mixed: 1/2,
        third_input: 1/4, third_mixed: 1/4}
    - {id: loss, constants: {jac_input: 1, hess_input: 1, third_input: 1}}
loss: {smoothness: 4*n, pl: n/10, initial_gap: 1, gradient_noise: sqrt(2)/10}
perturbations:
  - {at: [b.1, b.3], pass: forward, rms: s/n, mean: 0, fourth: s}
  - {at: b.*, pass: backward, rms: s, mean: 0}
training: {step_size: 1/(12*n), horizon: 200}
""",
    "reach": """
version: 1
name: reach
symbols: {s: 1/100, t: 1/100}
graph:
  input: {shape: [3], low: -1, high: 1}
  operators:
    - {id: f1, type: dense, units: 4, region: {weight: 1}}
    - {id: f2, type: dense, units: 1, region: {weight: 1}}
    - {id: loss, type: squared}
loss: {smoothness: 2, initial_gap: 1, gradient_noise: 1/10}
perturbations:
  - {at: f1, pass: forward, model: uniform, half_width: s}
  - {at: loss, pass: backward, model: gaussian, std: t}
training: {step_size: 1/30, horizon: 30}
simulation: {data: {generator: uniform, samples: 8, dimension: 3, seed: 1, low: -1, high: 1}}
""",
}


def graph_named(name: str) -> OperatorGraph:
    """A shipped spec, or one of :data:`TEXTS`, as a graph."""
    return bc.build(bc.loads(TEXTS[name]) if name in TEXTS else bc.load(example(name)))
