"""Formulas in one variable, brought to a form in which equal ones look equal.

Exporters write GELU, SiLU and normalisation as several elementwise nodes, in an order
that differs between versions.  Here a tree is

- ``("x",)``, the variable;
- ``("+", c, ((c1, t1), …))``, the sum c + c1·t1 + …;
- ``("*", ((t1, p1), …))``, the product of powers t1^p1 · …, p fractions;
- ``("f", name, t)``, a function of a tree.

Sums and products are flat and sorted, and constant factors stand in sums alone, so that
a formula has one form up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeAlias

Tree: TypeAlias = tuple[Any, ...]

X: Tree = ("x",)
_TOLERANCE = 1e-5  # constants are written in float32
MAX_NODES = 500  # of one tree

_HALF = Fraction(1, 2)

_EVALUATE: dict[str, Callable[[float], float]] = {
    "erf": math.erf,
    "tanh": math.tanh,
    "exp": math.exp,
    "sin": math.sin,
    "mean": lambda t: t,
}


def constant(value: float) -> Tree:
    """The tree of a number."""
    return ("+", float(value), ())


def number_of(tree: Tree) -> float | None:
    """The value of a tree that is a number."""
    return tree[1] if tree[0] == "+" and not tree[2] else None


def add(x: Tree, y: Tree) -> Tree:
    """The sum of two trees.

    >>> add(X, add(X, constant(1.0)))
    ('+', 1.0, ((2.0, ('x',)),))
    """
    (c, xs), (d, ys) = _terms(x), _terms(y)
    merged: dict[Tree, float] = {}
    for coefficient, term in (*xs, *ys):
        merged[term] = merged.get(term, 0.0) + coefficient
    return _sum(c + d, tuple((k, t) for t, k in merged.items() if k != 0.0))


def scaled(factor: float, x: Tree) -> Tree:
    """The tree multiplied by a number."""
    c, terms = _terms(x)
    return _sum(factor * c, tuple((factor * k, t) for k, t in terms if factor != 0.0))


def multiply(x: Tree, y: Tree) -> Tree:
    """The product of two trees.

    >>> multiply(X, scaled(2.0, X))
    ('+', 0.0, ((2.0, ('*', ((('x',), Fraction(2, 1)),))),))
    """
    (c, xs), (d, ys) = _factors(x), _factors(y)
    powers: dict[Tree, Fraction] = {}
    for base, p in (*xs, *ys):
        powers[base] = powers.get(base, Fraction(0)) + p
    return scaled(c * d, _product(tuple((t, p) for t, p in powers.items() if p)))


def power(x: Tree, exponent: Fraction) -> Tree:
    """The tree to a power; a fractional power of a tree is kept as it is.

    √(t²) is |t|, so powers are multiplied only where the outer one is whole.
    """
    if exponent.denominator != 1:
        value = number_of(x)
        if value is not None and value >= 0:
            return constant(value ** float(exponent))
        return _product(((x, exponent),))
    c, factors = _factors(x)
    if c == 0.0 and exponent < 0:
        raise ZeroDivisionError("a formula divides by 0")
    return scaled(
        c ** int(exponent), _product(tuple((t, p * exponent) for t, p in factors if exponent))
    )


def function(name: str, x: Tree) -> Tree:
    """A function of a tree."""
    value = number_of(x)
    if value is not None and name in _EVALUATE:
        return constant(_EVALUATE[name](value))
    return ("f", name, x)


def size(tree: Tree) -> int:
    """How many nodes a tree has; more than MAX_NODES are not counted on."""
    count, stack = 0, [tree]
    while stack and count <= MAX_NODES:
        count += 1
        stack.extend(_parts(stack.pop()))
    return count


def subtrees(tree: Tree) -> list[Tree]:
    """Every part of a tree that is not the tree itself nor the variable, largest first."""
    found: dict[Tree, None] = {}
    stack = _parts(tree)
    while stack:
        part = stack.pop()
        if part != X and number_of(part) is None:
            found[part] = None
            stack.extend(_parts(part))
    return sorted(found, key=size, reverse=True)


def replaced(tree: Tree, old: Tree) -> Tree | None:
    """The tree with a part as its new variable; None if the old variable is still there."""
    if tree == old:
        return X
    match tree:
        case ("x",):
            return None
        case ("+", c, terms):
            parts = [replaced(t, old) for _, t in terms]
            if any(part is None for part in parts):
                return None
            total = constant(c)
            for (k, _), part in zip(terms, parts, strict=True):
                total = add(total, scaled(k, part or X))
            return total
        case ("*", factors):
            made = constant(1.0)
            for base, p in factors:
                part = replaced(base, old)
                if part is None:
                    return None
                made = multiply(made, power(part, p))
            return made
        case (_, name, inner):
            part = replaced(inner, old)
            return None if part is None else function(name, part)
    raise AssertionError(tree)


def like(x: Tree, y: Tree) -> bool:
    """Whether two trees are the same up to the rounding of their constants."""
    if isinstance(x, tuple) and isinstance(y, tuple):
        return len(x) == len(y) and all(like(a, b) for a, b in zip(x, y, strict=True))
    if isinstance(x, float) and isinstance(y, float):
        return math.isclose(x, y, rel_tol=_TOLERANCE, abs_tol=1e-12)
    return bool(x == y)


def described(tree: Tree) -> str:
    """The tree for a message.

    >>> described(multiply(X, function("tanh", add(X, constant(1.0)))))
    'tanh(1 + x)·x'
    """
    match tree:
        case ("x",):
            return "x"
        case ("+", c, terms):
            words = [f"{c:g}"] if c or not terms else []
            words += [("" if k == 1 else f"{k:g}·") + described(t) for k, t in terms]
            return " + ".join(words)
        case ("*", factors):
            return "·".join(_factor_text(t, p) for t, p in factors)
        case (_, name, inner):
            return f"{name}({described(inner)})"
    raise AssertionError(tree)


def _factor_text(tree: Tree, p: Fraction) -> str:
    text = described(tree)
    text = f"({text})" if tree[0] in "+*" else text
    return text if p == 1 else f"{text}^{p if p.denominator == 1 else f'({p})'}"


def _terms(x: Tree) -> tuple[float, tuple[tuple[float, Tree], ...]]:
    return (x[1], x[2]) if x[0] == "+" else (0.0, ((1.0, x),))


def _factors(x: Tree) -> tuple[float, tuple[tuple[Tree, Fraction], ...]]:
    """A number c and powers with x = c · product; a sum becomes one whose first number is 1."""
    if x[0] == "*":
        return 1.0, x[1]
    if x[0] != "+":
        return 1.0, ((x, Fraction(1)),)
    c, terms = x[1], x[2]
    if not terms:
        return c, ()
    if c == 0.0 and len(terms) == 1:
        inner, factors = _factors(terms[0][1])
        return terms[0][0] * inner, factors
    lead = c if c != 0.0 else terms[0][0]
    return lead, ((scaled(1.0 / lead, x), Fraction(1)),)


def _sum(c: float, terms: tuple[tuple[float, Tree], ...]) -> Tree:
    if c == 0.0 and len(terms) == 1 and terms[0][0] == 1.0:
        return terms[0][1]
    return ("+", c, tuple(sorted(terms, key=lambda pair: _order(pair[1]))))


def _product(factors: tuple[tuple[Tree, Fraction], ...]) -> Tree:
    if not factors:
        return constant(1.0)
    if len(factors) == 1 and factors[0][1] == 1:
        return factors[0][0]
    return ("*", tuple(sorted(factors, key=lambda pair: (*_order(pair[0]), pair[1]))))


def _order(tree: Tree) -> tuple[str, str]:
    """A key: first what does not depend on constants, which rounding may change."""
    return _outline(tree), repr(tree)


def _outline(tree: Any) -> str:
    if isinstance(tree, tuple):
        return "(" + ",".join(_outline(part) for part in tree) + ")"
    return "" if isinstance(tree, float) else str(tree)


def _parts(tree: Tree) -> list[Tree]:
    match tree:
        case ("+", _, terms):
            return [t for _, t in terms]
        case ("*", factors):
            return [t for t, _ in factors]
        case ("f", _, inner):
            return [inner]
    return []
