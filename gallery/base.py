"""What an entry of the gallery is: a statement, its setting, and the numbers that must agree.

An entry is one short module in a topic's folder with ``ENTRY``, ``checks()`` and, where a
picture helps, ``figure()``.  The entry is documentation, example and regression test at once:
every check computes a number with boundcalc and compares it with the number that the theorem
states, which the entry writes down as the theorem does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["tight", "upper", "lower", "exact", "counterexample"]
Relation = Literal["equals", "at most", "at least"]


@dataclass(frozen=True)
class Entry:
    """The head of an entry.

    Attributes
    ----------
    title
        One line without a full stop.
    topic
        The name of its folder.
    statement
        The theorem in Markdown with ``$…$``, with its hypotheses.
    theorem
        Its number and publication, such as ``Theorem 4.3`` or ``[KZY], (21)``.
    link
        The page and anchor of the proof or definition in docs/, such as ``theory.md``.
    kind
        Whether the stated number is attained (``tight``), an ``upper`` or a ``lower`` bound, an
        ``exact`` value, or a ``counterexample``.
    spec
        The spec as YAML text, or the name of a shipped one; empty where none is needed.
    command
        The command of ``boundcalc`` that shows the computed number for this spec.
    reference
        The publication in full.
    """

    title: str
    topic: str
    statement: str
    theorem: str
    link: str
    kind: Kind
    reference: str
    spec: str = ""
    command: str = "compile"


@dataclass(frozen=True)
class Check:
    """A computed number against a stated one.

    Attributes
    ----------
    says
        What the number is, in words or ``$…$``.
    computed
        By boundcalc: a fraction, or a float.
    stated
        As the theorem has it, written down or evaluated independently of boundcalc.
    relation
        ``computed relation stated``.
    rel
        Relative tolerance: 0 asks for equality of exact numbers; floats allow rounding (1e-12)
        or state their reason in ``why``.
    why
        The reason for a larger tolerance.
    sampled
        Of a number that comes from draws: how many, and with which confidence.
    """

    says: str
    computed: Fraction | float
    stated: Fraction | float
    relation: Relation = "equals"
    rel: float = 0.0
    why: str = ""
    sampled: str = ""

    @property
    def holds(self) -> bool:
        """Whether the numbers agree; NaN and infinities never do.

        >>> Check("a half", Fraction(1, 2), Fraction(1, 2)).holds
        True
        >>> Check("nearly", 0.5, Fraction(1, 2), rel=1e-12).holds
        True
        >>> Check("not a number", float("nan"), float("nan"), rel=1.0).holds
        False
        """
        if not all(map(_finite, (self.computed, self.stated, self.rel))) or self.rel < 0:
            return False
        # Fractions are exact, and a float is the fraction that it stands for.
        computed, stated = Fraction(self.computed), Fraction(self.stated)
        room = Fraction(self.rel) * max(abs(computed), abs(stated))
        if self.relation == "equals":
            return abs(computed - stated) <= room
        if self.relation == "at most":
            return computed <= stated + room
        return computed >= stated - room


def _finite(number: Fraction | float) -> bool:
    return isinstance(number, Fraction) or isfinite(number)


class Module(Protocol):
    """What an entry's module offers; ``figure`` is optional."""

    ENTRY: Entry

    def checks(self) -> Iterator[Check]:
        """The numbers that must agree."""
        ...

    def figure(self) -> Figure:
        """A picture of the statement."""
        ...
