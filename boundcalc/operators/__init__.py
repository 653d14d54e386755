"""Operators: one per file, with forward, vjp, symbolic form and constants.

A new operator is one file here, a final subclass of
:class:`~boundcalc.operators.base.Operator`, and one line in ``OPERATORS``.
"""

from boundcalc.operators.base import Constants, Data, Operator, Region, SymbolicForm
from boundcalc.operators.bilinear import Bilinear
from boundcalc.operators.dense import Dense
from boundcalc.operators.logistic import LogisticLoss
from boundcalc.operators.margin import Margin
from boundcalc.operators.quadratic import Quadratic
from boundcalc.operators.sigmoid import Sigmoid
from boundcalc.operators.sine import Sine
from boundcalc.operators.softplus import Softplus
from boundcalc.operators.squared import SquaredLoss
from boundcalc.operators.tanh import Tanh

__all__ = [
    "OPERATORS",
    "Bilinear",
    "Constants",
    "Data",
    "Dense",
    "LogisticLoss",
    "Margin",
    "Operator",
    "Quadratic",
    "Region",
    "Sigmoid",
    "Sine",
    "Softplus",
    "SquaredLoss",
    "SymbolicForm",
    "Tanh",
]

#: Spec name → operator type.  Passed as an argument by whoever turns names into objects.
OPERATORS: dict[str, type[Operator]] = {
    "bilinear": Bilinear,
    "dense": Dense,
    "logistic": LogisticLoss,
    "margin": Margin,
    "quadratic": Quadratic,
    "sigmoid": Sigmoid,
    "sine": Sine,
    "softplus": Softplus,
    "squared": SquaredLoss,
    "tanh": Tanh,
}
