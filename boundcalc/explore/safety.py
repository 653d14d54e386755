"""Ranges in which float64 is enough: no number on the way to a result over- or underflows.

The recurrences add, multiply and take roots, minima and maxima of numbers ≥ 0, so that every
number grows with the settings: what fits at the lowest and at the highest ones fits in between.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

from boundcalc.arithmetic.outputs import Outputs, in_range
from boundcalc.arithmetic.tape import Operation
from boundcalc.explore.controls import Control
from boundcalc.explore.variant import Variant

#: What curves do to all levels besides: twenty bits and a budget map of two decades.
_FINER, _COARSER = 2.0**-20 * 1e-2, 1e2

#: Exponents of ranges, the first as asked.
_SHRUNK = (1.0, 0.7, 0.5, 0.3, 0.15, 0.05)

_MOVING = ("symbols", "levels", "sites", "constants")
_GIVEN = frozenset({Operation.INPUT, Operation.CONSTANT})


def safe_controls(
    controls: Sequence[Control], variants: Iterable[Variant]
) -> tuple[list[Control], list[str]]:
    """The controls with ranges in which the sharp bounds stay in float64's range.

    Returns
    -------
    The controls, and remarks.  Bounds of the other families may leave the range inside these
    ranges: a page then shows no number.
    """
    programs = [
        made
        for variant in variants
        for name, made in variant.programs.items()
        if name.endswith(("_sharp", "_sharp_profile"))
    ]
    for exponent in _SHRUNK:
        made = [_shrunk(control, exponent) for control in controls]
        if all(_fits(program, made) for program in programs):
            notes = [] if exponent == 1.0 else ["ranges are cut to where float64 holds all numbers"]
            return made, notes
    return made, ["at the ends of their ranges controls leave float64's range"]


def _shrunk(control: Control, exponent: float) -> Control:
    if control.group not in _MOVING or control.scale != "log" or exponent == 1.0:
        return control
    low = control.value * math.pow(control.low / control.value, exponent)
    high = control.value * math.pow(control.high / control.value, exponent)
    return replace(control, low=low, high=high)


def _fits(program: Outputs, controls: Sequence[Control]) -> bool:
    known = {c.symbol: c for c in controls if isinstance(c.symbol, str)}
    low, high = {}, {}
    for name in program.names:
        control = known[name]
        level = control.key in ("forward", "backward")
        low[name] = control.low * (_FINER if level else 1.0)
        high[name] = control.high * (_COARSER if level else 1.0)
    return all(_positive(program, ends) for ends in (low, high))


def _positive(program: Outputs, inputs: dict[str, float]) -> bool:
    """Whether every number on the way is in range, and none that is computed became 0."""
    rows = program.program.instructions
    values = program.all_values(inputs)
    return all(
        in_range(value) and (value != 0 or row[0] in _GIVEN)
        for row, value in zip(rows, values, strict=True)
    )
