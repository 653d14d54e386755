"""Sums of geometric sequences in closed form, right where bases coincide as well.

The basis is h_M(x₁, …, x_r), the sum of all products x₁^{k₁} ⋯ x_r^{k_r} with
k₁ + … + k_r = M − r + 1.  It is the divided difference of t ↦ tᴹ at x₁, …, x_r, so
h_M(x) = xᴹ and h_M(x, y) = (xᴹ − yᴹ)/(x − y), and h_M(1, 1) = M: a polynomial, for which
coinciding bases are no exception.  With the generating function

    Σ_M h_M(x₁, …, x_r) zᴹ = z^{r−1} / Π_i (1 − x_i z)                              (*)

linear combinations of M ↦ h_M(nodes) are closed under what docs/theory.md, Lemma 5.4,
needs: sums over M, convolutions, and products.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import sympy

from boundcalc.arithmetic import Scalar

#: A product of powers of letters, ``(("a", 2), ("l", 1))`` for a²ℓ; () is 1.
Monomial: TypeAlias = tuple[tuple[str, int], ...]
#: The arguments of h, in order.
Nodes: TypeAlias = tuple[Monomial, ...]


def monomial(*letters: str) -> Monomial:
    """The product of letters.

    >>> monomial("a", "l", "a")
    (('a', 2), ('l', 1))
    """
    return tuple((letter, letters.count(letter)) for letter in sorted(set(letters)))


def _times(x: Monomial, y: Monomial) -> Monomial:
    powers = dict(x)
    for letter, power in y:
        powers[letter] = powers.get(letter, 0) + power
    return tuple(sorted(powers.items()))


@dataclass(frozen=True)
class Geometric:
    """The sequence M ↦ Σ count · factor · h_M(nodes) with letters for numbers.

    Attributes
    ----------
    terms
        (factor, nodes) → count.

    Examples
    --------
    (M ↦ 2ᴹ) times itself is M ↦ 4ᴹ; its sums Σ_{i+j=M−1} 2ⁱ · 1 are 2ᴹ − 1.

    >>> two = Geometric.of([monomial("x")])
    >>> (two * two).expression(5, {"x": sympy.Integer(2)}).doit()
    1024
    >>> two.convolved(Geometric.of([monomial()])).expression(5, {"x": sympy.Integer(2)}).doit()
    31
    """

    terms: Mapping[tuple[Monomial, Nodes], int]

    @classmethod
    def of(cls, nodes: Iterable[Monomial], *factor: str) -> Geometric:
        """M ↦ factor · h_M(nodes)."""
        return cls({(monomial(*factor), tuple(sorted(nodes))): 1})

    def __add__(self, other: Geometric) -> Geometric:
        terms = dict(self.terms)
        for key, count in other.terms.items():
            terms[key] = terms.get(key, 0) + count
        return Geometric(terms)

    def __mul__(self, other: Geometric) -> Geometric:
        """The product entry by entry."""
        total: dict[tuple[Monomial, Nodes], int] = {}
        for (f1, nodes1), count1 in self.terms.items():
            for (f2, nodes2), count2 in other.terms.items():
                for (f, nodes), count in _product(nodes1, nodes2).items():
                    key = (_times(_times(f1, f2), f), nodes)
                    total[key] = total.get(key, 0) + count1 * count2 * count
        return Geometric(total)

    def convolved(self, other: Geometric) -> Geometric:
        """M ↦ Σ_{i+j=M−1} of entry i times entry j of the other: by (*) the nodes together."""
        total: dict[tuple[Monomial, Nodes], int] = {}
        for (f1, nodes1), count1 in self.terms.items():
            for (f2, nodes2), count2 in other.terms.items():
                key = (_times(f1, f2), tuple(sorted(nodes1 + nodes2)))
                total[key] = total.get(key, 0) + count1 * count2
        return Geometric(total)

    def expression(self, M: Any, letters: Mapping[str, Any]) -> sympy.Expr:
        """Entry M as a formula, terms with the same factor together.

        Terms with a letter that is 0 are dropped.
        """
        together: dict[sympy.Expr, list[sympy.Expr]] = {}
        for (f, nodes), count in self.terms.items():
            factor = _value(f, letters)
            if factor != 0:
                term = count * h(M, *(_value(node, letters) for node in nodes))
                together.setdefault(factor, []).append(term)
        return sympy.Add(*(factor * sympy.Add(*found) for factor, found in together.items()))


@lru_cache(maxsize=4096)
def _product(x: Nodes, y: Nodes) -> Mapping[tuple[Monomial, Nodes], int]:
    """h_M(x₁, …, x_r) h_M(y₁, …, y_q) as a sum over (factor, nodes).

    By (*) u_M = h_M(x) satisfies u_{M+1} = x_r u_M + u′_M with u′ = h(x₁, …, x_{r−1}), which
    is 0 if r = 1; likewise t_M = h_M(y).  So w = ut satisfies w_{M+1} = x_r y_q w_M + g_M with
    g = x_r ut′ + y_q u′t + u′t′, products of fewer nodes; hence w is g convolved with
    M ↦ (x_r y_q)ᴹ, to which (x_r y_q)ᴹ is added if w_0 = 1, that is if r = q = 1.
    """
    node = _times(x[-1], y[-1])
    if len(x) == len(y) == 1:
        return {((), (node,)): 1}
    total: dict[tuple[Monomial, Nodes], int] = {}
    shorter = [(x[-1], x, y[:-1]), (y[-1], x[:-1], y), ((), x[:-1], y[:-1])]
    for factor, left, right in shorter:
        if left and right:
            for (f, nodes), count in _product(left, right).items():
                key = (_times(factor, f), tuple(sorted((*nodes, node))))
                total[key] = total.get(key, 0) + count
    return total


def _value(x: Monomial, letters: Mapping[str, Any]) -> Any:
    return sympy.Mul(*(letters[letter] ** power for letter, power in x))


def divided_power(M: int, nodes: tuple[Scalar, ...]) -> Scalar:
    """h_M(nodes) for numbers, in O(r³ log M) sums and products and without a division.

    It is the last entry in the first row of Tᴹ, T with the nodes on its diagonal and ones
    above it: (1 − zT)⁻¹ has z^{r−1} / Π(1 − x_i z) there.

    >>> divided_power(3, (2, 1)), divided_power(3, (2, 2)), divided_power(0, (0,))
    (7, 12, 1)
    """
    size = len(nodes)
    zero, one = nodes[0] * 0, nodes[0] ** 0

    def product(x: list[list[Scalar]], y: list[list[Scalar]]) -> list[list[Scalar]]:
        return [
            [sum((x[i][k] * y[k][j] for k in range(i, j + 1)), zero) for j in range(size)]
            for i in range(size)
        ]

    def banded(diagonal: tuple[Scalar, ...], above: Scalar) -> list[list[Scalar]]:
        rows = [[zero] * size for _ in nodes]
        for i, value in enumerate(diagonal):
            rows[i][i] = value
            if i + 1 < size:
                rows[i][i + 1] = above
        return rows

    power, square = banded((one,) * size, zero), banded(nodes, one)
    while M:
        if M % 2:
            power = product(power, square)
        M //= 2
        square = product(square, square) if M else square
    return power[0][-1]


class h(sympy.Function):  # type: ignore[misc]  # noqa: N801 - a letter of the formulas
    """h_M(x₁, …, x_r), the divided difference of t ↦ tᴹ at x₁, …, x_r.

    >>> M, x, y = sympy.symbols("M x y")
    >>> h(M, x), h(3, 2, 1).doit(), h(3, 2, 2).doit()
    (x**M, 7, 12)
    >>> h(M, x, y).doit(), h(M, 1, 1, 1).doit()
    ((x**M - y**M)/(x - y), binomial(M, 2))
    """

    @classmethod
    def eval(cls, M: Any, *nodes: Any) -> Any:
        """A power where there is one node; h_M(1, 1) = M."""
        if len(nodes) == 1:
            return nodes[0] ** M
        return M if nodes == (1, 1) else None

    def doit(self, **hints: Any) -> Any:
        """A number where all arguments are; else quotients, or their limits."""
        M, *nodes = (argument.doit(**hints) for argument in self.args)
        nodes.sort(key=sympy.default_sort_key)
        if all(x.is_number for x in (M, *nodes)):
            return divided_power(int(M), tuple(nodes))
        return _quotients(M, tuple(nodes))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        M, *nodes = (printer.doprint(argument) for argument in self.args)
        power = "" if exp is None else f"^{{{exp}}}"
        return rf"h_{{{M}}}{power}\!\left({', '.join(nodes)}\right)"


@lru_cache(maxsize=1024)
def _quotients(M: Any, nodes: tuple[Any, ...]) -> Any:
    """The recurrence of divided differences; equal nodes stand next to each other."""
    first, last = nodes[0], nodes[-1]
    if first == last:
        r = len(nodes) - 1
        return sympy.binomial(M, r) * first ** (M - r)
    return (_quotients(M, nodes[:-1]) - _quotients(M, nodes[1:])) / (first - last)
