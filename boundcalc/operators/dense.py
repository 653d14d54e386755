"""A fully connected affine layer."""

from __future__ import annotations

from math import prod
from typing import Annotated, ClassVar, final

import numpy as np
from pydantic import Field

from boundcalc.errors import SpecError
from boundcalc.operators.affine import AffineLayer, Layout
from boundcalc.operators.base import Array, Shape, SymbolicForm, replicas, spread, symbols
from boundcalc.operators.spectral import spectral_norm


@final
class Dense(AffineLayer):
    """f = W y + c on the last axis of the input; the weights are W row by row, then c.

    An input of shape (…, n), T tokens of n numbers, has the output shape (…, units), as with
    PyTorch's ``Linear``; a flat input is one token.  In the words of
    :class:`~boundcalc.operators.affine.AffineLayer` a token is a patch, so p = n, N = T and
    μ = 1.  With Y the T × n matrix of tokens, on ‖Y‖_F ≤ R_y:

    - ∇₁f = I ⊗ W: a = ℓ = R_w on ‖(W, c)‖ ≤ R_w, as ‖W‖_op ≤ ‖W‖_F; ‖W₀‖_op + ρ on a ball
      of radius ρ around (W₀, c₀).  Constant in y: A = A′ = 0;
    - ∇₂f is [Y 1] for each unit: b = √(R_y² + T); R_y without c;
    - ∇₂f(y) − ∇₂f(y′) is Y − Y′ for each unit: B = 1; affine: B′ = 0.

    All tight.  a: a rank-one W has ‖W‖_op = ‖W‖_F, and ρ times the outer product of the top
    singular vectors of W₀ adds ρ to its norm.  b: T equal tokens y with T‖y‖² = R_y² give
    [Y 1]ᵀ[Y 1] the eigenvalue T(‖y‖² + 1).  B: a rank-one Y − Y′.

    Attributes
    ----------
    units
        Number of outputs.
    bias
        Whether there is a c.

    Examples
    --------
    >>> layer = Dense(units=2)
    >>> w = np.array([[1.0, 2.0, 3.0, 4.0, 0.5, -0.5]])  # W = [[1, 2], [3, 4]], c = (½, −½)
    >>> layer.forward(np.array([[[1.0, 1.0]]]), w, np.zeros((1, 1)))
    array([[[3.5, 6.5]]])
    >>> layer.shaped(((7, 3),)).output_shape
    (7, 2)
    """

    type: ClassVar[str] = "dense"

    units: Annotated[int, Field(strict=True, ge=1, le=100_000)]

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Any shape with a last axis."""
        if not shapes[0] or 0 in shapes[0]:
            raise SpecError(
                "the input of a `dense` operator has no last axis to act on",
                value=f"input of shape {shapes[0]}",
                expected="a shape (n,) or (…, n), no axis of length 0",
                fix="look at the shape of the operator before it, or of the data",
            )

    @property
    def output_shape(self) -> Shape:
        """The input's shape with ``units`` for its last axis."""
        return (*self.shapes[0][:-1], self.units)

    def output_size(self, inputs: int) -> int:
        """The units for every token."""
        return self._tokens() * self.units

    def weight_size(self, inputs: int) -> int:
        """units·n, and units more with a bias; n is the size of a token."""
        return self.units * (inputs // self._tokens() + self.bias)

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """W y + c for every token."""
        tokens = self._by_token(y)
        matrix, c = self._split(tokens, w)
        output = tokens @ matrix.swapaxes(1, 2)
        if self.bias:
            output = output + c[:, None, :]
        return output.reshape(len(output), y.shape[1], -1)

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """Wᵀv for every token; and the sum over tokens of v yᵀ row by row, then of v."""
        count, T = replicas(y, w, v), self._tokens()
        back = v.reshape(*v.shape[:2], T, self.units)
        outer = back.swapaxes(2, 3) @ y.reshape(*y.shape[:2], T, -1)
        weight_part = spread(outer.reshape(*outer.shape[:2], -1), count)
        if self.bias:
            weight_part = np.concatenate([weight_part, spread(back.sum(axis=2), count)], axis=-1)
        return self._pulled(y, w, v), weight_part

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, the average over samples as a matrix product."""
        return self._pulled(y, w, v), self.mean_weight_vjp(y, w, labels, v)

    def mean_weight_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> Array:
        """The mean over samples of the weight part of :meth:`vjp`."""
        count, samples = replicas(y, w, v), y.shape[1]
        y, v = self._by_token(y), v.reshape(len(v), -1, self.units)
        outer = v.swapaxes(1, 2) @ y / samples
        mean = spread(outer.reshape(len(outer), -1), count)
        if self.bias:
            mean = np.concatenate([mean, spread(v.sum(axis=1) / samples, count)], axis=-1)
        return mean

    def symbolic(self, inputs: int) -> SymbolicForm:
        """W y + c for every token."""
        y, w, label = symbols(inputs, self.weight_size(inputs))
        n = inputs // self._tokens()
        rows = [w[j * n : (j + 1) * n] for j in range(self.units)]
        c = w[self.units * n :] if self.bias else (0,) * self.units
        outputs = (
            sum(wi * yi for wi, yi in zip(row, y[t : t + n], strict=True)) + cj
            for t in range(0, inputs, n)
            for row, cj in zip(rows, c, strict=True)
        )
        return SymbolicForm(y, w, label, tuple(outputs))

    def _tokens(self) -> int:
        return prod(self.shapes[0][:-1]) if self.shapes else 1

    def _by_token(self, y: Array) -> Array:
        """(R, M·T, n): the samples' tokens one after another."""
        return y.reshape(len(y), y.shape[1] * self._tokens(), -1)

    def _split(self, tokens: Array, w: Array) -> tuple[Array, Array]:
        """W as (R, units, n), and c."""
        n = tokens.shape[-1]
        return w[:, : self.units * n].reshape(len(w), self.units, n), w[:, self.units * n :]

    def _pulled(self, y: Array, w: Array, v: Array) -> Array:
        matrix, _ = self._split(self._by_token(y), w)
        back = v.reshape(len(v), -1, self.units) @ matrix
        return spread(back.reshape(len(back), y.shape[1], -1), replicas(y, w, v))

    def _units(self) -> int:
        return self.units

    def _layout(self) -> Layout:
        return Layout(self.shapes[0][-1] if self.shapes else None, self._tokens())

    def _norm(self, kernel: Array) -> float:
        return spectral_norm(kernel)
