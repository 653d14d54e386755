"""Powers of symbols that an expression has as a factor.

On a box that touches C = 0, the ranges of C² and of 3·C² + C⁴ both begin at 0, and nothing
can be said of their quotient.  So a power of the symbol is taken out of both before their
ranges are formed.
"""

from __future__ import annotations

from fractions import Fraction

from boundcalc.spec.nodes import Node, number

_MOST = 4_000  # exponents that are looked at


def taken_out(node: Node, name: str) -> tuple[int, Node]:
    """The largest k seen in the form ``name**k * rest`` of an expression, and the rest.

    For every value ≥ 0 of the symbol, at which the expression is defined, the product is the
    expression.  0 has every power as a factor, and k is then ``4000``.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> taken_out(parse("3*C**2*L + C**3").node, "C")[0]
    2
    """
    match node:
        case ("number", Fraction() as value):
            return (0 if value else _MOST), node
        case ("symbol", str() as symbol):
            return (1, number(1)) if symbol == name else (0, node)
        case ("neg", inner):
            k, rest = taken_out(inner, name)
            return k, ("neg", rest)
        case ("*", left, right):
            (k, x), (m, y) = taken_out(left, name), taken_out(right, name)
            return min(k + m, _MOST), ("*", x, y)
        case ("/", left, right):
            k, rest = taken_out(left, name)
            return k, ("/", rest, right)
        case ("+" | "-" | "min" | "max" as operation, left, right):
            # For a symbol ≥ 0 the smaller and the larger of two multiples are multiples.
            (k, x), (m, y) = taken_out(left, name), taken_out(right, name)
            least = min(k, m)
            return least, (operation, _times(x, name, k - least), _times(y, name, m - least))
        case ("**", base, ("number", Fraction() as power)) if power > 0:
            k, rest = taken_out(base, name)
            return min(k * int(power), _MOST), ("**", rest, number(power))
        case ("sqrt", inner):
            # √(C^{2j} x) = C^j √x for C ≥ 0
            k, rest = taken_out(inner, name)
            return k // 2, ("sqrt", _times(rest, name, k % 2))
    return 0, node


def _times(node: Node, name: str, power: int) -> Node:
    """The node times a power of the symbol."""
    if power == 0 or node == number(0):
        return node
    return ("*", ("**", ("symbol", name), number(power)), node)
