"""Runs whose results are kept: small, random, and with files."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

import boundcalc as bc

#: Two sine operators with random perturbations, recorded at every third step.
SPEC = """\
version: 1
name: "σ: two sine operators"
symbols: {half: 1/10}
graph:
  operators:
    - {id: f1, type: sine, bias: true}
    - {id: f2, type: sine, bias: true}
loss: {smoothness: 4, initial_gap: 3, gradient_noise: 0, batch: 3}
perturbations:
  - {at: f1, pass: forward, model: uniform, half_width: half}
  - {at: f2, pass: backward, model: gaussian, std: 1/10}
training: {step_size: 0.05, horizon: 40}
simulation:
  data: {points: [[0], [1], [-1]]}
  replicas: 4
  seed: 9007199254740993
  initial_weights: [1/2, 1/2]
  record: {every: 3}
  check: {iterates: [0, 1], samples: 2, draws: 32}
"""

CSV = "a,b,y\n1,2,0\n2,1,1\n0,1,1\n3,1,0\n"

#: Reads a table and a file of weights.
FILES = """\
version: 1
name: data and weights from files
graph:
  operators:
    - {id: f1, type: dense, units: 1, initial: {file: sub/w.npz, arrays: [W, b]}}
    - {id: f2, type: softplus}
perturbations: [{at: f1, pass: forward, model: uniform, half_width: 1/10}]
training: {step_size: 1/20, horizon: 10}
simulation: {data: {csv: table.csv, label: y}, replicas: 2, check: {samples: 2, draws: 32}}
"""


def with_files(folder: Path) -> Path:
    """A spec in a folder with the files that it reads."""
    (folder / "sub").mkdir()
    (folder / "table.csv").write_text(CSV)
    np.savez(folder / "sub" / "w.npz", W=np.array([[0.5, -0.5]]), b=np.zeros(1))
    (folder / "spec.yaml").write_text(FILES)
    return folder / "spec.yaml"


def run(text: str = SPEC, **options):
    """A run of a spec."""
    return bc.simulate(bc.loads(text), engine="numpy", **options)


def same(one, other) -> bool:
    """Whether two frozen records hold the same, NaN and arrays included."""
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            if a.dtype != b.dtype or not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
                return False
        elif field.name == "checks":
            if len(a) != len(b) or not all(map(same, a, b)):
                return False
        elif a != b:
            return False
    return True
