"""The C kernels of layers: what is linear in its weights, joins, normalises or attends."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.add import Add
from boundcalc.operators.attention import Attention
from boundcalc.operators.base import Array, Operator
from boundcalc.operators.control_step import ControlStep
from boundcalc.operators.convolution import Convolution
from boundcalc.operators.dense import Dense
from boundcalc.operators.embedding import Embedding
from boundcalc.operators.gradient_step import GradientStep
from boundcalc.operators.matrices import float_rows, floats
from boundcalc.operators.mean_pool import MeanPool
from boundcalc.operators.multiply import Multiply
from boundcalc.operators.normalization import Normalization
from boundcalc.operators.objectives import QuadraticForm
from boundcalc.operators.objectives.quadratic import Entries
from boundcalc.operators.quadratic_cost import QuadraticCost
from boundcalc.operators.windows import Windows
from boundcalc.simulate.compiled.kernels import Kernel, Maker, inputs_of
from boundcalc.spec.expressions import Expression


def _dense(operator: Dense) -> Kernel:
    (*lead, n) = operator.shapes[0]
    return Kernel("dense", (prod(lead), n, operator.units, int(operator.bias)))


def _convolution(operator: Convolution) -> Kernel:
    shape = operator.shapes[0]
    rows, columns = operator._grid(shape)
    sizes = (shape[0], operator.channels, operator.groups, int(operator.bias))
    return Kernel("convolution", (*sizes, *_axis(rows), *_axis(columns)))


def _mean_pool(operator: MeanPool) -> Kernel:
    shape = operator.shapes[0]
    if operator.kernel is not None:
        rows, columns = operator._grid(shape)
    elif operator.over == "positions":
        rows, columns = Windows(size=1, taps=1), Windows(prod(shape[1:]), prod(shape[1:]))
    else:
        tokens, shape = prod(shape[:-1]), (1, shape[-1])
        rows, columns = Windows(tokens, tokens), Windows(shape[1], taps=1)
    # Windows of averages are never dilated.
    return Kernel("mean_pool", (shape[0], *_axis(rows)[:-1], *_axis(columns)[:-1]))


def _axis(windows: Windows) -> tuple[int, ...]:
    return windows.size, windows.taps, windows.stride, windows.padding, windows.dilation


def _attention(operator: Attention) -> Kernel:
    (rows, width), (keys, _), (_, values) = operator.shapes
    heads = operator.heads
    sizes = (rows, keys, heads, width // heads, values // heads, int(operator.causal))
    return Kernel("attention", sizes, saved=(heads + 1) * rows * keys)


def _normalization(operator: Normalization) -> Kernel:
    (*lead, n) = operator.shapes[0]
    sizes = (prod(lead), n, int(operator.centered), int(operator.weighted))
    return Kernel("normalization", sizes, 2 * prod(lead), _numbers(operator.eps))


def _embedding(operator: Embedding) -> Kernel:
    return Kernel("embedding", (inputs_of(operator), operator.vocabulary, operator.width))


def _bilinear(operator: Operator) -> Kernel:
    return Kernel("bilinear", (inputs_of(operator),))


def _multiply(operator: Multiply) -> Kernel:
    return Kernel("multiply", (inputs_of(operator) // 2,))


def _add(operator: Add) -> Kernel:
    count = len(operator.shapes)
    factors = np.ones(count) if operator.factors is None else _numbers(*operator.factors)
    return Kernel("add", (inputs_of(operator) // count, count), parameters=factors)


def _places(operator: Operator) -> Kernel:
    """Identity, concat and select: which input each output is, found by moving their numbers."""
    n = inputs_of(operator)
    numbers = np.arange(float(n))[None, None]
    places = operator.forward(numbers, np.zeros((1, 0)), np.zeros((1, 1)))[0, 0]
    first = int(places[0])
    ordered = bool((places == np.arange(first, first + len(places))).all())
    sizes = (n, len(places), int(ordered), first if ordered else 0)
    return Kernel("places", sizes, parameters=np.empty(0) if ordered else places)


def _gradient_step(operator: GradientStep) -> Kernel:
    n, each = inputs_of(operator), int(operator.per_coordinate)
    if operator.rows is None or operator.labels is None:
        diagonal, numbers = _form(operator.hessian or (), operator.linear)
        return Kernel("gradient_step_quadratic", (n, diagonal, each), 2 * n, numbers)
    z = -floats(operator.labels)[:, None] * float_rows(operator.rows)
    m = len(z)
    numbers = np.append(z.ravel(), floats((operator.ridge,)))
    return Kernel("gradient_step_logistic", (n, m, each), 2 * (n + m), numbers)


def _control_step(operator: ControlStep) -> Kernel:
    A, B = float_rows(operator.state_matrix), float_rows(operator.control_matrix)
    numbers = np.concatenate([A.ravel(), B.ravel()])
    return Kernel("control_step", (inputs_of(operator), *B.shape), parameters=numbers)


def _quadratic_cost(operator: QuadraticCost) -> Kernel:
    n = inputs_of(operator)
    diagonal, numbers = _form(operator.diagonal or operator.matrix or (), operator.linear)
    return Kernel("quadratic_cost", (n, diagonal), n, numbers)


def _form(matrix: Entries, linear: Sequence[Expression] | None) -> tuple[int, Array]:
    """Whether the matrix is diagonal; and its diagonal or rows, then the linear part."""
    form = QuadraticForm(matrix, tuple(linear or ()))
    entries = float_rows(form.rows) if form.diagonal is None else floats(form.diagonal)
    return int(form.diagonal is not None), np.append(entries.ravel(), floats(form.linear))


def _numbers(*expressions: Expression) -> Array:
    return np.array([float(x.evaluate(FLOATS)) for x in expressions])


#: Operator type → its kernel.
LAYERS: dict[str, Maker] = {
    "add": _add,
    "attention": _attention,
    "bilinear": _bilinear,
    "concat": _places,
    "control_step": _control_step,
    "conv1d": _convolution,
    "conv2d": _convolution,
    "dense": _dense,
    "embedding": _embedding,
    "gradient_step": _gradient_step,
    "identity": _places,
    "layer_norm": _normalization,
    "mean_pool": _mean_pool,
    "multiply": _multiply,
    "quadratic_cost": _quadratic_cost,
    "rms_norm": _normalization,
    "select": _places,
}
