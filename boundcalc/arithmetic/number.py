"""A printed number: its value, and how far it can be trusted."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

from boundcalc.errors import BoundcalcError
from boundcalc.showing import Shown

_JSON_DIGITS = 17  # enough for a float64 to survive the trip
_EXACT_SHIFT = 200_000  # binary exponent up to which a float is printed from its exact value
_NOISE = Decimal("1e-14")  # relative rounding noise of floating-point results
_EXPONENTS: Any = {"Emax": 10**17, "Emin": -(10**17)}  # of decimals, far beyond any exponent met
_FLOAT_BITS = 1100  # binary exponents beyond which no float64 is near
_EXACT_BITS = 4096  # longest numerator or denominator that is written out


class Status(enum.StrEnum):
    """How far a number can be trusted, best first."""

    PROVED = "proved"  #: exact or enclosed, from stated assumptions
    COMPUTED = "computed"  #: the same formula in floating point
    SAMPLED = "sampled"  #: from a simulation, with a confidence interval
    UNDETERMINED = "undetermined"


def worst(*statuses: Status) -> Status:
    """The status of a number that is made from others.

    >>> worst(Status.PROVED, Status.SAMPLED, Status.COMPUTED)
    <Status.SAMPLED: 'sampled'>
    """
    return max(statuses, key=list(Status).index)


@dataclass(frozen=True)
class Number(Shown):
    """A finite number of some kind with its status.

    Parameters
    ----------
    value
        A ``Fraction``, an ``mpf`` of the wide kind, a ball of the interval kind, or a
        float.  NaN and infinities are refused.
    status
        One of :class:`Status`.
    limit
        Whether it is a limit that must not be passed.  Limits are printed rounded
        down, everything else, being an upper bound, rounded up; of a ball the end that is
        on that side.

    Raises
    ------
    BoundcalcError
        If the value is not finite.

    Examples
    --------
    >>> Number(Fraction(225, 4), Status.PROVED)
    Number(56.25, proved)
    >>> from boundcalc.arithmetic import WIDE
    >>> print(Number(WIDE.number(13) * WIDE.number(10) ** 1087, Status.COMPUTED))
    1.3e+1088
    """

    value: Any
    status: Status
    limit: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.value, Fraction | int):
            return
        if not _is_finite(self.value):
            raise BoundcalcError(
                "a result is not a finite number", value=str(self.value), expected="a finite number"
            )

    def __float__(self) -> float:
        """The nearest float64; ``inf`` or 0.0 where float64 cannot hold it."""
        try:
            return float(self.value)
        except OverflowError:
            return math.inf if self.value > 0 else -math.inf

    def __str__(self) -> str:
        return format_limit(self.value) if self.limit else format_bound(self.value)

    def __repr__(self) -> str:
        return f"Number({self}, {self.status})"

    @property
    def exact(self) -> str | None:
        """The value as ``p/q``, or None if it is not rational or too long to write."""
        if not isinstance(self.value, Fraction):
            return None
        size = max(self.value.numerator.bit_length(), self.value.denominator.bit_length())
        return str(self.value) if size <= _EXACT_BITS else None

    @property
    def relative_width(self) -> float | None:
        """Length of the enclosure relative to the number; None for a float, which has none.

        >>> Number(Fraction(1, 3), Status.PROVED).relative_width
        0.0
        """
        if isinstance(self.value, Fraction | int):
            return 0.0
        width: float | None = getattr(self.value, "relative_width", None)
        return width

    def json(self) -> float | str:
        """A JSON number, or a string such as ``"1.3e+1088"`` outside float64's range.

        What is exact or enclosed stays a bound, or a limit: it is rounded to its safe side.

        >>> Number(Fraction(1, 3), Status.PROVED).json() > Fraction(1, 3)
        True
        >>> Number(Fraction(1, 3), Status.PROVED, limit=True).json() < Fraction(1, 3)
        True
        """
        rounding = ROUND_FLOOR if self.limit else ROUND_CEILING
        if not (isinstance(self.value, Fraction | int) or _is_ball(self.value)):
            rounding = ROUND_HALF_EVEN
        found = _nearest_float(*_exact_parts(self.value, rounding), rounding)
        if math.isinf(found) or (found == 0.0 and self.value != 0):
            return format_number(self.value, _JSON_DIGITS, rounding=rounding)
        return found


def _is_ball(value: Any) -> bool:
    return hasattr(value, "relative_width")


def _is_finite(value: Any) -> bool:
    if _is_ball(value):
        return bool(value.finite)
    if hasattr(value, "_mpf_"):
        return bool(value._mpf_[1] or value == 0)
    return math.isfinite(value)


def _nearest_float(top: int, bottom: int, shift: int, rounding: str) -> float:
    """p/q · 2^s as a float64, on its safe side or nearest; infinite or 0.0 where none is near."""
    size = top.bit_length() - bottom.bit_length() + shift
    if size > _FLOAT_BITS or size < -_FLOAT_BITS:
        return (math.inf if top > 0 else -math.inf) if size > 0 else 0.0
    exact = Fraction(top << max(shift, 0), bottom << max(-shift, 0))
    try:
        nearest = float(exact)
    except OverflowError:
        return math.inf if top > 0 else -math.inf
    if rounding == ROUND_CEILING and nearest < exact:
        return math.nextafter(nearest, math.inf)
    if rounding == ROUND_FLOOR and nearest > exact:
        return math.nextafter(nearest, -math.inf)
    return nearest


def as_decimal(value: Any, digits: int, rounding: str = ROUND_HALF_EVEN) -> Decimal:
    """``value`` to ``digits`` significant digits, correctly rounded from its exact value.

    Of a ball its upper end is rounded up, its lower end down, its midpoint to even.

    >>> as_decimal(Fraction(2, 3), 3, ROUND_CEILING)
    Decimal('0.667')
    """
    top, bottom, shift = _exact_parts(value, rounding)
    if top == 0:
        return Decimal(0)
    if abs(shift) > _EXACT_SHIFT:
        # A float whose power of ten has too many digits to write out: 40 guard digits do.
        wide = Context(prec=digits + 40, **_EXPONENTS)
        scaled = wide.multiply(wide.create_decimal(top), wide.power(Decimal(2), Decimal(shift)))
        if rounding != ROUND_HALF_EVEN:
            # The guard digits may be off; a bound has to stay one.
            slack = wide.scaleb(wide.abs(scaled), -(digits + 30))
            move = wide.add if rounding == ROUND_CEILING else wide.subtract
            scaled = move(scaled, slack)
        return Context(prec=digits, rounding=rounding, **_EXPONENTS).plus(scaled)
    top, bottom = top << max(shift, 0), bottom << max(-shift, 0)
    quotient, place = _quotient(abs(top), bottom, digits, rounding, negative=top < 0)
    return Decimal((int(top < 0), tuple(map(int, str(quotient))), place))


def _exact_parts(value: Any, rounding: str) -> tuple[int, int, int]:
    """Integers (p, q, s) with value = p/q · 2^s; of a ball the end that is on the safe side."""
    if isinstance(value, int):
        return value, 1, 0
    if isinstance(value, Fraction):
        return value.numerator, value.denominator, 0
    if isinstance(value, float):
        return *value.as_integer_ratio(), 0
    if _is_ball(value):
        ends = {ROUND_CEILING: value.upper, ROUND_FLOOR: value.lower}
        mantissa, exponent = ends.get(rounding, value.middle)
        return mantissa, 1, exponent
    sign, mantissa, exponent, _ = value._mpf_
    return (-int(mantissa) if sign else int(mantissa)), 1, int(exponent)


def _quotient(
    top: int, bottom: int, digits: int, rounding: str, *, negative: bool
) -> tuple[int, int]:
    """(k, place) with k of ``digits`` digits and k·10^place = ±top/bottom, rounded."""
    place = (top.bit_length() - bottom.bit_length()) * 30103 // 100000 - digits
    while True:
        # Too small a place gives a digit too many; it is found within two tries.
        power = 10 ** abs(place)
        upper, lower = (top, bottom * power) if place > 0 else (top * power, bottom)
        whole, rest = divmod(upper, lower)
        if whole < 10**digits:
            break
        place += 1
    if rounding == ROUND_HALF_EVEN:
        up = 2 * rest > lower or (2 * rest == lower and whole % 2 == 1)
    else:
        up = rest > 0 and (rounding == ROUND_CEILING) != negative
    return whole + up, place


def format_number(value: Any, digits: int = 6, *, rounding: str = ROUND_HALF_EVEN) -> str:
    """A number as text with ``digits`` significant digits, trailing zeros dropped.

    Plain notation between 1e-4 and 1e6, scientific elsewhere, with an exponent
    as long as it has to be.

    >>> format_number(Fraction(1, 3)), format_number(0), format_number(22.0)
    ('0.333333', '0', '22')
    >>> format_number(1.3e-9), format_number(Fraction(13, 10) * 10**1088, 2)
    ('1.3e-9', '1.3e+1088')
    """
    if value == 0:
        return "0"
    rounded = as_decimal(value, digits, rounding)
    noisy = not (isinstance(value, Fraction | int) or _is_ball(value))
    if rounding != ROUND_HALF_EVEN and noisy:
        # A float that is a short decimal but for rounding noise is printed as that decimal.
        nearest = as_decimal(value, digits)
        precise = as_decimal(value, digits + 20)
        context = Context(prec=digits + 20, **_EXPONENTS)
        off = context.abs(context.subtract(nearest, precise))
        if off <= context.multiply(context.abs(precise), _NOISE):
            rounded = nearest
    context = Context(prec=digits, **_EXPONENTS)
    rounded = rounded.normalize(context)
    exponent = rounded.adjusted()
    if -5 < exponent < max(6, digits):
        return f"{rounded:f}"
    mantissa = rounded.scaleb(-exponent, context)
    return f"{mantissa:f}e{exponent:+d}"


def format_bound(value: Any, digits: int = 6) -> str:
    """An upper bound as text, rounded up: the printed number is a bound too.

    >>> format_bound(Fraction(2, 3), 3)
    '0.667'
    """
    return format_number(value, digits, rounding=ROUND_CEILING)


def format_limit(value: Any, digits: int = 6) -> str:
    """A limit that must not be passed as text, rounded down.

    >>> format_limit(Fraction(2, 3), 3)
    '0.666'
    """
    return format_number(value, digits, rounding=ROUND_FLOOR)
