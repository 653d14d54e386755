"""Which operator of the library a formula is."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from boundcalc.importers.base import decimal
from boundcalc.importers.formulas import (
    Tree,
    X,
    add,
    constant,
    function,
    like,
    multiply,
    power,
    scaled,
)

_ONE = constant(1.0)
_ROOT = Fraction(-1, 2)
_CUBE = power(X, Fraction(3))
_MEAN = function("mean", X)
_CENTRED = add(X, scaled(-1.0, _MEAN))
_MINUS = scaled(-1.0, X)


def _half(inner: Tree) -> Tree:
    """x·(1 + inner)/2, the shape of GELU."""
    return scaled(0.5, multiply(X, add(_ONE, inner)))


_SIGMOID = power(add(_ONE, function("exp", _MINUS)), Fraction(-1))
_ERF = function("erf", scaled(math.sqrt(0.5), X))
_TANH = function("tanh", scaled(math.sqrt(2 / math.pi), add(X, scaled(0.044715, _CUBE))))

#: Formulas that are operators as they stand.
KNOWN: tuple[tuple[Tree, str, dict[str, Any]], ...] = (
    (function("sigmoid", X), "sigmoid", {}),
    (_SIGMOID, "sigmoid", {}),
    (function("tanh", X), "tanh", {}),
    (function("sin", X), "sine", {}),
    (power(X, Fraction(2)), "square", {}),
    (multiply(X, function("sigmoid", X)), "silu", {}),
    (multiply(X, _SIGMOID), "silu", {}),
    (_half(_ERF), "gelu", {"approximation": "none"}),
    (_half(_TANH), "gelu", {"approximation": "tanh"}),
    (function("log", add(_ONE, function("exp", X))), "softplus", {}),
    (_MEAN, "mean", {}),
)


def recognised(tree: Tree) -> tuple[str, dict[str, Any]] | None:
    """The operator type and parameters that a formula is, or None.

    ``mean`` is the mean along the last axis; ``layer_norm`` and ``rms_norm`` come with
    their ``eps``.

    Examples
    --------
    >>> recognised(multiply(function("sigmoid", X), X))
    ('silu', {})
    >>> recognised(multiply(X, power(add(constant(1e-6), function("mean", power(X, Fraction(2)))),
    ...                              Fraction(-1, 2))))
    ('rms_norm', {'eps': 1e-06})
    """
    for known, name, parameters in KNOWN:
        if like(tree, known):
            return name, dict(parameters)
    return _normalisation(tree)


def _normalisation(tree: Tree) -> tuple[str, dict[str, Any]] | None:
    """u/√(mean u² + eps), for u = x or u = x − mean x."""
    product = tree[2][0][1] if tree[0] == "+" and tree[1] == 0.0 and len(tree[2]) == 1 else tree
    under = [t for t, p in product[1] if p == _ROOT] if product[0] == "*" else []
    if len(under) != 1 or under[0][0] != "+" or under[0][1] <= 0.0:
        return None
    eps = under[0][1]
    for u, name in ((X, "rms_norm"), (_CENTRED, "layer_norm")):
        square = add(constant(eps), function("mean", power(u, Fraction(2))))
        if like(tree, multiply(u, power(square, _ROOT))):
            return name, {"eps": decimal(eps)}
    return None
