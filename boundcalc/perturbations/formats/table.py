"""The number formats: what each can hold.

Floating formats have values ±k 2^(e − p + 1) with k < 2^p and smallest ≤ e; integer formats
have the integers −top … top.  Facts of the OCP formats are those of the OCP 8-bit Floating Point
Specification (OFP8) and the OCP Microscaling Formats Specification; of fp16 and fp32, IEEE 754.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from boundcalc.errors import SpecError, nearest
from boundcalc.perturbations.formats.exact import floor_log2, power

#: What the codes of the highest exponent mean: infinities and NaN as in IEEE 754; one NaN code
#: for each sign and numbers otherwise (the "FN" formats); numbers only.
Specials: TypeAlias = Literal["ieee", "one nan", "none"]


@dataclass(frozen=True)
class FloatFormat:
    """A binary floating format with subnormals.

    Attributes
    ----------
    name
        In the spec.
    bits
        Of one code: sign, exponent and the p − 1 stored digits.
    precision
        p, significant binary digits, the leading one included.
    smallest
        Exponent of the smallest normal number.
    largest
        The largest finite number.
    specials
        What the highest codes mean.

    Examples
    --------
    >>> FORMATS["bf16"].spacing, FORMATS["fp8_e4m3"].largest
    (Fraction(1, 128), Fraction(448, 1))
    """

    name: str
    bits: int
    precision: int
    smallest: int
    largest: Fraction
    specials: Specials

    @property
    def spacing(self) -> Fraction:
        """u = 2^(1−p): the distance of neighbours in [1, 2)."""
        return power(1 - self.precision)

    @property
    def normal(self) -> Fraction:
        """The smallest normal number."""
        return power(self.smallest)

    @property
    def step(self) -> Fraction:
        """The distance of neighbours below the smallest normal number."""
        return self.normal * self.spacing

    @property
    def mantissa(self) -> int:
        """Stored digits of the significand."""
        return self.precision - 1

    @property
    def exponent(self) -> int:
        """Bits of the exponent field."""
        return self.bits - self.precision

    def step_at(self, size: Fraction) -> Fraction:
        """The largest distance of neighbours that lie in [−size, size].

        >>> FORMATS["bf16"].step_at(Fraction(1)), FORMATS["bf16"].step_at(Fraction(3))
        (Fraction(1, 256), Fraction(1, 64))
        """
        if size <= self.normal:
            return self.step
        e = floor_log2(size)
        e -= power(e) == size  # at a power of two the numbers below it are the nearer ones
        return power(e) * self.spacing


@dataclass(frozen=True)
class IntegerFormat:
    """The integers −top … top; two's complement has one more, −top − 1, which is not used.

    >>> FORMATS["int8"].largest
    Fraction(127, 1)
    """

    name: str
    bits: int

    @property
    def top(self) -> int:
        """2^(bits−1) − 1."""
        return int(2 ** (self.bits - 1) - 1)

    @property
    def largest(self) -> Fraction:
        """As :attr:`top`."""
        return Fraction(self.top)


def _floating(
    name: str, exponent: int, mantissa: int, specials: Specials, largest: Fraction | None = None
) -> FloatFormat:
    bias = 2 ** (exponent - 1) - 1
    if largest is None:  # all digits 1 under the highest exponent of a number
        top = 2**exponent - 1 - bias - (specials == "ieee")
        largest = power(top) * (2 - power(-mantissa))
    return FloatFormat(name, 1 + exponent + mantissa, mantissa + 1, 1 - bias, largest, specials)


Format: TypeAlias = FloatFormat | IntegerFormat

#: Name in the spec → format.
FORMATS: dict[str, Format] = {
    item.name: item
    for item in (
        _floating("fp32", 8, 23, "ieee"),
        _floating("tf32", 8, 10, "ieee"),
        _floating("bf16", 8, 7, "ieee"),
        _floating("fp16", 5, 10, "ieee"),
        _floating("fp8_e5m2", 5, 2, "ieee"),
        _floating("fp8_e4m3", 4, 3, "one nan", Fraction(448)),
        _floating("fp6_e3m2", 3, 2, "none"),
        _floating("fp6_e2m3", 2, 3, "none"),
        _floating("fp4_e2m1", 2, 1, "none"),
        IntegerFormat("int16", 16),
        IntegerFormat("int8", 8),
        IntegerFormat("int4", 4),
    )
}

#: Other names that people use, for the message only.
_USUAL = {
    "e4m3": "fp8_e4m3",
    "e4m3fn": "fp8_e4m3",
    "e5m2": "fp8_e5m2",
    "e2m1": "fp4_e2m1",
    "e2m3": "fp6_e2m3",
    "e3m2": "fp6_e3m2",
    "fp8": "fp8_e4m3",
    "fp6": "fp6_e3m2",
    "fp4": "fp4_e2m1",
    "half": "fp16",
    "float16": "fp16",
    "single": "fp32",
    "float": "fp32",
    "float32": "fp32",
    "bfloat16": "bf16",
    "i8": "int8",
    "i4": "int4",
    "fixed": "uniform",
    "fixed_point": "uniform",
}


def format_named(name: str, *others: str) -> Format:
    """The format of that name.

    Parameters
    ----------
    name
        As in :data:`FORMATS`; there is one name for each format.
    others
        Further names that the caller takes, for the message.

    Raises
    ------
    SpecError
        No format has that name; the message has the nearest one.

    Examples
    --------
    >>> format_named("fp16").bits
    16
    """
    if name in FORMATS:
        return FORMATS[name]
    known = [*FORMATS, *others]
    plain = name.lower().replace("-", "_").removeprefix("float8_")
    near = _USUAL.get(plain) or nearest(plain, known)
    raise SpecError(
        "no number format has that name",
        value=name,
        expected="one of " + ", ".join(known),
        fix=f"write {near}" if near in known else "choose one of these",
    )
