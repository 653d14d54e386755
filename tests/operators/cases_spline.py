"""Splines to be tested."""

from __future__ import annotations

from case import Case

from boundcalc.operators.spline import Spline

BENT = {"slope": "-1/2", "knots": [-1, "-1/2", "1/4", 2], "second": [0, 2, -1, 0]}
TURNED = {"weight_value": "1/3", "weight_knots": [-2, "-1/3", 1], "weight_first": [0, "-3/2", 0]}

CASES = (
    Case(Spline(weight_value=1), 1),
    Case(Spline(**BENT), 1),
    Case(Spline(**BENT, **TURNED), 1),
    Case(Spline(slope=2, weight_knots=[1, 2, 3, 4], weight_first=[0, 1, -1, 0]), 1),
    Case(Spline(slope=-1, knots=[-4, -3, -2], second=[0, 1, 0], weight_value="-1/2"), 1),
)
