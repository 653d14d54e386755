"""A fully connected affine layer."""

from __future__ import annotations

from typing import Annotated, ClassVar, final

import numpy as np
from pydantic import Field, StrictBool

from boundcalc.operators.base import (
    ONE,
    Array,
    Data,
    InputConstants,
    Operator,
    Region,
    SymbolicForm,
    replicas,
    rows_radius,
    spread,
    symbols,
)
from boundcalc.spec.expressions import Expression, root


@final
class Dense(Operator):
    """f = W y + c; the weights are W row by row, then c.

    On ‖y‖ ≤ R_y, ‖(W, c)‖ ≤ R_w (Euclidean, so Frobenius for W):

    - ∇₁f = W: a = ℓ = R_w, as ‖W‖_op ≤ ‖W‖_F, and constant in y: A = A′ = 0;
    - ∇₂f = [I ⊗ yᵀ, I] has ∇₂f ∇₂fᵀ = (‖y‖² + 1) I: b = √(R_y² + 1); R_y without c;
    - ∇₂f(y) − ∇₂f(y′) has norm ‖y − y′‖ by the same product: B = 1; affine: B′ = 0.

    All tight: a rank-one W has ‖W‖_op = ‖W‖_F.

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
    """

    type: ClassVar[str] = "dense"

    units: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    bias: StrictBool = True

    def output_size(self, inputs: int) -> int:
        """The units, for any n."""
        return self.units

    def weight_size(self, inputs: int) -> int:
        """units·n, and units more with a bias."""
        return self.units * (inputs + self.bias)

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """W y + c."""
        matrix, c = self._split(y, w)
        output = y @ matrix.swapaxes(1, 2)
        return output + c[:, None, :] if self.bias else output

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """Wᵀv; and v yᵀ row by row, then v."""
        count = replicas(y, w, v)
        outer = v[..., :, None] * y[..., None, :]
        weight_part = spread(outer.reshape(*outer.shape[:2], -1), count)
        if self.bias:
            weight_part = np.concatenate([weight_part, spread(v, count)], axis=-1)
        return self._pulled(y, w, v), weight_part

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, the average over samples as a matrix product."""
        return self._pulled(y, w, v), self.mean_weight_vjp(y, w, labels, v)

    def mean_weight_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> Array:
        """The mean of v yᵀ over samples row by row, then that of v."""
        count = replicas(y, w, v)
        outer = v.swapaxes(1, 2) @ y / y.shape[1]
        mean = spread(outer.reshape(len(outer), -1), count)
        if self.bias:
            mean = np.concatenate([mean, spread(v.mean(axis=1), count)], axis=-1)
        return mean

    def symbolic(self, inputs: int) -> SymbolicForm:
        """W y + c."""
        y, w, label = symbols(inputs, self.weight_size(inputs))
        rows = [w[j * inputs : (j + 1) * inputs] for j in range(self.units)]
        c = w[self.units * inputs :] if self.bias else (0,) * self.units
        outputs = (
            sum(wi * yi for wi, yi in zip(row, y, strict=True)) + cj
            for row, cj in zip(rows, c, strict=True)
        )
        return SymbolicForm(y, w, label, tuple(outputs))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = R_w, B = 1, the others 0."""
        radius = self._radius(region, "weight", "jac_input")
        return InputConstants(jac_input=radius, lip_input=radius, hess_mixed=ONE)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b = √(R_y² + 1), R_y without a bias; on data R_y is the largest norm."""
        if features is not None:
            radius = rows_radius(features)
        else:
            radius = self._radius(region, "input", "jac_weight")
        return root(radius**2 + 1) if self.bias else radius

    def _split(self, y: Array, w: Array) -> tuple[Array, Array]:
        """W as (R, units, n), and c."""
        size = self.units * y.shape[-1]
        return w[:, :size].reshape(len(w), self.units, y.shape[-1]), w[:, size:]

    def _pulled(self, y: Array, w: Array, v: Array) -> Array:
        matrix, _ = self._split(y, w)
        return spread(v @ matrix, replicas(y, w, v))
