"""Operators: one per file, with forward, vjp, symbolic form and constants.

A new operator is one file here, a final subclass of
:class:`~boundcalc.operators.base.Operator`, and one line in ``OPERATORS``.
"""

from boundcalc.operators.add import Add
from boundcalc.operators.attention import Attention
from boundcalc.operators.base import (
    Constants,
    Data,
    Domain,
    Operator,
    Region,
    Shape,
    Slot,
    SymbolicForm,
)
from boundcalc.operators.bilinear import Bilinear
from boundcalc.operators.concat import Concat
from boundcalc.operators.control_step import ControlStep
from boundcalc.operators.conv1d import Conv1d
from boundcalc.operators.conv2d import Conv2d
from boundcalc.operators.cross_entropy import CrossEntropyLoss
from boundcalc.operators.dense import Dense
from boundcalc.operators.embedding import Embedding
from boundcalc.operators.gelu import GELU
from boundcalc.operators.gradient_step import GradientStep
from boundcalc.operators.huber import HuberLoss
from boundcalc.operators.identity import Identity
from boundcalc.operators.inner import Inner
from boundcalc.operators.layer_norm import LayerNorm
from boundcalc.operators.leaky_relu import LeakyReLU
from boundcalc.operators.logistic import LogisticLoss
from boundcalc.operators.margin import Margin
from boundcalc.operators.mean_pool import MeanPool
from boundcalc.operators.multiply import Multiply
from boundcalc.operators.quadratic import Quadratic
from boundcalc.operators.quadratic_cost import QuadraticCost
from boundcalc.operators.relu import ReLU
from boundcalc.operators.rms_norm import RMSNorm
from boundcalc.operators.select import Select
from boundcalc.operators.sigmoid import Sigmoid
from boundcalc.operators.silu import SiLU
from boundcalc.operators.sine import Sine
from boundcalc.operators.softmax import Softmax
from boundcalc.operators.softplus import Softplus
from boundcalc.operators.spline import Spline
from boundcalc.operators.square import Square
from boundcalc.operators.squared import SquaredLoss
from boundcalc.operators.tanh import Tanh

__all__ = [
    "GELU",
    "OPERATORS",
    "Add",
    "Attention",
    "Bilinear",
    "Concat",
    "Constants",
    "ControlStep",
    "Conv1d",
    "Conv2d",
    "CrossEntropyLoss",
    "Data",
    "Dense",
    "Domain",
    "Embedding",
    "GradientStep",
    "HuberLoss",
    "Identity",
    "Inner",
    "LayerNorm",
    "LeakyReLU",
    "LogisticLoss",
    "Margin",
    "MeanPool",
    "Multiply",
    "Operator",
    "Quadratic",
    "QuadraticCost",
    "RMSNorm",
    "ReLU",
    "Region",
    "Select",
    "Shape",
    "SiLU",
    "Sigmoid",
    "Sine",
    "Slot",
    "Softmax",
    "Softplus",
    "Spline",
    "Square",
    "SquaredLoss",
    "SymbolicForm",
    "Tanh",
]

#: Spec name → operator type.  Passed as an argument by whoever turns names into objects.
OPERATORS: dict[str, type[Operator]] = {
    "add": Add,
    "attention": Attention,
    "bilinear": Bilinear,
    "concat": Concat,
    "control_step": ControlStep,
    "conv1d": Conv1d,
    "conv2d": Conv2d,
    "cross_entropy": CrossEntropyLoss,
    "dense": Dense,
    "embedding": Embedding,
    "gelu": GELU,
    "gradient_step": GradientStep,
    "huber": HuberLoss,
    "identity": Identity,
    "inner": Inner,
    "layer_norm": LayerNorm,
    "leaky_relu": LeakyReLU,
    "logistic": LogisticLoss,
    "margin": Margin,
    "mean_pool": MeanPool,
    "multiply": Multiply,
    "quadratic": Quadratic,
    "quadratic_cost": QuadraticCost,
    "relu": ReLU,
    "rms_norm": RMSNorm,
    "select": Select,
    "sigmoid": Sigmoid,
    "silu": SiLU,
    "sine": Sine,
    "softmax": Softmax,
    "softplus": Softplus,
    "spline": Spline,
    "square": Square,
    "squared": SquaredLoss,
    "tanh": Tanh,
}
