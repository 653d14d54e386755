"""Optimiser steps, control steps and quadratic costs to be tested."""

from __future__ import annotations

import numpy as np
from case import Case

from boundcalc.operators.base import Region
from boundcalc.operators.control_step import ControlStep
from boundcalc.operators.gradient_step import GradientStep
from boundcalc.operators.quadratic_cost import QuadraticCost
from boundcalc.spec.grammar import parse

ROWS = ((1, "-1/2"), ("3/2", 2), ("-1/3", 1))
LABELS = (1, -1, 1)


def quadratic(hessian, **parameters):
    return GradientStep(objective="quadratic", hessian=hessian, **parameters)


def logistic(rows, labels, **parameters):
    return GradientStep(objective="logistic", rows=rows, labels=labels, **parameters)


def region_of(radius, center=None, change=None, weight=None):
    return Region(
        input=None if radius is None else parse(radius),
        weight=None if weight is None else parse(weight),
        center=None if center is None else np.array(center),
        change=None if change is None else parse(change),
    )


DOUBLE_INTEGRATOR = ControlStep(
    state_matrix=((1, "1/2"), (0, 1)), control_matrix=(("1/8",), ("1/2",))
)
WIDE_CONTROL = ControlStep(state_matrix=((0, 2), ("-1/2", 0)), control_matrix=((1, 2), (3, -1)))

CASES = (
    Case(quadratic(("1", "1/4", "-1/2"), linear=("1/2", 0, -1)), 3),
    Case(quadratic((2, "1/3"), per_coordinate=True, linear=(1, 2)), 2),
    Case(quadratic(((2, "-1/2"), ("-1/2", "1/3"))), 2),
    Case(quadratic(((2, 1), (1, -1)), per_coordinate=True, linear=(0, 1)), 2),
    Case(logistic(ROWS, LABELS), 2),
    Case(logistic(ROWS, LABELS, ridge="1/10", per_coordinate=True), 2),
    Case(DOUBLE_INTEGRATOR, 2),
    Case(DOUBLE_INTEGRATOR, 3),
    Case(WIDE_CONTROL, 4),
    Case(QuadraticCost(diagonal=("1/2", 2, "-3")), 3),
    Case(QuadraticCost(matrix=((1, 2), (0, "1/2")), linear=(1, -2)), 2),
)

#: One input, one weight at most: here every constant is attained.
SCALAR_CASES = (
    Case(quadratic(("3/2",), linear=(1,)), 1),
    Case(quadratic((("-2",),), per_coordinate=True), 1),
    Case(logistic((("2",),), (-1,)), 1),
    Case(logistic((("-3/2",),), (1,), ridge="1/4", per_coordinate=True), 1),
    Case(ControlStep(state_matrix=((-2,),), control_matrix=(("1/2",),)), 1),
    Case(QuadraticCost(diagonal=(3,), linear=("-1/2",)), 1),
)
