"""A piece of a graph with one entry and one exit, summed up in sixteen numbers.

With s the size of the forward error at a node and T = R + h that of the backward one
(docs/theory.md, (4g)), a piece turns what it is given into what it hands on:

    s_out = ℓ s_in + e,    V_in = a V_out,    T_in = a T_out + V_out (A s_in + D) + ϵ,

and its weights add the quadratic form θᵀQθ of θ = (T_out, V_out s_in, V_out, 1) to ζ².  Two
pieces one after the other are a piece again, so n repeats cost O(log n) (Lemma 5.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import GraphConstants
from boundcalc.theories.perturbed.drift import vanishes
from boundcalc.theories.perturbed.pull import pulled

#: A 4 × 4 matrix.
Matrix: TypeAlias = tuple[tuple[Scalar, ...], ...]


@dataclass(frozen=True)
class Piece:
    """What a piece of a graph does to errors that pass through it.

    Attributes
    ----------
    l, e
        s_out = ℓ s_in + e.
    a
        V_in = a V_out.
    A, D, eps
        T_in = a T_out + V_out (A s_in + D) + ϵ.
    Q
        The part of ζ² of the weights inside is θᵀQθ with θ = (T_out, V_out s_in, V_out, 1).
    """

    l: Scalar  # noqa: E741 - the letter of the theory
    e: Scalar
    a: Scalar
    A: Scalar
    D: Scalar
    eps: Scalar
    Q: Matrix

    @classmethod
    def nothing(cls, kind: Arithmetic) -> Piece:
        """The piece without operators: everything passes unchanged."""
        zero, one = kind.number(0), kind.number(1)
        return cls(one, zero, one, zero, zero, zero, ((zero,) * 4,) * 4)

    def then(self, after: Piece) -> Piece:
        """Both one after the other, ``after`` last: still one piece.

        In the middle s = ℓs_in + e, V = a′V_out and T = a′T_out + V_out (A′s + D′) + ϵ′ with the
        letters of ``after`` primed, so both vectors θ are linear in that of the whole.
        """
        drift = after.A * self.e + after.D  # what V_out is multiplied with in T besides s_in
        passed = after.A * self.l
        zero = self.e * 0
        one = zero + 1
        before_theta = (
            (after.a, passed, drift, after.eps),
            (zero, after.a, zero, zero),
            (zero, zero, after.a, zero),
            (zero, zero, zero, one),
        )
        after_theta = (
            (one, zero, zero, zero),
            (zero, self.l, self.e, zero),
            (zero, zero, one, zero),
            (zero, zero, zero, one),
        )
        return Piece(
            l=after.l * self.l,
            e=after.l * self.e + after.e,
            a=self.a * after.a,
            A=self.a * passed + after.a * self.A,
            D=self.a * drift + after.a * self.D,
            eps=self.a * after.eps + self.eps,
            Q=_added(_pulled_back(self.Q, before_theta), _pulled_back(after.Q, after_theta)),
        )

    def repeated(self, count: int, kind: Arithmetic) -> Piece:
        """``count`` copies one after the other, in O(log count) compositions."""
        total, square = Piece.nothing(kind), self
        while count:
            if count % 2:
                total = total.then(square)
            count //= 2
            square = square.then(square) if count else square
        return total

    def error(self, s: Scalar, V: Scalar, T: Scalar) -> Scalar:
        """θᵀQθ at s_in = s, V_out = V, T_out = T: what the weights inside add to ζ²."""
        theta = (T, V * s, V, s * 0 + 1)
        return sum((q * x * y for q, x, y in self.products(theta)), s * 0)

    def products(self, theta: Sequence[Scalar]) -> list[tuple[Scalar, Scalar, Scalar]]:
        """(q, x, y) for every product of two entries of θ, with Σ q x y = θᵀQθ; no zeros."""
        found = []
        for i, x in enumerate(theta):
            for j, y in enumerate(theta[: i + 1]):
                q = self.Q[i][j] * (1 if i == j else 2)
                if not vanishes(q):
                    found.append((q, x, y))
        return found


def _pulled_back(Q: Matrix, L: Matrix) -> Matrix:
    """LᵀQL."""
    half = [
        [sum((Q[i][k] * L[k][j] for k in range(1, 4)), Q[i][0] * L[0][j]) for j in range(4)]
        for i in range(4)
    ]
    return tuple(
        tuple(
            sum((L[k][i] * half[k][j] for k in range(1, 4)), L[0][i] * half[0][j]) for j in range(4)
        )
        for i in range(4)
    )


def _added(P: Matrix, Q: Matrix) -> Matrix:
    return tuple(tuple(p + q for p, q in zip(x, y, strict=True)) for x, y in zip(P, Q, strict=True))


def piece(
    g: GraphConstants,
    e: Sequence[Scalar],
    eps: Sequence[Scalar],
    kind: Arithmetic,
    *,
    moving: bool,
) -> Piece:
    """The sixteen numbers of a graph whose node 0 is the entry and whose last one is the exit.

    O(size + slot pairs).  The recurrences (4g) are linear in s_in, in (T_out, V_out) and in
    V_out s_in; they are run once for each.

    Parameters
    ----------
    g
        Constants by node.  A slot that reads data, which does not move, reads node 0 with
        constants 0.
    e, eps
        Levels by node and by edge.
    moving
        Whether s_in is not 0: where a Jacobian has a kink, its drift depends on that.

    Examples
    --------
    Two operators, all constants and levels 1: ζ² = 2, as Theorem 4.1 has it.

    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.graph import ChainConstants
    >>> row = (F(0), F(1), F(1))
    >>> g = ChainConstants(*[row] * 7).graph
    >>> piece(g, (F(0), F(1), F(1)), (F(0),) * 3, RATIONALS, moving=False).error(F(0), F(1), F(0))
    Fraction(2, 1)
    """
    zero = kind.number(0)
    slope, offset = _forward(g, e, kind)
    drift = _Drift(g, slope, offset, zero, moving=moving)
    a, A, D, E = ([zero] * (g.size + 1) for _ in range(4))
    a[g.size] = kind.number(1)
    for u in range(g.size - 1, -1, -1):
        a[u] = pulled(g, a, u, zero)
        A[u] = pulled(g, A, u, zero, source=lambda v, k: a[v] * drift.input[v][k][0])
        D[u] = pulled(g, D, u, zero, source=lambda v, k: a[v] * drift.input[v][k][1])
        E[u] = pulled(g, E, u, zero, noise=eps)
        E[u] = sum((eps[edge] for edge in g.outgoing[u]), E[u])
    Q: Matrix = ((zero,) * 4,) * 4
    for group in g.members:
        # Σ b T + V · drift of ∇_w f, by its parts in T_out, V_out s_in, V_out and 1
        parts = [zero] * 4
        for v in group:
            by_part = (a[v], A[v], D[v], E[v])
            parts = [x + g.b[v] * y for x, y in zip(parts, by_part, strict=True)]
            parts[1] = parts[1] + a[v] * drift.weight[v][0]
            parts[2] = parts[2] + a[v] * drift.weight[v][1]
        Q = _added(Q, tuple(tuple(x * y for y in parts) for x in parts))
    return Piece(slope[-1], offset[-1], a[0], A[0], D[0], E[0], Q)


def _forward(
    g: GraphConstants, e: Sequence[Scalar], kind: Arithmetic
) -> tuple[list[Scalar], list[Scalar]]:
    """s_v = slope_v s_in + offset_v: the forward recurrence for both parts."""
    slope, offset = [kind.number(1)], [kind.number(0)]
    for v in range(1, g.size + 1):
        parts = []
        for column, noise in ((slope, None), (offset, e)):
            terms = (g.l[v][k] * column[u] for k, u in enumerate(g.inputs[v]))
            inherited = sum(terms, kind.number(0))
            if v in g.run_to:
                # Lemma 4.10 (b): the smaller of both is the smaller one in each part, as the
                # perturbations inside the run add the same to both.
                run = g.run_to[v]
                inside = kind.number(0)
                for x, y in zip(run.nodes, run.nodes[1:], strict=False):
                    inside = g.l[y][0] * (inside if noise is None else inside + noise[x])
                whole = run.norm * column[g.inputs[run.first][0]] + inside
                inherited = kind.minimum(inherited, whole)
            parts.append(inherited if noise is None else inherited + noise[v])
        slope.append(parts[0])
        offset.append(parts[1])
    return slope, offset


class _Drift:
    """How far Jacobians move, as (slope, offset) in s_in: by slot, and for the weights."""

    def __init__(
        self,
        g: GraphConstants,
        slope: Sequence[Scalar],
        offset: Sequence[Scalar],
        zero: Scalar,
        *,
        moving: bool,
    ) -> None:
        def linear(
            constants: tuple[Scalar | None, ...], change: Scalar | None, v: int
        ) -> tuple[Scalar, Scalar]:
            reads = g.inputs[v]
            if any(constant is None for constant in constants):
                still = all(
                    vanishes(offset[u]) and (vanishes(slope[u]) or not moving) for u in reads
                )
                return (zero, zero) if still else (zero, change)
            pairs = list(zip(constants, reads, strict=True))
            return (
                sum((x * slope[u] for x, u in pairs), zero),
                sum((x * offset[u] for x, u in pairs), zero),
            )

        rows = range(1, g.size + 1)
        self.input = [
            [],
            *([linear(row, J, v) for row, J in zip(g.A[v], g.J[v], strict=True)] for v in rows),
        ]
        self.weight = [(zero, zero), *(linear(g.B[v], g.K[v], v) for v in rows)]
