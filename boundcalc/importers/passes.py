"""From the layers as they were read to layers that a spec has.

The passes run in this order, each on the result of the one before:

1. dead layers go, so that every later pass counts the readers that remain;
2. constants after a linear layer or a normalisation become part of its weights, constants
   after constants one layer, and a factor after an activation its ``scale``;
3. other constants become convolutions of width 1 whose weights are not trained, since the
   library has no operator for them;
4. reshapes of reshapes become one;
5. the input becomes an operator where more than one reads it, and takes the shape that it
   is read in where one operator reshapes it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from boundcalc.importers.base import INPUT, Layer, Network, Numbers, check_total, unsupported
from boundcalc.importers.builder import plain
from boundcalc.operators.regions import Shape

_ACTIVATIONS = frozenset(
    ["gelu", "leaky_relu", "relu", "sigmoid", "silu", "sine", "softplus", "square", "tanh"]
)


def simplified(network: Network, where: str) -> Network:
    """All passes."""
    layers, notes = list(network.layers), dict.fromkeys(network.notes)
    layers, output = _folded(layers, network.output, notes)
    layers, output = _lowered(layers, output, notes, where)
    layers, output = _reshaped_once(layers, output)
    layers, output = _rooted(layers, output)
    if output == INPUT:
        raise unsupported("the output is the input: there is nothing to import", where)
    check_total(sum(layer.weights for layer in layers), where)
    vocabulary = [
        int(layer.parameters["vocabulary"])
        for layer in layers
        if layer.type == "embedding" and layer.inputs == (INPUT,)
    ]
    return replace(
        network,
        layers=tuple(layers),
        output=output,
        vocabulary=min(vocabulary) if vocabulary else None,
        notes=tuple(notes),
    )


def _alive(layers: list[Layer], output: int) -> list[int]:
    """The numbers of the layers that the output depends on, and the input's."""
    alive = {INPUT, output}
    for number in range(len(layers) - 1, -1, -1):
        if number in alive:
            alive.update(layers[number].inputs)
    return sorted(alive)


def _compacted(layers: list[Layer], output: int) -> tuple[list[Layer], int]:
    """The same network without dead layers, numbered anew."""
    alive = _alive(layers, output)
    new = {number: place for place, number in enumerate(alive)}
    kept = [
        layers[number].changed(inputs=tuple(new[i] for i in layers[number].inputs))
        for number in alive
    ]
    return kept, new[output]


def _folded(layers: list[Layer], output: int, notes: dict[str, None]) -> tuple[list[Layer], int]:
    layers, output = _compacted(layers, output)
    readers = Counter(number for layer in layers for number in layer.inputs)
    place = list(range(len(layers)))  # where a layer's output is made now
    count = 0
    for number, layer in enumerate(layers):
        layers[number] = layer = layer.changed(inputs=tuple(place[i] for i in layer.inputs))
        if layer.type != "affine":
            continue
        source = layer.inputs[0]
        if readers[source] > 1:
            continue
        merged = _merged(layers[source], layer)
        if merged is not None:
            count += merged.trainable and bool(np.any(layer.parameters["scale"] != 1.0))
            layers[source] = merged
            place[number] = source
            readers[source] = readers[number]
    if count:
        notes.setdefault(
            "factors after layers, such as those of batch normalisations, are part of their "
            f"weights ({count} times): training moves the products"
        )
    return _compacted(layers, place[output])


def _merged(source: Layer, affine: Layer) -> Layer | None:
    """The source with scale·y + shift in it, or None."""
    scale, shift = (_full(affine, name) for name in ("scale", "shift"))
    if source.type == "affine" and source.shape == affine.shape:
        before, moved = (_full(source, name) for name in ("scale", "shift"))
        parameters = {"scale": scale * before, "shift": scale * moved + shift}
        return source.changed(parameters=parameters)
    if source.shape != affine.shape:
        return None
    if source.type in _ACTIVATIONS and scale.size == 1 and not shift.any():
        factor = float(scale.ravel()[0]) * float(source.parameters.get("scale", 1))
        if factor < 0:
            return None
        return source.changed(parameters={**source.parameters, "scale": plain(factor)})
    axis = {"conv1d": 0, "conv2d": 0, "dense": -1, "layer_norm": -1, "rms_norm": -1}
    if source.type not in axis:
        return None
    size = source.shape[axis[source.type]]
    factors, shifts = (_along(array, size, axis[source.type]) for array in (scale, shift))
    if factors is None or shifts is None:
        return None
    if source.type in ("dense", "conv1d", "conv2d"):
        return _into_linear(source, factors, shifts, affine)
    return _into_norm(source, factors, shifts, affine)


def _full(affine: Layer, name: str) -> Numbers:
    """A constant with as many axes as the layer's shape."""
    array = np.asarray(affine.parameters[name])
    return array.reshape((1,) * (len(affine.shape) - array.ndim) + array.shape)


def _along(array: Numbers, size: int, axis: int) -> Numbers | None:
    """A constant as one number for each entry of one axis, if it varies along no other."""
    if array.size == 1:
        return np.broadcast_to(array.ravel(), (size,))
    return array.ravel() if array.shape[axis] == array.size == size else None


def _into_linear(source: Layer, factors: Numbers, shifts: Numbers, affine: Layer) -> Layer:
    """s ⊙ (W y + c) + t = (s ⊙ W) y + (s ⊙ c + t), rows scaled."""
    matrix, *rest = source.arrays
    origins = list(source.origins) if source.arrays[1:] else [source.origins[0], affine.origins[1]]
    if not np.all(factors == 1.0):
        matrix = matrix * factors.astype(np.float64).reshape(-1, *(1 for _ in matrix.shape[1:]))
        rest = [factors * array for array in rest]
    if rest or np.any(shifts):
        rest = [rest[0] + shifts if rest else np.asarray(shifts)]
    return source.changed(
        arrays=(matrix, *rest),
        origins=tuple(origins[: 1 + len(rest)]),
        parameters={**source.parameters, "bias": bool(rest)},
    )


