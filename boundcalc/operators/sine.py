"""The sine."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np

from boundcalc.operators.balls import Ball, at_most, ball, working
from boundcalc.operators.base import ONE, Array
from boundcalc.operators.elementwise import Bounds, Elementwise
from boundcalc.operators.suprema import Suprema, Supremum, all_over, meets, nearest_ends
from boundcalc.spec.expressions import Expression


def _sin(t: Ball) -> Ball:
    return t.sin()


def _cos(t: Ball) -> Ball:
    return t.cos()


_SUPREMA: Suprema = (
    Supremum(_cos, (0.0,), ONE, period=math.pi),
    Supremum(_sin, (math.pi / 2,), ONE, period=math.pi),
    Supremum(_cos, (0.0,), ONE, period=math.pi),
)


@final
class Sine(Elementwise):
    """f = scale·sin(y + w), the worst case of random searches (docs/theory.md, section 4).

    |φ′| = |φ‴| = |cos|, which is 1 at multiples of π, and |φ″| = |sin|, which is 1
    half-way between.  Global constants: a = ℓ = A = A′ = 1, times the scale; all tight.
    See :class:`~boundcalc.operators.elementwise.Elementwise` for the rest.

    Examples
    --------
    >>> from boundcalc.operators import Region
    >>> from boundcalc.spec.grammar import parse
    >>> constants = Sine().constants(Region(input=parse("1/2")), None, reads=False)
    >>> str(constants.jac_input), str(constants.hess_input)  # the second is sin(1/2)
    ('1', '0.479426')
    """

    type: ClassVar[str] = "sine"
    limits: ClassVar[tuple[float, float]] = (-1.0, 1.0)

    def phi(self, t: Array) -> Array:
        """The sine."""
        return np.sin(t)

    def derivative(self, t: Array) -> Array:
        """The cosine."""
        return np.cos(t)

    def enclosed(self, t: Ball) -> Ball:
        """The sine."""
        return t.sin()

    def phi_symbolic(self, t: Any) -> Any:
        """The sine."""
        import sympy

        return sympy.sin(t)

    def derivative_bounds(
        self, low: Array | float, high: Array | float, radius: Expression | None
    ) -> Bounds:
        """The suprema of |cos|, |sin| and |cos|."""
        return all_over(_SUPREMA, low, high)

    def image(self, low: Array | float, high: Array | float) -> tuple[float, float]:
        """−1 and 1 where a trough or crest lies inside, else the sine of the end next to one."""
        low, high = np.atleast_1d(low), np.atleast_1d(high)
        return -self._highest(-high, -low), self._highest(low, high)

    @staticmethod
    def _highest(low: Array, high: Array) -> float:
        """The largest sine over the intervals; it falls with the distance from a crest."""
        crest, turn = math.pi / 2, 2 * math.pi
        ends = None if meets(low, high, crest, turn) else nearest_ends(low, high, crest, turn)
        if ends is None:
            return 1.0
        with working(max(map(abs, ends))):
            return min(1.0, max(at_most(ball(t).sin()) for t in ends))
