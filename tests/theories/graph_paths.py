"""Random graphs, and the slow twin of their recurrences: sums over all paths, one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from boundcalc.graph import GraphConstants, Levels

F = Fraction
ZERO = F(0)
SIZES = st.sampled_from([F(0), F(1), F(2), F(1, 3), F(3, 4), F(5)])


def column(draw: Any, count: int) -> tuple[F, ...]:
    return tuple(draw(SIZES) for _ in range(count))


@st.composite
def graphs(draw: Any, most: int = 6, kinks: bool = False) -> GraphConstants:
    """Random graphs whose last operator is read by none, every other one by a later one."""
    size = draw(st.integers(2, most))
    reads: list[tuple[int, ...]] = [()]
    for v in range(1, size + 1):
        slots = draw(st.lists(st.integers(0, v - 1), min_size=1, max_size=3))
        found = [u for u in slots if u] or [0]
        if v > 1 and not any(v - 1 in row for row in reads):
            found = [v - 1, *(u for u in found if u)]  # nothing is left unread
        reads.append(tuple(found))
    for u in range(1, size):
        if not any(u in row for row in reads):
            reads[size] = (*(w for w in reads[size] if w), u)
    edges: list[tuple[int, ...]] = [()]
    count = 0
    for row in reads[1:]:
        known: dict[int, int] = {}
        for u in row:
            if u not in known:
                count += 1
                known[u] = count
        edges.append(tuple(known[u] for u in row))
    slots = [len(row) for row in reads]
    still = [row == (0,) for row in reads]

    def by_slot() -> tuple[tuple[F, ...], ...]:
        return tuple((ZERO,) if still[v] else column(draw, n) for v, n in enumerate(slots))

    bent = [kinks and not still[v] and n == 1 and draw(st.booleans()) for v, n in enumerate(slots)]
    A = tuple(
        ((None,),) if bent[v] else tuple((ZERO,) if still[v] else column(draw, n) for _ in range(n))
        for v, n in enumerate(slots)
    )
    third = by_slot()
    groups = [0]
    for v in range(1, size + 1):
        shared = draw(st.integers(0, 3)) == 0 and v > 1
        groups.append(draw(st.sampled_from(groups[1:])) if shared else v)
    return GraphConstants(
        inputs=tuple(reads),
        edges=tuple(edges),
        a=by_slot(),
        l=by_slot(),
        A=A,
        J=tuple((draw(SIZES),) * n if bent[v] else (None,) * n for v, n in enumerate(slots)),
        A3=tuple((None,) if bent[v] else third[v] for v in range(size + 1)),
        b=(ZERO, *column(draw, size)),
        B=by_slot(),
        K=(None,) * (size + 1),
        B3=(ZERO, *(ZERO if still[v] else draw(SIZES) for v in range(1, size + 1))),
        groups=tuple(groups),
    )


@st.composite
def levels_of(draw: Any, g: GraphConstants) -> Levels:
    edges = 1 + max(edge for row in g.edges for edge in row)
    silent = {
        g.edges[v][k] for v in range(1, g.size + 1) for k, u in enumerate(g.inputs[v]) if not u
    }
    e, eps = column(draw, g.size + 1), column(draw, edges)
    kept = tuple(ZERO if edge in silent or not edge else x for edge, x in enumerate(eps))
    share = draw(st.sampled_from([F(0), F(1, 2), F(1)]))
    return Levels(
        e=e,
        m=tuple(share * x for x in e),
        q=(ZERO,) * (g.size + 1),
        eps=kept,
        n=tuple(share * x for x in kept),
    )


@st.composite
def perturbed_graphs(draw: Any, kinks: bool = False) -> tuple[GraphConstants, Levels]:
    g = draw(graphs(kinks=kinks))
    return g, draw(levels_of(g))


@dataclass
class Paths:
    """Every quantity as a sum over paths, from the definitions, one path at a time."""

    g: GraphConstants
    x: Levels

    def walks(self, u: int, v: int, through: tuple[tuple[F, ...], ...]) -> F:
        """Σ over paths from u to v of the products of slot constants."""
        if u == v:
            return F(1)
        total = ZERO
        for k, w in enumerate(self.g.inputs[v]):
            if w >= u and w:
                total += through[v][k] * self.walks(u, w, through)
        return total

    def s(self, v: int) -> F:
        if v in (0, self.g.size):
            return ZERO
        return sum((self.walks(u, v, self.g.l) * self.x.e[u] for u in range(1, v + 1)), ZERO)

    def V(self, u: int) -> F:
        return self.walks(u, self.g.size, self.g.a)

    def drift(self, v: int, k: int) -> F:
        moved = [self.s(u) for u in self.g.inputs[v]]
        if self.g.A[v][k][0] is None:
            return self.g.J[v][k] if moved[0] else ZERO
        return sum((A * s for A, s in zip(self.g.A[v][k], moved, strict=True)), ZERO)

    def backward(self, u: int, added: Any) -> F:
        """Σ over operators w from u on: paths u → w times what arrives at w."""
        return sum((self.walks(u, w, self.g.a) * added(w) for w in range(u, self.g.size)), ZERO)

    def R(self, u: int) -> F:
        def arriving(w: int) -> F:
            return sum((self.V(v) * self.drift(v, k) for v, k in self.readers(w)), ZERO)

        return self.backward(u, arriving)

    def readers(self, w: int) -> list[tuple[int, int]]:
        return [
            (v, k)
            for v in range(1, self.g.size + 1)
            for k, u in enumerate(self.g.inputs[v])
            if u == w
        ]

    def noise(self, u: int, levels: tuple[F, ...]) -> F:
        def arriving(w: int) -> F:
            return sum(
                (levels[edge] for edge in {self.g.edges[v][k] for v, k in self.readers(w)}), ZERO
            )

        return self.backward(u, arriving)

    def weight_drift(self, v: int) -> F:
        return sum(
            (B * self.s(u) for B, u in zip(self.g.B[v], self.g.inputs[v], strict=True)), ZERO
        )

    def mu(self, v: int) -> F:
        if v in (0, self.g.size):
            return ZERO
        total = self.x.m[v]
        for k, u in enumerate(self.g.inputs[v]):
            if u:
                total += self.g.a[v][k] * self.mu(u) + self.drift(v, k) * self.s(u) / 2
        return total

    def mean_drift(self, v: int, constants: tuple[F, ...], third: F) -> F:
        means = sum(
            (A * self.mu(u) for A, u in zip(constants, self.g.inputs[v], strict=True)), ZERO
        )
        return means + third * sum((self.s(u) ** 2 for u in self.g.inputs[v]), ZERO) / 2

    def beta(self, u: int) -> F:
        def arriving(w: int) -> F:
            return sum(
                (
                    self.drift(v, k) * self.R(v)
                    + self.V(v) * self.mean_drift(v, self.g.A[v][k], self.g.A3[v][k])
                    for v, k in self.readers(w)
                ),
                ZERO,
            )

        return self.backward(u, arriving)

    def members(self) -> list[list[int]]:
        names = dict.fromkeys(self.g.groups[1:])
        return [
            [v for v in range(1, self.g.size + 1) if self.g.groups[v] == name] for name in names
        ]

    def error(self) -> F:
        return sum(
            (
                sum(
                    self.g.b[v] * (self.R(v) + self.noise(v, self.x.eps))
                    + self.V(v) * self.weight_drift(v)
                    for v in group
                )
                ** 2
                for group in self.members()
            ),
            ZERO,
        )

    def bias(self) -> F:
        return sum(
            (
                sum(
                    self.g.b[v] * (self.beta(v) + self.noise(v, self.x.n))
                    + self.weight_drift(v) * self.R(v)
                    + self.V(v) * self.mean_drift(v, self.g.B[v], self.g.B3[v])
                    for v in group
                )
                ** 2
                for group in self.members()
            ),
            ZERO,
        )
