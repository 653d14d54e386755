"""The tree of an expression: what a node is, and what can be read off it without a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

MAX_BITS = 20_000  # of a numerator or denominator that evaluation may reach

#: ``(operation, operand, …)``; operands are nodes, or the payload of a leaf.
Node: TypeAlias = tuple[Any, ...]


def number(value: Fraction | int) -> Node:
    """The leaf of an exact number."""
    return ("number", Fraction(value))


def symbols_in(tree: Node) -> frozenset[str]:
    """The symbols that occur."""
    found: set[str] = set()
    stack: list[object] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            if node[0] == "symbol":
                found.add(str(node[1]))
            stack.extend(node[1:])
    return frozenset(found)


def substituted(node: Node, values: Mapping[str, Node]) -> Node:
    """The tree with symbols replaced by trees."""
    if node[0] == "symbol":
        return values.get(node[1], node)
    return tuple(substituted(p, values) if isinstance(p, tuple) else p for p in node)


def folded(name: str, nodes: Sequence[Node]) -> Node:
    """One node for a minimum or maximum of many, only logarithmically deep."""
    if len(nodes) == 1:
        return nodes[0]
    half = (len(nodes) + 1) // 2
    return (name, folded(name, nodes[:half]), folded(name, nodes[half:]))


def bits(x: Fraction) -> int:
    """Bits of an exact number: of its numerator or denominator, whichever has more."""
    return max(x.numerator.bit_length(), x.denominator.bit_length())


def most_bits(node: Node) -> int:
    """An upper bound of the bits of a tree's numbers once everything is multiplied out."""
    match node:
        case ("number", Fraction() as value):
            return bits(value)
        case ("symbol", _) | ("pi", _):
            return 1
        case ("**", base, ("number", Fraction() as power)):
            return max(abs(int(power)), 1) * most_bits(base)
    return sum(most_bits(operand) for operand in node[1:])
