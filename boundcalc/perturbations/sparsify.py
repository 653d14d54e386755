"""Bernoulli sparsification: every component has its own chance."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import Annotated, ClassVar, final

import numpy as np
from pydantic import AfterValidator

from boundcalc.perturbations.compression import VALUE_BITS, index_bits
from boundcalc.perturbations.formats.settling import happens
from boundcalc.perturbations.kept_at_random import KeptAtRandom, Mask
from boundcalc.spec.expressions import Expression, rational
from boundcalc.spec.fields import Positive, custom_error

_MOST = 2**63  # of denominators: enough for what is written as a decimal


def _fraction(value: Expression) -> Expression:
    found = None if value.symbols else rational(value, {})
    if found is None or not 0 < found <= 1 or found.denominator >= _MOST:
        raise custom_error(
            "not a probability that can be drawn exactly",
            'a number such as 0.1 or "1/3" above 0 and at most 1, without symbols',
            "write the share of the components that is kept as a fraction",
        )
    return value


@final
class Sparsify(KeptAtRandom):
    """Keeps each component with probability p, independently of the others, times 1/p.

    Unbiased, and E‖Q(y) − y‖² = (1/p − 1)‖y‖² exactly.  With ``scaled: false`` the factor
    1/p is left out: E‖Q(y) − y‖² = (1 − p)‖y‖².

    Attributes
    ----------
    keep
        p, a rational number with 0 < p ≤ 1.
    scaled
        Whether what is kept is multiplied by 1/p.

    Raises
    ------
    pydantic.ValidationError
        If ``keep`` is not such a number.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.perturbations.transform import Reach
    >>> moments = Sparsify(keep="1/5").moments(Reach((10,), Fraction(1), None, None))
    >>> moments.second.evaluate(RATIONALS), moments.fourth.evaluate(RATIONALS)
    (Fraction(4, 1), Fraction(52, 1))
    """

    model: ClassVar[str] = "sparsify"

    keep: Annotated[Positive, AfterValidator(_fraction)]

    @property
    def probability(self) -> Fraction:
        """p."""
        found = rational(self.keep, {})
        assert found is not None  # noqa: S101 - checked by the field
        return found

    def kept(self, size: int) -> Fraction:
        """p, whatever n is."""
        del size
        return self.probability

    def both_kept(self, size: int) -> Fraction:
        """p², by independence."""
        del size
        return self.probability**2

    def most(self, size: int) -> tuple[int, int]:
        """All may be kept; all may be dropped, unless p = 1."""
        return size, 0 if self.probability == 1 else size

    def chance(self, size: int) -> float:
        """The probability 1 − (1 − p)ⁿ that anything is kept."""
        return 1.0 - (1.0 - float(self.probability)) ** size

    def bits(self, size: int) -> Fraction:
        """On average: np values of 32 bits, and a list of indices or a mask of n bits.

        >>> Sparsify(keep="1/8").bits(1024)
        Fraction(5120, 1)
        """
        count = size * self.probability
        return count * VALUE_BITS + index_bits(size, count)

    def draw(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Mask:
        """Independent events of probability p, exactly."""
        kept: Mask = happens(rng, prod(shape), self.probability).reshape(shape)
        return kept
