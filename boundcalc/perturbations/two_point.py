"""Noise that takes two values."""

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
from boundcalc.spec.grammar import parse


@final
class TwoPoint(Distribution):
    """One of two values in each component: ±a by a fair coin, or high with probability p.

    ::

        E x^k = p high^k + (1 − p) low^k;    for ±a:  0, a², a⁴.

    Of all laws with E x = 0 and E x² = a², the law on ±a has the smallest E x⁴.

    Attributes
    ----------
    magnitude
        a ≥ 0, for ±a with probability 1/2 each; or
    low, high, p_high
        the two values, low < high, and the probability of high.

    Raises
    ------
    pydantic.ValidationError
        Unless either magnitude is given, or low, high and p_high are.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> TwoPoint(magnitude="1/2").moments().fourth.evaluate(RATIONALS)
    Fraction(1, 16)
    >>> TwoPoint(low=-1, high=3, p_high="1/4").moments().mean.evaluate(RATIONALS)
    Fraction(0, 1)
    """

    model: ClassVar[str] = "two_point"
    lengths: ClassVar[tuple[str, ...]] = ("magnitude", "low", "high")
    dependence: ClassVar[Dependence] = Dependence.INDEPENDENT
    joint: ClassVar[bool] = True

    magnitude: Size | None = None
    low: Real | None = None
    high: Real | None = None
    p_high: Size | None = None

    @model_validator(mode="after")
    def _one_alternative(self) -> Self:
        require_one_of(self, ("magnitude",), ("low", "high", "p_high"))
        return self

    def moments(self) -> ComponentMoments:
        """E x, E x², E x⁴; exact for rational parameters."""
        if self.magnitude is not None:
            a = self.magnitude
            return ComponentMoments(mean=exact(0), second=a**2, fourth=a**4)
        low, high, p = self.law()
        q = exact(1) - p
        return ComponentMoments(
            mean=p * high + q * low,
            second=p * high**2 + q * low**2,
            fourth=p * high**4 + q * low**4,
        )

    def sampler(self, values: Mapping[str, float]) -> Sampler:
        """Draws high where u < p, else low; u uniform on the multiples of 2⁻⁵³ in [0, 1)."""
        self.check(values)
        low, high, p = (number(parameter, values) for parameter in self.law())

        def fill(rng: np.random.Generator, out: Array) -> None:
            rng.random(out=out)
            is_high = out < p
            out.fill(low)
            # Copied, not computed: low + (high − low) need not be high in floating point.
            np.copyto(out, high, where=is_high)

        return fill

    def largest(self, values: Mapping[str, float]) -> float:
        """The larger of the two sizes."""
        ends = (self.magnitude,) if self.magnitude is not None else self.law()[:2]
        sizes = [known(end, values) for end in ends]
        return max(math.inf if size is None else abs(size) for size in sizes)

    def symmetric(self, values: Mapping[str, float]) -> bool:
        """Whether both values are equally likely."""
        return self.p_high is None or known(self.p_high, values) == 0.5

    def check(self, values: Mapping[str, float]) -> None:
        """Raise SpecError unless magnitude ≥ 0, or low < high and 0 ≤ p_high ≤ 1."""
        magnitude, p = known(self.magnitude, values), known(self.p_high, values)
        require(
            magnitude is None or magnitude >= 0,
            "the magnitude is negative",
            magnitude,
            "magnitude ≥ 0",
            "change the sign of magnitude, or the values of its symbols",
        )
        require(
            p is None or 0 <= p <= 1,
            "p_high is not a probability",
            p,
            "0 ≤ p_high ≤ 1",
            "change p_high, or the values of its symbols",
        )
        low, high = known(self.low, values), known(self.high, values)
        require(
            low is None or high is None or low < high,
            "the lower value is not below the higher one",
            f"low = {low}, high = {high}",
            "low < high",
            "swap low and high; for one fixed value use the model constant",
        )

    def law(self) -> tuple[Expression, Expression, Expression]:
        """The lower value, the higher one, and the probability of the higher."""
        match self.magnitude, self.low, self.high, self.p_high:
            case Expression() as a, None, None, None:
                return exact(0) - a, a, parse("1/2")
            case None, Expression() as low, Expression() as high, Expression() as p:
                return low, high, p
        raise AssertionError("refused by _one_alternative")