def _into_norm(source: Layer, factors: Numbers, shifts: Numbers, affine: Layer) -> Layer | None:
    """s ⊙ (g ⊙ x̂ + c) + t."""
    centred = source.type == "layer_norm"
    if np.any(shifts) and not centred:
        return None
    scale = factors * (source.arrays[0] if source.arrays else 1.0)
    arrays = [np.asarray(scale)]
    if centred:
        arrays.append(np.asarray(factors * (source.arrays[1] if source.arrays else 0.0) + shifts))
    switch = "scale_and_shift" if centred else "scale"
    return source.changed(
        arrays=tuple(arrays),
        origins=("",) * len(arrays),
        parameters={**source.parameters, switch: True},
        hint=source.hint or affine.hint,
    )


def _lowered(
    layers: list[Layer], output: int, notes: dict[str, None], where: str
) -> tuple[list[Layer], int]:
    """Constants that no layer took, as convolutions with one weight for each channel."""
    made: list[Layer] = []
    place: list[int] = []
    for layer in layers:
        layer = layer.changed(inputs=tuple(place[i] for i in layer.inputs))
        if layer.type == "log_softmax" and len(place) != output:
            raise unsupported("a LogSoftmax that is not the last operator", where)
        if layer.type == "affine":
            added = _as_convolution(layer, len(made))
            if any(one.arrays for one in added):
                notes.setdefault(
                    "constants that no layer takes are convolutions of width 1, not trained"
                )
            made.extend(added)
        else:
            made.append(layer)
        place.append(len(made) - 1)
    return made, place[output]


def _as_convolution(layer: Layer, at: int) -> list[Layer]:
    """scale·y + shift as reshape, depthwise convolution, reshape; at: the first one's number."""
    scale, shift = (_full(layer, name) for name in ("scale", "shift"))
    if scale.size == 1 and not np.any(shift):
        factor = plain(float(scale.ravel()[0]))
        return [Layer("add", layer.inputs, layer.shape, {"factors": [factor]})]
    if len(layer.shape) in (2, 3) and all(a.shape[0] == a.size for a in (scale, shift)):
        shape = layer.shape  # one number for each channel
    elif scale.size == shift.size == 1:
        shape = (1, layer.size)
    else:
        shape = (layer.size, 1)
        scale, shift = (np.broadcast_to(array, layer.shape) for array in (scale, shift))
    convolution = _depthwise(layer, shape, scale, shift)
    if shape == layer.shape:
        return [convolution]
    before = Layer("identity", layer.inputs, shape, {"shape": list(shape)})
    after = Layer("identity", (at + 1,), layer.shape, {"shape": list(layer.shape)})
    return [before, convolution.changed(inputs=(at,)), after]


def _depthwise(layer: Layer, shape: Shape, scale: Numbers, shift: Numbers) -> Layer:
    """One weight, and one bias where there is any shift, for each channel."""
    channels, axes = shape[0], len(shape) - 1
    arrays = [np.broadcast_to(scale.ravel(), (channels,)).astype(np.float64)]
    if np.any(shift):
        arrays.append(np.broadcast_to(shift.ravel(), (channels,)).astype(np.float64))
    parameters: dict[str, Any] = {
        "channels": channels,
        "kernel": 1,
        "groups": channels,
        "bias": len(arrays) == 2,
    }
    weights = (arrays[0].reshape(channels, 1, *(1 for _ in range(axes))), *arrays[1:])
    return Layer(
        f"conv{axes}d",
        layer.inputs,
        shape,
        parameters,
        weights,
        ("",) * len(weights),
        trainable=False,
        hint=layer.hint,
    )


def _reshaped_once(layers: list[Layer], output: int) -> tuple[list[Layer], int]:
    """A reshape of a reshape reads what the first one reads; one to the same shape goes."""
    place = list(range(len(layers)))
    for number, layer in enumerate(layers):
        layers[number] = layer = layer.changed(inputs=tuple(place[i] for i in layer.inputs))
        if layer.type != "identity" or "axes" in layer.parameters:
            continue
        source = layer.inputs[0]
        while layers[source].type == "identity" and "axes" not in layers[source].parameters:
            source = layers[source].inputs[0]
        if layers[source].shape == layer.shape:
            place[number] = source
        else:
            layers[number] = layer.changed(inputs=(source,))
    return _compacted(layers, place[output])


def _rooted(layers: list[Layer], output: int) -> tuple[list[Layer], int]:
    """An operator for the data, where it is read twice or joined with what it becomes."""
    reading = [layer for layer in layers if INPUT in layer.inputs]
    if len(reading) == 1 and len(reading[0].inputs) == 1:
        first = reading[0]
        if first is layers[1] and first.type == "identity" and "axes" not in first.parameters:
            moved = [
                layer.changed(inputs=tuple(max(number - 1, INPUT) for number in layer.inputs))
                for layer in layers[2:]
            ]
            return [layers[INPUT].changed(shape=first.shape), *moved], output - 1
        return layers, output
    if not reading:
        return layers, output
    root = Layer("identity", (INPUT,), layers[INPUT].shape, hint="input")
    moved = [
        layer.changed(inputs=tuple(number + 1 for number in layer.inputs)) for layer in layers[1:]
    ]
    return [layers[INPUT], root, *moved], output + 1
