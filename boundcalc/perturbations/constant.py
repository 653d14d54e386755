"""A perturbation without randomness."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np

from boundcalc.perturbations.base import (
    Array,
    ComponentMoments,
    Distribution,
    Sampler,
    known,
    number,
)
from boundcalc.perturbations.dependence import Dependence
from boundcalc.spec.fields import Real


@final
class Constant(Distribution):
    """The same value in each component, always.

    ::

        E x^k = value^k,

    so that Jensen's (E x)² ≤ E x² and (E x²)² ≤ E x⁴ hold with equality: all of the
    perturbation is mean.

    Attributes
    ----------
    value
        The value, of either sign.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> Constant(value="-1/2").moments().fourth.evaluate(RATIONALS)
    Fraction(1, 16)
    """

    model: ClassVar[str] = "constant"
    lengths: ClassVar[tuple[str, ...]] = ("value",)
    dependence: ClassVar[Dependence] = Dependence.INDEPENDENT
    joint: ClassVar[bool] = True

    value: Real

    def moments(self) -> ComponentMoments:
        """E x, E x², E x⁴; exact for a rational value."""
        return ComponentMoments(mean=self.value, second=self.value**2, fourth=self.value**4)

    def sampler(self, values: Mapping[str, float]) -> Sampler:
        """Fills with the value; draws nothing from the generator."""
        value = number(self.value, values)

        def fill(rng: np.random.Generator, out: Array) -> None:
            out.fill(value)

        return fill

    def largest(self, values: Mapping[str, float]) -> float:
        """|value|."""
        value = known(self.value, values)
        return math.inf if value is None else abs(value)

    def symmetric(self, values: Mapping[str, float]) -> bool:
        """Yes: a constant is its own mirror image."""
        del values
        return True
