"""PyTorch modules, traced by torch.fx and read node by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from boundcalc.data.array_formats import missing
from boundcalc.errors import BoundcalcError, DataError
from boundcalc.importers.base import Network, check_total, unsupported
from boundcalc.importers.builder import Builder
from boundcalc.importers.passes import simplified
from boundcalc.importers.shared import batch_affine
from boundcalc.importers.torch_ops import FUNCTIONS
from boundcalc.importers.values import Constant, Value, View


def from_torch(module: Any, input_shape: Sequence[int], *, name: str | None = None) -> Network:
    """Read a PyTorch module as a network for one sample.

    Parameters
    ----------
    module
        An ``nn.Module`` that torch.fx can trace: ``nn.Sequential``, and whatever computes
        the same for all inputs.  Dropout is left out and batch normalisation uses its
        running statistics, as after ``module.eval()``.
    input_shape
        The shape of one sample, without the batch axis.
    name
        What to call the network; the name of the class if left out.

    Returns
    -------
    Network
        Parameters that do not require a gradient are not trained in it.

    Raises
    ------
    UnsupportedError
        If PyTorch is not installed, or for a module or function that no operator of the
        library computes, with its name and position.
    DataError
        If the module cannot be traced, or its weights are no numbers.
    """
    where = name or type(module).__name__
    try:
        import torch
    except ImportError:
        raise missing("torch", "torch", where) from None
    try:
        tracer = torch.fx.Tracer()
        if tracer.is_leaf_module(module, ""):  # read as a module, not by what its forward calls
            module = torch.nn.Sequential(module)
        graph = tracer.trace(module)
    except Exception as error:  # whatever the module's forward raises on a symbolic value
        raise DataError(
            f"the module cannot be traced: {str(error).splitlines()[0][:150]}",
            where=where,
            expected="a forward whose steps do not depend on the values of its input",
            fix="export it with torch.onnx.export and import that file",
        ) from None
    check_total(sum(p.numel() for p in module.parameters()), where)
    builder = Builder(tuple(int(size) for size in input_shape), where)
    reader = _Reader(builder, module, dict(module.named_modules()))
    nodes = list(graph.nodes)
    result: Any = None
    for position, node in enumerate(nodes, start=1):
        try:
            result = reader.run(node)
        except BoundcalcError as error:
            raise error.located(_place(where, node, position, len(nodes))) from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"the node does not fit its inputs: {str(error)[:150]}",
                where=_place(where, node, position, len(nodes)),
            ) from None
    last = builder.last(result)
    layers = [
        layer.changed(trainable=False)
        if layer.arrays and set(layer.origins) <= reader.frozen
        else layer
        for layer in builder.layers
    ]
    return simplified(Network(where, tuple(layers), last, notes=tuple(builder.notes)), where)


def _place(where: str, node: Any, position: int, count: int) -> str:
    called = getattr(node.target, "__name__", str(node.target))
    return f"{where}: node {position} of {count}, {called:.80}"


class _Reader:
    """The values of a traced module's nodes."""

    def __init__(self, builder: Builder, module: Any, modules: Mapping[str, Any]) -> None:
        self.builder = builder
        self.module = module
        self.modules = modules
        self.values: dict[Any, Any] = {}
        # One name for each parameter, so that a shared one is known as such.
        self.names = {id(p): name for name, p in module.named_parameters()}
        self.frozen = {name for name, p in module.named_parameters() if not p.requires_grad}
        self.inputs = 0

    def run(self, node: Any) -> Any:
        """The value of one node; that of the output is a view."""
        args = self._known(node.args)
        keywords = self._known(node.kwargs)
        if node.op == "placeholder":
            self.inputs += 1
            if self.inputs > 1:
                raise unsupported("a module with several inputs", "")
            value: Any = self.builder.input()
        elif node.op == "get_attr":
            value = self._parameter(node.target)
        elif node.op == "call_module":
            value = self._module(node.target, args, keywords)
        elif node.op == "output":
            if isinstance(args[0], tuple | list | dict):
                raise unsupported("a module with several outputs", "")
            value = self.builder.view(args[0])
        else:
            value = self._function(node, args, keywords)
        self.values[node] = value
        return value

    def _known(self, argument: Any) -> Any:
        """Arguments with nodes replaced by their values."""
        if isinstance(argument, tuple | list):
            return type(argument)(self._known(item) for item in argument)
        if isinstance(argument, dict):
            return {key: self._known(item) for key, item in argument.items()}
        if isinstance(argument, slice):
            parts = (argument.start, argument.stop, argument.step)
            return slice(*(self._known(part) for part in parts))
        return self.values.get(argument, argument) if _is_node(argument) else argument

    def _parameter(self, path: str) -> Constant:
        found: Any = self.module
        for part in path.split("."):
            found = getattr(found, part)
        return self.constant(found, path)

    def constant(self, tensor: Any, path: str) -> Constant:
        """A tensor as a constant, with the first of its names."""
        import torch

        plain = tensor.detach().cpu()
        array = (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()
        return Constant(np.array(array), self.names.get(id(tensor), path))

    def optional(self, tensor: Any, path: str) -> Constant | None:
        """The same for a parameter that a module may lack."""
        return None if tensor is None else self.constant(tensor, path)

    def _function(self, node: Any, args: Any, keywords: Any) -> Any:
        name = node.target if isinstance(node.target, str) else node.target.__name__
        handler = FUNCTIONS.get(name.strip("_"))
        if handler is None:
            raise unsupported(
                f"the function {name!r} is not supported",
                "",
                fix="supported: " + ", ".join(sorted(FUNCTIONS)),
            )
        try:
            return handler(self.builder, *args, **keywords)
        except TypeError as error:
            raise unsupported(
                f"arguments of {name!r} that are not supported: {error}", ""
            ) from None

    def _module(self, path: str, args: Any, keywords: Any) -> Any:
        module = self.modules[path]
        kind = type(module).__name__
        handler = MODULES.get(kind)
        if handler is None:
            raise unsupported(
                f"the module {kind!r} is not supported",
                path,
                fix="supported: " + ", ".join(sorted(MODULES)),
            )
        return handler(self, module, path, *args, **keywords)


def _is_node(argument: Any) -> bool:
    from torch.fx import Node

    return isinstance(argument, Node)


def _weights(reader: _Reader, module: Any, path: str) -> tuple[Constant | None, Constant | None]:
    bias = getattr(module, "bias", None)
    return (
        reader.optional(module.weight, f"{path}.weight"),
        reader.optional(bias, f"{path}.bias"),
    )


def _linear(reader: _Reader, module: Any, path: str, x: Value) -> Any:
    return FUNCTIONS["linear"](reader.builder, x, *_weights(reader, module, path))


def _conv(reader: _Reader, module: Any, path: str, x: Value) -> Any:
    if module.padding_mode != "zeros":
        raise unsupported("padding with other numbers than zeros", path, module.padding_mode)
    weights = _weights(reader, module, path)
    return FUNCTIONS["conv2d"](
        reader.builder, x, *weights, module.stride, module.padding, module.dilation, module.groups
    )


def _batch_norm(reader: _Reader, module: Any, path: str, x: Value) -> View:
    if module.running_mean is None:
        raise unsupported("a batch normalisation without running statistics", path)
    mean, variance = (t.detach().cpu().numpy() for t in (module.running_mean, module.running_var))
    scale, shift = _weights(reader, module, path)
    one = np.ones_like(mean) if scale is None else scale.array
    zero = np.zeros_like(mean) if shift is None else shift.array
    view = reader.builder.view(x)
    return batch_affine(reader.builder, view, one, zero, mean, variance, eps=module.eps, hint=path)


def _layer_norm(reader: _Reader, module: Any, path: str, x: Value) -> Any:
    weights = _weights(reader, module, path)
    shape = list(module.normalized_shape)
    return FUNCTIONS["layer_norm"](reader.builder, x, shape, *weights, module.eps)


def _rms_norm(reader: _Reader, module: Any, path: str, x: Value) -> Any:
    scale = reader.optional(module.weight, f"{path}.weight")
    return FUNCTIONS["rms_norm"](
        reader.builder, x, list(module.normalized_shape), scale, module.eps
    )


def _embedding(reader: _Reader, module: Any, path: str, x: Value) -> Any:
    if module.max_norm is not None:
        raise unsupported("an embedding that renormalises its rows", path)
    return FUNCTIONS["embedding"](reader.builder, x, *_weights(reader, module, path)[:1])


def _attention(
    reader: _Reader, module: Any, path: str, query: Value, key: Value, value: Value, **options: Any
) -> tuple[Any, None]:
    """Self-attention and cross-attention of one width, without weights in the output."""
    plain = (
        module.in_proj_weight is not None and module.bias_k is None and module._qkv_same_embed_dim
    )
    wants = options.pop("need_weights", True)
    causal = bool(options.pop("is_causal", False))
    mask = options.pop("attn_mask", None)
    if not plain or any(option is not None for option in options.values()):
        raise unsupported("an attention with these options", path, fix="export it to ONNX")
    if wants:
        reader.builder.note("the weights that attention returns beside its values are left out")
    matrix = reader.constant(module.in_proj_weight, f"{path}.in_proj_weight")
    bias = reader.optional(module.in_proj_bias, f"{path}.in_proj_bias")
    width, heads = module.embed_dim, module.num_heads
    parts = []
    for number, x in enumerate((query, key, value)):
        rows = slice(number * width, (number + 1) * width)
        letter = "qkv"[number]
        made = FUNCTIONS["linear"](
            reader.builder,
            _batch_first(reader, module, x),
            Constant(matrix.array[rows], f"{path}.{letter}.weight"),
            None if bias is None else Constant(bias.array[rows], f"{path}.{letter}.bias"),
        )
        split = made.reshaped((1, made.shape[1], heads, width // heads))
        parts.append(split.moved(lambda index: index.swapaxes(1, 2)))
    attend = FUNCTIONS["scaled_dot_product_attention"]
    # PyTorch reads is_causal as a hint about the mask.
    together = attend(reader.builder, *parts, attn_mask=mask, is_causal=causal and mask is None)
    rows_of = together.moved(lambda index: index.swapaxes(1, 2))
    rows_of = rows_of.reshaped((1, rows_of.shape[1], width))
    result = _linear(reader, module.out_proj, f"{path}.out_proj", rows_of)
    return _batch_first(reader, module, result), None


def _batch_first(reader: _Reader, module: Any, x: Value) -> View:
    """(B, T, E) from (T, B, E), and back."""
    view = reader.builder.view(x)
    return view if module.batch_first else view.moved(lambda index: index.swapaxes(0, 1))


def _same(reader: _Reader, module: Any, path: str, x: Value) -> Value:
    return x


def _calls(name: str, *attributes: str) -> Callable[..., Any]:
    """A module that calls a function with some of its attributes."""

    def handle(reader: _Reader, module: Any, path: str, x: Value) -> Any:
        settings = {attribute: getattr(module, attribute) for attribute in attributes}
        return FUNCTIONS[name](reader.builder, x, **settings)

    return handle


_POOL = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")

#: Modules by class name.
MODULES: dict[str, Callable[..., Any]] = {
    "AdaptiveAvgPool1d": _calls("adaptive_avg_pool1d", "output_size"),
    "AdaptiveAvgPool2d": _calls("adaptive_avg_pool2d", "output_size"),
    "AvgPool1d": _calls("avg_pool1d", *_POOL),
    "AvgPool2d": _calls("avg_pool2d", *_POOL, "divisor_override"),
    "BatchNorm1d": _batch_norm,
    "BatchNorm2d": _batch_norm,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "Dropout": _same,
    "Dropout1d": _same,
    "Dropout2d": _same,
    "Embedding": _embedding,
    "Flatten": _calls("flatten", "start_dim", "end_dim"),
    "GELU": _calls("gelu", "approximate"),
    "Identity": _same,
    "LayerNorm": _layer_norm,
    "LeakyReLU": _calls("leaky_relu", "negative_slope"),
    "Linear": _linear,
    "LogSoftmax": _calls("log_softmax", "dim"),
    "MultiheadAttention": _attention,
    "RMSNorm": _rms_norm,
    "ReLU": _calls("relu"),
    "SiLU": _calls("silu"),
    "Sigmoid": _calls("sigmoid"),
    "Softmax": _calls("softmax", "dim"),
    "Softplus": _calls("softplus", "beta", "threshold"),
    "Tanh": _calls("tanh"),
}
