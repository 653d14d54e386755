"""Powers of a contraction and their sums over steps, in any number kind.

A contraction q is given by 1 − q, because q is often within rounding of 1.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar
from boundcalc.errors import InexactError
from boundcalc.perturbations.schedules import Progression

#: Longest rational power that is written out, in bits; longer ones are enclosed.
_EXACT_BITS = 20_000

#: Steps in a row of the table of powers: q^(hB + l) = q^(hB) q^l.
_BLOCK = 1 << 12

#: Widest enclosure of a power in a table, relative to it.
_WIDTH = 2.0**-54

#: Unit roundoff of float64 (N. J. Higham, Accuracy and Stability, 2nd ed., section 2.1).
_UNIT = Fraction(1, 2**53)


def power(drop: Scalar, exponent: int, kind: Arithmetic = WIDE) -> Scalar:
    """(1 − drop)^exponent for drop in (0, 1], to full precision for tiny drops.

    Raises
    ------
    InexactError
        In exact arithmetic, if the power is too long to write out.
    """
    q = 1 - drop
    if kind.exact:
        _check_length(q, exponent)
        return q**exponent
    try:
        contracts = bool(drop < 1)
    except InexactError:  # an enclosure of drop that reaches 1, so q is 0 or next to it
        return kind.maximum(kind.number(0), q) ** exponent
    if not contracts:
        return kind.number(1 if exponent == 0 else 0)
    return kind.exp(exponent * kind.log1p(-drop))


def geometric(drop: Scalar, steps: Progression, top: int, kind: Arithmetic = WIDE) -> Scalar:
    """Σ_t q^{top−t} over an arithmetic progression of steps t ≤ top; q = 1 − drop.

    With stride s and n steps it is q^{top−last}(1 − q^{sn})/(1 − q^s).
    """
    if steps.length == 0:
        return kind.number(0)
    last = steps.start + (steps.length - 1) * steps.stride
    span = steps.stride * steps.length
    if kind.exact:
        _check_length(1 - drop, top - steps.start)
    elif _surely_below(drop, kind.number(Fraction(1, 2))):
        log_ratio = kind.log1p(-drop)
        terms = kind.expm1(span * log_ratio) / kind.expm1(steps.stride * log_ratio)
        return kind.exp((top - last) * log_ratio) * terms
    # q is far from 1, so nothing cancels.
    first = power(drop, top - last, kind)
    return first * (1 - power(drop, span, kind)) / (1 - power(drop, steps.stride, kind))


def _surely_below(x: Scalar, y: Scalar) -> bool:
    try:
        return bool(x < y)
    except InexactError:
        return False


def _check_length(q: Fraction, exponent: int) -> None:
    if max(q.numerator.bit_length(), q.denominator.bit_length()) * exponent > _EXACT_BITS:
        raise InexactError("the power is too long to write out", value=f"({q})**{exponent}")


class PowerTable:
    """q⁰ … q^T in float64, each within a proved distance of the true power.

    An entry is the product of two entries of tables of about √T numbers, which are rounded
    from enclosures: two roundings and that of the product, each by a factor within 1 ± 2⁻⁵³,
    and the widths of the two enclosures, each below 2⁻⁵⁴, taken as a rounding more; below the
    normal range a rounding moves by up to 2⁻¹⁰⁷⁴ instead.

    Parameters
    ----------
    drop
        1 − q, a number of the kind.
    top
        T.

    Raises
    ------
    InexactError
        If an enclosure is wider than that.
    """

    #: Roundings in an entry.
    ROUNDINGS = 5

    def __init__(self, drop: Scalar, top: int, kind: Arithmetic) -> None:
        self._low = _floats([power(drop, k, kind) for k in range(min(top, _BLOCK - 1) + 1)])
        self._high = _floats([power(drop, k, kind) for k in range(0, top + 1, _BLOCK)])

    def __call__(self, exponents: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """q to each of the exponents."""
        with np.errstate(under="ignore"):
            found: npt.NDArray[np.float64] = (
                self._high[exponents // _BLOCK] * self._low[exponents % _BLOCK]
            )
        return found


def _floats(values: list[Scalar]) -> npt.NDArray[np.float64]:
    if any(getattr(value, "relative_width", 0.0) > _WIDTH for value in values):
        raise InexactError("an enclosure is too wide for a table of powers")
    return np.array([float(value) for value in values])


def sum_of_floats(total: float, terms: int, kind: Arithmetic) -> Scalar:
    """A sum that float64 made of ``terms`` entries of a :class:`PowerTable`, with its error.

    Adding n numbers ≥ 0 one after the other, in any grouping, is off by a factor within
    1 ± γ_{n−1}, γ_n = n u/(1 − n u) (Higham, section 4.2), and each entry by one within 1 ± γ_5;
    together 1 ± γ_{n+4}.  Entries below the normal range are off by at most 2⁻¹⁰⁷² each,
    for two factors of at most 1 that are off by 2⁻¹⁰⁷⁴ are multiplied, and rounded.

    Returns
    -------
    In floating point the sum itself; else its enclosure.
    """
    if kind is WIDE:
        return kind.measured(total)
    n = (terms + PowerTable.ROUNDINGS) * _UNIT
    gamma, tiny = n / (1 - n), Fraction(terms, 2**1072)
    value = Fraction(total)
    low = max(Fraction(0), (value - tiny) / (1 + gamma))
    return between(low, (value + tiny) / (1 - gamma), kind)


def between(low: Fraction, high: Fraction, kind: Arithmetic) -> Scalar:
    """A number of which only the ends of an interval around it are known.

    Raises
    ------
    InexactError
        In exact arithmetic.
    """
    hull = getattr(kind, "between", None)
    if hull is None:
        raise InexactError("the sum is only known up to rounding", value=f"{float(high):.6g}")
    return hull(low, high)
