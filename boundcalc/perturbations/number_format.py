"""Rounding to a number format."""

from __future__ import annotations

from fractions import Fraction
from typing import ClassVar, Literal, Self, final

import numpy as np
from pydantic import Field, field_validator, model_validator

from boundcalc.errors import SimulationError, SpecError
from boundcalc.perturbations.base import Array
from boundcalc.perturbations.formats.bounds import Ball, Groups, Sums, dynamic_sums, static_sums
from boundcalc.perturbations.formats.exact import float_up, root_up
from boundcalc.perturbations.formats.laws import law
from boundcalc.perturbations.formats.rounding import Grid, exactly, misfit, rounded
from boundcalc.perturbations.formats.scales import (
    SCALE_BITS,
    SLACK,
    ScaleKind,
    rounded_in_groups,
)
from boundcalc.perturbations.formats.settings import (
    check_keys,
    held_scale,
    known_format,
    known_number,
)
from boundcalc.perturbations.formats.table import Format, IntegerFormat, format_named
from boundcalc.perturbations.formats.uniform import UNIFORM, Levels, levels
from boundcalc.perturbations.transform import Apply, Largest, Reach, Transform
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Positive, Real, custom_error


@final
class NumberFormat(Transform):
    """Q(y): every component of y rounded to the numbers of a format, times a scale.

    To nearest (ties to even) or stochastically, where E Q(y) = y exactly, unless a value is
    clipped or flushed.  The error is that of one rounding of the float64 value.

    Attributes
    ----------
    format
        A name in :data:`~boundcalc.perturbations.formats.table.FORMATS`, or ``uniform``:
        2^bits equally spaced numbers from low to high.
    rounding
        ``nearest`` or ``stochastic``.
    scaling
        ``none``: the fixed ``scale``.  Otherwise the scale of a group of components follows
        their largest size: all of a sample's value (``tensor``), each of the ``channels``
        equal parts of it in C order (``channel``), or every ``block`` of them (``block``).
    scale
        Positive; rounded up to 24 significant bits, so that powers of two are exact.
    scale_kind
        Dynamic scales: ``power_of_two`` (the default for blocks and for floating formats) or
        ``real``.
    overflow
        ``error``: a reach that does not fit is refused.  ``saturate``: values beyond the
        largest number become it, and the moments count that.  Nothing becomes infinite.
    subnormals
        ``keep``, or ``flush``: results below the smallest normal number become zero.
    bits, low, high
        For ``uniform`` alone.

    Raises
    ------
    pydantic.ValidationError
        An unknown format (with the nearest name), or keys that do not go together.

    Examples
    --------
    >>> form = NumberFormat(format="fp8_e4m3", rounding="stochastic")
    >>> moments = form.moments(Reach((1,), Fraction(1), None, None))
    >>> str(moments.mean_squared), str(moments.second)
    ('0', '1/1024')
    >>> NumberFormat(format="int8", scaling="tensor").contraction(4) < Fraction(1, 16_000)
    True
    """

    model: ClassVar[str] = "number_format"

    format: str = Field(max_length=40)
    rounding: Literal["nearest", "stochastic"] = "nearest"
    scaling: Literal["none", "tensor", "channel", "block"] = "none"
    scale: Positive | None = None
    scale_kind: ScaleKind | None = None
    block: int | None = Field(default=None, ge=1, le=2**30)
    channels: int | None = Field(default=None, ge=1, le=2**30)
    overflow: Literal["error", "saturate"] | None = None
    subnormals: Literal["keep", "flush"] | None = None
    width: int | None = Field(default=None, ge=1, le=16, alias="bits")
    low: Real | None = None
    high: Real | None = None

    @field_validator("format")
    @classmethod
    def _is_known(cls, name: str) -> str:
        return known_format(name, UNIFORM)

    @model_validator(mode="after")
    def _keys_go_together(self) -> Self:
        check_keys(self.format, self.scaling, self.model_fields_set)
        if self.scale is not None:
            held_scale(self.scale)
        if self.format == UNIFORM:
            try:
                self._levels()
            except SpecError as error:
                raise custom_error(error.problem, error.expected, error.fix) from None
        return self

    @property
    def form(self) -> Format | None:
        """The format; None for ``uniform``."""
        return None if self.format == UNIFORM else format_named(self.format)

    @property
    def stochastic(self) -> bool:
        """Whether rounding is."""
        return self.rounding == "stochastic"

    @property
    def kind(self) -> ScaleKind:
        """Of dynamic scales: the one given, else real for integers in large groups."""
        if self.scale_kind is not None:
            return self.scale_kind
        real = self.scaling != "block" and isinstance(self.form, IntegerFormat)
        return "real" if real else "power_of_two"

    def moments(self, reach: Reach) -> VectorMoments:
        """Proved bounds, exact rationals: see :mod:`~boundcalc.perturbations.formats.bounds`.

        Stochastic rounding has mean zero unless values are clipped or flushed.

        Raises
        ------
        SpecError
            No range is known, or it does not fit and overflow is an error; or the channels do
            not divide the components.
        """
        return self._sums(reach).moments()

    def largest(self, reach: Reach) -> Largest:
        """Half a spacing at most to nearest, one stochastically; more where values are clipped."""
        sums = self._sums(reach)
        return Largest(float_up(sums.size), float_up(root_up(sums.norm)))

    def contraction(self, size: int) -> Fraction | None:
        """α² for dynamic scales; None for a fixed one, for which small values are lost."""
        if self.scaling == "none":
            return None
        return self._dynamic(Ball(size, Fraction(1), Fraction(1))).second

    def bits(self, size: int) -> Fraction:
        """n codes, and a scale of 8 bits (E8M0) or 32 bits (float32) for each group."""
        code = (self.width or 0) if self.form is None else self.form.bits
        scales = 0 if self.scaling == "none" else self._groups(size).count * SCALE_BITS[self.kind]
        return Fraction(code * size + scales)

    def apply(self) -> Apply:
        """Q, bit-exact for every float64.

        Raises
        ------
        SimulationError
            When it is called: a finite value does not fit, though overflow is an error; or the
            channels do not divide the components.
        """
        if self.scaling == "none":
            return self._fixed()
        kind, grid = self.kind, Grid.of(format_named(self.format), self.subnormals == "flush")

        def scaled(rng: np.random.Generator, values: Array) -> Array:
            longest = self.group_length(values.shape[-1])
            drawn = rng if self.stochastic else None
            return rounded_in_groups(values, longest, grid, kind, drawn)

        return scaled

    def fixed_grid(self) -> tuple[Grid, float]:
        """What is rounded to without dynamic scaling, and its scale."""
        if self.form is None:
            lattice = self._levels()
            return lattice.grid, exactly(lattice.step)
        return Grid.of(self.form, self.subnormals == "flush"), exactly(self._scale)

    @property
    def strict(self) -> bool:
        """Whether a value that does not fit the fixed scale is refused."""
        return self.scaling == "none" and self.overflow != "saturate"

    def refusal(self, beyond: float) -> SimulationError:
        """What is said of a value that does not fit."""
        grid, scale = self.fixed_grid()
        return SimulationError(
            f"a value does not fit the format {self.format}",
            value=beyond,
            expected=f"values from {grid.least * scale + grid.offset:g} "
            f"to {grid.largest * scale + grid.offset:g}",
            fix="a run that diverges gets here; else choose `overflow: saturate`, a "
            "larger `scale`, or a wider format",
        )

    def _fixed(self) -> Apply:
        grid, scale = self.fixed_grid()

        def fixed(rng: np.random.Generator, values: Array) -> Array:
            beyond = misfit(values, grid, scale) if self.strict else None
            if beyond is not None:
                raise self.refusal(beyond)
            return rounded(values, grid, np.asarray(scale), rng if self.stochastic else None)

        return fixed

    @property
    def _scale(self) -> Fraction:
        return Fraction(1) if self.scale is None else held_scale(self.scale)

    def _levels(self) -> Levels:
        match self.width, self.low, self.high:
            case int() as bits, Expression() as low, Expression() as high:
                return levels(bits, known_number(low, "low"), known_number(high, "high"))
        raise AssertionError("refused by check_keys")

    def group_length(self, size: int) -> int:
        """Components that share a dynamic scale; the last group may have fewer.

        Raises
        ------
        SpecError
            The channels do not divide the components.
        """
        return self._groups(size).longest

    def _groups(self, size: int) -> Groups:
        if self.channels is not None:
            if size % self.channels:
                raise SpecError(
                    "the channels do not divide the components",
                    value=f"{self.channels} channels, {size} components",
                    expected="a divisor of the number of components",
                    fix="change `channels`, or choose `scaling: tensor` or `scaling: block`",
                )
            longest = size // self.channels
        else:
            longest = size if self.scaling == "tensor" else min(size, self.block or 32)
        return Groups(-(-size // longest), longest, SLACK[self.kind])

    def _dynamic(self, ball: Ball) -> Sums:
        form = format_named(self.format)
        rule = law(form, self.stochastic, self.subnormals == "flush")
        return dynamic_sums(rule, form, self._groups(ball.size), ball)

    def _sums(self, reach: Reach) -> Sums:
        magnitude, squared = reach.magnitude, reach.squared
        if magnitude is None or squared is None:
            raise SpecError(
                f"the error of rounding to {self.format} needs a range of the values",
                expected="a ball or a box that holds them",
                fix="give the perturbation `reach: {radius: …}` or `reach: {low: …, high: …}`",
            )
        ball = Ball(reach.size, magnitude, squared)
        if self.scaling != "none":
            return self._dynamic(ball)
        low = -magnitude if reach.low is None else max(reach.low, -magnitude)
        high = magnitude if reach.high is None else min(reach.high, magnitude)
        form = self.form
        if form is None:
            lattice = self._levels()
            self._require(low, high, lattice.low, lattice.high)
            return lattice.sums(ball, lattice.beyond(low, high), self.stochastic)
        top = form.largest * self._scale
        self._require(low, high, -top, top)
        rule = law(form, self.stochastic, self.subnormals == "flush")
        sums = static_sums(rule, form, self.stochastic, self._scale, ball.within(top))
        if magnitude <= top:
            return sums
        beyond = magnitude - top
        # (|y| − top)² ≤ (beyond/magnitude)² y², as 1 − top/|y| grows with |y|.
        energy = min(ball.size * beyond**2, (beyond / magnitude) ** 2 * squared)
        return sums.clipped(beyond, energy)

    def _require(self, low: Fraction, high: Fraction, least: Fraction, most: Fraction) -> None:
        """Refuse a reach that does not fit, unless values beyond the range are saturated."""
        if self.overflow == "saturate" or (least <= low and high <= most):
            return
        raise SpecError(
            f"the format {self.format} does not hold the values",
            value=f"values from {float_up(low):g} to {float_up(high):g}",
            expected=f"values from {float(least):g} to {float(most):g}",
            fix="choose a wider format, a larger `scale`, dynamic `scaling`, or "
            "`overflow: saturate`, which counts the clipping as bias",
        )
