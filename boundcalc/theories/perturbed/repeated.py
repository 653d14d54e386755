"""The plain general sharp bound of a graph with a symbolic ``repeat``, as a formula in the count.

docs/theory.md, Lemma 5.4, derives it: the state that repeats hand to each other is made of
geometric sequences, and so is every sum over repeats.  The formulas hold for all values of
the constants; where bases coincide h is a polynomial (:mod:`.geometric`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy

from boundcalc.arithmetic import SYMBOLS, Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.theories.perturbed.cutting import Cut, NoCutError, Part, cut, repeated_section
from boundcalc.theories.perturbed.drift import vanishes
from boundcalc.theories.perturbed.pieces import Piece, piece
from boundcalc.theories.perturbed.repeat_formulas import CountFormulas, count_formulas

#: What the formulas leave undefined.
CONVENTION = (
    r"$h_M(x_1,\dots,x_r)=\sum_{k_1+\dots+k_r=M-r+1}x_1^{k_1}\cdots x_r^{k_r}$, so that "
    r"$h_M(x,y)=(x^M-y^M)/(x-y)$; "
    r"$s$, $V$ and $\tau$ are $s$, $V$ and $R+h$ of Theorem 4.7 after the repeat of that number."
)


@dataclass(frozen=True)
class Refused:
    """Why there is no formula in the count."""

    reason: str

    def json(self) -> dict[str, Any]:
        """As plain data."""
        return {"reason": self.reason}


@dataclass(frozen=True)
class RepeatedForms:
    """ζ² of Theorem 4.7 for a graph with n repeats of a block, n a symbol.

    It is that of the graph with any other count whose repeats have the same constants and
    levels, and whose other operators have theirs.

    Attributes
    ----------
    count
        The symbol n.
    first
        s_k, V_k and τ_k are given for ``first`` ≤ k ≤ n: 0, or 1 if the first repeat differs
        from the others.
    formulas
        What is named, and ζ².
    """

    count: sympy.Symbol
    first: int
    formulas: CountFormulas
    _graph: OperatorGraph = field(repr=False)
    _cut: Cut = field(repr=False)
    _moving: tuple[bool, bool] = field(repr=False)
    _known: dict[str, tuple[Piece, Piece, Piece]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def expression(self) -> sympy.Expr:
        """ζ² in n and the spec's own symbols and numbers, with nothing else named."""
        found = self.formulas.total
        for name, value in reversed(list(self.formulas.definitions.items())):
            found = found.xreplace({name: value})
        return found

    def latex(self) -> list[str]:
        """Lines of an aligned formula: what is named, then ζ²."""
        found = self.formulas
        lines = {**found.definitions, **found.boundary, sympy.Symbol(r"\zeta^{2}"): found.total}
        return [f"{name} &= {value}" for name, value in _written(lines).items()]

    def json(self) -> dict[str, Any]:
        """As plain data, formulas as LaTeX."""
        return {
            "symbol": self.count.name,
            "where": CONVENTION,
            "definitions": _written(self.formulas.definitions),
            "after_repeat": _written(self.formulas.boundary),
            "error_bound_plain": _written({self.count: self.formulas.total})[self.count.name],
        }

    def evaluate(self, kind: Arithmetic, n: int) -> Scalar:
        """ζ² for n repeats in a number kind, in O(log n) sums and products.

        The powers of Lemma 5.4 (b): no differences and no divisions, so that nothing
        cancels where bases nearly coincide.

        Raises
        ------
        SpecError
            If n is no whole number from 1.
        InexactError, SymbolError
            Where the kind needs a value that is missing or irrational.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise SpecError(
                "a count is no whole number",
                where=self.count.name,
                value=n,
                expected="a whole number from 1",
            )
        if kind.name not in self._known:
            self._known[kind.name] = _pieces(self._graph, self._cut, kind, self._moving)
        before, block, after = self._known[kind.name]
        whole = before.then(block.repeated(n - self.first, kind)).then(after)
        return whole.error(kind.number(0), kind.number(1), kind.number(0))


def _written(lines: Mapping[sympy.Symbol, sympy.Expr]) -> dict[str, str]:
    return {name.name: sympy.latex(value, order="none") for name, value in lines.items()}


def repeated_forms(graph: OperatorGraph) -> RepeatedForms | Refused | None:
    """Formulas in the symbol that counts the repeats of a section.

    None if no ``repeat`` is a symbol.  O(N + edges), and independent of the count after that.

    Examples
    --------
    All constants 1 and δ after the first operator alone: 7 repeats make a chain of 8.

    >>> import boundcalc as bc
    >>> from boundcalc.arithmetic import RATIONALS
    >>> spec = '''{version: 1, name: ones, symbols: {n: 3},
    ...   graph: {uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1},
    ...           operators: [{id: f}, {id: g, repeat: n}]},
    ...   perturbations: [{at: f, pass: forward, rms: 1}]}'''
    >>> forms = repeated_forms(bc.build(bc.loads(spec)))
    >>> forms.evaluate(RATIONALS, 7), forms.expression().subs(forms.count, 7).doit()
    (Fraction(189, 1), 189)
    """
    try:
        found = repeated_section(graph)
        if found is None:
            return None
        try:
            return _forms(graph, cut(graph, *found, peeled=0))
        except NoCutError:
            # The first repeat may differ, as it does where it reads the data.
            return _forms(graph, cut(graph, *found, peeled=1))
    except NoCutError as error:
        return Refused(str(error))


def _forms(graph: OperatorGraph, found: Cut) -> RepeatedForms:
    moving = _moving(graph, found)
    n = sympy.Symbol(found.symbol, integer=True, positive=True)
    free = next((letter for letter in "kijm" if letter not in graph.spec.symbols), "k'")
    k = sympy.Symbol(free, integer=True, nonnegative=True)
    formulas = count_formulas(*_pieces(graph, found, SYMBOLS, moving), n, k, found.peeled)
    return RepeatedForms(n, found.peeled, formulas, graph, found, moving)


def _pieces(
    graph: OperatorGraph, found: Cut, kind: Arithmetic, moving: tuple[bool, bool]
) -> tuple[Piece, Piece, Piece]:
    """The piece before, one repeat, and the piece after, in a number kind."""
    g = graph.graph_constants(kind)
    parts = [part for part in (found.before, found.block, found.after) if part is not None]
    nodes = {v for part in parts for v in part.nodes}
    edges = {edge for part in parts for edge in part.edges}
    levels = graph.levels(
        kind,
        [
            position
            for position, p in enumerate(graph.perturbations)
            if (p.site in nodes if p.direction == "forward" else p.edge in edges)
        ],
    )

    def made(part: Part | None, *, moving: bool) -> Piece:
        if part is None:
            return Piece.nothing(kind)
        e = (kind.number(0), *(levels.e[v] for v in part.nodes))
        eps = (kind.number(0), *(levels.eps[edge] for edge in part.edges))
        return piece(part.constants(g), e, eps, kind, moving=moving)

    return (
        made(found.before, moving=False),
        made(found.block, moving=moving[0]),
        made(found.after, moving=moving[1]),
    )


def _moving(graph: OperatorGraph, found: Cut) -> tuple[bool, bool]:
    """Whether s is not 0 before the repeats, and after them.

    Only the drift at a kink depends on it, which must be the same in every repeat.  After
    one repeat it is settled: s = 0 after it if and only if e = 0 and ℓs = 0.
    """
    before, block, _ = _pieces(graph, found, SYMBOLS, (True, True))
    first = not vanishes(before.e)
    later = not vanishes(block.l * before.e + block.e)
    if later != first:
        kinked = graph.graph_constants(SYMBOLS).kinked
        concerned = [found.block, found.after] if found.peeled else [found.block]
        if any(kinked.intersection(part.nodes) for part in concerned if part is not None):
            raise NoCutError(
                "errors reach the first repeat or the others, not both, and there are operators "
                "with a kink, whose Jacobians then move by another amount"
            )
    return first, later
