"""Orders of growth in the horizon: T^a ln^b T."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import total_ordering
from typing import Any

from boundcalc.errors import SpecError

# Exponents have at most six digits above and below the bar.
_NUMBER = r"-?[0-9]{1,6}(?:/[0-9]{1,6})?"
_EXPONENT = rf"(?:\^(?:\(({_NUMBER})\)|({_NUMBER})))?"
_LONGEST = 100  # characters of a text that is read
_PATTERN = re.compile(
    rf"(?:1|(T){_EXPONENT})?(?: *\*? *(ln){_EXPONENT} *T)?(?: */ *(T){_EXPONENT})?"
)


@total_ordering
@dataclass(frozen=True)
class Order:
    """T^power · ln^log T as T → ∞, whatever the constant in front; or 0.

    Ordered by how fast they grow: first by the power of T, then by that of ln T; 0 is below all.

    Attributes
    ----------
    power, log
        The exponents.
    zero
        Whether it is 0 instead, or smaller than every power of T; see :data:`NOTHING`.

    Examples
    --------
    >>> from fractions import Fraction as F
    >>> step = Order(F(-1), F(1))
    >>> print(step, step**F(1, 4), step / step, sep="   ")
    T^(-1) ln T   T^(-1/4) ln^(1/4) T   1
    >>> Order(F(-1)) < step < Order(F(-1, 2))
    True
    """

    power: Fraction = Fraction(0)
    log: Fraction = Fraction(0)
    zero: bool = False

    def __lt__(self, other: Order) -> bool:
        return self._size() < other._size()

    def _size(self) -> tuple[bool, Fraction, Fraction]:
        return not self.zero, self.power, self.log

    def __mul__(self, other: Order) -> Order:
        if self.zero or other.zero:
            return NOTHING
        return Order(self.power + other.power, self.log + other.log)

    def __truediv__(self, other: Order) -> Order:
        if other.zero:
            raise ZeroDivisionError(f"the order {self} over the order 0")
        if self.zero:
            return NOTHING
        return Order(self.power - other.power, self.log - other.log)

    def __pow__(self, exponent: Fraction | int) -> Order:
        if self.zero:
            return CONSTANT if exponent == 0 else CONSTANT / self if exponent < 0 else NOTHING
        return Order(self.power * exponent, self.log * exponent)

    def __str__(self) -> str:
        return self._written("ln", "T^{}", "ln^{} T", bracketed)

    def latex(self) -> str:
        r"""As LaTeX mathematics.

        >>> from fractions import Fraction as F
        >>> print(Order(F(-1, 4), F(1, 4)).latex())
        T^{-1/4} \ln^{1/4} T
        """
        return self._written(r"\ln", "T^{{{}}}", r"\ln^{{{}}} T", str)

    def _written(self, ln: str, power: str, log: str, exponent: Callable[[Fraction], str]) -> str:
        if self.zero:
            return "0"
        parts = []
        if self.power != 0:
            parts.append("T" if self.power == 1 else power.format(exponent(self.power)))
        if self.log != 0:
            parts.append(f"{ln} T" if self.log == 1 else log.format(exponent(self.log)))
        return " ".join(parts) or "1"

    def symbol(self) -> Any:
        """As a SymPy expression in a positive symbol T.

        >>> from fractions import Fraction as F
        >>> Order(F(-1, 2), F(1, 2)).symbol()
        sqrt(log(T))/sqrt(T)
        """
        import sympy

        if self.zero:
            return sympy.Integer(0)
        T = sympy.Symbol("T", positive=True)
        power, log = (sympy.Rational(x.numerator, x.denominator) for x in (self.power, self.log))
        return T**power * sympy.log(T) ** log

    def json(self) -> dict[str, str | None]:
        """For machine-readable output; the exponents are exact, and None where it is 0.

        >>> Order(Fraction(-1, 8)).json()
        {'power': '-1/8', 'log': '0', 'text': 'T^(-1/8)'}
        """
        if self.zero:
            return {"power": None, "log": None, "text": "0"}
        return {"power": str(self.power), "log": str(self.log), "text": str(self)}

    @classmethod
    def read(cls, text: str) -> Order:
        """An order as people write it: ``1``, ``T^-1/2``, ``ln T/T``, ``T^(-1) ln^(1/2) T``.

        Raises
        ------
        SpecError
            For anything else, and for exponents of more than six digits.

        Examples
        --------
        >>> print(Order.read("T^-1/4 ln^(1/4) T"), Order.read("ln T/T"), sep="   ")
        T^(-1/4) ln^(1/4) T   T^(-1) ln T
        """
        stripped = text.strip()
        found = _PATTERN.fullmatch(stripped) if len(stripped) <= _LONGEST else None
        if found is None or not stripped or stripped[0] in "*/":
            raise _unreadable(text)
        try:
            power, log, over = (
                Fraction(first or second or int(letter is not None))
                for letter, first, second in zip(*[iter(found.groups())] * 3, strict=True)
            )
        except ZeroDivisionError:
            raise _unreadable(text) from None
        return cls(power - over, log)


def bracketed(exponent: Fraction) -> str:
    """An exponent as text: in brackets unless it is a positive integer.

    >>> bracketed(Fraction(2)), bracketed(Fraction(-2)), bracketed(Fraction(1, 2))
    ('2', '(-2)', '(1/2)')
    """
    plain = exponent.denominator == 1 and exponent > 0
    return str(exponent) if plain else f"({exponent})"


def _unreadable(text: str) -> SpecError:
    return SpecError(
        "not an order of growth",
        value=text,
        expected="1, T^(a), ln^(b) T or T^(a) ln^(b) T with rational a and b",
        fix="write T^(-1/2), say, or T^(-1) ln T",
    )


#: 0: no order T^a ln^b T is as small.
NOTHING = Order(zero=True)

#: What does not grow and does not shrink.
CONSTANT = Order()

#: T itself.
HORIZON = Order(Fraction(1))

#: ln T.
LOGARITHM = Order(Fraction(0), Fraction(1))
