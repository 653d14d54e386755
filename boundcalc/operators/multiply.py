"""The product of two values, component by component, as in gates."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

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
    Slot,
    SymbolicForm,
    joined,
    replicas,
    spread,
    symbols,
)
from boundcalc.operators.joining import (
    largest_component,
    part_domains,
    part_radius,
    pieces,
    product_of_intervals,
)
from boundcalc.operators.regions import smaller
from boundcalc.spec.expressions import Expression


@final
class Multiply(Operator):
    """f = y₁ ⊙ y₂ for two inputs of one shape: a value and its gate, or y ⊙ y.

    With c_u the largest size of a component of y_u on its ball and box:

    - ∇₁f = diag(y₂), ∇₂f = diag(y₁): a₁ = ℓ₁ = c₂, a₂ = ℓ₂ = c₁;
    - ∇₁f(y₂) − ∇₁f(y₂′) = diag(y₂ − y₂′), of norm at most ‖y₂ − y₂′‖ (attained in one
      component): A₁₂ = A₂₁ = 1, and A₁₁ = A₂₂ = 0;
    - the second derivative is constant: A′ = 0.

    All tight.  ‖f‖ ≤ min(c₁R₂, c₂R₁).

    Examples
    --------
    >>> gate = Multiply().shaped(((2,), (2,)))
    >>> gate.forward(np.array([[[1.0, 2.0, 3.0, 4.0]]]), np.zeros((1, 0)), np.zeros((1, 1)))
    array([[[3., 8.]]])
    """

    type: ClassVar[str] = "multiply"
    joins: ClassVar[bool] = True

    def check_shapes(self, shapes: tuple[Shape, ...]) -> None:
        """Two inputs of one shape."""
        two_alike(shapes, self.type)

    def output_size(self, inputs: int) -> int:
        """The size of each input."""
        return inputs // 2

    @property
    def output_shape(self) -> Shape:
        """The common shape."""
        return self.shapes[0]

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """The product y₁ ⊙ y₂."""
        first, second = pieces(y, self.shapes)
        return spread(first * second, replicas(y, w))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """The products y₂ ⊙ v and y₁ ⊙ v."""
        first, second = pieces(y, self.shapes)
        back = spread(np.concatenate([second * v, first * v], axis=-1), replicas(y, w, v))
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """The product y₁ ⊙ y₂."""
        y, w, label = symbols(inputs, 0)
        half = inputs // 2
        return SymbolicForm(y, w, label, tuple(y[i] * y[half + i] for i in range(half)))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a₁ = c₂, a₂ = c₁, A₁₂ = A₂₁ = 1."""
        sizes = []
        for number, part in enumerate(part_domains(region, self.shapes), start=1):
            size = largest_component(part)
            sizes.append(
                part_radius(part, "jac_input", self.type, str(number)) if size is None else size
            )
        return joined(
            (
                Slot(jac_input=sizes[1], lip_input=sizes[1], hess_input=(ZERO, ONE)),
                Slot(jac_input=sizes[0], lip_input=sizes[0], hess_input=(ONE, ZERO)),
            )
        )

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """The ball of radius min(c₁R₂, c₂R₁), and the products of the boxes."""
        parts = part_domains(region, self.shapes)
        options = [
            size * other.radius
            for part, other in (parts, parts[::-1])
            if (size := largest_component(part)) is not None and other.radius is not None
        ]
        boxes = product_of_intervals(*((part.low, part.high) for part in parts))
        radius = smaller(*options) if len(options) == 2 else next(iter(options), None)
        return Domain(radius, *boxes)


def two_alike(shapes: tuple[Shape, ...], operator: str) -> None:
    """Raise SpecError unless there are two inputs of one shape."""
    if len(shapes) != 2 or shapes[0] != shapes[1]:
        raise SpecError(
            f"a `{operator}` operator multiplies two inputs of equal shapes",
            value=", ".join(str(shape) for shape in shapes),
            expected="two inputs with the same shape",
            fix="change its `inputs`, or one of the operators that it reads",
        )
