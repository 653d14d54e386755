"""Small spec texts for graph tests."""

from __future__ import annotations

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph

ONES = "uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}"

#: Every constant of one operator, all different.
ALL = (
    "constants: {jac_input: 2, jac_weight: 3, lip_input: 5, hess_input: 7, hess_mixed: 11, "
    "third_input: 13, third_mixed: 17}"
)

SIMULATION = """\
training: {step_size: 1/10, horizon: 5}
simulation: {data: {generator: gaussian, samples: 5, dimension: 2, seed: 1}}
"""


def text(
    *operators: str, uniform: str = ONES, at: str = "", symbols: str = "", rest: str = ""
) -> str:
    """A spec; an operator without braces is an id, ``at`` the lines under perturbations."""
    lines = ["version: 1", "name: test"]
    if symbols:
        lines.append(f"symbols: {{{symbols}}}")
    lines.append("graph:")
    if uniform:
        lines.append(f"  {uniform}")
    lines.append("  operators:")
    lines += [f"    - {o if o.startswith('{') else f'{{id: {o}}}'}" for o in operators]
    if at:
        lines += ["perturbations:", *(f"  - {line}" for line in at.splitlines())]
    return "\n".join([*lines, rest])


def graph(*operators: str, **options: str) -> OperatorGraph:
    """The graph of :func:`text`."""
    return bc.build(bc.loads(text(*operators, **options), name="my.yaml"))


def refused(*operators: str, **options: str) -> BoundcalcError:
    """The error that the graph of :func:`text` is refused with."""
    try:
        built = graph(*operators, **options)
    except BoundcalcError as error:
        return error
    raise AssertionError(f"not refused: {built.ids}")


def exact(expression: object) -> object:
    """An expression without symbols as a Fraction."""
    return expression.evaluate(RATIONALS)  # type: ignore[attr-defined]
