"""Scaled dot-product attention, put together from its parts."""

from __future__ import annotations

import math
from dataclasses import replace
from math import prod

import numpy as np

from boundcalc.importers.arithmetic import factored
from boundcalc.importers.base import Layer, unsupported
from boundcalc.importers.builder import Builder
from boundcalc.importers.values import Constant, Scores, Value, View

_TOLERANCE = 1e-5  # 1/√d in float32


def product(builder: Builder, x: Value, y: Value) -> Value:
    """The matrix product of two activations: scores q·kᵀ, or weights times values."""
    if isinstance(x, Scores):
        if not x.weights:
            raise unsupported("scores are multiplied with values without a softmax", "")
        return attend(builder, x, builder.view(y))
    (query, a), (key, b) = factored(builder, x), factored(builder, y)
    if len(query.shape) < 2 or len(query.shape) != len(key.shape):
        raise unsupported(
            "a matrix product of two activations", "", f"{list(query.shape)} and {list(key.shape)}"
        )
    if query.shape[:-2] != key.shape[:-2] or query.shape[-1] != key.shape[-2]:
        raise unsupported(
            "the shapes of a matrix product do not fit",
            "",
            f"{list(query.shape)} and {list(key.shape)}",
        )
    return Scores(query, key, a * b)


def softmaxed(scores: Scores, axis: int) -> Scores:
    """Softmax of scores, along the keys."""
    if scores.weights or axis % len(scores.shape) != len(scores.shape) - 1:
        raise unsupported("a softmax of scores that is not along the keys", "")
    return replace(scores, weights=True)


def attend(builder: Builder, scores: Scores, value: View) -> View:
    """softmax(factor·q kᵀ) v by heads, as one operator.

    With heads side by side in a row, the operator has the factor 1/√d; any other factor
    goes to the queries.
    """
    *lead, tokens, width = scores.query.shape
    heads = prod(lead)
    if (*lead, scores.key.shape[-1], width) != value.shape:
        raise unsupported(
            "queries and values of attention have different heads or widths",
            "",
            f"{list(scores.query.shape)} and {list(value.shape)}",
        )
    query, key = scores.query, scores.key.moved(lambda index: index.swapaxes(-1, -2))
    extra = scores.factor * math.sqrt(width)
    if not math.isclose(extra, 1.0, rel_tol=_TOLERANCE):
        query = builder.affine(query, Constant(np.array(extra)), Constant(np.zeros(())))
    parts = tuple(_in_rows(builder, part, heads) for part in (query, key, value))
    parameters = {"heads": heads, "causal": scores.causal}
    layer = Layer("attention", parts, (tokens, heads * width), parameters)
    made = builder.new(layer, (tokens, heads, width))
    return made.moved(lambda index: index.swapaxes(0, 1)).reshaped((*lead, tokens, width))


def _in_rows(builder: Builder, view: View, heads: int) -> int:
    """Heads (…, T, D) side by side, (T, heads·D)."""
    tokens, width = view.shape[-2:]
    by_token = view.reshaped((heads, tokens, width)).moved(lambda index: index.swapaxes(0, 1))
    return builder.materialise(by_token.reshaped((tokens, heads * width)), (tokens, heads * width))
