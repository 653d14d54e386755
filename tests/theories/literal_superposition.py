"""Theorem 4.18 of docs/theory.md, written out index by index and slowly, in exact arithmetic.

Sums over operators where the package has recurrences; nothing is shared with it.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from boundcalc.graph import ChainConstants, Levels

F = Fraction


def product(values: Any, low: int, high: int) -> Fraction:
    """Of values[low + 1] to values[high]."""
    result = F(1)
    for k in range(low + 1, high + 1):
        result *= values[k]
    return result


class Literal:
    """(4i) and (4j) as sums over operators; a change of a state passes on by min{ℓ, a}."""

    def __init__(self, c: ChainConstants) -> None:
        N = self.N = c.size
        self.c, self.l = c, (F(0), *(min(x, y) for x, y in zip(c.l[1:], c.a[1:], strict=True)))
        self.V = [product(c.a, i, N) for i in range(N + 1)]
        self.slope = [self._sum(k, lambda q: c.A[q] * self.V[q], 1) for k in range(N + 1)]
        self.bend = [
            self._sum(
                k,
                lambda q: c.A3[q] * self.V[q] + (2 * self.l[q] + c.a[q]) * c.A[q] * self.slope[q],
                2,
            )
            for k in range(N + 1)
        ]

    def _sum(self, k: int, term: Any, power: int) -> Fraction:
        """Σ_{q>k} a_{k+1}⋯a_{q−1} (ℓ_{k+1}⋯ℓ_{q−1})^power term_q."""
        return sum(
            (
                product(self.c.a, k, q - 1) * product(self.l, k, q - 1) ** power * term(q)
                for q in range(k + 1, self.N + 1)
            ),
            F(0),
        )

    def weight(self, i: int) -> tuple[Fraction, Fraction]:
        """Λᵘ_i and κᵘ_i."""
        c, V, l = self.c, self.V[i], self.l[i]  # noqa: E741 - the letter of the theory
        first = c.B[i] * V + c.b[i] * l * self.slope[i]
        second = c.B3[i] * V + 2 * c.B[i] * l * self.slope[i]
        return first, second + c.b[i] * (l**2 * self.bend[i] + c.A[i] * self.slope[i])

    def curve(self, k: int, j: int) -> Fraction:
        """Second derivative of y_k ↦ y_j: Σ_q (ℓ before q)² A_q (ℓ after q)."""
        return sum(
            (
                product(self.l, k, q - 1) ** 2 * self.c.A[q] * product(self.l, q, j)
                for q in range(k + 1, j + 1)
            ),
            F(0),
        )

    def response(self, i: int, k: int) -> tuple[Fraction, Fraction]:
        """Λ_ik and κ_ik."""
        if k >= i:
            reach = self.c.b[i] * product(self.c.a, i, k)
            return reach * self.slope[k], reach * self.bend[k]
        first, second = self.weight(i)
        moved = product(self.l, k, i - 1)
        return first * moved, second * moved**2 + first * self.curve(k, i - 1)

    def plain(self, x: Levels) -> list[Fraction]:
        """Σ_k (Λ_ik m_k + ½ κ_ik e_k²), from operator 1."""
        rows = []
        for i in range(1, self.N + 1):
            pairs = [(k, *self.response(i, k)) for k in range(1, self.N)]
            rows.append(sum((u * x.m[k] + w * x.e[k] ** 2 / 2 for k, u, w in pairs), F(0)))
        return rows

    def best(self, x: Levels, s: Any, mu: Any, R: Any) -> list[Fraction]:
        """Theorem 4.18 (b)."""
        N, c = self.N, self.c
        own = [
            min(self.slope[k] * x.m[k] + self.bend[k] * x.e[k] ** 2 / 2, self.slope[k] * x.e[k])
            for k in range(N)
        ]
        R = [*R[:N], F(0)]
        rows = []
        for i in range(1, N + 1):
            # Θ_i: stop adding at some j and take R_j there
            after = min(
                sum((product(c.a, i, k) * own[k] for k in range(i, j)), F(0))
                + product(c.a, i, j) * R[j]
                for j in range(i, N + 1)
            )
            before = F(0)
            if i > 1:
                first, second = self.weight(i)
                alone = sum(
                    (self.response(i, k)[0] * x.m[k] + self.response(i, k)[1] * x.e[k] ** 2 / 2)
                    for k in range(1, i)
                )
                together = first * mu[i - 1] + second * s[i - 1] ** 2 / 2
                before = min(alone, together, first * s[i - 1])
            rows.append(c.b[i] * after + before)
        return rows
