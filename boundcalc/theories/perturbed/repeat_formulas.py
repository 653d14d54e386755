"""ζ² of a repeated piece as a formula in the number of repeats (docs/theory.md, Lemma 5.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy

from boundcalc.theories.perturbed.geometric import Geometric, h, monomial
from boundcalc.theories.perturbed.pieces import Piece

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


@dataclass(frozen=True)
class CountFormulas:
    """ζ² in the number of repeats, with what it is made of.

    Attributes
    ----------
    definitions
        Name → formula, each in the names before it.
    boundary
        s_k, V_k and τ_k after repeat k.
    total
        ζ² in these names.
    """

    definitions: Mapping[sympy.Symbol, sympy.Expr]
    boundary: Mapping[sympy.Symbol, sympy.Expr]
    total: sympy.Expr


def count_formulas(
    before: Piece, block: Piece, after: Piece, n: sympy.Symbol, k: sympy.Symbol, first: int
) -> CountFormulas:
    """Formulas for n − ``first`` repeats of a block between two pieces (Lemma 5.4 (c)).

    Parameters
    ----------
    n, k
        The number of the last repeat, and that of any one, in the formulas of the states.
    first
        The number of repeats that are part of ``before``.

    Examples
    --------
    >>> from boundcalc.arithmetic import SYMBOLS
    >>> nothing = Piece.nothing(SYMBOLS)
    >>> n, k = sympy.symbols("n k")
    >>> count_formulas(nothing, nothing, nothing, n, k, 0).total
    0
    """
    M = n - first
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
    s_k = sympy.Symbol(f"s_{{{k}}}")
    boundary = {
        s_k: size(s0, k - first),
        sympy.Symbol(f"V_{{{k}}}"): V_end * h(n - k, x["a"]),
        sympy.Symbol(rf"\tau_{{{k}}}"): backward(s_k, V_end, T_end, n - k),
    }
    return CountFormulas(_used(name.made, [total, *boundary.values()]), boundary, total)


def _used(
    made: Mapping[sympy.Symbol, sympy.Expr], formulas: Iterable[sympy.Expr]
) -> dict[sympy.Symbol, sympy.Expr]:
    """The definitions that the formulas need, in the same order."""
    needed = {symbol for formula in formulas for symbol in formula.free_symbols}
    kept = []
    for symbol, value in reversed(list(made.items())):
        if symbol in needed:
            kept.append((symbol, value))
            needed |= value.free_symbols
    return dict(reversed(kept))


def _weighted(letter: str, part: Piece, theta: tuple[sympy.Expr, ...], name: _Names) -> sympy.Expr:
    """θᵀQθ with equal products together and their coefficients named."""
    together: dict[sympy.Expr, tuple[str, list[sympy.Expr]]] = {}
    for i, x in enumerate(theta):
        for j, y in enumerate(theta[: i + 1]):
            q = part.Q[i][j] * (1 if i == j else 2)
            if x * y != 0:
                together.setdefault(x * y, (_index(letter, i, j), []))[1].append(q)
    return sympy.Add(
        *(name(index, sympy.Add(*found)) * product for product, (index, found) in together.items())
    )


def _index(letter: str, i: int, j: int) -> str:
    return f"{letter}_{{{_ENTRIES[j]} {_ENTRIES[i]}}}"
