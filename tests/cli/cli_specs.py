"""Small specs for the command line, as text."""

from __future__ import annotations

from pathlib import Path


def ones(size: int, *, at: str = "", rest: str = "") -> str:
    """A chain with all constants 1, and a centred forward perturbation of 1 at every operator."""
    if not at:
        ids = ", ".join(f"f.{k}" for k in range(1, size + 1))
        at = f"{{at: [{ids}], pass: forward, rms: 1, mean: 0, fourth: 1}}"
    return f"""\
version: 1
name: all constants 1
graph:
  uniform: {{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}}
  operators: [{{id: f, repeat: {size}}}]
perturbations: [{at}]
{rest}
"""


RATES = """\
loss: {smoothness: 1, pl: 1/10, initial_gap: 1, gradient_noise: 1/10, batch: 4}
training: {step_size: 1/4, horizon: 1000}
"""

#: Two sine operators: every bound of every family holds.
HOLDS = """\
version: 1
name: two sine operators
graph:
  operators:
    - {id: f1, type: sine, bias: true}
    - {id: f2, type: sine, bias: true}
loss: {smoothness: 4, initial_gap: 3, gradient_noise: 0, batch: 3}
perturbations:
  - {at: f1, pass: forward, model: constant, value: 1/10}
  - {at: f2, pass: backward, model: constant, value: 1/10}
training: {step_size: 1/20, horizon: 20}
simulation:
  data: {points: [[0], [1], [-1]]}
  replicas: 2
  initial_weights: [1/2, 1/2]
  check: {iterates: [0, 1], samples: 2, draws: 32}
"""

#: The weights start outside the region of the first operator: nothing can be said.
UNDETERMINED = """\
version: 1
name: outside its region
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 1}}
    - {id: f2, type: bilinear, region: {input: 1, weight: 1}}
perturbations:
  - {at: f1, pass: forward, model: constant, value: 1/4}
training: {step_size: 1/100, horizon: 5}
simulation:
  data: {points: [[1]]}
  replicas: 2
  initial_weights: [2, 2]
  check: {iterates: [0], samples: 1, draws: 32}
"""

#: The step is so large that the weights leave what floats can hold.
DIVERGES = """\
version: 1
name: diverges
graph:
  operators:
    - {id: f1, type: bilinear, region: {weight: 1}}
    - {id: f2, type: quadratic, region: {input: 1}}
perturbations:
  - {at: f1, pass: forward, model: constant, value: 1/4}
training: {step_size: 1000, horizon: 40}
simulation:
  data: {points: [[100]]}
  replicas: 2
  initial_weights: [1/2, 1/2]
  check: {iterates: [0, 1], samples: 1, draws: 32}
"""

SYMBOLS = """\
version: 1
name: free symbols
symbols: {C: , L: 1/2}
graph:
  uniform: {jac: C, lip: C, hess: L, hess_op: L, third: 1}
  operators: [{id: a}, {id: b}]
perturbations: [{at: a, pass: forward, rms: 1, mean: 0, fourth: 1}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}
training: {step_size: 1/3, horizon: 10}
"""

#: Two halves of the data through the same weights, a kink, a frozen layer.
GRAPH = """\
version: 1
name: two branches
graph:
  input: {shape: [2], radius: 1}
  operators:
    - {id: x1, type: select, start: 0, stop: 1}
    - {id: x2, type: select, start: 1, stop: 2, inputs: []}
    - {id: f1, type: dense, units: 1, inputs: [x1], weights: w, initial: {values: [1, 0]},
       region: {weight_change: 1}}
    - {id: f2, type: dense, units: 1, inputs: [x2], weights: w, initial: {values: [1, 0]},
       region: {weight_change: 1}}
    - {id: both, type: concat, inputs: [f1, f2]}
    - {id: kink, type: relu}
    - {id: mix, type: dense, units: 1, initial: {values: [1, 1, 0]}, trainable: false}
    - {id: loss, type: softplus}
perturbations:
  - {at: [f1, both], pass: forward, model: uniform, half_width: 1/4}
  - {at: f2->both, pass: backward, rms: 1/5, mean: 0}
"""

#: A residual block, twenty times.
BLOCKS = """\
version: 1
name: twenty blocks
graph:
  uniform: {jac: 1/4, lip: 1/4, hess: 1, hess_op: 1, third: 1}
  operators:
    - {id: stem}
    - {id: block, repeat: 20, block: [{id: f}, {id: sum, inputs: [input, f]}]}
    - {id: loss}
perturbations: [{at: stem, pass: forward, rms: 1, mean: 0}]
"""

#: Names full of what Rich, LaTeX and HTML take for markup.
NAMES = ("[bold]a[/bold]", ":bug: <i>&amp;</i>", "[/]", "\\alpha_{1}$x$ 100% # ~^")


def named() -> str:
    """A spec with these names."""
    quoted = [name.replace("\\", "\\\\") for name in NAMES]
    return f"""\
version: 1
name: "{quoted[0]} {quoted[1]}"
graph:
  uniform: {{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}}
  operators:
{chr(10).join(f'    - {{id: "{name}"}}' for name in quoted)}
perturbations:
  - {{at: "{quoted[0]}", pass: forward, rms: 1}}
{RATES}"""


def write(folder: Path, text: str | bytes, name: str = "spec.yaml") -> Path:
    """A spec as a file."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path
