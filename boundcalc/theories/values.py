"""What theories say, as plain values that the command line, JSON and reports all show alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from boundcalc.arithmetic import Number
from boundcalc.showing import Shown, Tabular

if TYPE_CHECKING:
    from boundcalc.report.cells import Block, Content, Maths


@dataclass(frozen=True)
class Citation:
    """A publication.

    Attributes
    ----------
    key
        As statements cite it, such as ``KZY``.
    text
        Authors, title, place: one line.
    bibtex
        The entry, with the same key.
    """

    key: str
    text: str
    bibtex: str


@dataclass(frozen=True)
class Composition:
    """Another theory that this one can be combined with in one spec.

    Attributes
    ----------
    with_
        The other theory's name.
    says
        What holds for both together, in one sentence.
    source
        Where it is proved.
    """

    with_: str
    says: str
    source: str


@dataclass(frozen=True)
class Assumption:
    """One line of the ledger.

    Attributes
    ----------
    key
        A short name, such as ``A1``.
    says
        What is assumed.
    written, value
        As the spec has it, and its value; empty and None where it is no number.
    status
        ``stated`` in the spec, ``derived`` from other numbers of the spec, ``chosen`` by the
        user, or ``not stated``.
    """

    key: str
    says: Content
    written: str = ""
    value: Number | None = None
    status: Literal["stated", "derived", "chosen", "assumed", "not stated"] = "assumed"


@dataclass(frozen=True)
class Quantity(Shown, Tabular):
    """A named number.

    Attributes
    ----------
    key
        Its key in JSON.
    symbol
        As formulas write it.
    meaning
        In words.
    value
        None where there is none; ``note`` says why.
    """

    key: str
    symbol: Maths
    meaning: Content
    value: Number | None
    note: str = ""


@dataclass(frozen=True)
class Statement(Shown, Tabular):
    """A theorem evaluated at the spec's numbers: quantity ≤ bound.

    Attributes
    ----------
    key, title
        Its key in JSON, and its name for people.
    quantity, formula
        LaTeX of what is bounded, and of the bound.
    bound
        None where ``refused`` says why.
    terms
        Parts that add up to the bound.
    constants
        Numbers that the bound or the limit is made of, by their keys in JSON.
    step_size_limit
        The largest step for which it holds; None where no step does, or where it has none.
    source
        Theorem and publication, or section of docs/theory.md.
    conditions
        What it supposes besides the assumptions of the ledger, one sentence each.
    proved
        Whether the statement is a theorem, at its numbers; else a report calls it a claim.
    """

    key: str
    title: str
    quantity: str
    formula: str
    bound: Number | None
    source: str
    terms: Mapping[str, Number] = field(default_factory=dict)
    constants: Mapping[str, Number | None] = field(default_factory=dict)
    step_size_limit: Number | None = None
    refused: str = ""
    conditions: tuple[Content, ...] = ()
    proved: bool = True


class Answer(Shown):
    """What a theory answers to one command.

    Parameters
    ----------
    value
        What was computed, for Python: any object of the theory's own.
    data
        The object that ``--json`` prints: plain data in which numbers may be
        :class:`~boundcalc.arithmetic.Number` or sampled floats; or what makes it when it is
        asked for.
    blocks
        The same for people, on the terminal and in the report; or what makes them.
    statements
        Of a rate: the theorems behind it.
    cautions
        What a reader must know before using any of it; shown first.
    exit_code
        Of the command: 0, or of ``verify`` 1 (violated) and 3 (undetermined).

    Examples
    --------
    >>> answer = Answer(1, {"bound": 1}, lambda: ())
    >>> answer.data, answer.blocks
    ({'bound': 1}, ())
    """

    def __init__(
        self,
        value: Any,
        data: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
        blocks: tuple[Block, ...] | Callable[[], tuple[Block, ...]],
        statements: tuple[Statement, ...] = (),
        cautions: tuple[str, ...] = (),
        exit_code: int = 0,
    ) -> None:
        self.value = value
        self._data = data
        self._blocks = blocks
        self.statements = statements
        self.cautions = cautions
        self.exit_code = exit_code

    @cached_property
    def data(self) -> Mapping[str, Any]:
        """What ``--json`` prints."""
        return self._data() if callable(self._data) else self._data

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The same for people."""
        return self._blocks() if callable(self._blocks) else self._blocks


@dataclass(frozen=True)
class Drawn:
    """A figure that was written.

    Attributes
    ----------
    stem
        Of its files: lower-case letters, digits and hyphens.
    section
        The heading of the report's section that shows it.
    caption, alt
        What stands below it; and what it shows, for those who do not see it.
    """

    stem: str
    section: str
    caption: Content
    alt: str
