"""Operators of one number at their weights, in balls: values and derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

import flint

from boundcalc.arithmetic import RATIONALS
from boundcalc.operators.bilinear import Bilinear
from boundcalc.operators.spline import Spline
from boundcalc.operators.square import Square
from boundcalc.spec.expressions import Expression
from boundcalc.verify.claims.ranges import rational

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph


@dataclass(frozen=True)
class Local:
    """f(·, w) of one operator at its weight w.

    Attributes
    ----------
    value
        f.
    slopes
        ∂f/∂y and ∂f/∂w.
    """

    value: Callable[[flint.arb], flint.arb]
    slopes: Callable[[flint.arb], tuple[flint.arb, flint.arb]]


def local(graph: OperatorGraph, i: int) -> Local | None:
    """Operator i, 1 to N, at its initial weight; None for operators of other types.

    Raises
    ------
    InexactError
        For parameters that are not rational.
    """
    node = graph.nodes[i - 1]
    w = _weight(graph, i)
    if w is None or (node.inputs, node.outputs, node.weights) != (1, 1, 1):
        return None
    match node.operator:
        case Bilinear():
            return Local(lambda y: w * y, lambda y: (w, y))
        case Square() as operator if operator.bias:
            scale = flint.arb(rational(Fraction(operator.scale.evaluate(RATIONALS))))
            return Local(lambda y: scale * (y + w) * (y + w), lambda y: (2 * scale * (y + w),) * 2)
        case Spline() as operator if w == 0:
            return _spline(operator)
    return None


def _spline(operator: Spline) -> Local:
    """s and, at the weight 0, its derivatives s′ and m."""
    bend = pieces(operator.knots, operator.second, operator.slope)
    turn = pieces(operator.weight_knots, operator.weight_first, operator.weight_value)
    origin = integral(bend, flint.arb(0), 2)
    return Local(
        lambda y: integral(bend, y, 2) - origin,
        lambda y: (integral(bend, y, 1), integral(turn, y, 1)),
    )


def _weight(graph: OperatorGraph, i: int) -> flint.arb | None:
    """The initial weight of operator i, all operators having one each."""
    simulation = graph.spec.simulation
    if simulation is None or len({node.group for node in graph.nodes}) < graph.size:
        return None
    if any(node.values is not None or not node.trainable for node in graph.nodes):
        return None
    given = simulation.initial_weights
    if given == "zeros":
        return flint.arb(0)
    if not isinstance(given, list):
        return None
    return flint.arb(rational(Fraction(given[i - 1].evaluate(RATIONALS))))


@dataclass(frozen=True)
class Piece:
    """h = height + slope·d at a distance d from ``at``, for low ≤ t ≤ high; ∞ where None.

    ``once`` and ``twice`` are the integrals of h at ``at``, where d = 0.
    """

    low: flint.fmpq | None
    high: flint.fmpq | None
    at: flint.fmpq
    once: flint.fmpq
    twice: flint.fmpq
    height: flint.fmpq
    slope: flint.fmpq

    def meets(self, t: flint.arb) -> bool:
        """Whether a member of the ball may lie in the piece."""
        after = self.low is None or not t < self.low
        return after and (self.high is None or not t > self.high)

    def integral(self, t: flint.arb, times: int) -> flint.arb:
        """One or two integrals of h."""
        d = t - self.at
        if times == 1:
            return self.once + d * (self.height + d * (self.slope / 2))
        return self.twice + d * (self.once + d * (self.height / 2 + d * (self.slope / 6)))


def pieces(
    knots: Sequence[Expression], heights: Sequence[Expression], left: Expression
) -> list[Piece]:
    """h, linear between knots and 0 outside, with the integrals left + ∫h and their integral."""
    at, of, (once,) = (_rationals(x) for x in (knots, heights, [left]))
    zero = flint.fmpq(0)
    if not at:
        return [Piece(None, None, zero, once, zero, zero, zero)]
    found, twice = [Piece(None, at[0], at[0], once, zero, zero, zero)], zero
    for (low, high), (h, after) in zip(pairwise(at), pairwise(of), strict=True):
        piece = Piece(low, high, low, once, twice, h, (after - h) / (high - low))
        found.append(piece)
        d = high - low
        twice = twice + d * (once + d * (h / 2 + d * (piece.slope / 6)))
        once = once + d * (h + after) / 2
    return [*found, Piece(at[-1], None, at[-1], once, twice, zero, zero)]


def integral(of: Sequence[Piece], t: flint.arb, times: int) -> flint.arb:
    """One or two integrals of h, the second up to a constant, of all members of a ball.

    Examples
    --------
    >>> from boundcalc.spec.expressions import exact
    >>> tent = pieces([exact(-1), exact(0), exact(1)], [exact(0), exact(2), exact(0)], exact(-1))
    >>> integral(tent, flint.arb(0), 1), integral(tent, flint.arb(1), 1)
    (0, 1.00000000000000)
    """
    return reduce(flint.arb.union, (piece.integral(t, times) for piece in of if piece.meets(t)))


def _rationals(column: Sequence[Expression]) -> list[flint.fmpq]:
    return [rational(Fraction(x.evaluate(RATIONALS))) for x in column]
