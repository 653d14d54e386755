"""The negative margin of a linear classifier."""

from __future__ import annotations

from typing import ClassVar, final

from boundcalc.operators.base import (
    Array,
    Data,
    Domain,
    InputConstants,
    Operator,
    Region,
    SymbolicForm,
    replicas,
    rows_radius,
    signs_only,
    spread,
    symbols,
)
from boundcalc.operators.bilinear import inner, product_domain, weighted_mean
from boundcalc.spec.expressions import Expression


@final
class Margin(Operator):
    """f = −label·hᵀw on data (h, label), label = ±1: f₁ of [KZY] section 7.

    - h is data, never perturbed: a = ℓ = A = B = A′ = B′ = 0;
    - ∇₂f = −label·hᵀ: b = max ‖h‖ over the data (tight), or the input radius;
    - |f| ≤ b·R_w.

    Examples
    --------
    >>> import numpy as np
    >>> from boundcalc.operators import Data, Region
    >>> data = Data(np.array([[3.0, 4.0], [1.0, 0.0]]), np.array([1.0, -1.0]))
    >>> str(Margin().constants(Region(), data, reads=True).jac_weight)
    '5'
    """

    type: ClassVar[str] = "margin"
    reads_data: ClassVar[bool] = True
    uses_label: ClassVar[bool] = True
    affine: ClassVar[bool] = True

    def output_size(self, inputs: int) -> int:
        """1 for any n."""
        return 1

    def weight_size(self, inputs: int) -> int:
        """As many as features."""
        return inputs

    def check_labels(self, labels: Array) -> None:
        """Labels are ±1, or ‖∇₂f‖ would not be ‖h‖."""
        signs_only(labels, self.type)

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """−label·hᵀw."""
        return (-labels * inner(y, w))[..., None]

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """−label·v·w and −label·v·h."""
        count = replicas(y, w, labels, v)
        signed = -labels[..., None] * v
        return spread(signed * w[:, None, :], count), spread(signed * y, count)

    def mean_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """As :meth:`vjp`, the average over samples as a matrix product."""
        input_part = -labels[..., None] * v * w[:, None, :]
        count = replicas(y, w, labels, v)
        return spread(input_part, count), self.mean_weight_vjp(y, w, labels, v)

    def mean_weight_vjp(self, y: Array, w: Array, labels: Array, v: Array) -> Array:
        """The mean of −label·v·h over samples."""
        mean = weighted_mean(-labels * v[..., 0], y)
        return spread(mean, replicas(y, w, labels, v))

    def symbolic(self, inputs: int) -> SymbolicForm:
        """−label·hᵀw."""
        y, w, label = symbols(inputs, inputs)
        dot = sum(wi * yi for wi, yi in zip(w, y, strict=True))
        return SymbolicForm(y, w, label, (-label * dot,))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """All 0: the input never moves."""
        return InputConstants()

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b = max ‖h‖ over the data; the input radius where there is no data."""
        if features is not None:
            return rows_radius(features)
        return self._radius(region, "input", "jac_weight")

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The ball of radius max ‖h‖·R_w."""
        size = region.input if data is None else rows_radius(data.features)
        return product_domain(region.weight_radius(), size)
