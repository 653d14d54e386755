"""Scalar graphs of polynomials with dependent perturbations, enumerated in exact arithmetic.

Node v computes p_v(z) + w_v q_v(z) at w_v = 0, z = Σ_u c_{v,u} y_u over its predecessors, or
p_v(max{z, 0}) where it has a kink.  Constants hold on intervals that the passes cannot leave:
every perturbed pass and every pass in which perturbations from some node on are left out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from fractions import Fraction
from math import factorial

from boundcalc.graph import GraphConstants, Levels

F = Fraction


def value(p: list[F], x: F, order: int = 0) -> F:
    """Σ_k p_k x^k/k!, differentiated ``order`` times."""
    return sum((c * x**k / factorial(k) for k, c in enumerate(p[order:])), F(0))


def largest(p: list[F], r: F, order: int = 0) -> F:
    """A bound on the size of the derivative on [−r, r]."""
    return value([abs(c) for c in p], r, order)


@dataclass(frozen=True)
class PolynomialGraph:
    """Everything by node, 0 to N; node 0 is the data."""

    inputs: tuple[tuple[int, ...], ...]
    weights: tuple[tuple[F, ...], ...]
    p: list[list[F]]
    q: list[list[F]]
    kinks: frozenset[int]
    x: F
    radius: list[F]  # of the outputs, perturbation included

    @property
    def size(self) -> int:
        return len(self.inputs) - 1

    def _z(self, v: int, y: list[F]) -> F:
        return sum((c * y[u] for c, u in zip(self.weights[v], self.inputs[v], strict=True)), F(0))

    def gradients(self, delta: list[F]) -> list[F]:
        """ũ_v, by node."""
        N, y, z = self.size, [self.x], [F(0)]
        for v in range(1, N + 1):
            z.append(self._z(v, y))
            rectified = max(z[v], F(0)) if v in self.kinks else z[v]
            y.append(value(self.p[v], rectified) + (delta[v] if v < N else 0))
            assert abs(y[v]) <= self.radius[v]
        found, back = [F(0)] * (N + 1), [F(0)] * N + [F(1)]
        for v in range(N, 0, -1):
            found[v] = value(self.q[v], z[v]) * back[v]
            slope = F(0) if v in self.kinks and z[v] <= 0 else value(self.p[v], z[v], 1)
            for c, u in zip(self.weights[v], self.inputs[v], strict=True):
                back[u] += c * slope * back[v]
        return found

    def constants(self) -> GraphConstants:
        columns: dict[str, list[object]] = {k: [()] for k in ("a", "A", "J", "A3", "B")}
        b, B3 = [F(0)], [F(0)]
        for v in range(1, self.size + 1):
            c = [abs(x) for x in self.weights[v]]
            z = sum((x * self.radius[u] for x, u in zip(c, self.inputs[v], strict=True)), F(0))
            first, second, third = (largest(self.p[v], z, k) for k in (1, 2, 3))
            square, kink = sum((x**2 for x in c), F(0)), v in self.kinks
            columns["a"].append(tuple(x * first for x in c))
            columns["A"].append(
                tuple(tuple(None if kink else x * t * second for t in c) for x in c)
            )
            columns["J"].append(tuple(2 * x * first if kink else None for x in c))
            columns["A3"].append(tuple(None if kink else x * square * third for x in c))
            columns["B"].append(tuple(x * largest(self.q[v], z, 1) for x in c))
            b.append(largest(self.q[v], z))
            B3.append(square * largest(self.q[v], z, 2))
        return GraphConstants(
            inputs=self.inputs,
            edges=edge_numbers(self.inputs),
            l=tuple(columns["a"]),  # type: ignore[arg-type]
            b=tuple(b),
            K=(None,) * (self.size + 1),
            B3=tuple(B3),
            groups=tuple(range(self.size + 1)),
            **{k: tuple(column) for k, column in columns.items()},  # type: ignore[arg-type]
        )


def edge_numbers(inputs: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """A number for each pair of nodes with an edge."""
    pairs = dict.fromkeys((u, v) for v, slots in enumerate(inputs) for u in slots)
    numbers = {pair: k + 1 for k, pair in enumerate(pairs)}
    return tuple(tuple(numbers[u, v] for u in slots) for v, slots in enumerate(inputs))


def random_graph(
    rnd: random.Random, size: int, noise: F, *, chain: bool, kinks: frozenset[int] = frozenset()
) -> PolynomialGraph:
    """A chain, or a graph in which node v reads one or two nodes before it."""

    def coefficients() -> list[F]:
        return [F(rnd.randint(-6, 6), 6) for _ in range(4)]

    inputs: list[tuple[int, ...]] = [(), (0,)]
    for v in range(2, size + 1):
        read = {v - 1} if chain else {rnd.randint(1, v - 1), rnd.randint(1, v - 1)}
        inputs.append(tuple(sorted(read)))
    unread = set(range(1, size)) - {u for slots in inputs for u in slots}
    inputs[size] = tuple(sorted(unread | set(inputs[size])))
    weights = [
        tuple(F(1) if chain else F(rnd.choice([-3, -2, -1, 1, 2, 3]), 2) for _ in slots)
        for slots in inputs
    ]
    p, q = ([[], *(coefficients() for _ in range(size))] for _ in range(2))
    x = F(rnd.randint(-6, 6), 6)
    radius = [abs(x)]
    for v in range(1, size + 1):
        z = sum((abs(c) * radius[u] for c, u in zip(weights[v], inputs[v], strict=True)), F(0))
        radius.append(largest(p[v], z) + noise)
    return PolynomialGraph(tuple(inputs), tuple(weights), p, q, kinks, x, radius)


Leaves = list[tuple[F, list[F]]]


def random_noise(
    rnd: random.Random, size: int, noise: F, *, centred: bool
) -> tuple[Leaves, list[F]]:
    """Probabilities of (δ_1, …, δ_{N−1}), and E‖E[δ_k | δ_1 … δ_{k−1}]‖.

    The law of δ_k, its variance included, depends on everything before it.
    """
    leaves: Leaves = [(F(1), [F(0)])]
    mean = [F(0)] * (size + 1)
    for k in range(1, size):
        grown: Leaves = []
        for weight, past in leaves:
            count = rnd.choice((2, 2, 3)) if size < 5 else 2
            raw = [rnd.randint(1, 5) for _ in range(count)]
            chance = [F(x, sum(raw)) for x in raw]
            drawn = [F(rnd.randint(-9, 9), 9) for _ in range(count)]
            if centred:
                middle = sum((x * y for x, y in zip(chance, drawn, strict=True)), F(0))
                drawn = [x - middle for x in drawn]
            scale = noise * F(rnd.choice([1, 2, 4, 9]), 9) / max(F(1), *map(abs, drawn))
            drawn = [x * scale for x in drawn]
            middle = sum((x * y for x, y in zip(chance, drawn, strict=True)), F(0))
            mean[k] += weight * abs(middle)
            grown += [(weight * x, [*past, y]) for x, y in zip(chance, drawn, strict=True)]
        leaves = grown
    return leaves, mean


def rational_above(square: F, bits: int = 60) -> F:
    """A rational a little above the square root."""
    scaled = square.numerator * 4**bits // square.denominator
    root = int(scaled**0.5) if scaled < 2**52 else _isqrt(scaled)
    return F(root + 2, 2**bits)


def _isqrt(n: int) -> int:
    from math import isqrt

    return isqrt(n)


def levels_of(leaves: Leaves, mean: list[F], edges: int) -> Levels:
    """e_k just above √E δ_k², m_k exact; nothing backward."""
    size = len(mean) - 1
    e = [F(0)] * (size + 1)
    for k in range(1, size):
        e[k] = rational_above(sum((w * d[k] ** 2 for w, d in leaves), F(0)))
    none = (F(0),) * edges
    return Levels(tuple(e), tuple(mean), (F(0),) * (size + 1), none, none)


def mean_errors(graph: PolynomialGraph, leaves: Leaves) -> list[F]:
    """|E[ũ_v − u_v]|, by node."""
    total = [F(0)] * (graph.size + 1)
    for weight, delta in leaves:
        for v, found in enumerate(graph.gradients(delta)):
            total[v] += weight * found
    exact = graph.gradients([F(0)] * graph.size)
    return [abs(x - y) for x, y in zip(total, exact, strict=True)]
