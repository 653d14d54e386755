"""Exact roots and powers of two of rationals, and floats that are not below them."""

from __future__ import annotations

import math
from fractions import Fraction

_DIGITS = 64  # binary digits that a root keeps


def floor_log2(x: Fraction) -> int:
    """The largest e with 2^e ≤ x, for x > 0.

    >>> floor_log2(Fraction(1, 3)), floor_log2(Fraction(4))
    (-2, 2)
    """
    e = x.numerator.bit_length() - x.denominator.bit_length()
    return e if power(e) <= x else e - 1


def power(e: int) -> Fraction:
    """2^e.

    >>> power(-3)
    Fraction(1, 8)
    """
    return Fraction(2**e) if e >= 0 else Fraction(1, 2**-e)


def root_up(x: Fraction) -> Fraction:
    """A rational at least √x and at most √x (1 + 2⁻⁶³); exact for squares of short numbers.

    >>> root_up(Fraction(9, 4)), root_up(Fraction(2)) ** 2 >= 2
    (Fraction(3, 2), True)
    """
    if x == 0:
        return Fraction(0)
    top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
    if top * top == x.numerator and bottom * bottom == x.denominator:
        return Fraction(top, bottom)
    unit = power(floor_log2(x) // 2 - _DIGITS)
    return (math.isqrt(math.floor(x / unit**2)) + 1) * unit


def float_up(x: Fraction) -> float:
    """The least float64 that is at least x.

    >>> Fraction(float_up(Fraction(1, 10))) >= Fraction(1, 10)
    True
    """
    try:
        near = float(x)
    except OverflowError:
        return math.inf
    return near if Fraction(near) >= x else math.nextafter(near, math.inf)


def binary_up(x: Fraction, digits: int) -> Fraction:
    """The least number that is at least x > 0 and has that many significant binary digits.

    >>> binary_up(Fraction(1, 3), 2), binary_up(Fraction(3), 2)
    (Fraction(3, 8), Fraction(3, 1))
    """
    unit = power(floor_log2(x) - digits + 1)
    return math.ceil(x / unit) * unit
