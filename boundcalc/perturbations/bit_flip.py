"""Bits of a value that flip."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import ClassVar, Literal, Self, final

import numpy as np
from pydantic import Field, field_validator, model_validator

from boundcalc.errors import SimulationError, SpecError
from boundcalc.perturbations.base import Array
from boundcalc.perturbations.formats.bounds import Ball
from boundcalc.perturbations.formats.codes import decoded, encoded, positions
from boundcalc.perturbations.formats.exact import float_up, power, root_up
from boundcalc.perturbations.formats.flip_draws import drawn_flips
from boundcalc.perturbations.formats.flip_sums import flip_moments
from boundcalc.perturbations.formats.flips import SLACK, Cells, NonFinite, cells, finite
from boundcalc.perturbations.formats.rounding import Grid, exactly, misfit, rounded
from boundcalc.perturbations.formats.settings import held_scale, known_format, known_number
from boundcalc.perturbations.formats.table import Format, format_named
from boundcalc.perturbations.transform import Apply, Largest, Reach, Transform
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.fields import Positive, Size, custom_error

_RAREST = power(-100)  # so that float64 holds the products of rates and numbers


@final
class BitFlip(Transform):
    """Q(y): y is held in a format, scaled, and each listed bit of every component may flip.

    The value is rounded to the nearest number of the format (ties to even), then each listed
    bit flips with probability ``rate``, independently of all others, anew at every use.  The
    perturbation is the sum of both errors.  Results that are infinite or not a number become
    what ``nonfinite`` says.  Integers have no such results; theirs is −top − 1 at the least,
    to which nothing is rounded, and that is kept: −8 in int4, whose numbers end at ±7.

    Attributes
    ----------
    format
        A name in :data:`~boundcalc.perturbations.formats.table.FORMATS`; integers in two's
        complement.
    rate
        Probability that a bit has flipped when the value is used: 0, 1, or at least 2⁻¹⁰⁰
        away from both.
    bits
        ``all``, ``sign``, ``exponent``, ``mantissa``, or a list of positions: 0 is the last
        digit of the significand, the number of bits less one the sign.
    scale
        Of the format's numbers; positive, rounded up to 24 significant bits.
    nonfinite
        ``zero`` or ``saturate``.

    Raises
    ------
    pydantic.ValidationError
        An unknown format, a rate that is not a probability, positions that the format lacks.

    Examples
    --------
    >>> flip = BitFlip(format="int4", rate="1/10", bits="sign")
    >>> moments = flip.moments(Reach((1,), None, Fraction(0), Fraction(1, 4)))
    >>> str(moments.second)  # 0 becomes −8: 64/10, and 2 · (1/2) · (8/10) + 1/4 for rounding
    '7.45001'
    """

    model: ClassVar[str] = "bit_flip"

    format: str = Field(max_length=40)
    rate: Size
    places: Literal["all", "sign", "exponent", "mantissa"] | list[int] = Field(
        default="all", alias="bits"
    )
    scale: Positive | None = None
    nonfinite: NonFinite = "zero"

    @field_validator("format")
    @classmethod
    def _is_known(cls, name: str) -> str:
        return known_format(name)

    @model_validator(mode="after")
    def _keys_fit_the_format(self) -> Self:
        rate = known_number(self.rate, "rate")
        if rate > 1:
            raise custom_error("the rate is not a probability", "a number between 0 and 1")
        if 0 < rate < _RAREST:
            raise custom_error("the rate is too small to work with", "0, or at least 2^-100")
        if 0 < 1 - rate < _RAREST:
            raise custom_error("the rate is too close to 1", "1, or at most 1 - 2^-100")
        if self.scale is not None:
            held_scale(self.scale)
        form = self.form
        if isinstance(self.places, list):
            wrong = [place for place in self.places if not 0 <= place < form.bits]
            if wrong or len(set(self.places)) < len(self.places) or not self.places:
                raise custom_error(
                    f"`bits` is not a list of bits of {form.name}",
                    f"different positions from 0 to {form.bits - 1}, 0 the last digit",
                )
        else:
            try:
                positions(form, self.places)
            except SpecError as error:
                raise custom_error(error.problem, error.expected, error.fix) from None
        return self

    @property
    def form(self) -> Format:
        """The format."""
        return format_named(self.format)

    @property
    def listed(self) -> tuple[int, ...]:
        """The positions of the bits that may flip, in order."""
        if isinstance(self.places, list):
            return tuple(sorted(self.places))
        return positions(self.form, self.places)

    def moments(self, reach: Reach) -> VectorMoments:
        """Proved bounds: see :mod:`~boundcalc.perturbations.formats.flips`.

        Raises
        ------
        SpecError
            No range is known, or the format does not hold it.
        """
        return flip_moments(self._cells(), self._ball(reach), self._scale)

    def chance(self, size: int) -> float:
        """The probability 1 − (1 − rate)ᵐ that one of m = n·(bits that may flip) bits flips."""
        rate, count = float(known_number(self.rate, "rate")), size * len(self.listed)
        return 1.0 if rate in (0.0, 1.0) else -math.expm1(count * math.log1p(-rate))

    def largest(self, reach: Reach) -> Largest:
        """The largest change by any set of flips, plus the rounding error."""
        ball, scale = self._ball(reach), self._scale
        found = self._cells().below(float_up(ball.magnitude / scale))
        size = Fraction(float(np.max(found.most + found.half)) * SLACK) * scale
        return Largest(float_up(size), float_up(size * root_up(Fraction(ball.size))))

    def bits(self, size: int) -> Fraction:
        """n codes."""
        return Fraction(self.form.bits * size)

    def apply(self) -> Apply:
        """Q, bit-exact, with exact probabilities for rates of at least 1/256.

        Below, the numbers of bits between flips follow the geometric law, up to rounding in
        float64 [L. Devroye, Non-Uniform Random Variate Generation, 1986, X.2].

        Raises
        ------
        SimulationError
            When it is called: a value is not finite or does not fit the format.
        """
        form, rate, listed = self.form, known_number(self.rate, "rate"), self.listed
        (grid, scale), nonfinite = self.fixed_grid(), self.nonfinite

        def flipped(rng: np.random.Generator, values: Array) -> Array:
            beyond = misfit(values, grid, scale)
            if beyond is not None:
                raise self.refusal(beyond)
            out = rounded(values, grid, np.asarray(scale))
            flat = out.reshape(-1)
            size = values.shape[-1]
            at, masks = drawn_flips(rng, flat.size // max(1, size), size, listed, rate)
            # A NaN has no code: a run that has diverged stays so.
            number = np.isfinite(flat[at])
            at, masks = at[number], masks[number]
            codes = encoded(flat[at] / scale, form) ^ masks
            flat[at] = finite(decoded(codes, form), form, nonfinite) * scale
            return out

        return flipped

    def fixed_grid(self) -> tuple[Grid, float]:
        """What is rounded to, and its scale."""
        return Grid.of(self.form), exactly(self._scale)

    def refusal(self, beyond: float) -> SimulationError:
        """What is said of a value that does not fit."""
        return SimulationError(
            f"a value does not fit the format {self.format}",
            value=beyond,
            expected=f"values up to {float(self.form.largest * self._scale):g}",
            fix="a run that diverges gets here; else choose a larger `scale` or a wider format",
        )

    @property
    def _scale(self) -> Fraction:
        return Fraction(1) if self.scale is None else held_scale(self.scale)

    def _cells(self) -> Cells:
        return cells(self.form, self.listed, known_number(self.rate, "rate"), self.nonfinite)

    def _ball(self, reach: Reach) -> Ball:
        magnitude, squared = reach.magnitude, reach.squared
        if magnitude is None or squared is None:
            raise SpecError(
                f"what flipped bits of {self.format} do needs a range of the values",
                expected="a ball or a box that holds them",
                fix="give the perturbation `reach: {radius: …}` or `reach: {low: …, high: …}`",
            )
        top = self.form.largest * self._scale
        if magnitude > top:
            raise SpecError(
                f"the format {self.format} does not hold the values",
                value=f"values up to {float_up(magnitude):g}",
                expected=f"values up to {float(top):g}",
                fix="choose a wider format or a larger `scale`",
            )
        return Ball(reach.size, magnitude, squared)
