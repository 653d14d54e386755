"""Decimal numbers as text, and how large and how long they may be."""

from __future__ import annotations

import re
from fractions import Fraction

from boundcalc.errors import ExpressionError

MAX_DECIMAL_EXPONENT = 300  # numbers lie within 1e±300: a float64 holds them all
MAX_DIGITS = 60  # digits of a literal

LARGEST = 10**MAX_DECIMAL_EXPONENT
_SMALLEST = Fraction(1, LARGEST)

#: What a message says is expected of a number.
IN_RANGE = (
    f"a finite number: 0, or between 1e-{MAX_DECIMAL_EXPONENT} and 1e{MAX_DECIMAL_EXPONENT} in size"
)

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def exact_value(text: str, source: str) -> Fraction:
    """The exact value of text that fits ``NUMBER``.

    Parameters
    ----------
    text
        The number.
    source
        The expression that it stands in, for messages.

    Raises
    ------
    ExpressionError
        If the number has too many digits or lies outside 1e±300.

    Examples
    --------
    >>> exact_value("-1.50e-1", "-1.50e-1")
    Fraction(-3, 20)
    """
    mantissa, _, exponent = text.lower().partition("e")
    before, _, decimals = mantissa.partition(".")
    shift = int(exponent or 0) if len(exponent) <= 6 else 10**6
    digits = len(mantissa.strip("+-").replace(".", ""))
    whole = len(before.lstrip("+-0"))
    if digits > MAX_DIGITS + MAX_DECIMAL_EXPONENT or abs(shift) + whole > MAX_DECIMAL_EXPONENT + 1:
        raise ExpressionError(
            "the number has too many digits or too large an exponent",
            value=source,
            expected=IN_RANGE,
        )
    if len(decimals) > MAX_DIGITS:
        raise ExpressionError(
            "the number has too many decimals", value=source, expected=f"at most {MAX_DIGITS}"
        )
    shift -= len(decimals)
    value = Fraction(int(before + decimals) * 10 ** max(shift, 0), 10 ** max(-shift, 0))
    surely_in_range = not exponent and whole <= MAX_DECIMAL_EXPONENT
    if value and not surely_in_range and not _SMALLEST <= abs(value) <= LARGEST:
        raise ExpressionError("the number is out of range", value=source, expected=IN_RANGE)
    return value
