"""Averages over windows, over all positions, or over tokens."""

from __future__ import annotations

import math
from fractions import Fraction
from math import prod
from typing import ClassVar, Literal, Self, final

import numpy as np
from pydantic import Field, model_validator

from boundcalc.errors import SpecError
from boundcalc.operators.affine import root_of, size, times
from boundcalc.operators.base import (
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
from boundcalc.operators.rounding import rounded_up
from boundcalc.operators.spectral import spectral_norm
from boundcalc.operators.windows import (
    Counts,
    Grid,
    Margins,
    Windows,
    gathered,
    require_axes,
    require_fit,
    scattered,
)
from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import custom_error

#: Up to this many entries the averaging matrix of one axis is written out.
_WRITTEN_OUT = 2**22


@final
class MeanPool(Operator):
    """Averages: a fixed linear map P, without weights.

    - with a ``kernel``: over windows on (channels, length) or (channels, height, width), as
      ``AvgPool1d`` and ``AvgPool2d`` of PyTorch (zeros of the padding count as entries);
    - without, ``over: positions``: over every axis but the first, (channels, …) to
      (channels,), as ``AdaptiveAvgPool2d(1)``;
    - without, ``over: tokens``: over every axis but the last, (…, width) to (width,).

    a = ℓ = ‖P‖, the others 0.  Over k entries that no two outputs share ‖P‖ = 1/√k, since
    the rows of P are orthogonal and have norm 1/√k; with padding the fullest window counts,
    √(entries inside)/k.  Windows that overlap: P is the Kronecker product of one averaging
    matrix for each axis (and the identity for channels), and ‖P‖ the product of their norms,
    which are measured; of an axis too long for that, ‖P‖² ≤ ‖P‖₁‖P‖_∞ stands in.  All but
    the last are tight.  Averages stay in the box of the input, with 0 if there is padding.

    Attributes
    ----------
    kernel
        Entries of a window; one number, or [rows, columns].  Left out: one average.
    stride
        From window to window; the kernel if left out, so that windows do not overlap.
    padding
        Zeros at each end.
    over
        What one average is taken over, without a kernel.

    Examples
    --------
    >>> pool = MeanPool(kernel=2).shaped(((3, 8, 8),))
    >>> pool.output_shape, str(pool.constants(Region(), None, reads=False).jac_input)
    ((3, 4, 4), '1/2')
    >>> MeanPool().shaped(((3, 8, 8),)).output_shape
    (3,)
    """

    type: ClassVar[str] = "mean_pool"
    affine: ClassVar[bool] = True

    kernel: Counts | None = None
    stride: Counts | None = None
    padding: Margins = Field(default=(0, 0), json_schema_extra={"default": 0})
    over: Literal["positions", "tokens"] = "positions"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.kernel is None and (self.stride is not None or any(self.padding)):
            raise custom_error(
                "`stride` and `padding` say where windows stand, but there is no window",
                "a `kernel`",
                "add `kernel`, or leave them out to average over everything",
            )
        if self.kernel is not None and self.over != "positions":
            raise custom_error(
                "windows stand over positions, not over tokens",
                "`kernel` or `over: tokens`, not both",
            )
        return self

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """A kernel needs (channels, length) or (channels, height, width), and must fit."""
        shape = shapes[0]
        if self.kernel is not None:
            require_fit(self._grid(shape), shape, self.type)
        elif len(shape) < 2 or 0 in shape:
            raise SpecError(
                "the input of a `mean_pool` operator has nothing to average over",
                value=f"input of shape {shape}",
                expected="two axes or more, none of length 0: (channels, …), or (…, width) "
                "with `over: tokens`",
                fix="give the operator before it an output with such a shape",
            )

    @property
    def output_shape(self) -> Shape:
        """The channels and positions, the channels, or the width."""
        shape = self.shapes[0]
        if self.kernel is not None:
            counts = tuple(axis.count for axis in self._grid(shape))
            return (shape[0], *counts[3 - len(shape) :])
        return shape[:1] if self.over == "positions" else shape[-1:]

    def output_size(self, inputs: int) -> int:
        """The entries of the output shape."""
        return prod(self.output_shape)

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The averages."""
        means = self._seen(y).mean(axis=-2)
        return spread(means.reshape(*y.shape[:2], -1), replicas(y, w))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """Every average's v, shared out among its entries."""
        shape, batch, entries = self.shapes[0], v.shape[:2], self._entries()
        if self.kernel is not None:
            rows, columns = grid = self._grid(shape)
            parts = v.reshape(*batch, shape[0], 1, 1, rows.count, columns.count) / entries
            seen = (*batch, shape[0], rows.taps, columns.taps, rows.count, columns.count)
            back = scattered(np.broadcast_to(parts, seen), grid)
        elif self.over == "positions":
            back = np.repeat(v / entries, entries, axis=-1)
        else:
            back = np.tile(v / entries, entries)
        back = spread(back.reshape(*batch, -1), replicas(y, w, v))
        return back, np.zeros((*back.shape[:2], 0))

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The averages; which entries each is taken over, found by averaging their numbers."""
        y, _, label = symbols(inputs, 0)
        names = np.array([*y, 0], dtype=object)
        # Padding shows as −1, the place of the 0 at the end.
        places = self._seen(np.arange(1.0, inputs + 1.0)[None, None])[0, 0].astype(int) - 1
        places = places.reshape(-1, *places.shape[-2:])
        outputs = tuple(
            sum(names[place] for place in window) / self._entries()
            for channel in places
            for window in channel.T
        )
        return SymbolicForm(y, (), label, outputs)

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constant a = ℓ = ‖P‖."""
        norm = self._norm()
        return InputConstants(jac_input=norm, lip_input=norm)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """A ball of radius ‖P‖R_y, and the input's box."""
        radius = None if region.input is None else times(self._norm(), region.input)
        low, high = region.interval()
        if any(self.padding):
            low, high = min(low, 0.0), max(high, 0.0)
        return Domain(radius, low, high)

    def _grid(self, shape: Shape) -> Grid:
        """The windows; a signal is one row, for which both numbers of a pair must agree."""
        assert self.kernel is not None  # noqa: S101 - the caller has looked
        stride = self.stride or self.kernel
        names = ("channels", "length") if len(shape) == 2 else ("channels", "height", "width")
        _, *sizes = require_axes(shape, names, self.type)
        rows, columns = (
            Windows(size, self.kernel[i], stride[i], self.padding[i])
            for i, size in enumerate((*sizes, *sizes)[:2])
        )
        if len(sizes) == 2:
            return rows, columns
        if rows != columns:
            raise SpecError(
                "windows over a signal have one length, but a pair is given",
                value=f"input of shape {shape}, kernel {list(self.kernel)}",
                expected="one number for each of `kernel`, `stride` and `padding`",
            )
        return Windows(size=1, taps=1), columns

    def _entries(self) -> int:
        """The number k of entries of one average."""
        shape = self.shapes[0]
        if self.kernel is not None:
            return prod(axis.taps for axis in self._grid(shape))
        return prod(shape[1:] if self.over == "positions" else shape[:-1])

    def _seen(self, y: Array) -> Array:
        """(R, M, channels, k, positions): what each average is taken over."""
        shape, batch = self.shapes[0], y.shape[:2]
        if self.kernel is not None:
            rows, columns = grid = self._grid(shape)
            seen = gathered(y.reshape(*batch, shape[0], rows.size, columns.size), grid)
            return seen.reshape(*batch, shape[0], self._entries(), -1)
        if self.over == "positions":
            return y.reshape(*batch, shape[0], -1, 1)
        return y.reshape(*batch, 1, -1, shape[-1])

    def _norm(self) -> Expression:
        """‖P‖, exactly or from above."""
        if self.kernel is None:
            return root_of(Fraction(1, self._entries()))
        square, factor = Fraction(1), 1.0
        for axis in self._grid(self.shapes[0]):
            if axis.overlap == 1:
                square *= Fraction(int(axis.inside.max()), axis.taps**2)
            else:
                factor *= _axis_norm(axis)
        apart = root_of(square)
        return apart if factor == 1.0 else times(apart, size(rounded_up(factor)))


def _axis_norm(axis: Windows) -> float:
    """The norm of the averaging matrix of one axis, from above.

    >>> round(_axis_norm(Windows(size=2, taps=2, stride=1, padding=1)), 6)  # [1 0; 1 1; 0 1]/2
    0.866025
    """
    if axis.taps * axis.count * axis.size <= _WRITTEN_OUT:
        # Entries of the matrix are rounded once.
        return rounded_up(spectral_norm(axis.matrices().sum(axis=0) / axis.taps))
    return rounded_up(math.sqrt(axis.overlap * axis.inside.max()) / axis.taps)
