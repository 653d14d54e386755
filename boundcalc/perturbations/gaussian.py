"""Normal noise."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np
from pydantic import Field

from boundcalc.perturbations.base import (
    Array,
    ComponentMoments,
    Distribution,
    Sampler,
    known,
    number,
    require,
)
from boundcalc.perturbations.dependence import Dependence
from boundcalc.spec.fields import Real, Size


@final
class Gaussian(Distribution):
    """The normal law N(c, s²) in each component.

    With x = c + s z and E z² = 1, E z⁴ = 3, odd moments of z being 0::

        E x = c,    E x² = c² + s²,    E x⁴ = c⁴ + 6 c² s² + 3 s⁴.

    Attributes
    ----------
    std
        s ≥ 0, the standard deviation.
    center
        c, the mean.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> Gaussian(std="1/2", center=1).moments().fourth.evaluate(RATIONALS)
    Fraction(43, 16)
    """

    model: ClassVar[str] = "gaussian"
    lengths: ClassVar[tuple[str, ...]] = ("std", "center")
    dependence: ClassVar[Dependence] = Dependence.INDEPENDENT
    joint: ClassVar[bool] = True

    std: Size
    center: Real = Field(default=0, validate_default=True)

    def moments(self) -> ComponentMoments:
        """E x, E x², E x⁴; exact for rational parameters."""
        c, s = self.center, self.std
        return ComponentMoments(
            mean=c,
            second=c**2 + s**2,
            fourth=c**4 + c**2 * s**2 * 6 + s**4 * 3,
        )

    def sampler(self, values: Mapping[str, float]) -> Sampler:
        """Draws c + s z, z by NumPy's ziggurat method."""
        self.check(values)
        std, center = number(self.std, values), number(self.center, values)

        def fill(rng: np.random.Generator, out: Array) -> None:
            rng.standard_normal(out=out)
            out *= std
            out += center

        return fill

    def largest(self, values: Mapping[str, float]) -> float:
        """Infinite, unless the standard deviation is 0."""
        mean, std = known(self.center, values), known(self.std, values)
        return abs(mean) if mean is not None and std == 0 else math.inf

    def symmetric(self, values: Mapping[str, float]) -> bool:
        """Yes: a normal law is symmetric about its centre."""
        del values
        return True

    def check(self, values: Mapping[str, float]) -> None:
        """Raise SpecError unless std ≥ 0."""
        std = known(self.std, values)
        require(
            std is None or std >= 0,
            "the standard deviation is negative",
            std,
            "std ≥ 0",
            "change the sign of std, or the values of its symbols",
        )
