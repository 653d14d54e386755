"""The square of every component."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np

from boundcalc.operators.balls import Ball
from boundcalc.operators.base import ZERO, Array, Data, InputConstants, Region
from boundcalc.operators.elementwise import Bounds, Elementwise
from boundcalc.operators.regions import smaller
from boundcalc.spec.expressions import Expression, bounded, exact


@final
class Square(Elementwise):
    """f = scale·(y + w)² in every component; without a bias f = scale·y².

    On |y_i + w_i| ≤ r, where r = R_y, R_y + R_w, or the larger end of an interval:

    - φ′ = 2t: a = ℓ = 2r·scale;
    - φ″ = 2: A = 2·scale, and A′ = 0;
    - with a bias b = a, B = A, B′ = 0, as for every
      :class:`~boundcalc.operators.elementwise.Elementwise`; b from the data is
      2·scale·max |y_i + w_i|.

    All tight.  ‖f‖ ≤ scale·‖y + w‖², as ‖·‖₄ ≤ ‖·‖₂.

    Examples
    --------
    >>> from boundcalc.operators import Region
    >>> constants = Square().constants(Region(input=exact(3)), None, reads=False)
    >>> print(constants.jac_input, constants.hess_input, constants.third_input)
    (2 * 3) 2 0
    >>> Square().constants(Region(), None, reads=False)
    Traceback (most recent call last):
        ...
    boundcalc.errors.SpecError: the constant jac_input of a `square` operator needs a bound on its
    input
      expected: region: {input: R}
      fix:      add `region: {input: R}` to the operator, R the radius of a ball that holds the
    input
    """

    type: ClassVar[str] = "square"
    limits: ClassVar[tuple[float, float]] = (math.inf, math.inf)

    def phi(self, t: Array) -> Array:
        """The square t²."""
        return np.square(t)

    def derivative(self, t: Array) -> Array:
        """The slope 2t."""
        return 2.0 * t

    def enclosed(self, t: Ball) -> Ball:
        """The square t²."""
        return t**2

    def phi_symbolic(self, t: Any) -> Any:
        """The square t²."""
        return t**2

    def turning_points(self) -> tuple[float, ...]:
        """The minimum at 0."""
        return (0.0,)

    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """2r, 2 and 0; r is the largest end, or the radius where that is smaller."""
        most = float(max(np.max(np.abs(low)), np.max(np.abs(high))))
        if radius is None:
            radius = bounded(most)
        elif math.isfinite(most):
            radius = smaller(radius, bounded(most))
        return exact(2) * radius, exact(2), ZERO

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """The constants a = ℓ = 2r, A = 2, A′ = 0, times the scale."""
        if region.input is None and math.inf in (-region.low, region.high):
            self._radius(region, "input", "jac_input")
        self._check_weights(region, "jac_input")
        return super().input_constants(region, data)

    def weight_constant(self, region: Region, features: Array | None) -> Expression:
        """The constant b = 2·scale·max |y + w| with a bias, entry by entry on data; else 0."""
        self._check_weights(region, "jac_weight")
        return super().weight_constant(region, features)

    def _check_weights(self, region: Region, constant: str) -> None:
        if self.bias and region.weight_radius() is None:
            self._radius(region, "weight", constant)

    def _ball(
        self, region: Region, low: Array | float, high: Array | float, size: int | None
    ) -> Expression | None:
        radius = self._argument_radius(region)
        return None if radius is None else radius**2
