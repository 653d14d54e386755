"""The inner product of two values."""

from __future__ import annotations

from math import prod
from typing import ClassVar, final

import numpy as np

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
    Slot,
    SymbolicForm,
    joined,
    replicas,
    spread,
    symbols,
)
from boundcalc.operators.joining import (
    part_domains,
    part_radius,
    pieces,
    product_of_intervals,
)
from boundcalc.operators.multiply import two_alike
from boundcalc.spec.expressions import Expression


@final
class Inner(Operator):
    """f = y₁ᵀy₂ for two inputs of one shape, a number: the score of a siamese network.

    On ‖y_u‖ ≤ R_u:

    - ∇₁f = y₂ᵀ, ∇₂f = y₁ᵀ: a₁ = ℓ₁ = R₂, a₂ = ℓ₂ = R₁;
    - y₂ ↦ ∇₁f is an isometry: A₁₂ = A₂₁ = 1, and A₁₁ = A₂₂ = 0;
    - the second derivative is constant: A′ = 0.

    All tight, and |f| ≤ R₁R₂ by Cauchy–Schwarz.

    Examples
    --------
    >>> score = Inner().shaped(((2,), (2,)))
    >>> score.forward(np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[11.]]])
    """

    type: ClassVar[str] = "inner"
    joins: ClassVar[bool] = True

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Two inputs of one shape."""
        two_alike(shapes, self.type)

    def output_size(self, inputs: int) -> int:
        """1 for any n."""
        return 1

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The inner product y₁ᵀy₂."""
        first, second = pieces(y, self.shapes)
        product = (first * second).sum(axis=-1, keepdims=True)
        return spread(product, replicas(y, w))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The products v·y₂ and v·y₁."""
        first, second = pieces(y, self.shapes)
        back = spread(np.concatenate([second * v, first * v], axis=-1), replicas(y, w, v))
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The inner product y₁ᵀy₂."""
        y, w, label = symbols(inputs, 0)
        half = inputs // 2
        return SymbolicForm(y, w, label, (sum(y[i] * y[half + i] for i in range(half)),))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a₁ = R₂, a₂ = R₁, A₁₂ = A₂₁ = 1."""
        first, second = (
            part_radius(part, "jac_input", self.type, str(number))
            for number, part in enumerate(part_domains(region, self.shapes), start=1)
        )
        return joined(
            (
                Slot(jac_input=second, lip_input=second, hess_input=(ZERO, ONE)),
                Slot(jac_input=first, lip_input=first, hess_input=(ONE, ZERO)),
            )
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The number lies in [−R₁R₂, R₁R₂], and in n times the product of the boxes."""
        first, second = part_domains(region, self.shapes)
        radius = None
        if first.radius is not None and second.radius is not None:
            radius = first.radius * second.radius
        terms = product_of_intervals((first.low, first.high), (second.low, second.high))
        size = float(prod(self.shapes[0]))
        return Domain(radius, *product_of_intervals((size, size), terms))
