"""Small specs whose reports take seconds."""

from __future__ import annotations

import json

TINY = """
version: 1
name: Tiny logistic
symbols: {sigma_f: 1/2}
graph:
  operators:
    - {id: margin, type: margin}
    - {id: loss, type: softplus}
loss: {smoothness: 2, initial_gap: log(2), gradient_noise: 1/100, batch: 20, pl: 1/1000}
perturbations:
  - {at: margin, pass: forward, model: uniform, half_width: sigma_f/sqrt(10)}
  - {at: loss, pass: backward, model: uniform, half_width: 1/10}
training: {step_size: 1/10, horizon: 30}
simulation:
  data: {generator: logistic, samples: 20, dimension: 3, seed: 1}
  replicas: 3
  regulariser: {kind: squared, strength: 0.01}
  noise: {kind: gaussian, std: 1/1000}
  check: {iterates: [0, 1], samples: 3, draws: 64}
"""

# A smoothness far below the true one: the simulation refutes an assumption.
REFUTED = TINY.replace("smoothness: 2", "smoothness: 1/1000").replace("pl: 1/1000", "pl: 1/10000")

SYMBOLIC = """
version: 1
name: three operators with symbols
symbols: {C: null, L_1: null}
graph:
  operators:
    - {id: f1, constants: {jac_input: C, jac_weight: C, hess_input: L_1, hess_mixed: L_1,
                           third_input: 1, third_mixed: 1}}
    - {id: f2, constants: {jac_input: C, jac_weight: 2*C, hess_input: L_1, hess_mixed: L_1/3,
                           third_input: 1, third_mixed: 1}}
    - {id: f3, constants: {jac_input: "max(C, L_1**2)", jac_weight: C, hess_input: sqrt(L_1) + C,
                           hess_mixed: L_1, third_input: 1, third_mixed: 1}}
perturbations:
  - {at: f1, pass: forward, rms: 1/10, mean: 0}
"""

DEEP = """
version: 1
name: Uniform chain
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 400}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1/10, pl: 1/100}
perturbations:
  - {at: [f.1, f.30], pass: forward, rms: 1/1000, mean: 1/10000, fourth: 1/900}
training: {step_size: 1/4, horizon: 1000}
"""

#: Names that break renderers which do not escape.
NASTY = (
    r"\input{/etc/passwd}$x_1^2$ & 50% #1 ~{}",
    "<script>alert('x')</script>|`code`|[a](http://e.org)*b*_c_",
    "x" * 200,
    "Ωμέγα naïve Łódź 数学 ½ 😀 -- ,, << >>",
    "[bracket] first",
    "A" * 100 + "_" * 100,
)


def nasty() -> str:
    """A chain whose name and ids are hostile, at 200 characters each."""
    constants = {"jac_input": 1, "jac_weight": 1, "hess_input": "1/3", "hess_mixed": 1}
    constants |= {"third_input": 1, "third_mixed": "123456789/1000"}
    spec = {
        "version": 1,
        "name": " ".join(NASTY[:4]) + "W" * 100,
        "symbols": {"alpha": 1},
        "graph": {"operators": [{"id": name, "constants": constants} for name in NASTY]},
        "loss": {"smoothness": "alpha", "initial_gap": "1/3", "gradient_noise": 0},
        "perturbations": [
            {"at": list(NASTY[:-1]), "pass": "forward", "rms": "1/10", "mean": 0},
            {"at": NASTY[2], "pass": "backward", "model": "gaussian", "std": "alpha/7"},
            {"at": NASTY[1], "pass": "backward", "rms": 1, "steps": [1, 2, 3]},
        ],
        "training": {"step_size": "2/3", "horizon": 100},
    }
    return json.dumps(spec)


#: Branches, joins, shared and frozen weights, a kink, norms taken together, an edge perturbed.
NETWORK = """
version: 1
name: Everything a graph can have
graph:
  operators:
    - {id: left, type: select, start: 0, stop: 3}
    - {id: right, type: select, start: 3, stop: 6, inputs: []}
    - {id: embed left, type: dense, units: 4, inputs: [left], weights: embedding,
       initial: {normal: 1/3, seed: 5}, region: {weight_change: 1/10}}
    - {id: act left, type: tanh}
    - {id: embed right, type: dense, units: 4, inputs: [right], weights: embedding,
       initial: {normal: 1/3, seed: 5}, region: {weight_change: 1/10}}
    - {id: act right, type: tanh}
    - {id: both, type: add, factors: [1, -1], inputs: [act left, act right]}
    - {id: kink, type: relu}
    - {id: skip, type: add, inputs: [both, kink]}
    - {id: mix, type: dense, units: 4, initial: {normal: 1/2, seed: 6}, trainable: false}
    - {id: head, type: dense, units: 1, initial: {normal: 1/2, seed: 7},
       region: {weight_change: 1/10, input: 9}}
    - {id: loss, type: logistic}
loss: {smoothness: 10, initial_gap: 2, gradient_noise: 0}
perturbations:
  - {at: [embed left, both, head], pass: forward, model: uniform, half_width: 1/1000}
  - {at: kink->skip, pass: backward, model: uniform, half_width: 1/1000}
  - {at: head, pass: backward, model: uniform, half_width: 1/1000}
training: {step_size: 1/1000, horizon: 5}
simulation:
  data: {generator: logistic, samples: 12, dimension: 6, seed: 1}
  replicas: 2
  check: {iterates: [0, 1], samples: 2, draws: 64}
"""

VISITED = """
version: 1
name: Measured regions
graph:
  regions: visited
  margin: 3/2
  operators:
    - {id: fc, type: dense, units: 3, initial: {normal: 1/2, seed: 1}, region: {weight_change: 1/4}}
    - {id: act, type: gelu}
    - {id: head, type: dense, units: 1, initial: {normal: 1/2}, region: {weight_change: 1/4}}
    - {id: loss, type: logistic}
perturbations:
  - {at: fc, pass: forward, model: uniform, half_width: 1/1000}
training: {step_size: 1/1000, horizon: 3}
simulation:
  data: {generator: logistic, samples: 8, dimension: 4, seed: 1}
  replicas: 2
  check: {iterates: [0], samples: 2, draws: 64}
"""

#: Sixty residual blocks, of constants only, between a stem and a loss.
BLOCKS = """
version: 1
name: Residual blocks
graph:
  uniform: {jac: 1/2, lip: 1/2, hess: 1, hess_op: 1, third: 1}
  operators:
    - {id: stem}
    - id: block
      repeat: 60
      block: [{id: fc}, {id: act}, {id: sum, inputs: [input, act]}]
    - {id: loss}
perturbations: [{at: stem, pass: forward, rms: 1, mean: 0}]
"""


def nasty_graph() -> str:
    """A graph with hostile ids, one of which reads another twice."""
    constants = {"jac_input": 1, "jac_weight": 1, "hess_input": "1/3", "hess_mixed": 1}
    constants |= {"third_input": 1, "third_mixed": "123456789/1000"}
    reads = ([], [0], [0], [1, 2, 1], [3, 2], [4])
    operators = [
        {"id": name, "constants": constants, "inputs": [NASTY[u] for u in sources]}
        for name, sources in zip(NASTY, reads, strict=True)
    ]
    spec = {
        "version": 1,
        "name": "Hostile graph",
        "graph": {"operators": operators},
        "perturbations": [
            {"at": list(NASTY[:-1]), "pass": "forward", "rms": "1/10", "mean": 0},
            {"at": f"{NASTY[1]}->{NASTY[3]}", "pass": "backward", "rms": "1/7"},
        ],
    }
    return json.dumps(spec)
