"""Layers as they are found: every view becomes the output of one when another must read it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from boundcalc.importers.base import INPUT, MAX_LAYERS, Layer, check_shape, unsupported
from boundcalc.importers.strides import columns, strided, transposition
from boundcalc.importers.values import Positions, View
from boundcalc.operators.regions import Shape


class Layers:
    """The layers of a network as they are found.

    Attributes
    ----------
    layers
        So far; the first is the input.
    notes
        What the user should know, in order, without repetition.
    """

    def __init__(self, input_shape: Shape, where: str) -> None:
        check_shape(input_shape, where)
        self.layers: list[Layer] = [Layer("input", (), input_shape)]
        self.notes: dict[str, None] = {}
        self._made: dict[tuple[Any, ...], int] = {}

    def note(self, text: str) -> None:
        """Tell the user something, once."""
        self.notes.setdefault(text)

    def input(self) -> View:
        """The network's input, with a batch axis of length 1."""
        shape = self.layers[INPUT].shape
        return View(INPUT, prod(shape), (1, *shape))

    def append(self, layer: Layer) -> int:
        """The number of a layer; one without weights that is there already is taken again."""
        key = None
        if not layer.arrays and layer.type != "affine":
            key = (layer.type, layer.inputs, layer.shape, repr(sorted(layer.parameters.items())))
            if key in self._made:
                return self._made[key]
        check_shape(layer.shape, layer.hint or layer.type)
        if len(self.layers) >= MAX_LAYERS:
            raise unsupported(f"the model has more than {MAX_LAYERS} operators", layer.hint)
        self.layers.append(layer)
        if key is not None:
            self._made[key] = len(self.layers) - 1
        return len(self.layers) - 1

    def new(self, layer: Layer, shape: Shape) -> View:
        """The output of a new layer, in a shape of the model."""
        return View(self.append(layer), layer.size, shape)

    def materialise(self, view: View, shape: Shape) -> int:
        """The number of a layer whose output is the view, in C order and of this shape.

        Raises
        ------
        UnsupportedError
            If no operator of the library moves numbers in this way.
        """
        if view.index is None:
            return self._reshaped(view.layer, shape)
        flat = view.positions().ravel()
        turned = transposition(flat, view.size)
        if turned is not None:
            before, axes = turned
            source = self._reshaped(view.layer, before)
            parameters: dict[str, Any] = {"axes": list(axes)}
            if tuple(before[axis] for axis in axes) != shape:
                parameters["shape"] = list(shape)
            return self.append(Layer("identity", (source,), shape, parameters))
        part = self._part(view, flat)
        if part is None:
            raise unsupported(
                "these numbers are moved in a way that no operator of the library moves them",
                "",
                f"{flat.size} components of the {view.size} of a value, neither a slice nor a "
                "transpose of it",
            )
        return self._reshaped(part, shape)

    def _reshaped(self, number: int, shape: Shape) -> int:
        layer = self.layers[number]
        if layer.shape == shape:
            return number
        if layer.type == "identity" and "axes" not in layer.parameters:
            return self._reshaped(layer.inputs[0], shape)
        return self.append(Layer("identity", (number,), shape, {"shape": list(shape)}))

    def _part(self, view: View, flat: Positions) -> int | None:
        """A layer that has some components of another one."""
        width = self.layers[view.layer].shape[-1]
        table = flat.reshape(-1, max(1, flat.size * width // view.size))
        units = columns(table, width) if table.shape[0] * width == view.size else None
        if units is not None:
            narrowed = self._units(view.layer, units)
            if narrowed is not None:
                return narrowed
        found = strided(flat)
        if found is None or len(found[1]) > 1:
            return None if units is None else self._columns(view.layer, units)
        start, (count,), (step,) = found
        if step < 1:
            return None
        parameters = {"start": start, "stop": start + (count - 1) * step + 1}
        if step > 1:
            parameters["step"] = step
        return self.append(Layer("select", (view.layer,), (count,), parameters))

    def _units(self, number: int, units: Positions) -> int | None:
        """The layer that computes some units of a dense one, perhaps with constants after it."""
        layer = self.layers[number]
        shape = (*layer.shape[:-1], len(units))
        key = ("units", number, units.tobytes())
        if key in self._made:
            return self._made[key]
        if layer.type == "dense":
            tag = f"[{units[0]}:{units[-1] + 1}]"
            made = layer.changed(
                shape=shape,
                parameters={**layer.parameters, "units": len(units)},
                arrays=tuple(array[units] for array in layer.arrays),
                origins=tuple(origin and origin + tag for origin in layer.origins),
                hint=layer.hint and f"{layer.hint}{tag}",
            )
        elif layer.type == "affine":
            inner = self._units(layer.inputs[0], units)
            if inner is None:
                return None
            kept = {
                name: array[..., units] if array.ndim and array.shape[-1] > 1 else array
                for name, array in layer.parameters.items()
            }
            made = layer.changed(inputs=(inner,), shape=shape, parameters=kept)
        else:
            return None
        self._made[key] = self.append(made)
        return self._made[key]

    def _columns(self, number: int, units: Positions) -> int | None:
        """Neighbouring columns of a matrix: a slice of its transpose, transposed back."""
        shape = self.layers[number].shape
        if not np.array_equal(units, np.arange(units[0], units[0] + len(units))):
            return None
        rows, width = prod(shape[:-1]), shape[-1]
        table = self._reshaped(number, (rows, width))
        turned = self.append(Layer("identity", (table,), (width, rows), {"axes": [1, 0]}))
        start, stop = int(units[0]) * rows, (int(units[-1]) + 1) * rows
        bounds = {"start": start, "stop": stop}
        part = self.append(Layer("select", (turned,), (stop - start,), bounds))
        part = self._reshaped(part, (len(units), rows))
        return self.append(Layer("identity", (part,), (rows, len(units)), {"axes": [1, 0]}))

    def rows(self, view: View) -> tuple[int, Shape]:
        """The view as a table of rows along its last axis, a vector if it has one row."""
        count = prod(view.shape[:-1])
        shape = (view.shape[-1],) if count == 1 else (count, view.shape[-1])
        return self.materialise(view, shape), shape

    def sample(self, view: View) -> int:
        """The view as one sample's value: without its batch axis."""
        return self.materialise(view, sample_shape(view.shape))

    def last(self, view: View) -> int:
        """The layer of the model's output, in whatever shape it has."""
        return view.layer if view.index is None else self.sample(view)


def sample_shape(shape: Shape) -> Shape:
    """A shape of the model without its batch axis.

    >>> sample_shape((1, 3, 4)), sample_shape((1,)), sample_shape((3, 4))
    ((3, 4), (1,), (3, 4))
    """
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
