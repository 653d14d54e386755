"""Small chains for the tests of orders."""

from __future__ import annotations

from typing import Any

from boundcalc import build, loads

HEAD = "version: 1\nname: orders\n"
TAIL = """
loss: {smoothness: 1, pl: 1/10, initial_gap: 1, gradient_noise: SIGMA}
training: {step_size: 1/4, horizon: 1000}
"""


def graph(operators: str, *, sigma: str = "1", tail: str = TAIL) -> Any:
    return build(loads(f"{HEAD}graph:\n  operators:\n{operators}{tail.replace('SIGMA', sigma)}"))


def chain(count: int = 3, **constants: str) -> Any:
    names = ("jac_input", "jac_weight", "hess_input", "hess_mixed", "third_input", "third_mixed")
    values = {**dict.fromkeys(names, "1"), **constants}
    text = ", ".join(f"{name}: {value}" for name, value in values.items())
    return graph("".join(f"    - {{id: f{i}, constants: {{{text}}}}}\n" for i in range(count)))
