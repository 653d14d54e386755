"""Sums, products, quotients and powers of values: constants are computed, formulas grow."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from boundcalc.importers.base import Numbers, unsupported
from boundcalc.importers.builder import Builder
from boundcalc.importers.formulas import add, constant, multiply, power, scaled
from boundcalc.importers.values import Constant, Formula, Scores, Value, View

_MAX_POWER = 8


def summed(builder: Builder, x: Value, y: Value, sign: float = 1.0, hint: str = "") -> Value:
    """x + sign·y."""
    if isinstance(x, Constant):
        # c + sign·y = sign·y + c
        first = y if sign == 1.0 else scaled_by(builder, y, sign)
        return _shifted(builder, first, x, hint)
    if isinstance(y, Constant):
        shift = y if sign == 1.0 else Constant(sign * y.array)
        return _shifted(builder, x, shift, hint)
    pair = _one_base(builder, x, y)
    if pair is not None:
        a, b = pair
        tree = add(a.tree, scaled(sign, b.tree))
        return builder.formula(a.base, tree, _wider(a, b))
    return builder.added([builder.view(x), builder.view(y)], [1.0, sign])


def multiplied(builder: Builder, x: Value, y: Value, hint: str = "") -> Value:
    """The product x·y."""
    if isinstance(x, Constant):
        x, y = y, x
    if isinstance(y, Constant):
        number = y.number
        if number is not None:
            return scaled_by(builder, x, number)
        return builder.affine(builder.view(x), y, Constant(np.zeros(())), hint)
    pair = _one_base(builder, x, y)
    if pair is not None:
        a, b = pair
        return builder.formula(a.base, multiply(a.tree, b.tree), _wider(a, b))
    return builder.multiplied([builder.view(x), builder.view(y)])


def divided(builder: Builder, x: Value, y: Value, hint: str = "") -> Value:
    """The quotient x/y."""
    if isinstance(y, Constant):
        if not np.all(y.array):
            raise unsupported("an activation is divided by 0", "")
        return multiplied(builder, x, Constant(1.0 / y.array.astype(np.float64)), hint)
    return multiplied(builder, x, raised(builder, y, -1.0), hint)


def raised(builder: Builder, x: Value, exponent: float) -> Value:
    """The value to a power, half or whole."""
    fraction = Fraction(2 * exponent) / 2
    if fraction.denominator > 2 or abs(fraction) > _MAX_POWER:
        raise unsupported("a power that is not supported", "", exponent)
    base, tree = builder.in_formula(x)
    return builder.formula(base, power(tree, fraction), x.shape)


def scaled_by(builder: Builder, x: Value, factor: float) -> Value:
    """The value times a number."""
    if isinstance(x, Scores) and not x.weights:
        return replace(x, factor=factor * x.factor)
    base, tree = builder.in_formula(x)
    return builder.formula(base, scaled(factor, tree), x.shape)


def _shifted(builder: Builder, x: Value, shift: Constant, hint: str) -> Value:
    if isinstance(x, Scores):
        return masked(x, shift.array)
    number = shift.number
    if number is not None:
        base, tree = builder.in_formula(x)
        return builder.formula(base, add(tree, constant(number)), x.shape)
    return builder.affine(builder.view(x), Constant(np.ones(())), shift, hint)


def masked(scores: Scores, mask: Numbers) -> Scores:
    """Scores with a mask added: nothing, or all that comes later left out.

    Left out is what becomes at most −1e4 (the smallest float16, by which some models say
    −∞, is −65504): softmax gives it a weight below e^−9000 unless scores are as large.
    """
    rows, count = scores.shape[-2:]
    if scores.weights or np.isnan(mask).any():
        raise unsupported("a constant is added inside attention", "")
    full = np.broadcast_to(mask, (*scores.shape[:-2], rows, count)).reshape(-1, rows, count)
    if not full.any():
        return scores
    later = np.triu(np.ones((rows, count), dtype=bool), k=1)
    causal = (full[:, ~later] == 0.0).all() and (full[:, later] <= -1e4).all()
    if causal and rows == count:
        return replace(scores, causal=True)
    raise unsupported(
        "this attention mask is neither empty nor causal",
        "",
        fix="expected: 0 up to the diagonal and -inf above it, or no mask",
    )


def _one_base(builder: Builder, x: Value, y: Value) -> tuple[Formula, Formula] | None:
    """Both as formulas in one view, if they are; products of activations are never."""
    if isinstance(x, Scores) or isinstance(y, Scores):
        return None
    (base, a), (other, b) = builder.in_formula(x), builder.in_formula(y)
    if not base.same(other):
        return None
    return Formula(base, a, x.shape), Formula(base, b, y.shape)


def _wider(x: Formula, y: Formula) -> tuple[int, ...]:
    """The shape of two formulas in one view combined: a mean is broadcast along its axis."""
    return max(x.shape, y.shape)


def factored(builder: Builder, value: Value) -> tuple[View, float]:
    """A value as a number times a view, where it is one."""
    if isinstance(value, Formula):
        tree = value.tree
        if tree[0] == "+" and tree[1] == 0.0 and len(tree[2]) == 1 and tree[2][0][1] == ("x",):
            return value.base, tree[2][0][0]
    return builder.view(value), 1.0
