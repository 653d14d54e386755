"""From values to layers: formulas become operators, and layers that many kinds of nodes make."""

from __future__ import annotations

from math import prod
from typing import Any, final

import numpy as np

from boundcalc.importers.base import Layer, Numbers, unsupported
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
from boundcalc.importers.layers import Layers, sample_shape
from boundcalc.importers.recognise import recognised
from boundcalc.importers.values import Constant, Formula, Scores, Value, View
from boundcalc.operators.regions import Shape

#: Formulas that act along the last axis; all others act in each component by itself.
_ALONG = frozenset(["mean", "layer_norm", "rms_norm"])


@final
class Builder(Layers):
    """Layers from values of every kind."""

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
