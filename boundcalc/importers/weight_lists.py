"""Lists of weights as networks: dense and convolutional layers with one activation between.

Four ways to name the arrays are understood, in files that end in ``.npz``, ``.mat``,
``.safetensors``, ``.pt`` or ``.pth``:

- ``W1, b1, W2, b2, …``, also ``weight1``, ``bias_1``; biases may be left out;
- cells ``weights`` and ``biases`` of a MAT file, as verifiers of networks keep them;
- ``fc1.weight, fc1.bias, …``, the state of a PyTorch module;
- no names (``np.savez(file, W1, b1, …)``): each bias after its weights.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

from boundcalc.data.weights_file import array_shapes, read_arrays
from boundcalc.errors import DataError
from boundcalc.importers.base import Network, Numbers, check_total, unsupported, weight
from boundcalc.importers.builder import Builder
from boundcalc.importers.passes import simplified
from boundcalc.importers.torch_file import read_state
from boundcalc.importers.values import Constant, View
from boundcalc.importers.weighted import convolution, linear
from boundcalc.operators.regions import Shape

#: What may stand between layers.
ACTIVATIONS = ("relu", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", "softplus", "sine")

_ROLE = re.compile(r"^(.*?)(weights?|w|bias(?:es)?|b)(?:[_.]?(\d+)|\{(\d+)\})?$", re.IGNORECASE)


@dataclass(frozen=True)
class Pair:
    """The weights of one layer.

    Attributes
    ----------
    name
        What the file calls it.
    matrix, bias
        Its arrays, with their names.
    """

    name: str
    matrix: Constant
    bias: Constant | None


def from_weights(
    path: str | Path, *, activation: str = "relu", input_shape: Sequence[int] | None = None
) -> Network:
    """Read a file of weights as a network.

    Matrices are dense layers and arrays of three or four axes convolutions of stride 1
    without padding, (out, in, …) as in PyTorch.  Matrices (in, out) are recognised by
    their sizes and transposed.

    Parameters
    ----------
    path
        The file; nothing in it is executed.
    activation
        What stands between layers, one of ``ACTIVATIONS``.
    input_shape
        The shape of a sample; needed where the first layer is a convolution.

    Raises
    ------
    DataError
        If the file is broken, or its arrays do not follow one of the layouts above.
    """
    path = Path(path)
    if activation not in ACTIVATIONS:
        raise unsupported(
            "an unknown activation", path.name, activation, "one of " + ", ".join(ACTIVATIONS)
        )
    pairs = _pairs(_arrays(path), path.name)
    pairs, turned = _by_output(pairs, path.name)
    shape = _first_shape(pairs, input_shape, path.name)
    builder = Builder(shape, path.name)
    if turned:
        builder.note("the matrices are (in, out) in the file; they were transposed")
    view = builder.input()
    for number, pair in enumerate(pairs):
        if number:
            view = builder.activation(view, activation, {})
        view = _layer(builder, view, pair)
    builder.note(f"the activation {activation!r} between layers is what the command says")
    last = builder.last(view)
    layers, notes = tuple(builder.layers), tuple(builder.notes)
    network = Network(path.stem, layers, last, notes=notes, source=path)
    return simplified(network, path.name)


def _arrays(path: Path) -> dict[str, Numbers]:
    if path.suffix.lower() in (".pt", ".pth"):
        return read_state(path)
    shapes = array_shapes(path)
    check_total(sum(prod(shape) for shape in shapes.values()), path.name)
    names = list(shapes)
    if path.suffix.lower() == ".safetensors":  # that format keeps no order
        names.sort(key=_natural)
    return dict(zip(names, read_arrays(path, names), strict=True))


def _natural(name: str) -> list[tuple[int, int | str]]:
    """A key that sorts ``2.weight`` before ``10.weight``."""
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _pairs(arrays: Mapping[str, Numbers], where: str) -> list[Pair]:
    """Weights with their biases, in order."""
    roles = {name: _role(name) for name in arrays}
    if not arrays:
        raise DataError("the file holds no arrays", where=where)
    if all(role is None for role in roles.values()):
        return _unnamed(arrays, where)
    found: dict[tuple[str, int], dict[str, str]] = {}
    for name, role in roles.items():
        if role is None:
            raise DataError(
                "an array that is neither weights nor a bias",
                where=where,
                value=name,
                expected="names such as W1 and b1, or fc1.weight and fc1.bias",
                fix="for other models, export them with torch.onnx.export and import that file",
            )
        kind, key = role
        found.setdefault(key, {})[kind] = name
    keys = list(found)
    if all(key[1] >= 0 for key in keys):
        keys.sort(key=lambda key: key[1])
    pairs = []
    for key in keys:
        names = found[key]
        if "weight" not in names:
            raise DataError("a bias without weights", where=where, value=names["bias"])
        matrix, bias = names["weight"], names.get("bias")
        pairs.append(
            Pair(
                matrix,
                Constant(arrays[matrix], matrix),
                None if bias is None else Constant(arrays[bias].ravel(), bias),
            )
        )
    return pairs


def _role(name: str) -> tuple[str, tuple[str, int]] | None:
    """Whether an array is weights or a bias, and of which layer."""
    match = _ROLE.match(name)
    if match is None:
        return None
    prefix, word, number, cell = match.groups()
    at = number or cell
    if not prefix.endswith((".", "_")) and prefix:
        return None
    if at is None and not prefix:
        return None
    kind = "weight" if word.lower().startswith("w") else "bias"
    return kind, (prefix, int(at) if at is not None else -1)


def _unnamed(arrays: Mapping[str, Numbers], where: str) -> list[Pair]:
    pairs: list[Pair] = []
    for name, array in arrays.items():
        if array.ndim > 1:
            pairs.append(Pair(name, Constant(array, name), None))
        elif pairs and pairs[-1].bias is None:
            pairs[-1] = Pair(pairs[-1].name, pairs[-1].matrix, Constant(array, name))
        else:
            raise DataError(
                "a vector that follows no weights",
                where=where,
                value=name,
                expected="weights, then their bias, layer by layer",
            )
    return pairs


def _by_output(pairs: list[Pair], where: str) -> tuple[list[Pair], bool]:
    """The pairs with matrices (out, in), and whether they had to be transposed."""
    for pair in pairs:
        weight(pair.matrix.array, f"{where}: array {pair.name!r}", (2, 3, 4))
    if _chains(pairs, 0) is None:
        return pairs, False
    if all(pair.matrix.array.ndim == 2 for pair in pairs) and _chains(pairs, 1) is None:
        turned = [Pair(p.name, Constant(p.matrix.array.T, p.matrix.origin), p.bias) for p in pairs]
        return turned, True
    problem = _chains(pairs, 0)
    assert problem is not None  # noqa: S101 - looked up above
    raise DataError(
        "the shapes of the layers do not follow each other",
        where=where,
        value=problem,
        expected="as many columns as the layer before has rows, and a bias of as many rows",
        fix="name the arrays in the order of the layers: W1, b1, W2, b2, …",
    )


def _chains(pairs: list[Pair], out: int) -> str | None:
    """What does not fit if axis ``out`` counts the outputs; None if all fits."""
    before, positions = 0, False
    for pair in pairs:
        shape = pair.matrix.array.shape
        inputs = shape[1 - out] if len(shape) == 2 else shape[1]
        # A dense layer after a convolution reads every channel at a number of positions.
        fits = not before or inputs == before
        fits = fits or (positions and len(shape) == 2 and inputs % before == 0)
        before, positions = shape[out] if len(shape) == 2 else shape[0], len(shape) > 2
        if not fits or (pair.bias is not None and pair.bias.array.size != before):
            return f"{pair.name} with shape {list(shape)}"
    return None


def _first_shape(pairs: list[Pair], wanted: Sequence[int] | None, where: str) -> Shape:
    shape = pairs[0].matrix.array.shape
    if wanted is not None:
        return tuple(int(size) for size in wanted)
    if len(shape) == 2:
        return (int(shape[1]),)
    raise DataError(
        "the size of the input is not known from a convolution",
        where=where,
        fix="give the shape of one sample: --input-shape 1,28,28, for instance",
    )


def _layer(builder: Builder, view: View, pair: Pair) -> View:
    axes = pair.matrix.array.ndim - 2
    if axes:
        ones, zeros = [1] * axes, [0] * axes
        return convolution(
            builder, view, pair.matrix, pair.bias,
            stride=ones, padding=zeros, dilation=ones, groups=1, hint=pair.name,
        )  # fmt: skip
    if view.shape[-1] != pair.matrix.array.shape[1]:
        view = view.reshaped((1, prod(view.shape)))
    return linear(builder, view, pair.matrix, pair.bias, pair.name)
