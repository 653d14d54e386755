"""How far the Jacobians of an operator move when its inputs are perturbed.

docs/theory.md, (4a), (4e), section 4.8 and Lemma 4.11.  O(slot pairs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import GraphConstants
from boundcalc.theories.perturbed.refinements import MEAN_CAP, SATURATION, Choice

#: Numbers by operator: all of them, or some.
ByOperator: TypeAlias = Sequence[Scalar] | Mapping[int, Scalar]


@dataclass(frozen=True)
class Drifts:
    """Bounds on the change of ∇_u f_v and of ∇_w f_v: root mean squares, or norms of means.

    Attributes
    ----------
    input
        By operator and slot.
    weight
        By operator.
    smooth
        By operator: whether ∇_u f_v is Lipschitz in every slot, as a Taylor expansion needs.
    linear
        By operator and slot: Σ_{u'} A_{v,u,u'} s_{u'} without saturation, as the remainder of
        a Taylor expansion needs it.
    """

    input: tuple[tuple[Scalar, ...], ...]
    weight: tuple[Scalar, ...]
    smooth: tuple[bool, ...]
    linear: tuple[tuple[Scalar, ...], ...]


def drifts(g: GraphConstants, s: tuple[Scalar, ...], kind: Arithmetic, choice: Choice) -> Drifts:
    """Root mean squares: Σ_{u'} A_{v,u,u'} s_{u'} and Σ_u B_{v,u} s_u, at most 2a and 2b.

    Where there is no Lipschitz constant the largest change stands in, if anything moves.
    """
    zero = kind.number(0)
    by_slot: list[tuple[Scalar, ...]] = [()]
    linear: list[tuple[Scalar, ...]] = [()]
    by_weight, smooth = [zero], [True]
    for v in range(1, g.size + 1):
        moved = [s[u] for u in g.inputs[v]]
        row = tuple(slot_drift(g, v, k, moved, kind) for k in range(len(moved)))
        linear.append(row)
        # ‖∇_u f_v(ỹ) − ∇_u f_v(y)‖ ≤ 2 a_{v,u}
        by_slot.append(
            tuple(
                size if u == 0 else choice.least(SATURATION, size, 2 * a)
                for size, a, u in zip(row, g.a[v], g.inputs[v], strict=True)
            )
        )
        # ‖∇_w f_v(ỹ) − ∇_w f_v(y)‖ ≤ 2 b_v
        size = _linear(g.B[v], g.K[v], moved, kind)
        by_weight.append(choice.least(SATURATION, size, 2 * g.b[v]))
        smooth.append(all(value is not None for row in g.A[v] for value in row))
    return Drifts(tuple(by_slot), tuple(by_weight), tuple(smooth), tuple(linear))


def slot_drift(
    g: GraphConstants, v: int, k: int, moved: Sequence[Scalar], kind: Arithmetic
) -> Scalar:
    """Σ_{u'} A_{v,u,u'} times how far input u' moved, for the input u in slot k of v."""
    return _linear(g.A[v][k], g.J[v][k], moved, kind)


def _linear(
    constants: tuple[Scalar | None, ...],
    change: Scalar | None,
    moved: Sequence[Scalar],
    kind: Arithmetic,
) -> Scalar:
    total = kind.number(0)
    for constant, s in zip(constants, moved, strict=True):
        if constant is None:
            if all(vanishes(size) for size in moved):
                return kind.number(0)
            assert change is not None  # noqa: S101 - an operator with a kink states it
            return change
        total = total + constant * s
    return total


def mean_drifts(
    g: GraphConstants,
    s: tuple[Scalar, ...],
    mu: tuple[Scalar, ...],
    moved: Drifts,
    kind: Arithmetic,
    choice: Choice,
) -> Drifts:
    """Norms of means: Σ_{u'} A_{v,u,u'} μ_{u'} + ½ A′_{v,u} Σ_{u'} s_{u'}², likewise for weights.

    Where A′ or B′ does not exist, a mean is at most the root mean square; elsewhere too, as a
    refinement.
    """
    by_slot: list[tuple[Scalar, ...]] = [()]
    by_weight = [kind.number(0)]
    for v in range(1, g.size + 1):
        means = [mu[u] for u in g.inputs[v]]
        squares = sum((s[u] ** 2 for u in g.inputs[v]), kind.number(0))
        by_slot.append(
            tuple(
                choice.least(MEAN_CAP, _expanded(row, third, means, squares, size), size)
                for row, third, size in zip(g.A[v], g.A3[v], moved.input[v], strict=True)
            )
        )
        size = moved.weight[v]
        mean = _expanded(g.B[v], g.B3[v], means, squares, size)
        by_weight.append(choice.least(MEAN_CAP, mean, size))
    return Drifts(tuple(by_slot), tuple(by_weight), moved.smooth, moved.linear)


def _expanded(
    constants: tuple[Scalar | None, ...],
    third: Scalar | None,
    means: list[Scalar],
    squares: Scalar,
    size: Scalar,
) -> Scalar:
    if third is None or any(constant is None for constant in constants):
        return size
    total = third * squares / 2
    for constant, mean in zip(constants, means, strict=True):
        total = total + constant * mean
    return total


def vanishes(x: Scalar) -> bool:
    """Whether a number, or every entry of an array, is 0.

    >>> vanishes(0), vanishes(np.array([0.0, 1.0]))
    (True, False)
    """
    zero = x == 0
    return zero if isinstance(zero, bool) else bool(np.all(zero))
