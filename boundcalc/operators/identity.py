"""The same numbers, in another shape or order."""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar, Self, final

import numpy as np
from pydantic import Field, model_validator

from boundcalc.errors import SpecError
from boundcalc.operators.base import (
    ONE,
    ZERO,
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    Shape,
    SymbolicForm,
    replicas,
    spread,
    symbols,
)
from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import custom_error

_Axis = Annotated[int, Field(strict=True, ge=0, le=7)]
_Size = Annotated[int, Field(strict=True, ge=1, le=10**9)]


@final
class Identity(Operator):
    """f = y; with ``axes`` its axes are permuted, then with ``shape`` it is read in that shape.

    A permutation of components is an isometry: a = ℓ = 1, and constant: all others 0.
    Tight.  It is the root for data that several operators read, and what a network's
    flatten, reshape and transpose layers become.

    Attributes
    ----------
    axes
        The axes of the input in their new order, as in ``numpy.transpose``.
    shape
        The new shape, of the same size.

    Examples
    --------
    >>> transpose = Identity(axes=(1, 0)).shaped(((2, 3),))
    >>> y = np.array([[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]])
    >>> transpose.forward(y, np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[1., 4., 2., 5., 3., 6.]]])
    >>> transpose.output_shape
    (3, 2)
    """

    type: ClassVar[str] = "identity"
    affine: ClassVar[bool] = True

    axes: Annotated[tuple[_Axis, ...], Field(min_length=1, max_length=8)] | None = None
    shape: Annotated[tuple[_Size, ...], Field(min_length=1, max_length=8)] | None = None

    @model_validator(mode="after")
    def _is_permutation(self) -> Self:
        if self.axes is not None and sorted(self.axes) != list(range(len(self.axes))):
            raise custom_error(
                "`axes` does not name every axis once", "each of 0, 1, … once, such as [1, 0]"
            )
        return self

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """The input has as many axes as ``axes``, and as many components as ``shape``."""
        (shape,) = shapes
        if self.axes is not None and len(self.axes) != len(shape):
            raise SpecError(
                "an `identity` operator permutes all axes of its input",
                value=f"axes {self.axes} for an input of shape {shape}",
                expected=f"{len(shape)} axes",
                fix="change `axes`; it does not count the samples",
            )
        if self.shape is not None and prod(self.shape) != prod(shape):
            raise SpecError(
                "an `identity` operator keeps the number of components",
                value=f"shape {self.shape} for an input of shape {shape}",
                expected=f"a shape with {prod(shape)} components",
                fix="change `shape`; it does not count the samples",
            )

    def output_size(self, inputs: int) -> int:
        """As many as inputs."""
        return inputs

    @property
    def output_shape(self) -> Shape:
        """The shape in ``shape``, else that of the input with its axes permuted."""
        if self.shape is not None:
            return self.shape
        (shape,) = self.shapes
        return shape if self.axes is None else tuple(shape[axis] for axis in self.axes)

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The input, its axes permuted."""
        return self._permuted(spread(y, replicas(y, w)), self._input_axes())

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The vector v, its axes permuted back."""
        shape, axes = self._input_axes()
        turned = tuple(shape[axis] for axis in axes)
        back = tuple(int(axis) for axis in np.argsort(axes))
        result = self._permuted(spread(v, replicas(y, w, v)), (turned, back))
        return result, result[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The input, its axes permuted."""
        y, w, label = symbols(inputs, 0)
        shape, axes = self._input_axes()
        places = np.arange(inputs).reshape(shape or (inputs,)).transpose(axes or (0,))
        return SymbolicForm(y, w, label, tuple(y[int(i)] for i in places.ravel()))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = 1, the others 0."""
        return InputConstants(jac_input=ONE, lip_input=ONE)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """That of the input."""
        return Domain(region.input, region.low, region.high)

    def _input_axes(self) -> tuple[Shape, tuple[int, ...]]:
        """The shape to permute and the order of its axes; empty where nothing is permuted."""
        if self.axes is None:
            return (), ()
        return self.shapes[0], self.axes

    @staticmethod
    def _permuted(y: Array, shape_and_axes: tuple[Shape, tuple[int, ...]]) -> Array:
        """A fresh array: y read in a shape, with the axes behind the first two permuted."""
        shape, axes = shape_and_axes
        if not axes:
            return np.array(y)
        lead = y.shape[:-1]
        turned = y.reshape(*lead, *shape).transpose(0, 1, *(2 + axis for axis in axes))
        return turned.reshape(*lead, -1).copy()
