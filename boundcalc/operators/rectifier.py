"""What rectifiers share: one slope left of 0, another right of it, and a kink."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.balls import Ball, value_of
from boundcalc.operators.base import ONE, ZERO, Array, Data, InputConstants, Region
from boundcalc.operators.elementwise import Bounds, Elementwise
from boundcalc.operators.regions import larger
from boundcalc.spec.expressions import Expression, exact, rational


class Rectifier(Elementwise):
    """f = scale·φ(y + w), φ(t) = t for t > 0 and αt for t ≤ 0, with α ≥ 0.

    φ′ is 1 for t > 0 and α for t ≤ 0, at the kink the slope on the left, as in PyTorch;
    the constants are those of this φ′.

    - On an interval that holds both a t > 0 and a t ≤ 0, φ′ jumps by |1 − α|:
      a = ℓ = scale·max(1, α), and there is no Lipschitz constant A, nor A′, but
      ‖∇₁f(y) − ∇₁f(y′)‖ ≤ scale·|1 − α|, the ``jac_change``.  With a bias b = a, no B
      or B′, and ``mixed_change`` is the same.  All tight.
    - On any other interval φ is linear: a = ℓ is scale or scale·α, the others are 0.

    If 0 is the lower end of the interval, φ′ still jumps there: 0 belongs to the left.
    """

    smooth: ClassVar[bool] = False
    limits: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    @abstractmethod
    def left(self) -> Expression:
        """The slope α on the left."""

    def phi(self, t: Array) -> Array:
        """The value t or αt."""
        return np.asarray(t * self.derivative(t))

    def derivative(self, t: Array) -> Array:
        """1 or α."""
        return np.where(t > 0, 1.0, float(self.left().evaluate(FLOATS)))

    def enclosed(self, t: Ball) -> Ball:
        """The value t or αt, of a number."""
        return t if t > 0 else t * value_of(self.left())

    def phi_symbolic(self, t: Any) -> Any:
        """The value t or αt."""
        import sympy

        from boundcalc.arithmetic import SYMBOLS

        return sympy.Piecewise((t, t > 0), (self.left().evaluate(SYMBOLS) * t, True))

    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """The largest slope; then 0 and 0 if no interval holds the kink, else nothing."""
        from_left, from_right = np.less_equal(low, 0), np.greater(high, 0)
        slopes = [self.left()] * bool(from_left.any()) + [ONE] * bool(from_right.any())
        bend = None if np.any(from_left & from_right) else ZERO
        return larger(*slopes), bend, bend

    def input_constants(self, region: Region, data: Data | None) -> InputConstants:
        """As for every activation, and the jump of φ′ where there is one."""
        constants = super().input_constants(region, data)
        if constants.hess_input is not None:
            return constants
        jump = self._scaled(self._jump())
        return replace(constants, jac_change=jump, mixed_change=jump if self.bias else None)

    def _jump(self) -> Expression:
        """|1 − α|."""
        left = self.left()
        value = None if left.symbols else rational(left, {})
        if value is not None:
            return exact(abs(1 - value))
        return larger(exact(1) - left, left - 1)
