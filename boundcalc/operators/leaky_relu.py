"""The leaky rectified linear unit."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, final

from pydantic import Field

from boundcalc.operators.rectifier import Rectifier
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.fields import Size


@final
class LeakyReLU(Rectifier):
    """f = scale·φ(y + w), φ(t) = t for t > 0 and slope·t for t ≤ 0.

    Global constants: a = ℓ = max(1, slope), ``jac_change`` = |1 − slope|, times the
    scale; all tight.  There is a kink: A and A′ do not exist, nor B and B′ with a bias.
    See :class:`~boundcalc.operators.rectifier.Rectifier` for the proof, and for regions
    without the kink.

    Attributes
    ----------
    slope
        The slope on the left, ≥ 0.

    References
    ----------
    Maas, Hannun, Ng, *Rectifier nonlinearities improve neural network acoustic models*,
    ICML Workshop on Deep Learning for Audio, Speech and Language Processing, 2013,
    equation (2), with slope 0.01.

    Examples
    --------
    >>> from boundcalc.operators import Region
    >>> constants = LeakyReLU(slope="1/4").constants(Region(), None, reads=False)
    >>> print(constants.jac_input, constants.hess_input, constants.jac_change)
    1 None 3/4
    """

    type: ClassVar[str] = "leaky_relu"

    slope: Size = Field(
        default_factory=lambda: exact(Fraction(1, 100)), json_schema_extra={"default": 0.01}
    )

    def left(self) -> Expression:
        """The slope."""
        return self.slope
