"""The squared loss."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.operators.base import (
    ONE,
    ZERO,
    Array,
    Data,
    InputConstants,
    Operator,
    Region,
    SymbolicForm,
    replicas,
    scalar_only,
    spread,
    symbols,
)
from boundcalc.spec.expressions import Expression, exact, measured


@final
class SquaredLoss(Operator):
    """f = (y − label)²/2, y a number.

    On |y| ≤ R_y:

    - ∇₁f = y − label: a = ℓ = R_y + max |label| (tight if the largest label occurs with
      the opposite end of the ball);
    - ∇₁f is 1-Lipschitz, with constant derivative: A = 1, A′ = 0;
    - no weights: b = B = B′ = 0.

    Examples
    --------
    >>> from boundcalc.operators import Data, Region
    >>> from boundcalc.spec.grammar import parse
    >>> data = Data(np.zeros((2, 1)), np.array([3.0, -5.0]))
    >>> constants = SquaredLoss().constants(Region(input=parse("R")), data, reads=False)
    >>> str(constants.jac_input)
    '(R + 5)'
    """

    type: ClassVar[str] = "squared"
    uses_label: ClassVar[bool] = True

    def output_size(self, inputs: int) -> int:
        """1 for one input: a sample has one label."""
        scalar_only(inputs, self.type)
        return 1

    def weight_size(self, inputs: int) -> int:
        """No weights."""
        return 0

    def forward(self, y: Array, w: Array, labels: Array) -> Array:
        """(y − label)²/2."""
        return spread(0.5 * np.square(y - labels[..., None]), replicas(y, w, labels))

    def vjp(self, y: Array, w: Array, labels: Array, v: Array) -> tuple[Array, Array]:
        """(y − label)·v."""
        back = spread((y - labels[..., None]) * v, replicas(y, w, labels, v))
        return back, back[..., :0]

    def symbolic(self, inputs: int) -> SymbolicForm:
        """(y − label)²/2."""
        y, w, label = symbols(inputs, 0)
        return SymbolicForm(y, w, label, ((y[0] - label) ** 2 / 2,))

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = R_y + max |label|, A = 1, the others 0."""
        radius = self._radius(region, "input", "jac_input")
        if data is None:
            raise SpecError(
                f"the constant jac_input of a `{self.type}` operator needs the labels",
                expected="data with labels",
                fix="give the spec data",
            )
        slope = radius + _largest(data.labels)
        return InputConstants(jac_input=slope, lip_input=slope, hess_input=ONE)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO


def _largest(labels: Array) -> Expression:
    """The largest |label|: no rounding is involved, but only whole numbers are taken as exact."""
    size = float(np.abs(labels).max())
    return exact(int(size)) if size.is_integer() else measured(size)
