"""What a name in a model stands for while it is read: constants, views, formulas, scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.importers.base import Numbers
from boundcalc.importers.formulas import Tree
from boundcalc.operators.regions import Shape

Positions: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Constant:
    """An array that does not depend on the input.

    Attributes
    ----------
    array
        Its value.
    origin
        The parameter of the model that it is, ``""`` if it was computed from several.
    """

    array: Numbers
    origin: str = ""

    @property
    def shape(self) -> Shape:
        """The shape of the array."""
        return tuple(self.array.shape)

    @property
    def number(self) -> float | None:
        """Its value if it is a single number."""
        return float(self.array.reshape(())) if self.array.size == 1 else None


@dataclass(frozen=True, eq=False)
class View:
    """Components of a layer's output, moved around: reshaped, transposed, sliced.

    Models move numbers between layers in many ways that mean little, such as splitting
    heads and joining them.  A view keeps where each number comes from, so that whatever
    cancels leaves no trace.

    Attributes
    ----------
    layer
        The number of the layer.
    size
        The size of that layer's output.
    shape
        The shape in the model, with its batch axis of length 1.
    index
        For each component its position in the layer's output, in C order; None if the
        view holds all of them in order.
    """

    layer: int
    size: int
    shape: Shape
    index: Positions | None = None

    def positions(self) -> Positions:
        """The index, written out."""
        if self.index is not None:
            return self.index
        return np.arange(self.size, dtype=np.int64).reshape(self.shape)

    def moved(self, move: Callable[[Positions], Positions]) -> View:
        """The view whose positions are those of this one, moved."""
        index = move(self.positions())
        shape = tuple(index.shape)
        in_order = index.size == self.size and bool(
            np.array_equal(index.ravel(), np.arange(self.size))
        )
        return View(self.layer, self.size, shape, None if in_order else index)

    def reshaped(self, shape: Shape) -> View:
        """The same components in the same order in another shape."""
        if self.index is None and prod(shape) == self.size:
            return View(self.layer, self.size, shape)
        return self.moved(lambda index: index.reshape(shape))

    def on(self, layer: int) -> View:
        """The same view of another layer with as many components."""
        return View(layer, self.size, self.shape, self.index)

    def same(self, other: View) -> bool:
        """Whether two views have the same components in the same places."""
        if (self.layer, self.shape) != (other.layer, other.shape):
            return False
        if self.index is None or other.index is None:
            return self.index is other.index
        return bool(np.array_equal(self.index, other.index))


@dataclass(frozen=True, eq=False)
class Formula:
    """A formula in the components of one view, not yet known to be an operator.

    Attributes
    ----------
    base
        The view that is its x.
    tree
        The formula, see :mod:`boundcalc.importers.formulas`.
    shape
        That of the base, or with a last axis of length 1 if it is a mean along it.
    """

    base: View
    tree: Tree
    shape: Shape


@dataclass(frozen=True, eq=False)
class Scores:
    """The product q kᵀ of two views, on its way to attention.

    Attributes
    ----------
    query, key
        Views of shapes ``(…, T, D)`` and ``(…, D, S)``.
    factor
        What the product was multiplied by.
    causal
        Whether a mask left out what comes later.
    weights
        Whether softmax was applied.
    """

    query: View
    key: View
    factor: float
    causal: bool = False
    weights: bool = False

    @property
    def shape(self) -> Shape:
        """The shape ``(…, T, S)``."""
        return (*self.query.shape[:-1], self.key.shape[-1])


#: What a name in a model stands for.
Value: TypeAlias = Constant | View | Formula | Scores
