"""Numbers as cells: rounded to the safe side, each with its status."""

from __future__ import annotations

import math
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.number import as_decimal, format_number
from boundcalc.report.cells import Value

DIGITS = 6
_FRACTION = 7  # longest p/q that stands beside its decimals

NONE = Value("–")

#: The small letter that each status puts after a number.
LETTERS = {
    Status.PROVED: "p",
    Status.COMPUTED: "c",
    Status.SAMPLED: "s",
    Status.UNDETERMINED: "u",
}

UP, DOWN, EVEN = ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN


def value(number: Number | None, digits: int = DIGITS, *, rounding: str = UP) -> Value:
    """A number as a cell; an upper bound by default, and so rounded up.

    >>> value(Number(Fraction(1, 3), Status.PROVED))
    Value(text='0.333334', status=<Status.PROVED: 'proved'>, fraction='1/3')
    >>> value(None).text
    '–'
    """
    if number is None:
        return NONE
    text = format_number(number.value, digits, rounding=rounding)
    fraction = None
    if isinstance(number.value, Fraction) and number.value.denominator > 1:
        exact = number.exact
        rounded = Fraction(as_decimal(number.value, digits, rounding)) != number.value
        if exact is not None and len(exact) <= _FRACTION and rounded:
            fraction = exact
    return Value(text, number.status, fraction)


def sampled(x: float, digits: int = 4, *, rounding: str = EVEN) -> Value:
    """A sampled float as a cell; infinities and NaN in words.

    >>> sampled(0.123456).text, sampled(float("-inf")).text, sampled(float("nan")).text
    ('0.1235', '−∞', 'not a number')
    """
    return Value(text_of(x, digits, rounding=rounding), Status.SAMPLED)


def text_of(x: Any, digits: int = DIGITS, *, rounding: str = EVEN) -> str:
    """Any real number as text."""
    if isinstance(x, float) and not math.isfinite(x):
        return "not a number" if math.isnan(x) else ("∞" if x > 0 else "−∞")
    return format_number(x, digits, rounding=rounding)


def interval(low: float, high: float, digits: int = 4) -> tuple[Value, str, Value]:
    """A confidence interval, rounded outwards; a narrow column may break it in the middle.

    >>> [getattr(piece, "text", piece) for piece in interval(0.12344, 0.12346)]
    ['[0.1234,', ' ', '0.1235]']
    """
    ends = (text_of(low, digits, rounding=DOWN), text_of(high, digits, rounding=UP))
    return Value(f"[{ends[0]},"), " ", Value(f"{ends[1]}]", Status.SAMPLED)


def latex_number(text: str) -> str:
    r"""A number's text as LaTeX mathematics.

    >>> print(latex_number("1.3e+1088"), latex_number("-2.5e-9"), latex_number("1e-6"))
    1.3\times10^{1088} -2.5\times10^{-9} 10^{-6}
    """

    def power(match: re.Match[str]) -> str:
        mantissa, exponent = match[1], str(int(match[2]))
        head = {"1": "", "-1": "-"}.get(mantissa, mantissa + r"\times")
        return f"{head}10^{{{exponent}}}"

    text = re.sub(r"(-?[0-9.]+)e([+-]?[0-9]+)", power, text)
    return text.replace("−∞", r"-\infty").replace("∞", r"\infty")


def up(number: Number, digits: int = DIGITS) -> str:
    """LaTeX of a number rounded up."""
    return latex_number(format_number(number.value, digits, rounding=UP))


def down(number: Number, digits: int = DIGITS) -> str:
    """LaTeX of a number rounded down."""
    return latex_number(format_number(number.value, digits, rounding=DOWN))


def log10(number: Number) -> float | None:
    """log₁₀ of a positive number of any size, or None.

    >>> from boundcalc.arithmetic import WIDE
    >>> log10(Number(WIDE.number(10) ** 1088, Status.COMPUTED))
    1088.0
    """
    if not number.value > 0:
        return None
    decimal = as_decimal(number.value, 17)
    exponent = decimal.adjusted()
    return exponent + math.log10(float(decimal.scaleb(-exponent)))
