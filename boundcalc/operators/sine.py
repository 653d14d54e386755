"""The sine."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np

from boundcalc.operators.base import ONE, Array
from boundcalc.operators.elementwise import Elementwise, Suprema, Supremum


def _abs_cos(t: Array) -> Array:
    return np.asarray(np.abs(np.cos(t)))


def _abs_sin(t: Array) -> Array:
    return np.asarray(np.abs(np.sin(t)))


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
    suprema: ClassVar[Suprema] = (
        Supremum(_abs_cos, (0.0,), ONE, period=math.pi),
        Supremum(_abs_sin, (math.pi / 2,), ONE, period=math.pi),
        Supremum(_abs_cos, (0.0,), ONE, period=math.pi),
    )

    @staticmethod
    def phi(t: Array) -> Array:
        """The sine."""
        return np.sin(t)

    @staticmethod
    def slope(t: Array) -> Array:
        """The cosine."""
        return np.cos(t)

    @staticmethod
    def phi_symbolic(t: Any) -> Any:
        """The sine."""
        import sympy

        return sympy.sin(t)
