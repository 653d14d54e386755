"""Specs that several tests read."""

from __future__ import annotations

from boundcalc.errors import SpecError
from boundcalc.spec.loading import loads

# As printed in the documentation of the format, with numbers for `…`.
DESIGN = """\
version: 1
name: three operators
symbols: {C: 1, L: "1/2"}            # optional values; a symbol without a value stays symbolic
graph:
  uniform: {jac: C, lip: C, hess: L, hess_op: L, third: 1}       # optional: one set of constants for all operators:
                                     # C_∇f, L_f, L_∇f, C_∇²f, L_∇²f of theory.md §2
  operators:                         # in order; `inputs` (default: the operator before) makes it a graph
    - {id: f1, constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1, third_input: 1, third_mixed: 1}}
    - {id: block, repeat: 8, constants: {jac_input: 1, lip_input: "2*C"}}     # becomes block.1 … block.8
    - {id: loss, type: softplus, inputs: [block.8]}   # from the library: constants derived on the region
loss: {smoothness: 1, pl: "1/10", initial_gap: 1, gradient_noise: "1/100", batch: 1}
perturbations:                       # `at`: operator id or a list; forward = δ after it, backward = ε added when passing back through it
  - {at: f1, pass: forward, rms: "1/10", mean: 0, fourth: "1/8"}   # by moments only: √E‖·‖², ‖mean‖, (E‖·‖⁴)^{1/4}; or
  - {at: [block.1, loss], pass: backward, model: uniform, half_width: 0.3, every: 10}   # by a model that can also be sampled
training: {step_size: 1/100, horizon: 10000, optimizer: sgd}
"""  # noqa: E501 - the lines of the documentation

DESIGN_DATA = {
    "version": 1,
    "name": "three operators",
    "symbols": {"C": 1, "L": "1/2"},
    "graph": {
        "uniform": {"jac": "C", "lip": "C", "hess": "L", "hess_op": "L", "third": 1},
        "operators": [
            {
                "id": "f1",
                "constants": {
                    "jac_input": 1,
                    "jac_weight": 1,
                    "hess_input": 1,
                    "hess_mixed": 1,
                    "third_input": 1,
                    "third_mixed": 1,
                },
            },
            {"id": "block", "repeat": 8, "constants": {"jac_input": 1, "lip_input": "2*C"}},
            {"id": "loss", "type": "softplus", "inputs": ["block.8"]},
        ],
    },
    "loss": {
        "smoothness": 1,
        "pl": "1/10",
        "initial_gap": 1,
        "gradient_noise": "1/100",
        "batch": 1,
    },
    "perturbations": [
        {"at": "f1", "pass": "forward", "rms": "1/10", "mean": 0, "fourth": "1/8"},
        {
            "at": ["block.1", "loss"],
            "pass": "backward",
            "model": "uniform",
            "half_width": 0.3,
            "every": 10,
        },
    ],
    "training": {"step_size": "1/100", "horizon": 10000, "optimizer": "sgd"},
}

SMALL = "version: 1\nname: small\ngraph: {operators: [{id: f}]}\n"


def refused(text: str | bytes, **options: str) -> SpecError:
    """The error that a text is refused with."""
    try:
        spec = loads(text, name="my.yaml", **options)  # type: ignore[arg-type]
    except SpecError as error:
        return error
    raise AssertionError(f"not refused: {spec!r:.200}")


def told(error: SpecError) -> tuple[str | None, str, str, str, str]:
    """Location, problem, value, expectation and fix, as the reader sees them."""
    return (
        error.where,
        error.problem,
        "" if error.value is None else str(error.value),
        error.expected or "",
        error.fix or "",
    )
