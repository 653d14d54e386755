"""The rectified linear unit."""

from __future__ import annotations

import math
from typing import Any, ClassVar, final

import numpy as np

from boundcalc.operators.base import ZERO, Array
from boundcalc.operators.rectifier import Rectifier
from boundcalc.spec.expressions import Expression


@final
class ReLU(Rectifier):
    """f = scale·max(0, y + w).

    Global constants: a = ℓ = ``jac_change`` = scale; tight.  There is a kink: A and A′
    do not exist, nor B and B′ with a bias.  Where every y + w > 0, f is linear, with
    A = A′ = 0; where every y + w ≤ 0, all constants are 0.
    See :class:`~boundcalc.operators.rectifier.Rectifier` for the proof.

    Examples
    --------
    >>> from boundcalc.operators import Region
    >>> constants = ReLU().constants(Region(), None, reads=False)
    >>> print(constants.jac_input, constants.hess_input, constants.jac_change)
    1 None 1
    >>> ReLU().constants(Region(low=0.5, high=2.0), None, reads=False).hess_input == ZERO
    True
    """

    type: ClassVar[str] = "relu"
    limits: ClassVar[tuple[float, float]] = (0.0, math.inf)

    def left(self) -> Expression:
        """The slope 0."""
        return ZERO

    def phi(self, t: Array) -> Array:
        """max(0, t), which is never −0."""
        return np.maximum(t, 0.0)

    def phi_symbolic(self, t: Any) -> Any:
        """max(0, t)."""
        import sympy

        return sympy.Piecewise((t, t > 0), (0, True))
