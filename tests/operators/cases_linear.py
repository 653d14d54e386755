"""Linear layers, poolings and the embedding to be tested."""

from __future__ import annotations

from math import prod

from case import Case

from boundcalc.operators.conv1d import Conv1d
from boundcalc.operators.conv2d import Conv2d
from boundcalc.operators.dense import Dense
from boundcalc.operators.embedding import Embedding
from boundcalc.operators.mean_pool import MeanPool


def shaped(operator, shape, **more):
    return Case(operator.shaped((shape,)), prod(shape), **more)


CASES = (
    shaped(Dense(units=2), (3, 2)),
    shaped(Dense(units=1, bias=False), (2, 1, 2)),
    shaped(Conv1d(channels=2, kernel=2), (2, 3)),
    shaped(Conv1d(channels=2, kernel=3, padding=1, groups=2), (2, 3)),
    shaped(Conv1d(channels=1, kernel=2, stride=2, dilation=2, padding=1, bias=False), (1, 5)),
    shaped(Conv2d(channels=1, kernel=2), (1, 3, 3)),
    shaped(Conv2d(channels=2, kernel=[1, 3], padding=[0, 1], bias=False), (1, 2, 3)),
    shaped(Conv2d(channels=2, kernel=2, stride=[1, 2], groups=2), (2, 2, 4)),
    shaped(Conv2d(channels=2, kernel=[2, 1], dilation=[2, 1]), (2, 3, 1)),
    shaped(MeanPool(), (2, 3)),
    shaped(MeanPool(), (2, 2, 2)),
    shaped(MeanPool(over="tokens"), (3, 2)),
    shaped(MeanPool(kernel=2), (2, 4)),
    shaped(MeanPool(kernel=3, stride=1, padding=1), (1, 4)),
    shaped(MeanPool(kernel=[2, 1], stride=1), (2, 3, 2)),
    shaped(MeanPool(kernel=2, stride=2, padding=1), (1, 3, 3)),
    shaped(Embedding(vocabulary=3, width=2), (3,), tokens=3),
    shaped(Embedding(vocabulary=2, width=1), (1, 2), tokens=2),
)
