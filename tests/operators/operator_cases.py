"""The operators' instances: those here, and those of every cases_*.py beside this file."""

from __future__ import annotations

import importlib
from pathlib import Path

from case import Case

from boundcalc.operators.bilinear import Bilinear
from boundcalc.operators.cross_entropy import CrossEntropyLoss
from boundcalc.operators.dense import Dense
from boundcalc.operators.gelu import GELU
from boundcalc.operators.huber import HuberLoss
from boundcalc.operators.leaky_relu import LeakyReLU
from boundcalc.operators.logistic import LogisticLoss
from boundcalc.operators.margin import Margin
from boundcalc.operators.quadratic import Quadratic
from boundcalc.operators.relu import ReLU
from boundcalc.operators.sigmoid import Sigmoid
from boundcalc.operators.silu import SiLU
from boundcalc.operators.sine import Sine
from boundcalc.operators.softplus import Softplus
from boundcalc.operators.square import Square
from boundcalc.operators.squared import SquaredLoss
from boundcalc.operators.tanh import Tanh

#: Activations with three derivatives, all bounded; tanh's GELU loses its digits beyond 8.
SMOOTH = (
    (Sigmoid, {}, None),
    (Sine, {}, None),
    (Softplus, {}, None),
    (Tanh, {}, None),
    (SiLU, {}, None),
    (GELU, {}, None),
    (GELU, {"approximation": "tanh"}, 8.0),
)
KINKED = ((ReLU, {}, None), (LeakyReLU, {"slope": "1/4"}, None))
ACTIVATIONS = (*SMOOTH, *KINKED, (Square, {}, None))


def activations(kinds, inputs, **parameters):
    return tuple(
        Case(kind(**own, **parameters), inputs, input_radius=limit) for kind, own, limit in kinds
    )


#: One input, one output: suprema can be found on a grid.
SCALAR_CASES = (
    *(Case(operator(), 1) for operator in (Margin, Quadratic, Bilinear, LogisticLoss, SquaredLoss)),
    *(Case(Dense(units=1, bias=bias), 1) for bias in (False, True)),
    *activations(ACTIVATIONS, 1),
    *activations(ACTIVATIONS, 1, bias=True, scale="3/2"),
    Case(HuberLoss(delta="3/2"), 1),
)

CASES = (
    Case(Margin(), 3),
    Case(Dense(units=2), 3),
    Case(Dense(units=2, bias=False), 2),
    Case(Quadratic(), 3),
    Case(Bilinear(), 3),
    Case(LogisticLoss(), 1),
    Case(SquaredLoss(), 1),
    Case(HuberLoss(), 1),
    Case(HuberLoss(delta=40), 1),
    Case(CrossEntropyLoss().shaped(((2,),)), 2, labels=(0.0, 1.0)),
    Case(CrossEntropyLoss().shaped(((4,),)), 4, labels=(0.0, 1.0, 3.0)),
    Case(CrossEntropyLoss(), 3, labels=(0.0, 1.0, 2.0)),
    *activations(ACTIVATIONS, 3),
    *activations(ACTIVATIONS, 2, bias=True, scale="3/2"),
    *(
        case
        for path in sorted(Path(__file__).parent.glob("cases_*.py"))
        for case in importlib.import_module(path.stem).CASES
    ),
)
