"""A spec that simulates in milliseconds, and sweeps of it."""

import os
import subprocess
import sys
from pathlib import Path

import boundcalc
from boundcalc.spec.loading import loads

TEXT = """
version: 1
name: small
symbols: {C: 1/10, D: 1}
graph:
  operators:
    - {id: f1, type: margin}
    - {id: f2, type: logistic}
perturbations:
  - {at: f1, pass: forward, model: uniform, half_width: C/D}
training: {step_size: 1/2, horizon: 20}
simulation:
  data: {generator: logistic, samples: 20, dimension: 3, seed: 1}
  replicas: 4
  seed: 3
  noise: {kind: gaussian, std: 1/100}
  check: {samples: 1, draws: 2}
"""

OVER = {"training.step_size": "1/2, 1/4, 1/8", "perturbations[0].half_width": [0.1, "C"]}
ROOT = Path(boundcalc.__file__).parent.parent

#: A process as a user starts it, wherever the tests run from.
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def small(**changes):
    spec = loads(TEXT, name="small.yaml")
    return spec.model_copy(update=changes) if changes else spec


def start(*arguments, **options):
    """A Python process with these arguments, its output in pipes."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(  # noqa: S603 - the tests' own commands
        [sys.executable, *arguments], env=ENVIRONMENT, **{**pipes, **options}
    )
