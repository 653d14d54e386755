"""The squared loss."""

from __future__ import annotations

import math
from fractions import Fraction
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
    SymbolicForm,
    replicas,
    scalar_only,
    spread,
    symbols,
)
from boundcalc.operators.regions import smaller
from boundcalc.operators.rounding import above
from boundcalc.spec.expressions import Expression, bounded


@final
class SquaredLoss(Operator):
    """f = (y − label)²/2, y a number.

    With |y| ≤ R_y and y ∈ [l, h]:

    - ∇₁f = y − label: a = ℓ = r, r the smaller of R_y + max |label| and of
      max |y − label| over the interval and the labels of the data (tight);
    - ∇₁f is 1-Lipschitz, with constant derivative: A = 1, A′ = 0;
    - no weights: b = B = B′ = 0; and 0 ≤ f ≤ r²/2.

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
        """The constants a = ℓ = r, A = 1, the others 0."""
        slope = largest_residual(region, data)
        if slope is None:
            if region.input is None and math.inf in map(abs, region.interval()):
                self._radius(region, "input", "jac_input")
            raise SpecError(
                f"the constant jac_input of a `{self.type}` operator needs the labels",
                expected="data with labels",
                fix="give the spec data",
            )
        return InputConstants(jac_input=slope, lip_input=slope, hess_input=ONE)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """Without weights, b = 0."""
        return ZERO

    def output_domain(self, region: Region, data: Data | None) -> Domain:
        """From 0 to half the square of the largest residual."""
        slope = largest_residual(region, data)
        return Domain(None if slope is None else slope**2 / 2, low=0.0).within(1)


def largest_residual(region: Region, data: Data | None) -> Expression | None:
    """A bound of |y − label| on the region and the data; None without either.

    >>> from boundcalc.spec.expressions import exact
    >>> from boundcalc.spec.grammar import parse
    >>> data = Data(np.zeros((2, 1)), np.array([0.0, 1.0]))
    >>> str(largest_residual(Region(input=parse("R")), data))
    '(R + 1)'
    >>> str(largest_residual(Region(input=exact(1), low=0.0, high=1.0), data))
    '1'
    """
    if data is None:
        return None
    low, high = region.interval()
    if math.isinf(high - low):
        inside = None
    else:
        least, most = (Fraction(float(label)) for label in (data.labels.min(), data.labels.max()))
        inside = bounded(above(max(Fraction(high) - least, most - Fraction(low))))
    if region.input is None:
        return inside
    around = region.input + bounded(float(np.abs(data.labels).max()))
    return around if inside is None else smaller(around, inside)
