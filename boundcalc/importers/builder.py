"""From values to layers: every view becomes the output of a layer when one must read it."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from boundcalc.importers.base import INPUT, MAX_LAYERS, Layer, Numbers, check_shape, unsupported
from boundcalc.importers.formulas import (
    MAX_NODES,
    Tree,
    X,
    described,
    function,
    replaced,
    size,
    subtrees,
)
from boundcalc.importers.recognise import recognised
from boundcalc.importers.strides import columns, strided, transposition
from boundcalc.importers.values import Constant, Formula, Positions, Scores, Value, View
from boundcalc.operators.regions import Shape

#: Formulas that act along the last axis; all others act in each component by itself.
_ALONG = frozenset(["mean", "layer_norm", "rms_norm"])


class Builder:
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

    # Views become layers -----------------------------------------------------------------

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

    # Formulas become layers --------------------------------------------------------------

    def view(self, value: Value) -> View:
        """The value as a view; formulas become operators.

        Raises
        ------
        UnsupportedError
            If a formula is no operator of the library, or for constants and scores.
        """
        if isinstance(value, View):
            return value
        if isinstance(value, Formula):
            return self._lowered(value.base, value.tree)
        if isinstance(value, Scores):
            raise unsupported(
                "the product of two activations is supported inside attention alone",
                "",
                fix="expected: softmax(q·kᵀ/√d)·v, with one value of `heads` and `d`",
            )
        raise unsupported("an activation is expected here, not a constant", "", value.shape)

    def formula(self, base: View, tree: Tree, shape: Shape | None = None) -> Formula:
        """A formula, unless it has grown too long."""
        if size(tree) > MAX_NODES:
            raise unsupported("an elementwise formula is too long", "", f"over {MAX_NODES} parts")
        return Formula(base, tree, base.shape if shape is None else shape)

    def in_formula(self, value: Value) -> tuple[View, Tree]:
        """The base and tree of a value that is no constant."""
        return (value.base, value.tree) if isinstance(value, Formula) else (self.view(value), X)

    def applied(self, value: Value, name: str) -> Formula:
        """A function of a value in every component; ``mean`` along the last axis."""
        base, tree = self.in_formula(value)
        shape = value.shape
        if name == "mean":
            shape = (*shape[:-1], 1)
        return self.formula(base, function(name, tree), shape)

    def activation(self, value: Value, kind: str, parameters: dict[str, Any]) -> View:
        """An elementwise operator of the library; it commutes with how numbers are moved."""
        view = self._whole(self.view(value))
        shape = self.layers[view.layer].shape
        return view.on(self.append(Layer(kind, (view.layer,), shape, parameters)))

    def _whole(self, view: View) -> View:
        """The view, its layer having no component that the view leaves out."""
        if view.index is None or view.index.size == view.size:
            return view
        shape = sample_shape(view.shape)
        return View(self.materialise(view, shape), prod(shape), view.shape)

    def _lowered(self, base: View, tree: Tree) -> View:
        if tree == X:
            return base
        found = recognised(tree)
        if found is not None:
            return self._recognised(base, *found)
        if tree[0] == "+" and len(tree[2]) == 1:
            return self._scaled(self._lowered(base, tree[2][0][1]), tree[2][0][0], tree[1])
        for part in subtrees(tree):
            rest = replaced(tree, part)
            if rest is not None and recognised(part) is not None:
                return self._lowered(self._lowered(base, part), rest)
        if tree[0] == "+" and len(tree[2]) > 1:
            parts = [self._lowered(base, t) for _, t in tree[2]]
            return self._scaled(self.added(parts, [k for k, _ in tree[2]]), 1.0, tree[1])
        if tree[0] == "*" and all(p.denominator == 1 and p > 0 for _, p in tree[1]):
            parts = [self._lowered(base, t) for t, p in tree[1] for _ in range(int(p))]
            return self.multiplied(parts)
        raise unsupported(
            "this elementwise formula is no operator of the library",
            "",
            described(tree),
            fix="supported: relu, leaky_relu, gelu, silu, softplus, sigmoid, tanh, sine, square, "
            "layer and RMS normalisation",
        )

    def _recognised(self, base: View, kind: str, parameters: dict[str, Any]) -> View:
        if kind == "mean":
            return self.mean(base, (len(base.shape) - 1,), keep=True)
        if kind in _ALONG:
            number, shape = self.rows(base)
            switch = "scale_and_shift" if kind == "layer_norm" else "scale"
            layer = Layer(kind, (number,), shape, {**parameters, switch: False})
            return self.new(layer, base.shape)
        return self.activation(base, kind, parameters)

    def _scaled(self, view: View, factor: float, shift: float) -> View:
        return self.affine(view, Constant(np.array(factor)), Constant(np.array(shift)))

    # Layers that several kinds of nodes make -----------------------------------------------

    def affine(self, view: View, factors: Constant, shifts: Constant, hint: str = "") -> View:
        """factors·y + shifts, of shapes that broadcast to the view's."""
        scale, shift = (fitted(constant.array, view.shape) for constant in (factors, shifts))
        if scale.size == shift.size == 1:  # the same in every component: moving commutes
            view = self._whole(view)
            number, shape = view.layer, self.layers[view.layer].shape
        elif all(array.shape[-1] == array.size for array in (scale, shift)):
            number, shape = self.rows(view)
        else:
            shape = sample_shape(view.shape)
            number = self.materialise(view, shape)
        parameters = {
            "scale": scale.reshape(scale.shape[-len(shape) :]),
            "shift": shift.reshape(shift.shape[-len(shape) :]),
        }
        layer = Layer(
            "affine",
            (number,),
            shape,
            parameters,
            origins=(factors.origin, shifts.origin),
            trainable=False,
            hint=hint,
        )
        made = self.append(layer)
        return view.on(made) if number == view.layer else View(made, layer.size, view.shape)

    def added(self, views: list[View], factors: list[float]) -> View:
        """Σ c_u y_u of values of one shape."""
        shape = views[0].shape
        for view in views[1:]:
            if view.shape != shape:
                raise unsupported(
                    "activations of different shapes are added",
                    "",
                    f"{list(shape)} and {list(view.shape)}",
                    fix="only constants are broadcast",
                )
        parameters: dict[str, Any] = {}
        if any(factor != 1.0 for factor in factors):
            parameters["factors"] = [plain(factor) for factor in factors]
        numbers = tuple(self.sample(view) for view in views)
        return self.new(Layer("add", numbers, self.layers[numbers[0]].shape, parameters), shape)

    def multiplied(self, views: list[View]) -> View:
        """The product of values of one shape, component by component."""
        result = views[0]
        for view in views[1:]:
            if view.shape != result.shape:
                raise unsupported(
                    "activations of different shapes are multiplied",
                    "",
                    f"{list(result.shape)} and {list(view.shape)}",
                )
            numbers = (self.sample(result), self.sample(view))
            shape = self.layers[numbers[0]].shape
            result = self.new(Layer("multiply", numbers, shape), result.shape)
        return result

    def mean(self, view: View, axes: tuple[int, ...], keep: bool) -> View:
        """The mean over neighbouring axes."""
        axes = tuple(sorted(axis % len(view.shape) for axis in axes))
        if not axes or axes != tuple(range(axes[0], axes[-1] + 1)):
            raise unsupported("a mean over axes that are not neighbours", "", list(axes))
        before = prod(view.shape[: axes[0]])
        over = prod(view.shape[axes[0] : axes[-1] + 1])
        after = prod(view.shape[axes[-1] + 1 :])
        kept = [1 if axis in axes else n for axis, n in enumerate(view.shape)]
        left = [n for axis, n in enumerate(view.shape) if axis not in axes]
        shape = tuple(kept if keep else left)
        return self.new(self._mean_layer(view, before, over, after), shape)

    def _mean_layer(self, view: View, before: int, over: int, after: int) -> Layer:
        """The mean of a value of shape (before, over, after) over its middle."""
        own = sample_shape(view.shape)
        if before > 1 and after > 1:
            source = self.materialise(view, (before, over, after))
            return Layer("mean_pool", (source,), (before, 1, after), {"kernel": [over, 1]})
        if before > 1:
            whole = len(own) > 1 and own[0] == before
            source = self.materialise(view, own if whole else (before, over))
            return Layer("mean_pool", (source,), (before,))
        whole = len(own) > 1 and own[-1] == after
        source = self.materialise(view, own if whole else (over, after))
        return Layer("mean_pool", (source,), (after,), {"over": "tokens"})


def sample_shape(shape: Shape) -> Shape:
    """A shape of the model without its batch axis.

    >>> sample_shape((1, 3, 4)), sample_shape((1,)), sample_shape((3, 4))
    ((3, 4), (1,), (3, 4))
    """
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


def fitted(array: Numbers, shape: Shape) -> Numbers:
    """An array with axes of length 1 in front, so that it broadcasts to a shape.

    Raises
    ------
    UnsupportedError
        If it does not, or would make the shape larger.
    """
    full = array.reshape((1,) * (len(shape) - array.ndim) + tuple(array.shape))
    pairs: list[tuple[int, int]] = list(zip(full.shape, shape, strict=False))
    if full.ndim != len(shape) or not all(size in (1, wanted) for size, wanted in pairs):
        raise unsupported(
            "a constant does not fit the activation it is combined with",
            "",
            f"{list(array.shape)} and {list(shape)}",
        )
    return full


def plain(number: float) -> int | float:
    """A number as a spec writes it.

    >>> plain(-1.0), plain(0.5)
    (-1, 0.5)
    """
    return int(number) if float(number).is_integer() and abs(number) < 2**53 else float(number)
