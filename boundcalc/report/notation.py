"""Formulas that several sections write, and numbers of the spec as they print them."""

from __future__ import annotations

from collections.abc import Sequence

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.errors import SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Code, Content, Maths, Piece, Value
from boundcalc.report.numbers import DIGITS, UP, value
from boundcalc.report.width import width
from boundcalc.spec.expressions import Expression

ERROR = r"\mathbb{E}\lVert\tilde u-u\rVert^2"
BIAS = r"\lVert\mathbb{E}[\tilde u-u]\rVert^2"
NONCONVEX = r"\frac1T\sum_{t=0}^{T-1}\mathbb{E}\lVert\nabla\ell(w^{(t)})\rVert^2"
PL = r"\mathbb{E}[\ell(w^{(T)})-\ell^{\ast}]"

#: Constant's name in a spec → its letter in docs/theory.md, section 1.
LETTERS = {
    "jac_input": "a",
    "jac_weight": "b",
    "lip_input": r"\ell",
    "hess_input": "A",
    "hess_mixed": "B",
    "third_input": "A'",
    "third_mixed": "B'",
}

#: The uniform constants of [KZY], by their names in a spec.
UNIFORM = {
    "jac": r"C_{\nabla f}",
    "lip": r"L_{f}",
    "hess": r"L_{\nabla f}",
    "hess_op": r"C_{\nabla^2 f}",
    "third": r"L_{\nabla^2 f}",
}

_WIDEST = 7.0  # em of a formula in a table cell


def number_of(graph: OperatorGraph, expression: Expression) -> Number | None:
    """The value of an expression: exact or enclosed if it can be; None without a symbol's value."""
    try:
        found, proved = in_best_kind(lambda kind: expression.evaluate(kind, graph.values(kind)), 1)
    except SymbolError:
        return None
    return Number(found, Status.PROVED if proved else Status.COMPUTED)


def stated(
    graph: OperatorGraph,
    expression: Expression | None,
    *,
    rounding: str = UP,
    letter: bool = False,
    digits: int = DIGITS,
) -> Content:
    """A number of the spec as a cell.

    Parameters
    ----------
    letter
        Whether to give it a status letter: for constants that were derived, not stated.
    """
    if expression is None:
        return "–"
    number = number_of(graph, expression)
    if number is None:
        return formula(graph, expression)
    cell = value(number, digits, rounding=rounding)
    return cell if letter else Value(cell.text, None, cell.fraction)


def formula(graph: OperatorGraph, expression: Expression) -> Content:
    """An expression with free symbols: as mathematics if that is short."""
    import sympy

    # Not at the top: this number kind needs SymPy, for which nobody else waits.
    from boundcalc.arithmetic import SYMBOLS

    latex = sympy.latex(expression.evaluate(SYMBOLS, graph.values(SYMBOLS)), order="none")
    return Maths(latex) if width(latex) <= _WIDEST else Code(expression.source)


def said(text: str) -> Content:
    """A message as content: what stands in backticks is code.

    >>> said("add `fourth` here")
    ('add ', Code(text='fourth'), ' here')
    """
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return text
    return tuple(Code(p) if k % 2 else p for k, p in enumerate(parts) if p)


def sentence(text: str) -> Content:
    """A message as a sentence: with a capital letter and a full stop.

    >>> sentence("add `fourth` here")
    ('Add ', Code(text='fourth'), ' here', '.')
    >>> sentence("It has one.")
    ('It has one.',)
    """
    said_ = said(text[:1].upper() + text[1:])
    return said_ if text.endswith((".", "!", "?")) else joined(said_, ".")


def joined(*contents: Content) -> Content:
    """Several contents as one."""
    pieces: list[Piece] = []
    for content in contents:
        pieces += content if isinstance(content, tuple) else (content,)
    return tuple(pieces)


def plural(count: int, noun: str) -> str:
    """``1 claim``, ``2 claims``.

    >>> plural(1, "claim"), plural(2, "claim")
    ('1 claim', '2 claims')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def place(label: str) -> Content:
    """A site's label: an operator's id, or both ends of an edge as the forward pass runs.

    >>> place("f1->f3")
    (Code(text='f1'), ' → ', Code(text='f3'))
    """
    before, arrow, after = label.partition("->")
    return (Code(before), " → ", Code(after)) if arrow else Code(label)


def names(members: Sequence[str]) -> Content:
    """Ids of neighbours in a cell: one, or the first and the last with their number.

    >>> names(["f.1", "f.2", "f.3"])
    (Code(text='f.1'), ' to ', Code(text='f.3'), ' (3)')
    """
    if len(members) == 1:
        return Code(members[0])
    return (Code(members[0]), " to ", Code(members[-1]), f" ({len(members)})")
