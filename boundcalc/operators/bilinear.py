"""The inner product of input and weights."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from boundcalc.operators.base import (
    ONE,
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    SymbolicForm,
    replicas,
    rows_radius,
    spread,
    symbols,
)
from boundcalc.spec.expressions import Expression


@final
class Bilinear(Operator):
    """f = wᵀy, one output and as many weights as inputs: the operator of erratum E1.

    On ‖y‖ ≤ R_y, ‖w‖ ≤ R_w:

    - ∇₁f = wᵀ: a = ℓ = R_w, and constant in y: A = A′ = 0;
    - ∇₂f = yᵀ: b = R_y, or the largest ‖y‖ of the data;
    - y ↦ ∇₂f is an isometry: B = 1, and ∇₂₁²f = I is constant: B′ = 0.

    All tight.  |f| ≤ R_w·R_y.

    Examples
    --------
    >>> y, w = np.array([[[1.0, 2.0]]]), np.array([[3.0, 4.0]])
    >>> Bilinear().forward(y, w, np.zeros((1, 1)))
    array([[[11.]]])
    """

    type: ClassVar[str] = "bilinear"
    affine: ClassVar[bool] = True

    def output_size(self, inputs: int) -> int:
        """1 for any n."""
        return 1

    def weight_size(self, inputs: int) -> int:
        """As many as inputs."""
        return inputs

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The inner product wᵀy."""
        return inner(y, w)[..., None]

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The products v·w and v·y."""
        count = replicas(y, w, v)
        return spread(v * w[:, None, :], count), spread(v * y, count)

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, the average over samples as a matrix product."""
        input_part = spread(v * w[:, None, :], replicas(y, w, v))
        return input_part, self.mean_weight_vjp(y, w, labels, v)

    def mean_weight_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> Array:
        """The mean of v·y over samples."""
        return spread(weighted_mean(v[..., 0], y), replicas(y, w, v))

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The inner product wᵀy."""
        y, w, label = symbols(inputs, inputs)
        return SymbolicForm(y, w, label, (sum(wi * yi for wi, yi in zip(w, y, strict=True)),))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = R_w, B = 1, the others 0."""
        radius = self._radius(region, "weight", "jac_input")
        return InputConstants(jac_input=radius, lip_input=radius, hess_mixed=ONE)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b = R_y, or the largest norm of a sample."""
        if features is not None:
            return rows_radius(features)
        return self._radius(region, "input", "jac_weight")

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The ball of radius R_w·R_y."""
        return product_domain(region.weight_radius(), region.input)


def product_domain(weight: Expression | None, size: Expression | None) -> Domain:
    """Where an inner product of vectors of these sizes lies, by Cauchy and Schwarz.

    >>> from boundcalc.spec.expressions import exact
    >>> product_domain(exact(2), exact(3)).high
    6.0
    """
    if weight is None or size is None:
        return Domain()
    return Domain(weight * size).within(1)


def inner(y: Array, w: Array) -> Array:
    """wᵀy for every replica and sample, (R, M)."""
    if len(y) == 1:
        # All replicas see the same samples: one matrix product instead of R.
        return np.asarray(w @ y[0].T)
    return np.asarray((y @ w[:, :, None])[..., 0])


def weighted_mean(c: Array, y: Array) -> Array:
    """The mean over samples of c·y, (R, n), for coefficients c of shape (R, M)."""
    if len(y) == 1:
        return np.asarray(c @ y[0] / y.shape[1])
    return np.asarray((c[:, None, :] @ y)[:, 0] / y.shape[1])
