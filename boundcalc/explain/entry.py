"""What is known of a number before anybody asks at a spec: words, formula, source, inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from boundcalc.arithmetic import Number

if TYPE_CHECKING:
    from boundcalc.explain.results import Results
    from boundcalc.graph import OperatorGraph
    from boundcalc.theories.values import Statement

#: What the placeholders of a path stand for: name → text.
Captures: TypeAlias = Mapping[str, str]

#: Makes a number that a formula needs, and that stands in no result.
Compute: TypeAlias = "Callable[[OperatorGraph, Captures], Number | None]"

#: Finds a number of a result with its status, where its JSON has it without.
Look: TypeAlias = "Callable[[Results, Captures], Number | None]"

#: ``bound``: at most this; ``limit``: not to be passed; ``value``: neither; ``sampled``: by
#: simulation; ``setting``: chosen in the spec or by its user; ``count``; ``text``: no number.
Kind = Literal["bound", "limit", "value", "sampled", "setting", "count", "text"]


@dataclass(frozen=True)
class Input:
    r"""One letter of a formula.

    Attributes
    ----------
    symbol, meaning
        LaTeX, and words.
    spec
        Its key in a spec, such as ``loss.smoothness``; empty where it is not there.
    path
        Its path in a result, where that is where it is from.
    compute
        What makes it, where neither says.
    default
        Its value where the spec leaves the key out.
    in_words
        Whether the meaning is all there is: the letter is a sequence, a function or the like,
        and has no single value.
    """

    symbol: str
    meaning: str
    spec: str = ""
    path: str = ""
    compute: Compute | None = None
    default: int | None = None
    in_words: bool = False


@dataclass(frozen=True)
class Entry:
    r"""One kind of number.

    Attributes
    ----------
    says
        What it is, in one sentence without a full stop.
    quantity, relation, formula
        LaTeX: ``quantity relation formula``.
    source
        Theorem and publication, or section of a page of docs/.
    inputs
        The letters of the formula.
    kind
        What sort of number.
    status
        Where its status cannot be read beside it: path of the status, or a status itself.
    conditions
        What it supposes.
    number
        Finds the number with its status, where its JSON has it without.
    """

    says: str
    quantity: str = ""
    formula: str = ""
    source: str = ""
    inputs: tuple[Input, ...] = ()
    kind: Kind = "value"
    relation: str = r"\le"
    status: str = ""
    conditions: tuple[str, ...] = ()
    number: Look | None = None

    @classmethod
    def of(cls, says: str, found: Statement | None, terms: tuple[Input, ...]) -> Entry:
        """The right side of a statement: the sum of its terms, each of which has a formula."""
        formula = "+".join(term.symbol for term in terms)
        if found is None:
            return cls(says, formula=formula, inputs=terms, kind="bound")
        return cls(
            says, found.quantity, formula, found.source, terms, "bound", conditions=_said(found)
        )

    @classmethod
    def part(
        cls,
        says: str,
        found: Statement | None,
        formula: str,
        inputs: tuple[Input, ...],
        *,
        kind: Kind = "bound",
        quantity: str = "",
    ) -> Entry:
        """A number that belongs to a statement: a term, a constant, its limit."""
        source = "" if found is None else found.source
        conditions = () if found is None else _said(found)
        relation = r"\le" if quantity else "="
        return cls(says, quantity, formula, source, inputs, kind, relation, conditions=conditions)


def _said(found: Statement) -> tuple[str, ...]:
    from boundcalc.theories.statements import plain_text

    return tuple(plain_text(condition) for condition in found.conditions)


def letter(symbol: str, meaning: str) -> Input:
    """A letter that words explain: there is no one number that it stands for."""
    return Input(symbol, meaning, in_words=True)


#: An entry, or what makes it from what the placeholders stand for and a graph, if there is one.
Rule: TypeAlias = "Entry | Callable[[Captures, OperatorGraph | None], Entry]"


def entry_of(rule: Rule, captures: Captures, graph: OperatorGraph | None) -> Entry:
    """The entry that a rule makes."""
    return rule if isinstance(rule, Entry) else rule(captures, graph)
