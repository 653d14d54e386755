"""ONNX nodes that compute: each becomes an operator, or part of a formula."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from boundcalc.errors import DataError
from boundcalc.importers import arithmetic, attention
from boundcalc.importers.base import Numbers, decimal
from boundcalc.importers.formulas import X, function
from boundcalc.importers.onnx_call import Call, Handler
from boundcalc.importers.onnx_moves import MOVES
from boundcalc.importers.shared import average_pool, batch_affine, concatenated, softmax
from boundcalc.importers.values import Constant, Formula, Scores, Value, View
from boundcalc.importers.weighted import convolution, linear, normalisation

#: From this threshold on softplus and the identity differ by less than 1e-6.
_SOFTPLUS_THRESHOLD = 14.0
_ABOVE = function("above threshold", X)


def _gemm(call: Call) -> Value:
    alpha, beta = call.number("alpha", 1.0), call.number("beta", 1.0)
    if call.flag("transA"):
        raise call.refuse("a Gemm of a transposed activation")
    matrix = _oriented(call, call.weights(1), call.flag("transB"), alpha)
    bias = call.constant(2)
    if bias is not None and beta != 1.0:
        bias = Constant(beta * bias.array.astype(np.float64), bias.origin)
    if bias is not None and bias.array.size == 1:
        bias = Constant(np.repeat(bias.array.ravel(), len(matrix.array)), bias.origin)
    return linear(call.builder, call.view(0), matrix, bias, call.hint)


def _oriented(call: Call, matrix: Constant, by_output: bool, factor: float = 1.0) -> Constant:
    """A weight matrix with one row for each output."""
    array = matrix.array
    if array.ndim != 2:
        raise DataError(
            "weights with the wrong number of axes",
            where=matrix.origin or None,
            value=f"shape {list(array.shape)}",
            expected="2 axes",
        )
    if factor != 1.0:
        array = factor * array.astype(np.float64)
    return Constant(array if by_output else array.T, matrix.origin)


def _matmul(call: Call) -> Value:
    x, y = call.value(0), call.value(1)
    if isinstance(y, Constant):
        if y.array.ndim == 1:
            column = Constant(y.array[:, None], y.origin)
            made = linear(
                call.builder, call.view(0), _oriented(call, column, False), None, call.hint
            )
            return made.reshaped(made.shape[:-1])
        return linear(call.builder, call.view(0), _oriented(call, y, False), None, call.hint)
    if isinstance(x, Constant):
        # M y along the axis before the last: (yᵀ Mᵀ)ᵀ
        turned = call.view(1).moved(lambda index: index.swapaxes(-1, -2))
        made = linear(call.builder, turned, _oriented(call, x, True), None, call.hint)
        return made.moved(lambda index: index.swapaxes(-1, -2))
    return attention.product(call.builder, x, y)


def _conv(call: Call) -> Value:
    kernel, bias = call.weights(1), call.constant(2)
    spatial = kernel.array.ndim - 2
    if spatial not in (1, 2):
        raise call.refuse("a convolution over other than 1 or 2 axes", list(kernel.shape))
    return convolution(
        call.builder,
        call.view(0),
        kernel,
        bias,
        stride=call.numbers("strides") or [1] * spatial,
        padding=_padding(call, spatial),
        dilation=call.numbers("dilations") or [1] * spatial,
        groups=int(call.attributes.get("group", 1)),
        hint=call.hint,
    )


def _padding(call: Call, spatial: int) -> list[int]:
    """The zeros on each side, the same before and after."""
    automatic = call.attributes.get("auto_pad", "NOTSET")
    if automatic not in ("NOTSET", "VALID"):
        raise call.refuse("padding that depends on the input", automatic, "export explicit pads")
    pads = call.numbers("pads") or [0] * (2 * spatial)
    if pads[:spatial] != pads[spatial:] or min(pads) < 0:
        raise call.refuse("padding that differs between the two sides", pads)
    return pads[:spatial]


def _average_pool(call: Call) -> Value:
    kernel = call.numbers("kernel_shape") or []
    padding = _padding(call, len(kernel))
    if any(d != 1 for d in call.numbers("dilations") or []):
        raise call.refuse("an average over dilated windows", call.numbers("dilations"))
    if call.flag("ceil_mode") or (any(padding) and not call.flag("count_include_pad")):
        raise call.refuse("an average over windows that are smaller at the border", padding)
    stride = call.numbers("strides") or [1] * len(kernel)
    return average_pool(call.builder, call.view(0), kernel, stride, padding)


def _global_average(call: Call) -> Value:
    view = call.view(0)
    return call.builder.mean(view, tuple(range(2, len(view.shape))), keep=True)


def _reduce_mean(call: Call) -> Value:
    value, axes = call.value(0), call.numbers("axes", 1)
    rank, keep = len(value.shape), call.flag("keepdims", 1)
    if axes is None:
        if call.flag("noop_with_empty_axes"):
            return value
        axes = list(range(rank))
    if keep and [axis % rank for axis in axes] == [rank - 1]:
        return call.builder.applied(value, "mean")
    return call.builder.mean(call.view(0), tuple(axes), keep)


def _batch_normalization(call: Call) -> Value:
    if call.flag("training_mode"):
        raise call.refuse("a batch normalisation in training mode", fix="call model.eval() first")
    parts = [call.weights(position).array for position in range(1, 5)]
    eps = float(call.attributes.get("epsilon", 1e-5))
    return batch_affine(call.builder, call.view(0), *parts, eps=eps, hint=call.hint)


def _layer_normalization(call: Call) -> Value:
    view = call.view(0)
    axes = len(view.shape) - int(call.attributes.get("axis", -1)) % len(view.shape)
    kind = "rms_norm" if call.kind == "RMSNormalization" else "layer_norm"
    eps, scale = call.number("epsilon", 1e-5), call.constant(1)
    shift = call.constant(2)
    return normalisation(call.builder, view, kind, eps, axes, scale, shift, call.hint)


def _softmax(call: Call) -> Value:
    value, log = call.value(0), call.kind == "LogSoftmax"
    axis = int(call.attributes.get("axis", -1 if call.opset >= 13 else 1))
    if isinstance(value, Scores) and not log:
        return attention.softmaxed(value, axis)
    view = call.builder.view(value)
    if call.opset < 13:  # then all axes from this one on are one
        first = int(np.prod(view.shape[: axis % len(view.shape)]))
        rest = math.prod(view.shape) // first
        flat = softmax(call.builder, view.reshaped((first, rest)), -1, log)
        return flat.reshaped(view.shape)
    return softmax(call.builder, view, axis, log)


def _activation(kind: str) -> Handler:
    def handle(call: Call) -> Value:
        return call.builder.activation(call.value(0), kind, {})

    return handle


def _function(name: str) -> Handler:
    def handle(call: Call) -> Value:
        return call.builder.applied(call.value(0), name)

    return handle


def _leaky_relu(call: Call) -> Value:
    return _leaky(call, call.number("alpha", 0.01))


def _prelu(call: Call) -> Value:
    slope = call.weights(1).number
    if slope is None:
        raise call.refuse("a PRelu with several slopes")
    return _leaky(call, decimal(slope))


def _leaky(call: Call, slope: float) -> Value:
    if not 0.0 <= slope <= 1.0:
        raise call.refuse("a slope outside [0, 1]", slope)
    return call.builder.activation(call.value(0), "leaky_relu", {"slope": slope})


def _gelu(call: Call) -> Value:
    parameters = {"approximation": call.attributes.get("approximate", "none")}
    return call.builder.activation(call.value(0), "gelu", parameters)


def _swish(call: Call) -> Value:
    if call.number("alpha", 1.0) != 1.0:
        raise call.refuse("a Swish with a factor", call.attributes["alpha"])
    return call.builder.activation(call.value(0), "silu", {})


def _greater(call: Call) -> Value:
    """Softplus is exported with a threshold: Where(x > 20, x, softplus(x))."""
    value, limit = call.value(0), call.constant(1)
    number = None if limit is None else limit.number
    if isinstance(value, Constant) or number is None or number < _SOFTPLUS_THRESHOLD:
        raise call.refuse("a comparison of activations")
    view = call.builder.view(value)
    return Formula(view, _ABOVE, view.shape)


def _where(call: Call) -> Value:
    test, x, y = call.value(0), call.value(1), call.value(2)
    if isinstance(test, Formula) and test.tree == _ABOVE and isinstance(y, View):
        base, layer = call.builder.view(x), call.builder.layers[y.layer]
        of_base = layer.type == "softplus" and layer.inputs == (base.layer,)
        if of_base and base.same(test.base) and y.same(base.on(y.layer)):
            call.builder.note(
                "softplus is the identity above a threshold in this model and everywhere smooth "
                "here; they differ by less than 1e-6"
            )
            return y
    raise call.refuse("a choice that depends on the input")


def _sum(call: Call) -> Value:
    total = call.value(0)
    for position in range(1, len(call.inputs)):
        total = arithmetic.summed(call.builder, total, call.value(position), hint=call.hint)
    return total


def _subtract(call: Call) -> Value:
    return arithmetic.summed(call.builder, call.value(0), call.value(1), -1.0, call.hint)


def _multiply(call: Call) -> Value:
    return arithmetic.multiplied(call.builder, call.value(0), call.value(1), call.hint)


def _divide(call: Call) -> Value:
    return arithmetic.divided(call.builder, call.value(0), call.value(1), call.hint)


def _power(call: Call) -> Value:
    exponent = call.weights(1).number
    if exponent is None:
        raise call.refuse("a power with several exponents")
    return arithmetic.raised(call.builder, call.value(0), exponent)


def _fixed_power(exponent: float) -> Handler:
    def handle(call: Call) -> Value:
        return arithmetic.raised(call.builder, call.value(0), exponent)

    return handle


def _negative(call: Call) -> Value:
    return arithmetic.scaled_by(call.builder, call.value(0), -1.0)


def _concat(call: Call) -> Value:
    views = [call.view(position) for position in range(len(call.inputs))]
    return concatenated(call.builder, views, int(call.attributes["axis"]))


def _attention(call: Call) -> Value:
    """The operator of operator sets 23 and later, on heads (B, H, T, D) or rows (B, T, H·D)."""
    query, key, value = (call.view(position) for position in range(3))
    if call.number("softcap", 0.0) or any(call.optional(p) is not None for p in (4, 5, 6)):
        raise call.refuse("attention with a cache, padding or soft cap")
    rows = len(query.shape) == 3
    if rows:
        query = _heads(call, query, "q_num_heads")
        key, value = (_heads(call, view, "kv_num_heads") for view in (key, value))
    scale = call.number("scale", 1.0 / math.sqrt(query.shape[-1]))
    scores = Scores(query, key.moved(lambda index: index.swapaxes(-1, -2)), scale)
    mask = call.constant(3)
    if mask is not None:
        array: Numbers = mask.array
        if array.dtype == bool:
            array = np.where(array, 0.0, -np.inf)
        scores = arithmetic.masked(scores, array)
    if call.flag("is_causal"):
        scores = replace(scores, causal=True)
    made = attention.attend(call.builder, attention.softmaxed(scores, -1), value)
    if not rows:
        return made
    together = made.moved(lambda index: index.swapaxes(1, 2))
    return together.reshaped((1, together.shape[1], together.shape[2] * together.shape[3]))


def _heads(call: Call, view: View, name: str) -> View:
    """(1, T, H·D) as (1, H, T, D)."""
    count = int(call.attributes.get(name, 1))
    split = view.reshaped((1, view.shape[1], count, view.shape[2] // max(1, count)))
    return split.moved(lambda index: index.swapaxes(1, 2))


#: Node type → what it becomes.
OPS: dict[str, Handler] = {
    **MOVES,
    "Add": _sum,
    "Attention": _attention,
    "AveragePool": _average_pool,
    "BatchNormalization": _batch_normalization,
    "Concat": _concat,
    "Conv": _conv,
    "Div": _divide,
    "Erf": _function("erf"),
    "Exp": _function("exp"),
    "Gelu": _gelu,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_average,
    "Greater": _greater,
    "LayerNormalization": _layer_normalization,
    "LeakyRelu": _leaky_relu,
    "Log": _function("log"),
    "LogSoftmax": _softmax,
    "MatMul": _matmul,
    "Mul": _multiply,
    "Neg": _negative,
    "PRelu": _prelu,
    "Pow": _power,
    "RMSNormalization": _layer_normalization,
    "Reciprocal": _fixed_power(-1.0),
    "ReduceMean": _reduce_mean,
    "Relu": _activation("relu"),
    "Sigmoid": _function("sigmoid"),
    "Sin": _function("sin"),
    "Softmax": _softmax,
    "Softplus": _activation("softplus"),
    "Sqrt": _fixed_power(0.5),
    "Sub": _subtract,
    "Sum": _sum,
    "Swish": _swish,
    "Tanh": _function("tanh"),
    "Where": _where,
}
