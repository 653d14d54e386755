"""An erratum, and what running its evidence found."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN
from fractions import Fraction
from typing import Any, Literal, NamedTuple

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.number import format_number
from boundcalc.showing import Shown, Tabular

FALSE = "false as printed"
GAP = "proof gap, statement survives"
OPEN = "proof gap, open"
LOOSE = "loose"
MISPRINT = "misprint"

_SHORT = 12  # longest p/q that is printed as such
_LONG = 10**6  # numerators from here on are rounded
_ROUNDING = {"equal": ROUND_HALF_EVEN, "at most": ROUND_CEILING, "at least": ROUND_FLOOR}


@dataclass(frozen=True)
class Check:
    """One statement that the evidence decided.

    Attributes
    ----------
    statement
        What is to be true, in words.
    holds
        Whether it was.
    """

    statement: str
    holds: bool


@dataclass(frozen=True)
class Finding:
    """A number that the evidence found, with its status.

    Attributes
    ----------
    name
        What it is.
    relation
        Whether what is named equals the number, or is at most or at least the number.
    number
        The number and its status.
    """

    name: str
    relation: Literal["equal", "at most", "at least"]
    number: Number

    def text(self, digits: int = 4) -> str:
        """The number as p/q where that is short, else rounded to the side of the relation.

        >>> exact("x", Fraction(2, 3)).text(), at_most("x", Fraction(2, 3**30)).text()
        ('2/3', '9.714e-15')
        """
        value = self.number.value
        if isinstance(value, Fraction) and abs(value.numerator) < _LONG:
            whole = str(value)
            if len(whole) <= _SHORT:
                return whole
        return format_number(value, digits, rounding=_ROUNDING[self.relation])


class Found(NamedTuple):
    """What a run of evidence returns: the line with its numbers, the numbers, the checks."""

    line: str
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Erratum:
    """One erratum and how its evidence is run.

    Attributes
    ----------
    id, where, what
        Its number, the place in print, and what is wrong there.
    status
        One of the five of this module.
    method
        What is checked, and how.
    gather
        Runs the evidence.
    """

    id: str
    where: str
    what: str
    status: str
    method: str
    gather: Callable[[], Found]


@dataclass(frozen=True)
class Evidence(Shown, Tabular):
    """An erratum whose evidence has been run.

    Attributes
    ----------
    erratum
        Which one.
    line
        What was found, in one line with numbers.
    findings, checks
        The numbers and the statements that were decided.
    seconds
        How long it took.
    """

    erratum: Erratum
    line: str
    findings: tuple[Finding, ...]
    checks: tuple[Check, ...]
    seconds: float

    @property
    def holds(self) -> bool:
        """Whether the evidence was reproduced: there are checks, and every one of them holds."""
        return bool(self.checks) and all(check.holds for check in self.checks)

    @property
    def failed(self) -> tuple[str, ...]:
        """The statements that did not hold."""
        return tuple(check.statement for check in self.checks if not check.holds)


def run(erratum: Erratum) -> Evidence:
    """Run the evidence of one erratum."""
    began = time.perf_counter()
    found = erratum.gather()
    return Evidence(erratum, *found, seconds=time.perf_counter() - began)


def exact(name: str, value: Fraction | int) -> Finding:
    """A rational number that was computed exactly."""
    return Finding(name, "equal", Number(Fraction(value), Status.PROVED))


def at_most(name: str, value: Any) -> Finding:
    """A proved upper bound, exact or the upper end of an interval; printed rounded up."""
    return Finding(name, "at most", Number(value, Status.PROVED))


def at_least(name: str, value: Any) -> Finding:
    """A proved lower bound, printed rounded down."""
    return Finding(name, "at least", Number(value, Status.PROVED, limit=True))


def shown(value: Fraction | int) -> str:
    """An exact number as the evidence prints it.

    >>> shown(Fraction(1, 16)), shown(10**30)
    ('1/16', '1e+30')
    """
    return exact("", value).text()


def below(value: Any) -> str:
    """An upper bound as the evidence prints it."""
    return at_most("", value).text()


def above(value: Any) -> str:
    """A lower bound as the evidence prints it."""
    return at_least("", value).text()
