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
    r"$s_k$, $V_k$ and $\tau_k$ are $s$, $V$ and $R+h$ of Theorem 4.7 after repeat $k$."
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
    _known: dict[str, tuple[Piece, Piece, Piece]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def expression(self) -> sympy.Expr:
        """ζ² in n and the spec's own symbols and numbers, with nothing else named."""
        found = self.formulas.total
        for name, value in reversed(self.formulas.definitions.items()):
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
            self._known[kind.name] = _pieces(self._graph, self._cut, kind)
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
    >>> import boundcalc as bc
    >>> constants = "{jac_input: 1, jac_weight: 1, hess_input: 0, hess_mixed: 1}"
    >>> spec = "{version: 1, name: t, symbols: {n: 3}, graph: {operators: [{id: f, constants: "
    >>> spec += constants + "}, {id: g, repeat: n, constants: " + constants + "}]}, "
    >>> spec += "perturbations: [{at: f, pass: forward, rms: 1}]}"
    >>> forms = repeated_forms(bc.build(bc.loads(spec)))
    >>> forms.formulas.total, forms.expression().subs(forms.count, 7)
    (n, 7)
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
    n = sympy.Symbol(found.symbol, integer=True, positive=True)
    pieces = _pieces(graph, found, SYMBOLS)
    return RepeatedForms(n, found.peeled, count_formulas(*pieces, n, found.peeled), graph, found)


def _pieces(graph: OperatorGraph, found: Cut, kind: Arithmetic) -> tuple[Piece, Piece, Piece]:
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

    before = made(found.before, moving=False)
    moving = not vanishes(before.e)
    block = made(found.block, moving=moving)
    # s after a repeat is 0 or not as after the next one: ℓ, e ≥ 0 decide it alone.
    later = not vanishes(block.l * before.e + block.e)
    if later != moving:
        kinked = [g.kinked.intersection(part.nodes) for part in (found.block, found.after) if part]
        if kinked[0] or (found.peeled and kinked[-1]):
            raise NoCutError(
                "the first repeat reads what is not perturbed, the others do not, and there are "
                "operators with a kink, whose Jacobians then move by another size"
            )
    return before, block, made(found.after, moving=later)
