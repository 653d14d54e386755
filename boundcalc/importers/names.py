"""Ids for layers, taken from the model where it has names for them."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from boundcalc.importers.base import Layer, Network

_PARAMETER = re.compile(r"^(.+?)[._](?:weight|bias|kernel|table)(?:\[.*\])?$")
_NUMBERED = re.compile(r"^[\d._]+$")
_LENGTH = 60

#: What the arrays of a layer are called in the file of weights.
_ARRAYS = {
    "layer_norm": ("scale", "shift"),
    "rms_norm": ("scale",),
    "embedding": ("table",),
}


def layer_ids(network: Network) -> tuple[str, ...]:
    """One id for each layer, the input's first; all different.

    Layers with weights are called as the model calls their parameters, without
    ``.weight``; others by their type and a number.

    Examples
    --------
    >>> dense = Layer("dense", (0,), (1,), arrays=(np.ones((1, 2)),), origins=("fc.weight",))
    >>> layers = (Layer("input", (), (2,)), dense, Layer("relu", (1,), (1,)))
    >>> layer_ids(Network("n", layers, 2))
    ('input', 'fc', 'relu1')
    """
    taken: set[str] = set()
    counts: dict[str, int] = {}
    ids = ["input"]  # of no operator, so that one may be called like it
    for layer in network.layers[1:]:
        name = _wanted(layer)
        if not name:
            counts[layer.type] = counts.get(layer.type, 0) + 1
            name = f"{layer.type}{counts[layer.type]}"
        unique, copy = name, 1
        while unique in taken:
            copy += 1
            unique = f"{name}_{copy}"
        taken.add(unique)
        ids.append(unique)
    return tuple(ids)


def array_names(layer: Layer, identifier: str) -> list[str]:
    """What a layer's arrays are called in the file of weights."""
    parts = _ARRAYS.get(layer.type, ("weight", "bias"))
    return [f"{identifier}.{part}" for part, _ in zip(parts, layer.arrays, strict=False)]


def shared_weights(layers: Sequence[Layer]) -> dict[int, int]:
    """Which layers use the weights of an earlier one: their numbers and that one's.

    Equal parameters of the model are one parameter, unless all their entries are equal:
    exporters merge arrays of ones and zeros that belong to different layers.
    """
    first: dict[tuple[str, tuple[str, ...], str], int] = {}
    found: dict[int, int] = {}
    for number, layer in enumerate(layers):
        if not layer.arrays or not all(layer.origins) or not layer.trainable:
            continue
        if all(array.min() == array.max() for array in layer.arrays):
            continue
        key = (layer.type, layer.origins, repr(sorted(layer.parameters.items())))
        known = first.setdefault(key, number)
        if known != number and all(
            np.array_equal(a, b) for a, b in zip(layer.arrays, layers[known].arrays, strict=True)
        ):
            found[number] = known
    return found


def _wanted(layer: Layer) -> str:
    if layer.hint in ("loss", "input"):
        return layer.hint
    if not layer.arrays:
        return ""
    for origin in layer.origins:
        match = _PARAMETER.match(origin)
        if match:
            return _clean(match[1], layer.type)
    path = [part for part in layer.hint.removeprefix("node_").split("/") if part]
    # A node "/block/block.0/fc/MatMul" belongs to the module block.0.fc.
    module: list[str] = []
    for part in path[:-1] if len(path) > 1 else path:
        if module and part.startswith(module[-1] + "."):
            module.pop()
        module.append(part)
    return _clean(".".join(module), layer.type)


def _clean(name: str, kind: str) -> str:
    """A name that needs no quotes in YAML and no escapes in a report."""
    name = re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("._")[:_LENGTH]
    return f"{kind}{name}" if name and _NUMBERED.match(name) else name
