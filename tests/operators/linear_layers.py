"""Linear layers of some size, and what their tests share."""

from __future__ import annotations

import numpy as np
import pytest
from visits import number

from boundcalc.operators.base import Region
from boundcalc.operators.conv1d import Conv1d
from boundcalc.operators.conv2d import Conv2d
from boundcalc.operators.dense import Dense
from boundcalc.operators.mean_pool import MeanPool

SHAPED = (
    Dense(units=3).shaped(((4, 5),)),
    Dense(units=2, bias=False).shaped(((2, 3, 2),)),
    Conv1d(channels=4, kernel=3, stride=2, padding=1).shaped(((2, 9),)),
    Conv1d(channels=4, kernel=2, dilation=3, groups=2, bias=False).shaped(((4, 8),)),
    Conv2d(channels=3, kernel=3, padding=1).shaped(((2, 5, 4),)),
    Conv2d(channels=6, kernel=[2, 3], stride=[2, 1], padding=[0, 2], groups=3).shaped(((3, 6, 5),)),
    Conv2d(channels=2, kernel=2, dilation=2, stride=3, bias=False).shaped(((1, 8, 7),)),
    MeanPool().shaped(((3, 4, 5),)),
    MeanPool(over="tokens").shaped(((4, 3),)),
    MeanPool(kernel=3).shaped(((2, 10),)),
    MeanPool(kernel=[2, 3], stride=1, padding=1).shaped(((2, 5, 6),)),
)


def each(layers):
    return pytest.mark.parametrize(
        "layer", layers, ids=lambda layer: f"{layer.type}-{layer.shapes}"
    )


layers = each(SHAPED)


def size_of(layer):
    return int(np.prod(layer.shapes[0]))


def jacobian(layer, w, y=None):
    """In the input, or at y in the weights, (m, n) or (m, k): from the backward pass."""
    rows = np.eye(layer.output_size(size_of(layer)))[None]
    at = np.zeros(size_of(layer)) if y is None else y
    points = np.broadcast_to(at, (1, rows.shape[1], len(at)))
    return layer.vjp(points, w[None], np.zeros((1, rows.shape[1])), rows)[y is not None][0]


def matrix_norm(matrix):
    return float(np.linalg.norm(matrix, 2)) if matrix.size else 0.0


def constants(layer, **region):
    found = layer.constants(Region(**region), None, reads=False)
    return tuple(number(x) for x in (found.jac_input, found.jac_weight, found.hess_mixed))
