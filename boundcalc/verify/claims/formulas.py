"""Expressions of a claim: those of a spec, with N, i and bounded sums.

A printed coefficient such as (21) of [KZY] depends on the number N of operators and on
the site i, also in exponents and in the ranges of sums.  For given N and i both are whole
numbers: they are written in, sums are written out, and what is left is an expression that
the spec's own parser takes.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Mapping

from boundcalc.errors import ExpressionError
from boundcalc.spec.expressions import Expression, exact
from boundcalc.spec.grammar import (
    FUNCTIONS,
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_POWER,
    RESERVED,
    parse,
)
from boundcalc.spec.nodes import Node, folded, number

MAX_TERMS = 2_000  # of all sums of one expression, written out

#: Names that an expression of a claim gives a meaning of its own.
INDICES = ("N", "i")

_EXAMPLE = "sum(j, i, N - 1, (3*C**2)**j)"


def written_out(text: str, indices: Mapping[str, int], symbols: Collection[str] = ()) -> Expression:
    """An expression with N and i written in and sums written out.

    Parameters
    ----------
    text
        An expression over symbols, the indices, and ``sum(j, first, last, term)``, which is
        Σ_{j=first}^{last} term and 0 where last < first.
    indices
        The values of the indices.
    symbols
        Names that no sum may take for its index.

    Raises
    ------
    ExpressionError
        If the text is not such an expression, or has more than 2 000 terms when written out.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from boundcalc.arithmetic import RATIONALS
    >>> S = written_out("sum(j, 0, i, (3*C**2)**j)", {"N": 3, "i": 2})
    >>> S.evaluate(RATIONALS, {"C": Fraction(1)})
    Fraction(13, 1)
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            f"the expression is {len(text)} characters long",
            value=text,
            expected=f"at most {MAX_LENGTH} characters",
        )
    text = text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of things like `1if`, which are errors below
            tree = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        tree = None
    if tree is None:
        parse(text)  # says what is wrong with it
        raise ExpressionError("not an expression", value=text, expected=f"such as {_EXAMPLE!r}")
    node = _Writer(text, frozenset(symbols)).node(tree, dict(indices), 0)
    return Expression(text, node)


class _Writer:
    """One expression on its way; it counts the terms that its sums have."""

    def __init__(self, text: str, symbols: frozenset[str]) -> None:
        self.text = text
        self.taken = symbols | RESERVED
        self.terms = 0

    def node(self, tree: ast.expr, indices: Mapping[str, int], depth: int) -> Node:
        """The tree of an expression for given values of the indices."""
        if depth > MAX_DEPTH:
            raise self.wrong("the expression is nested too deeply", f"at most {MAX_DEPTH} levels")
        match tree:
            case ast.Name(id=name) if name in indices:
                return number(indices[name])
            case ast.Call(func=ast.Name(id="sum"), args=[_, _, _, _], keywords=[]):
                return self.sum(tree.args, indices, depth)
            case ast.Call(func=ast.Name(id="sum")):
                raise self.wrong("sum does not have four arguments", f"such as {_EXAMPLE}")
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                return self.call(name, args, indices, depth)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return ("neg", self.node(inner, indices, depth + 1))
            case ast.UnaryOp(op=ast.UAdd(), operand=inner):
                return self.node(inner, indices, depth + 1)
            case ast.BinOp(op=ast.Pow(), left=left, right=right):
                power = self.whole(right, indices, depth + 1)
                if abs(power) > MAX_POWER:
                    raise self.wrong(
                        f"the exponent {power} is too large",
                        f"a whole number between -{MAX_POWER} and {MAX_POWER}",
                    )
                return ("**", self.node(left, indices, depth + 1), number(power))
            case ast.BinOp(op=op, left=left, right=right) if type(op) in _BINARY:
                return (
                    _BINARY[type(op)],
                    self.node(left, indices, depth + 1),
                    self.node(right, indices, depth + 1),
                )
        # Whatever has no index of ours below it: numbers, symbols, π, and what is refused.
        return parse(ast.get_source_segment(self.text, tree) or self.text).node

    def call(self, name: str, args: list[ast.expr], indices: Mapping[str, int], depth: int) -> Node:
        """A function of the spec's expressions; its number of arguments is the parser's matter."""
        parse(f"{name}({', '.join('1' for _ in args)})")
        nodes = [self.node(argument, indices, depth + 1) for argument in args]
        return folded(name, nodes) if name in ("min", "max") else (name, nodes[0])

    def sum(self, args: list[ast.expr], indices: Mapping[str, int], depth: int) -> Node:
        """Σ over a range of whole numbers, as a balanced tree of additions."""
        index, first, last, term = args
        if not isinstance(index, ast.Name) or index.id in {*indices, *self.taken}:
            raise self.wrong("the first argument of sum is not a new name", f"such as {_EXAMPLE}")
        start, stop = (self.whole(end, indices, depth + 1) for end in (first, last))
        self.terms += max(0, stop - start + 1)
        if self.terms > MAX_TERMS:
            raise self.wrong("the sums have too many terms", f"at most {MAX_TERMS}")
        terms = [
            self.node(term, {**indices, index.id: value}, depth + 1)
            for value in range(start, stop + 1)
        ]
        return folded("+", terms) if terms else number(0)

    def whole(self, tree: ast.expr, indices: Mapping[str, int], depth: int) -> int:
        """The value of an exponent, or of an end of a sum: whole numbers and indices only."""
        if depth > MAX_DEPTH:
            raise self.wrong("the expression is nested too deeply", f"at most {MAX_DEPTH} levels")
        match tree:
            case ast.Constant(value=int() as value) if type(value) is int and value <= MAX_TERMS:
                return value
            case ast.Name(id=name) if name in indices:
                return indices[name]
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return -self.whole(inner, indices, depth + 1)
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() as op, left=left, right=right):
                x, y = (self.whole(side, indices, depth + 1) for side in (left, right))
                value = x + y if isinstance(op, ast.Add) else x - y
                value = x * y if isinstance(op, ast.Mult) else value
                if abs(value) <= MAX_TERMS:
                    return value
        raise self.wrong(
            "an exponent or an end of a sum is not a small whole number",
            "whole numbers, N, i, and the names that sums give to their own",
        )

    def wrong(self, problem: str, expected: str) -> ExpressionError:
        return ExpressionError(problem, value=self.text, expected=expected)


_BINARY = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}

#: The coefficient that is left out.
ZERO = exact(0)
