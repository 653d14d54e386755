"""Uniform noise on an interval."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Self, final

import numpy as np
from pydantic import model_validator

from boundcalc.perturbations.base import (
    Array,
    ComponentMoments,
    Distribution,
    Sampler,
    known,
    number,
    require,
    require_one_of,
)
from boundcalc.perturbations.dependence import Dependence
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.fields import Real, Size


@final
class Uniform(Distribution):
    """The uniform law on [low, high], or on [−h, h], in each component.

    With center c = (low + high)/2 and half width h = (high − low)/2::

        E x = c,    E x² = c² + h²/3,    E x⁴ = c⁴ + 2 c² h² + h⁴/5.

    These equal (low² + low·high + high²)/3 and Σ_k low^k high^(4−k) / 5, but have
    no terms of opposite sign: nothing cancels in floating point.

    Attributes
    ----------
    half_width
        h ≥ 0, for an interval around 0; or
    low, high
        the end points, low < high.

    Raises
    ------
    pydantic.ValidationError
        Unless either half_width is given, or low and high are.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> Uniform(half_width="1/2").moments().second.evaluate(RATIONALS)
    Fraction(1, 12)
    >>> Uniform(low=0, high=1).moments().fourth.evaluate(RATIONALS)
    Fraction(1, 5)
    """

    model: ClassVar[str] = "uniform"
    lengths: ClassVar[tuple[str, ...]] = ("half_width", "low", "high")
    dependence: ClassVar[Dependence] = Dependence.INDEPENDENT
    joint: ClassVar[bool] = True

    half_width: Size | None = None
    low: Real | None = None
    high: Real | None = None

    @model_validator(mode="after")
    def _one_alternative(self) -> Self:
        require_one_of(self, ("half_width",), ("low", "high"))
        return self

    def moments(self) -> ComponentMoments:
        """E x, E x², E x⁴; exact for rational parameters."""
        if self.half_width is not None:
            h = self.half_width
            return ComponentMoments(mean=exact(0), second=h**2 / 3, fourth=h**4 / 5)
        low, high = self.ends()
        c, h = (low + high) / 2, (high - low) / 2
        return ComponentMoments(
            mean=c,
            second=c**2 + h**2 / 3,
            fourth=c**4 + c**2 * h**2 * 2 + h**4 / 5,
        )

    def sampler(self, values: Mapping[str, float]) -> Sampler:
        """Draws low + (high − low) u, u uniform on the multiples of 2⁻⁵³ in [0, 1).

        No draw lies outside [low, high], rounding included.
        """
        self.check(values)
        low, high = (number(end, values) for end in self.ends())
        width = high - low
        # u ≤ 1 − 2⁻⁵³ makes u·width at most the float below width, which is less than
        # high − low even where rounding made width too large: no draw leaves the interval.

        def fill(rng: np.random.Generator, out: Array) -> None:
            rng.random(out=out)
            out *= width
            out += low

        return fill

    def largest(self, values: Mapping[str, float]) -> float:
        """max(|low|, |high|)."""
        ends = (self.half_width,) if self.half_width is not None else self.ends()
        sizes = [known(end, values) for end in ends]
        return max(math.inf if size is None else abs(size) for size in sizes)

    def symmetric(self, values: Mapping[str, float]) -> bool:
        """Yes: the law is symmetric about the middle of its interval."""
        del values
        return True

    def check(self, values: Mapping[str, float]) -> None:
        """Raise SpecError unless half_width ≥ 0, or low < high."""
        half_width = known(self.half_width, values)
        require(
            half_width is None or half_width >= 0,
            "the half width is negative",
            half_width,
            "half_width ≥ 0",
            "change the sign of half_width, or the values of its symbols",
        )
        low, high = known(self.low, values), known(self.high, values)
        require(
            low is None or high is None or low < high,
            "the interval is empty",
            f"low = {low}, high = {high}",
            "low < high",
            "swap low and high; for one fixed value use the model constant",
        )

    def ends(self) -> tuple[Expression, Expression]:
        """The end points."""
        match self.half_width, self.low, self.high:
            case Expression() as h, None, None:
                return exact(0) - h, h
            case None, Expression() as low, Expression() as high:
                return low, high
        raise AssertionError("refused by _one_alternative")
