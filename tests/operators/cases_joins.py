"""Joins, normalisations, softmax and attention to be tested."""

from __future__ import annotations

from math import prod

from case import Case

from boundcalc.operators.add import Add
from boundcalc.operators.attention import Attention
from boundcalc.operators.concat import Concat
from boundcalc.operators.identity import Identity
from boundcalc.operators.inner import Inner
from boundcalc.operators.layer_norm import LayerNorm
from boundcalc.operators.multiply import Multiply
from boundcalc.operators.rms_norm import RMSNorm
from boundcalc.operators.select import Select
from boundcalc.operators.softmax import Softmax


def shaped(operator, *shapes, **limits):
    return Case(operator.shaped(shapes), sum(map(prod, shapes)), **limits)


CASES = (
    shaped(Add(), (2,), (2,)),
    shaped(Add(factors=(1, "-3/2", 0)), (1, 2), (1, 2), (1, 2)),
    shaped(Add(factors=("-sqrt(2)",)), (2,)),
    shaped(Concat(), (1, 2), (2, 2)),
    shaped(Concat(axis=-1), (2, 1), (2, 2), (2, 1)),
    Case(Select(start=1, stop=4, step=2), 5),
    Case(Select(start=2), 3),
    Case(Identity(), 2),
    shaped(Identity(axes=(2, 0, 1), shape=(3, 2)), (1, 3, 2)),
    shaped(Multiply(), (2,), (2,)),
    shaped(Inner(), (1, 3), (1, 3)),
    shaped(RMSNorm(eps="1/4"), (3,)),
    shaped(RMSNorm(eps=2), (2, 2)),
    shaped(RMSNorm(eps="1/2", scale=False), (2, 2)),
    shaped(LayerNorm(eps="1/4"), (3,)),
    shaped(LayerNorm(eps=2), (2, 3)),
    shaped(LayerNorm(eps="1/2", scale_and_shift=False), (4,)),
    # Further out the symbolic form cancels, or its powers overflow.
    shaped(Softmax(), (2,), input_radius=8.0),
    shaped(Softmax(temperature="1/2"), (2, 3), input_radius=4.0),
    shaped(Softmax(temperature=3), (5,), input_radius=8.0),
    shaped(Attention(), (2, 1), (2, 1), (2, 1), input_radius=3.0),
    shaped(Attention(causal=True), (2, 1), (2, 1), (2, 1), input_radius=3.0),
    shaped(Attention(heads=2), (1, 2), (2, 2), (2, 2), input_radius=3.0),
    shaped(Attention(), (1, 2), (3, 2), (3, 1), input_radius=3.0),
)

#: One input, one weight at most: here every constant is attained.
SCALAR_CASES = (
    shaped(Add(factors=("-3/2",)), (1,)),
    shaped(Concat(), (1,)),
    Case(Select(), 1),
    shaped(Identity(), (1,)),
    shaped(RMSNorm(eps="1/4"), (1,)),
    shaped(RMSNorm(eps=2, scale=False), (1,)),
)
