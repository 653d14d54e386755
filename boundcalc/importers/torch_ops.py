"""PyTorch functions and tensor methods on values: what torch.fx calls, by name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from boundcalc.importers import arithmetic, attention
from boundcalc.importers.base import unsupported
from boundcalc.importers.builder import Builder
from boundcalc.importers.shared import average_pool, concatenated, softmax
from boundcalc.importers.torch_moves import MOVES, Function, pair, same
from boundcalc.importers.values import Constant, Scores, Value
from boundcalc.importers.weighted import convolution, embedding, linear, normalisation


def as_value(x: Any) -> Value:
    """Numbers as constants."""
    return Constant(np.asarray(x)) if isinstance(x, int | float) else x


def _add(b: Builder, x: Any, y: Any, alpha: float = 1.0) -> Any:
    if isinstance(x, int) and isinstance(y, int):
        return x + y
    return arithmetic.summed(b, as_value(x), as_value(y), float(alpha))


def _sub(b: Builder, x: Any, y: Any, alpha: float = 1.0) -> Any:
    if isinstance(x, int) and isinstance(y, int):
        return x - y
    return arithmetic.summed(b, as_value(x), as_value(y), -float(alpha))


def _mul(b: Builder, x: Any, y: Any) -> Any:
    if isinstance(x, int) and isinstance(y, int):
        return x * y
    return arithmetic.multiplied(b, as_value(x), as_value(y))


def _div(b: Builder, x: Any, y: Any) -> Any:
    return x / y if _plain(x, y) else arithmetic.divided(b, as_value(x), as_value(y))


def _floordiv(b: Builder, x: Any, y: Any) -> Any:
    if not _plain(x, y):
        raise unsupported("a floor division of activations", "")
    return x // y


def _plain(*values: Any) -> bool:
    return all(isinstance(value, int | float) for value in values)


def _neg(b: Builder, x: Any) -> Any:
    return -x if _plain(x) else arithmetic.scaled_by(b, x, -1.0)


def _pow(b: Builder, x: Value, exponent: float) -> Value:
    return arithmetic.raised(b, x, float(exponent))


def _matmul(b: Builder, x: Any, y: Any) -> Value:
    if isinstance(y, Constant) and y.array.ndim == 2:
        return linear(b, b.view(x), Constant(y.array.T, y.origin), None, y.origin)
    if isinstance(x, Constant) or isinstance(y, Constant):
        raise unsupported("a matrix product with these constants", "", x.shape)
    return attention.product(b, x, y)


def _linear(b: Builder, x: Value, weight: Constant, bias: Constant | None = None) -> Value:
    return linear(b, b.view(x), weight, bias, weight.origin)


def conv(
    b: Builder,
    x: Value,
    weight: Constant,
    bias: Constant | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Value:
    """A convolution over one or two axes."""
    axes = weight.array.ndim - 2
    if isinstance(padding, str):
        if padding != "valid":
            raise unsupported("padding that depends on the input", "", padding)
        padding = 0
    return convolution(
        b, b.view(x), weight, bias, stride=pair(stride, axes), padding=pair(padding, axes),
        dilation=pair(dilation, axes), groups=groups, hint=weight.origin,
    )  # fmt: skip


def _activation(kind: str) -> Function:
    def apply(b: Builder, x: Value, inplace: bool = False) -> Value:
        return b.activation(x, kind, {})

    return apply


def _function(name: str) -> Function:
    def apply(b: Builder, x: Value) -> Value:
        return b.applied(x, name)

    return apply


def _gelu(b: Builder, x: Value, approximate: str = "none") -> Value:
    return b.activation(x, "gelu", {"approximation": approximate})


def _leaky_relu(b: Builder, x: Value, negative_slope: float = 0.01, inplace: bool = False) -> Value:
    if not 0.0 <= negative_slope <= 1.0:
        raise unsupported("a slope outside [0, 1]", "", negative_slope)
    return b.activation(x, "leaky_relu", {"slope": float(negative_slope)})


def _softplus(b: Builder, x: Value, beta: float = 1.0, threshold: float = 20.0) -> Value:
    if beta != 1.0 or threshold < 14.0:
        raise unsupported("a softplus with another scale or a low threshold", "", (beta, threshold))
    return b.activation(x, "softplus", {})


def _softmax(b: Builder, x: Value, dim: int | None = None, dtype: Any = None, **_: Any) -> Value:
    if dim is None:
        raise unsupported("a softmax without an axis", "", fix="say dim=-1")
    return attention.softmaxed(x, dim) if isinstance(x, Scores) else softmax(b, b.view(x), dim)


def _log_softmax(b: Builder, x: Value, dim: int = -1, dtype: Any = None, **_: Any) -> Value:
    return softmax(b, b.view(x), dim, log=True)


def layer_norm(
    b: Builder,
    x: Value,
    normalized_shape: Sequence[int],
    weight: Constant | None = None,
    bias: Constant | None = None,
    eps: float = 1e-5,
) -> Value:
    """Layer normalisation over the last axes."""
    axes = len(pair(normalized_shape, 1))
    return normalisation(b, b.view(x), "layer_norm", eps, axes, weight, bias, "")


def rms_norm(
    b: Builder,
    x: Value,
    normalized_shape: Sequence[int],
    weight: Constant | None = None,
    eps: float | None = None,
) -> Value:
    """RMS normalisation over the last axes; without eps that of float32."""
    small = float(np.finfo(np.float32).eps) if eps is None else eps
    axes = len(pair(normalized_shape, 1))
    return normalisation(b, b.view(x), "rms_norm", small, axes, weight, None, "")


def _embedding(b: Builder, tokens: Value, weight: Constant, *_: Any, **__: Any) -> Value:
    return embedding(b, b.view(tokens), weight, weight.origin)


def _sdpa(
    b: Builder,
    query: Value,
    key: Value,
    value: Value,
    attn_mask: Value | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Value:
    q, k, v = (b.view(part) for part in (query, key, value))
    factor = 1.0 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = Scores(q, k.moved(lambda index: index.swapaxes(-1, -2)), factor)
    if isinstance(attn_mask, Constant):
        mask = attn_mask.array
        scores = arithmetic.masked(
            scores, np.where(mask, 0.0, -np.inf) if mask.dtype == bool else mask
        )
    elif attn_mask is not None:
        raise unsupported("an attention mask that depends on the input", "")
    scores = replace(scores, causal=scores.causal or is_causal)
    return attention.attend(b, attention.softmaxed(scores, -1), v)


def _avg_pool(axes: int) -> Function:
    def apply(
        b: Builder,
        x: Value,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Value:
        kernel, pads = pair(kernel_size, axes), pair(padding, axes)
        if ceil_mode or divisor_override or (any(pads) and not count_include_pad):
            raise unsupported("an average over windows that are smaller at the border", "", pads)
        steps = kernel if stride is None or stride == () else pair(stride, axes)
        return average_pool(b, b.view(x), kernel, steps, pads)

    return apply


def _adaptive(axes: int) -> Function:
    def apply(b: Builder, x: Value, output_size: Any) -> Value:
        view = b.view(x)
        wanted, sizes = pair(output_size, axes), view.shape[-axes:]
        if all(n == 1 for n in wanted):
            return b.mean(view, tuple(range(len(view.shape) - axes, len(view.shape))), keep=True)
        if any(m % n for m, n in zip(sizes, wanted, strict=True)):
            raise unsupported("an average over windows of different sizes", "", wanted)
        kernel = [m // n for m, n in zip(sizes, wanted, strict=True)]
        return average_pool(b, view, kernel, kernel, [0] * axes)

    return apply


def _mean(b: Builder, x: Value, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Value:
    rank = len(x.shape)
    axes = list(range(rank)) if dim is None else [axis % rank for axis in pair(dim, 1)]
    if keepdim and axes == [rank - 1]:
        return b.applied(x, "mean")
    return b.mean(b.view(x), tuple(axes), keepdim)


def _cat(b: Builder, tensors: Sequence[Value], dim: int = 0) -> Value:
    return concatenated(b, [b.view(value) for value in tensors], dim)


def _rsqrt(b: Builder, x: Value) -> Value:
    return arithmetic.raised(b, x, -0.5)


def _sqrt(b: Builder, x: Value) -> Value:
    return arithmetic.raised(b, x, 0.5)


def _square(b: Builder, x: Value) -> Value:
    return arithmetic.raised(b, x, 2.0)


#: Functions and methods by name, underscores at their ends left out.
FUNCTIONS: dict[str, Function] = {
    **MOVES,
    "adaptive_avg_pool1d": _adaptive(1),
    "adaptive_avg_pool2d": _adaptive(2),
    "add": _add,
    "avg_pool1d": _avg_pool(1),
    "avg_pool2d": _avg_pool(2),
    "cat": _cat,
    "concat": _cat,
    "conv1d": conv,
    "conv2d": conv,
    "detach": same,
    "div": _div,
    "dropout": same,
    "dropout1d": same,
    "dropout2d": same,
    "embedding": _embedding,
    "erf": _function("erf"),
    "exp": _function("exp"),
    "float": same,
    "floordiv": _floordiv,
    "gelu": _gelu,
    "layer_norm": layer_norm,
    "leaky_relu": _leaky_relu,
    "linear": _linear,
    "log": _function("log"),
    "log_softmax": _log_softmax,
    "matmul": _matmul,
    "mean": _mean,
    "mul": _mul,
    "multiply": _mul,
    "neg": _neg,
    "pow": _pow,
    "relu": _activation("relu"),
    "rms_norm": rms_norm,
    "rsqrt": _rsqrt,
    "scaled_dot_product_attention": _sdpa,
    "sigmoid": _function("sigmoid"),
    "silu": _activation("silu"),
    "sin": _function("sin"),
    "softmax": _softmax,
    "softplus": _softplus,
    "sqrt": _sqrt,
    "square": _square,
    "sub": _sub,
    "subtract": _sub,
    "tanh": _function("tanh"),
    "truediv": _div,
}
