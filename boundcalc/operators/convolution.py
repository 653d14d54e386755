"""What convolutions of signals and of images share."""

from __future__ import annotations

from abc import abstractmethod
from math import prod
from typing import Annotated

import numpy as np
from pydantic import Field

from boundcalc.errors import SpecError
from boundcalc.operators.affine import AffineLayer, Layout
from boundcalc.operators.base import Array, Shape, SymbolicForm, replicas, spread, symbols
from boundcalc.operators.convolution_norm import grid_norm
from boundcalc.operators.windows import Count, Grid, gathered, require_fit, scattered


class Convolution(AffineLayer):
    """f = K * y + c as in PyTorch; the weights are K (out, in/groups, taps) in C order, then c.

    An :class:`~boundcalc.operators.affine.AffineLayer`: a patch is what a window sees, p =
    (in/groups)·taps, N the number of positions, and μ the largest number of (window, tap)
    pairs that meet one entry of the input, at most taps.  Groups are independent copies on
    disjoint channels, so norms are largest over groups, and on each ‖y_group‖ ≤ ‖y‖.  So

    - a = ℓ = √μ R_w, or ‖K₀ * ·‖ + √μ ρ, the norm bounded from above by
      :func:`~boundcalc.operators.convolution_norm.convolution_norm`;
    - b = √(μR_y² + N), √μ R_y without c; B = √μ; A = A′ = B′ = 0.

    Attained where windows do not overlap (μ = 1); otherwise approached by constant kernels
    and images as the image grows, since all but the entries near the border are met μ times.
    """

    channels: Count
    groups: Annotated[int, Field(strict=True, ge=1, le=100_000)] = 1

    @abstractmethod
    def _grid(self, shape: Shape) -> Grid:
        """The windows on an input of this shape."""

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """A shape of the right length, channels that groups divide, a kernel that fits."""
        shape = shapes[0]
        grid = self._grid(shape)
        for name, count in (("input", shape[0]), ("output", self.channels)):
            if count % self.groups:
                raise SpecError(
                    f"the groups of a `{self.type}` operator do not divide its {name} channels",
                    value=f"input of shape {shape}, {self.channels} output channels, "
                    f"{self.groups} groups",
                    expected="input and output channels that are multiples of `groups`",
                )
        require_fit(grid, shape, self.type)

    @property
    def output_shape(self) -> Shape:
        """The channels, and the number of positions along each axis."""
        counts = tuple(axis.count for axis in self._windows())
        return (self.channels, *counts[3 - len(self.shapes[0]) :])

    def output_size(self, inputs: int) -> int:
        """Channels times positions."""
        return self.channels * prod(axis.count for axis in self._windows())

    def weight_size(self, inputs: int) -> int:
        """The entries of K, and one for each channel with a bias."""
        layout = self._layout()
        assert layout.patch is not None  # noqa: S101 - a grid has taps
        return self.channels * (layout.patch + self.bias)

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """K * y + c."""
        kernel, c = self._split(w)
        output = kernel[:, None] @ self._patches(y)  # (R, M, groups, out/groups, N)
        output = output.reshape(*output.shape[:2], self.channels, -1)
        if self.bias:
            output = output + c[:, None, :, None]
        return output.reshape(*output.shape[:2], -1)

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The adjoint convolution of v; and its products with the patches, then its sums."""
        count, back = replicas(y, w, v), self._by_group(v)
        outer = back @ self._patches(y).swapaxes(-1, -2)
        weight_part = spread(outer.reshape(*outer.shape[:2], -1), count)
        if self.bias:
            sums = back.sum(axis=-1).reshape(*back.shape[:2], -1)
            weight_part = np.concatenate([weight_part, spread(sums, count)], axis=-1)
        return self._pulled(y, w, v), weight_part

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, the average over samples as a matrix product."""
        return self._pulled(y, w, v), self.mean_weight_vjp(y, w, labels, v)

    def mean_weight_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> Array:
        """The mean over samples of the weight part of :meth:`vjp`."""
        count, samples = replicas(y, w, v), y.shape[1]
        back, patches = _merged(self._by_group(v)), _merged(self._patches(y))
        outer = back @ patches.swapaxes(-1, -2) / samples
        mean = spread(outer.reshape(len(outer), -1), count)
        if self.bias:
            sums = back.sum(axis=-1).reshape(len(back), -1) / samples
            mean = np.concatenate([mean, spread(sums, count)], axis=-1)
        return mean

    def symbolic(self, inputs: int) -> SymbolicForm:
        """K * y + c, tap by tap."""
        y, w, label = symbols(inputs, self.weight_size(inputs))
        rows, columns = self._windows()
        share = self.shapes[0][0] // self.groups
        c = w[len(w) - self.channels :] if self.bias else (0,) * self.channels
        taps = [*np.ndindex(share, rows.taps, columns.taps)]
        outputs = []
        for out, i, j in np.ndindex(self.channels, rows.count, columns.count):
            first = out // (self.channels // self.groups) * share
            terms = [c[out]]
            for tap, (channel, a, b) in enumerate(taps):
                row = i * rows.stride + a * rows.dilation - rows.padding
                column = j * columns.stride + b * columns.dilation - columns.padding
                if 0 <= row < rows.size and 0 <= column < columns.size:
                    place = ((first + channel) * rows.size + row) * columns.size + column
                    terms.append(w[out * len(taps) + tap] * y[place])
            outputs.append(sum(terms))
        return SymbolicForm(y, w, label, tuple(outputs))

    def _windows(self) -> Grid:
        if not self.shapes:
            raise SpecError(
                f"the input of a `{self.type}` operator has no shape yet",
                expected="the shape of one sample, channels first",
            )
        return self._grid(self.shapes[0])

    def _patches(self, y: Array) -> Array:
        """(R, M, groups, p, N): what the windows see."""
        grid = self._windows()
        images = y.reshape(*y.shape[:2], -1, grid[0].size, grid[1].size)
        positions = grid[0].count * grid[1].count
        return gathered(images, grid).reshape(*y.shape[:2], self.groups, -1, positions)

    def _pulled(self, y: Array, w: Array, v: Array) -> Array:
        kernel, _ = self._split(w)
        rows, columns = self._windows()
        seen = kernel.swapaxes(-1, -2)[:, None] @ self._by_group(v)
        seen = seen.reshape(*seen.shape[:2], -1, rows.taps, columns.taps, rows.count, columns.count)
        back = scattered(seen, (rows, columns))
        return spread(back.reshape(*back.shape[:2], -1), replicas(y, w, v))

    def _split(self, w: Array) -> tuple[Array, Array]:
        """K as (R, groups, out/groups, p), and c."""
        size = w.shape[1] - self.channels * self.bias
        kernel = w[:, :size].reshape(len(w), self.groups, self.channels // self.groups, -1)
        return kernel, w[:, size:]

    def _by_group(self, v: Array) -> Array:
        """(R, M, groups, out/groups, N)."""
        return v.reshape(*v.shape[:2], self.groups, self.channels // self.groups, -1)

    def _units(self) -> int:
        return self.channels

    def _layout(self) -> Layout:
        rows, columns = self._windows()
        return Layout(
            patch=self.shapes[0][0] // self.groups * rows.taps * columns.taps,
            positions=rows.count * columns.count,
            overlap=rows.overlap * columns.overlap,
            padded=rows.padding + columns.padding > 0,
        )

    def _norm(self, kernel: Array) -> float:
        rows, columns = self._windows()
        shape = (self.channels, -1, rows.taps, columns.taps)
        return grid_norm(kernel.reshape(shape), (rows, columns), self.groups)


def _merged(blocks: Array) -> Array:
    """(R, M, groups, k, N) as (R, groups, k, M·N): samples side by side."""
    R, M, groups, k, N = blocks.shape
    return blocks.transpose(0, 2, 3, 1, 4).reshape(R, groups, k, M * N)
