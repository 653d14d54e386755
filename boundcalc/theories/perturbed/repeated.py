"""The plain general sharp bound of a graph with a symbolic ``repeat``, as a formula in the count.

docs/theory.md, Lemma 5.4, derives it: the state that repeats hand to each other is made of
geometric sequences, and so is every sum over repeats.  The formulas hold for all values of
the constants; where bases coincide h is a polynomial (:mod:`.geometric`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sympy

from boundcalc.arithmetic import SYMBOLS, Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.theories.perturbed.cutting import Cut, NoCutError, Part, cut, repeated_section
from boundcalc.theories.perturbed.drift import vanishes
from boundcalc.theories.perturbed.geometric import Geometric, h, monomial
from boundcalc.theories.perturbed.pieces import Piece, piece

#: What the formulas leave undefined.
CONVENTION = (
    r"$h_M(x_1,\dots,x_r)=\sum_{k_1+\dots+k_r=M-r+1}x_1^{k_1}\cdots x_r^{k_r}$, so that "
    r"$h_M(x,y)=(x^M-y^M)/(x-y)$; "
    r"$s_k$, $V_k$ and $\tau_k$ are $s$, $V$ and $R+h$ of Theorem 4.7 after repeat $k$."
)

#: The entries of θ = (τ_k, V_k s_{k−1}, V_k, 1), as indices.
_ENTRIES = (r"\tau", "s", "V", "1")
#: How far a has to be from 1 for a formula that divides by 1 − a².
_APART = 0.01
_LETTERS = {
    "l": r"\hat{\ell}",
    "e": r"\hat{e}",
    "a": r"\hat{a}",
    "A": r"\hat{A}",
    "D": r"\hat{D}",
    "eps": r"\hat{\epsilon}",
}


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
    definitions
        Name → formula, in an order in which each uses those before it only.
    boundary
        s_k, V_k and τ_k after repeat k, for ``first`` ≤ k ≤ n.
    first
        0; 1 if the first repeat differs from the others and stands for itself.
    total
        ζ² in the names of ``definitions`` and n.
    """

    count: sympy.Symbol
    definitions: Mapping[sympy.Symbol, sympy.Expr]
    boundary: Mapping[sympy.Symbol, sympy.Expr]
    first: int
    total: sympy.Expr
    _graph: OperatorGraph = field(repr=False)
    _cut: Cut = field(repr=False)
    _known: dict[str, tuple[Piece, Piece, Piece]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def expression(self) -> sympy.Expr:
        """ζ² in n and the spec's own symbols and numbers, with nothing else named."""
        found = self.total
        for name, value in reversed(self.definitions.items()):
            found = found.xreplace({name: value})
        return found

    def latex(self) -> list[str]:
        """Lines of an aligned formula: what is named, then ζ²."""
        lines = {**self.definitions, **self.boundary, sympy.Symbol(r"\zeta^{2}"): self.total}
        return [f"{name.name} &= {sympy.latex(value)}" for name, value in lines.items()]

    def json(self) -> dict[str, Any]:
        """As plain data."""

        def written(lines: Mapping[sympy.Symbol, sympy.Expr]) -> dict[str, str]:
            return {name.name: sympy.latex(value) for name, value in lines.items()}

        return {
            "symbol": self.count.name,
            "where": CONVENTION,
            "definitions": written(self.definitions),
            "after_repeat": written(self.boundary),
            "error_bound_plain": sympy.latex(self.total),
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
    >>> forms.total, forms.expression().subs(forms.count, 7)
    (n, 7)
    """
    try:
        found = repeated_section(graph)
        if found is None:
            return None
        try:
            return _forms(graph, cut(graph, *found, peeled=0))
        except NoCutError:
            return _forms(graph, cut(graph, *found, peeled=1))
    except NoCutError as error:
        return Refused(str(error))


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


@cache
def _sums() -> dict[tuple[int, int], Geometric]:
    """Σ_k θ_i θ_j over the repeats, by indices i ≥ j, as a sequence in their number.

    With s = s_{k−1} and m repeats after repeat k (docs/theory.md, Lemma 5.4),

        τ_k = F_m + G_m s,  V_k s_{k−1} = V aᵐ s,  V_k = V aᵐ,

    and s is a geometric sequence in the number of repeats before; so each sum is one over
    i + m = M − 1, a convolution.
    """
    one, l, a, la = (  # noqa: E741 - the letter of the theory
        monomial(),
        monomial("l"),
        monomial("a"),
        monomial("l", "a"),
    )
    V = Geometric.of([a], "V")
    fixed = (
        Geometric.of([a], "T")
        + Geometric.of([a, one], "eps")
        + Geometric.of([a, a], "V", "c")
        + Geometric.of([la, a, a], "V", "A", "e", "l", "a")
    )
    slope = Geometric.of([la, a], "V", "A", "l")
    s = Geometric.of([l], "s") + Geometric.of([l, one], "e")
    none, all_one = Geometric({}), Geometric.of([one])
    theta = ((fixed, slope), (none, V), (V, none), (all_one, none))
    squared = s * s
    return {
        (i, j): (x * y).convolved(all_one)
        + (x * by + bx * y).convolved(s)
        + (bx * by).convolved(squared)
        for i, (x, bx) in enumerate(theta)
        for j, (y, by) in enumerate(theta[: i + 1])
    }


class _Names:
    """Definitions in the order in which they are made; 0 and 1 need no name."""

    def __init__(self) -> None:
        self.made: dict[sympy.Symbol, sympy.Expr] = {}

    def __call__(self, name: str, value: sympy.Expr) -> sympy.Expr:
        if value in (0, 1) or value.is_Symbol:
            return value
        symbol = sympy.Symbol(name, positive=True)
        self.made[symbol] = value
        return symbol


def _forms(graph: OperatorGraph, found: Cut) -> RepeatedForms:
    before, block, after = _pieces(graph, found, SYMBOLS)
    n = sympy.Symbol(found.symbol, integer=True, positive=True)
    k = sympy.Symbol("k", integer=True, nonnegative=True)
    first, M = found.peeled, n - found.peeled
    name = _Names()
    x = {key: name(latex, getattr(block, key)) for key, latex in _LETTERS.items()}
    x["c"] = name(r"\hat{c}", x["A"] * x["e"] + x["D"])

    def size(s: Any, count: Any) -> sympy.Expr:
        return s * h(count, x["l"]) + x["e"] * h(count, x["l"], 1)

    def backward(s: Any, V: Any, T: Any, count: Any) -> sympy.Expr:
        # τ before ``count`` repeats, where s is the size of the forward error
        inherited = s * h(count, x["l"] * x["a"], x["a"])
        arisen = x["e"] * x["a"] * h(count, x["l"] * x["a"], x["a"], x["a"])
        moved = x["A"] * (inherited + arisen) + x["D"] * h(count, x["a"], x["a"])
        return T * h(count, x["a"]) + V * moved + x["eps"] * h(count, x["a"], 1)

    end = sympy.latex(n)
    s0 = name(f"s_{{{first}}}", before.e)
    V_end = name(f"V_{{{end}}}", after.a)
    s_end = name(f"s_{{{end}}}", size(s0, M))
    T_end = name(rf"\tau_{{{end}}}", after.A * s_end + after.D + after.eps)
    V0 = name(f"V_{{{first}}}", V_end * h(M, x["a"]))
    T0 = name(rf"\tau_{{{first}}}", backward(s0, V_end, T_end, M))
    letters = x | {"s": s0, "V": V_end, "T": T_end}

    @cache
    def summed(i: int, j: int) -> sympy.Expr:
        if i == j == 0 and block.a.is_number and abs(block.a - 1) > _APART:
            return name(_index("S", 0, 0), squares())
        return name(_index("S", i, j), _sums()[i, j].expression(M, letters))

    def squares() -> sympy.Expr:
        # the squares of τ_{k−1} = a τ_k + V_k (A s_{k−1} + D) + ϵ, added over k, solved for Σ τ_k²
        parts = (x["a"], x["A"], x["D"], x["eps"])
        known = [
            parts[i] * parts[j] * (1 if i == j else 2) * summed(i, j)
            for i in range(1, 4)
            for j in range(i + 1)
            if parts[i] * parts[j] != 0
        ]
        return sympy.Add(T_end**2, -(T0**2), *known) / (1 - x["a"] ** 2)

    zero, one = sympy.Integer(0), sympy.Integer(1)
    total = _weighted("q^{-}", before, (T0, zero, V0, one), name)
    for i, j in _sums():
        q = block.Q[i][j] * (1 if i == j else 2)
        if q != 0:
            total += name(_index("q", i, j), q) * summed(i, j)
    total += _weighted("q^{+}", after, (zero, s_end, one, one), name)
    s_k = sympy.Symbol("s_{k}", nonnegative=True)
    boundary = {
        s_k: size(s0, k - first),
        sympy.Symbol("V_{k}"): V_end * h(n - k, x["a"]),
        sympy.Symbol(r"\tau_{k}"): backward(s_k, V_end, T_end, n - k),
    }
    return RepeatedForms(n, name.made, boundary, first, total, graph, found)


def _weighted(
    letter: str, part: Piece, theta: tuple[sympy.Expr, ...], name: _Names
) -> sympy.Expr:
    """θᵀQθ with equal products together and their coefficients named."""
    together: dict[sympy.Expr, tuple[str, list[sympy.Expr]]] = {}
    for i, x in enumerate(theta):
        for j, y in enumerate(theta[: i + 1]):
            q = part.Q[i][j] * (1 if i == j else 2)
            if x * y != 0:
                together.setdefault(x * y, (_index(letter, i, j), []))[1].append(q)
    return sympy.Add(
        *(
            name(index, sympy.Add(*found)) * product
            for product, (index, found) in together.items()
        )
    )


def _index(letter: str, i: int, j: int) -> str:
    return f"{letter}_{{{_ENTRIES[j]} {_ENTRIES[i]}}}"
