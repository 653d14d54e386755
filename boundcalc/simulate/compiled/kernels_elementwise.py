"""Kernels of the activations, the losses, and other operators without matrices."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from boundcalc.arithmetic import FLOATS, RATIONALS
from boundcalc.operators.base import Array
from boundcalc.operators.pieces import Pieces
from boundcalc.simulate.compiled.kernels import Kernel, Maker, inputs_of
from boundcalc.spec.expressions import Expression


def _activation(name: str, *, keeps: bool) -> Maker:
    """An elementwise kernel; φ′ is kept where it costs more than it takes to read it."""

    def make(operator: Any) -> Kernel:
        n = inputs_of(operator)
        sizes = (n, int(operator.bias))
        return Kernel(name, sizes, n if keeps else 0, _numbers(operator.scale))

    return make


def _leaky_relu(operator: Any) -> Kernel:
    parameters = _numbers(operator.scale, operator.slope)
    return Kernel("leaky_relu", (inputs_of(operator), int(operator.bias)), 0, parameters)


def _gelu(operator: Any) -> Kernel:
    name = "gelu" if operator.approximation == "none" else "gelu_tanh"
    return _activation(name, keeps=True)(operator)


def _huber(operator: Any) -> Kernel:
    return Kernel("huber", (), 0, _numbers(operator.delta))


def _cross_entropy(operator: Any) -> Kernel:
    n = inputs_of(operator)
    return Kernel("cross_entropy", (n,), n)


def _softmax(operator: Any) -> Kernel:
    n, width = inputs_of(operator), operator.shapes[0][-1]
    return Kernel("softmax", (n // width, width), n, _numbers(operator.temperature))


def _spline(operator: Any) -> Kernel:
    bend = _pieces(operator.knots, operator.second, operator.slope)
    turn = _pieces(operator.weight_knots, operator.weight_first, operator.weight_value)
    sizes = (len(bend.knots), len(turn.knots))
    return Kernel("spline", sizes, 0, np.concatenate([_table(bend), _table(turn)]))


def _pieces(knots: list[Expression], heights: list[Expression], left: Expression) -> Pieces:
    return Pieces(_rationals(knots), _rationals(heights), *_rationals([left]))


def _rationals(numbers: list[Expression]) -> tuple[Fraction, ...]:
    return tuple(Fraction(x.evaluate(RATIONALS)) for x in numbers)


def _table(pieces: Pieces) -> Array:
    """Of each piece, from the one left of all knots on: start, ∫H, H, h, and the slope of h."""
    if not pieces.knots:
        return np.array([0.0, 0.0, float(pieces.left), 0.0, 0.0])
    knots, heights = pieces.knots, pieces.heights
    slopes = [
        (q - p) / (t - s) for (s, t), (p, q) in zip(pairwise(knots), pairwise(heights), strict=True)
    ]
    at = np.array([float(t) for t in (knots[0], *knots)])
    inner = np.array([[float(h) for h in heights[:-1]], [float(x) for x in slopes]])
    table = np.zeros((len(at), 5))
    table[:, 0], table[:, 1], table[:, 2] = at, pieces.twice(at), pieces.once(at)
    table[1:-1, 3:] = inner.T
    return table.ravel()


def _numbers(*expressions: Expression) -> Array:
    return np.array([float(expression.evaluate(FLOATS)) for expression in expressions])


#: Operator type → its kernel.
ELEMENTWISE: dict[str, Maker] = {
    "cross_entropy": _cross_entropy,
    "gelu": _gelu,
    "huber": _huber,
    "inner": lambda operator: Kernel("inner", (inputs_of(operator) // 2,)),
    "leaky_relu": _leaky_relu,
    "logistic": lambda operator: Kernel("logistic", (), 1),
    "quadratic": lambda operator: Kernel("quadratic", (inputs_of(operator),)),
    "relu": _activation("relu", keeps=False),
    "sigmoid": _activation("sigmoid", keeps=True),
    "silu": _activation("silu", keeps=True),
    "sine": _activation("sine", keeps=True),
    "softmax": _softmax,
    "softplus": _activation("softplus", keeps=True),
    "spline": _spline,
    "square": _activation("square", keeps=False),
    "squared": lambda operator: Kernel("squared", ()),
    "tanh": _activation("tanh", keeps=True),
}
