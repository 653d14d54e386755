"""Small graphs of scalar operators with exact constants, and noise whose outcomes are listed.

Operator v computes φ(x) with x = Σ_k c_k y_{u_k} + w_v.  With |x| ≤ X everywhere the constants
of docs/theory.md are a_k = |c_k| sup|φ′|, A_{kk'} = |c_k c_{k'}| sup|φ″|, b = sup|φ′|,
A′_k = |c_k| ‖c‖² sup|φ‴|, B_k = |c_k| sup|φ″|, B′ = ‖c‖² sup|φ‴|.  A product of two inputs plus w
has a_1 = sup|y_2|, A_{12} = A_{21} = 1, b = 1.  Numbers may be fractions, for cubic φ, or floats.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from boundcalc.graph.numbers import GraphConstants, Levels
from boundcalc.perturbations import Dependence


@dataclass(frozen=True)
class Shape:
    """A function with its derivatives, and their suprema on [−X, X]."""

    value: Callable[[Any], Any]
    slope: Callable[[Any], Any]
    suprema: Callable[[Any], tuple[Any, Any, Any, Any]]  #: of |φ|, |φ′|, |φ″|, |φ‴|


def cubic(p: Any, q: Any, r: Any) -> Shape:
    """p x + q x²/2 + r x³/6."""

    def suprema(X: Any) -> tuple[Any, Any, Any, Any]:
        p0, q0, r0 = abs(p), abs(q), abs(r)
        second = q0 + r0 * X
        return p0 * X + q0 * X**2 / 2 + r0 * X**3 / 6, p0 + q0 * X + r0 * X**2 / 2, second, r0

    return Shape(
        lambda x: p * x + q * x**2 / 2 + r * x**3 / 6, lambda x: p + q * x + r * x**2 / 2, suprema
    )


def sine(height: float, speed: float) -> Shape:
    """h sin(k x): nothing grows with X, so large noise saturates."""
    sizes = tuple(abs(height) * abs(speed) ** n for n in range(4))
    return Shape(
        lambda x: height * math.sin(speed * x),
        lambda x: height * speed * math.cos(speed * x),
        lambda X: sizes,
    )


def step(height: float, speed: float) -> Shape:
    """h tanh(k x): sup|φ″| = 4 h k²/3√3, sup|φ‴| = 2 h k³."""
    h, k = abs(height), abs(speed)
    sizes = (h, h * k, 4 * h * k**2 / (3 * math.sqrt(3)), 2 * h * k**3)
    return Shape(
        lambda x: height * math.tanh(speed * x),
        lambda x: height * speed / math.cosh(speed * x) ** 2,
        lambda X: sizes,
    )


@dataclass(frozen=True)
class Node:
    """φ(Σ c y + w), or y_1 y_2 + w where the shape is None; no inputs: φ(w)."""

    reads: tuple[int, ...]
    factors: tuple[Any, ...]
    shape: Shape | None
    w: Any


@dataclass(frozen=True)
class Network:
    """Operators 1 to N in topological order; ``groups`` as in GraphConstants."""

    nodes: tuple[Node, ...]
    groups: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.nodes)

    def gradient(self, delta: Iterable[Any]) -> list[Any]:
        """ũ by group, in the order of the groups, under the forward perturbations 1 to N."""
        y, x = [0], [None]
        for node, shift in zip(self.nodes, delta, strict=True):
            x.append(sum((c * y[u] for c, u in zip(node.factors, node.reads, strict=True)), node.w))
            if node.shape is None:
                y.append(y[node.reads[0]] * y[node.reads[1]] + node.w + shift)
            else:
                y.append(node.shape.value(x[-1]) + shift)
        v = [0] * self.size + [1]
        found: dict[int, Any] = dict.fromkeys(sorted(set(self.groups[1:])), 0)
        for i in range(self.size, 0, -1):
            node = self.nodes[i - 1]
            if node.shape is None:
                one, two = node.reads
                v[one] += y[two] * v[i]
                v[two] += y[one] * v[i]
                found[self.groups[i]] += v[i]
                continue
            slope = node.shape.slope(x[i])
            found[self.groups[i]] += slope * v[i]
            for c, u in zip(node.factors, node.reads, strict=True):
                v[u] += c * slope * v[i]
        return list(found.values())

    def constants(self, amplitude: Iterable[Any]) -> GraphConstants:
        """Constants on a region that holds every pass with |δ_v| ≤ amplitude_v, restarts too."""
        size, zero = [0], 0
        columns: dict[str, list[Any]] = {name: [()] for name in ("a", "A", "A3", "B")}
        b, B3 = [zero], [zero]
        for node, most in zip(self.nodes, amplitude, strict=True):
            c = [abs(x) for x in node.factors]
            if node.shape is None:
                one, two = (size[u] for u in node.reads)
                columns["a"].append((two, one))
                columns["A"].append(((zero, 1), (1, zero)))
                columns["A3"].append((zero, zero))
                columns["B"].append((zero, zero))
                b.append(1)
                B3.append(zero)
                size.append(one * two + abs(node.w) + most)
                continue
            X = sum((x * size[u] for x, u in zip(c, node.reads, strict=True)), abs(node.w))
            top, d1, d2, d3 = node.shape.suprema(X)
            square = sum((x**2 for x in c), zero)
            c = c or [zero]  # the slot that reads the data
            columns["a"].append(tuple(x * d1 for x in c))
            columns["A"].append(tuple(tuple(x * y * d2 for y in c) for x in c))
            columns["A3"].append(tuple(x * square * d3 for x in c))
            columns["B"].append(tuple(x * d2 for x in c))
            b.append(d1)
            B3.append(square * d3)
            size.append(top + most)
        reads = [node.reads or (0,) for node in self.nodes]
        edges, count = [()], 0
        for row in reads:
            numbers = {u: count + 1 + k for k, u in enumerate(dict.fromkeys(row))}
            count += len(numbers)
            edges.append(tuple(numbers[u] for u in row))
        none = ((), *((None,) * len(row) for row in reads))
        return GraphConstants(
            inputs=((), *reads),
            edges=tuple(edges),
            a=tuple(columns["a"]),
            l=tuple(columns["a"]),
            A=tuple(columns["A"]),
            J=none,
            A3=tuple(columns["A3"]),
            b=tuple(b),
            B=tuple(columns["B"]),
            K=(None,) * (self.size + 1),
            B3=tuple(B3),
            groups=self.groups,
        )


@dataclass(frozen=True)
class Noise:
    """Outcomes (probability, δ_1..δ_N) and what a user would say of them."""

    outcomes: tuple[tuple[Any, tuple[Any, ...]], ...]
    e: tuple[Any, ...]
    m: tuple[Any, ...]
    dependence: Dependence

    @property
    def amplitude(self) -> list[Any]:
        return [max(abs(x) for x in column) for column in self._columns()]

    def _columns(self) -> list[tuple[Any, ...]]:
        return list(zip(*(delta for _, delta in self.outcomes), strict=True))

    def levels(self, g: GraphConstants, dependence: Dependence | None = None) -> Levels:
        zero = self.e[0] * 0
        none = (zero,) * (1 + max(edge for row in g.edges for edge in row))
        known = self.dependence if dependence is None else dependence
        return Levels(self.e, self.m, self.e, none, none, (known,) * len(self.e))

    def moments(self, network: Network) -> tuple[Any, Any]:
        """E‖ũ − u‖² and ‖E[ũ − u]‖²."""
        clean = network.gradient([self.e[0] * 0] * network.size)
        error, mean = 0, [0] * len(clean)
        for p, delta in self.outcomes:
            d = [x - y for x, y in zip(network.gradient(delta), clean, strict=True)]
            error += p * sum(x**2 for x in d)
            mean = [x + p * y for x, y in zip(mean, d, strict=True)]
        return error, sum(x**2 for x in mean)


#: A rule for one perturbation: what was drawn before → ((probability, value), …).
Rule = Callable[[tuple[Any, ...]], list[tuple[Any, Any]]]


def drawn(rules: Iterable[Rule]) -> tuple[tuple[Any, tuple[Any, ...]], ...]:
    """All outcomes of perturbations that are drawn one after the other."""
    outcomes: list[tuple[Any, tuple[Any, ...]]] = [(Fraction(1), ())]
    for rule in rules:
        outcomes = [(p * q, (*d, x)) for p, d in outcomes for q, x in rule(d)]
    return tuple(outcomes)


def two_point(e: Any, t: Any, m: Any = 0) -> list[tuple[Any, Any]]:
    """m + the law on {r t, −r/t} of mean 0 and variance r², r² = e² − m² given as r = e if m = 0.

    With m ≠ 0 the second moment is m² + r² for r = e − |m|, which is at most e².
    """
    r = e - abs(m)
    return [(1 / (1 + t**2), m + r * t), (t**2 / (1 + t**2), m - r / t)]
