"""Long chains as spec texts."""

from __future__ import annotations

UNIFORM = "  uniform: {jac: 1, lip: 1, hess: 1/4, hess_op: 1/4, third: 1/9}\n"
AT_FIRST = "perturbations: [{at: ID, pass: forward, rms: 1/10, mean: 0, fourth: 1/8}]\n"
RATES = "loss: {smoothness: 1, pl: 1/100, initial_gap: 1, gradient_noise: 1/10, batch: 8}\n"


def repeated(size: int) -> str:
    """A chain of ``size`` operators in one line."""
    return (
        f"version: 1\nname: repeated\ngraph:\n{UNIFORM}"
        f"  operators: [{{id: f, repeat: {size}}}]\n" + AT_FIRST.replace("ID", "f.1")
    )


def written_out(size: int) -> str:
    """The same chain with every operator and all its constants on a line of its own."""
    constants = (
        "{jac_input: 1, jac_weight: 1, hess_input: 1/4, hess_mixed: 1/4, "
        "third_input: 1/9, third_mixed: 1/9}"
    )
    lines = "".join(f"    - {{id: f{k}, constants: {constants}}}\n" for k in range(1, size + 1))
    return f"version: 1\nname: written out\ngraph:\n  operators:\n{lines}" + AT_FIRST.replace(
        "ID", "f1"
    )


def trained(horizon: int, schedule: str = "") -> str:
    """Two operators with both regimes over a horizon."""
    at = "perturbations:\n  - {at: f.1, pass: forward, rms: 1/10, mean: 0, fourth: 1/8"
    return (
        f"version: 1\nname: trained\ngraph:\n{UNIFORM}"
        f"  operators: [{{id: f, repeat: 2}}]\n{RATES}{at}{schedule}}}\n"
        f"training: {{step_size: 1/100, horizon: {horizon}}}\n"
    )


LOGISTIC = """\
version: 1
name: logistic
graph: {operators: [{id: margin, type: margin}, {id: loss, type: softplus}]}
perturbations:
  - {at: margin, pass: forward, model: uniform, half_width: 1/10}
  - {at: loss, pass: backward, model: uniform, half_width: 1/10}
training: {step_size: 1/2, horizon: STEPS}
simulation:
  data: {generator: logistic, samples: 2000, dimension: 10, seed: 1}
  replicas: 8
  regulariser: {kind: nonconvex, strength: 0.001}
  noise: {kind: gaussian, std: 1/1000}
"""
