"""Sums over the readers of an operator, as certificates have them (docs/theory.md, section 4.8)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TypeAlias

from boundcalc.graph.numbers import GraphConstants
from boundcalc.verify.certificate.numbers import root_up, rounded_up
from boundcalc.verify.certificate.steps import Step, given, step

#: What passing back through a slot adds: operands and value.
Source: TypeAlias = Callable[[int, int], tuple[tuple[Step, ...], Fraction]]

_ZERO = Fraction(0)


def adjoint_norms(g: GraphConstants) -> list[Step]:
    """V_u = Σ a_{v,u} V_v, V_N = 1."""
    V = [given(0)] * g.size + [given(1)]
    for u in range(g.size - 1, 0, -1):
        V[u] = step("adjoint", (u,), *pulled(g, V, u))
    return V


def together(parts: list[tuple[Fraction, Fraction]]) -> Fraction:
    """(Σ x √W)², without a root where there is one part only."""
    if len(parts) == 1:
        return parts[0][0] ** 2 * parts[0][1]
    return sum((x * root_up(W) for x, W in parts), _ZERO) ** 2


def pulled(
    g: GraphConstants,
    X: list[Step],
    u: int,
    source: Source | None = None,
    *,
    noise: Sequence[Fraction] | None = None,
    means: bool = False,
) -> tuple[list[Step], Fraction]:
    """Σ over the slots (v, k) that read u of a X_v + source; a run is passed whole (Lemma 4.10)."""
    operands, total = [], _ZERO
    for v, k in g.consumers[u]:
        run = g.run_from.get(v)
        whole = run is not None and (run.affine or not means)
        nodes = run.nodes if run is not None and whole else (v,)
        factor = run.norm if run is not None and whole else g.a[v][k]
        operands.append(X[nodes[-1]])
        total += factor * X[nodes[-1]].value
        inside = _ZERO
        for w in reversed(nodes):
            inside = g.a[w][0] * inside if whole else _ZERO
            if source is not None:
                more, value = source(w, 0 if whole else k)
                operands += more
                inside += value
            if noise is not None and w != v:
                inside += noise[g.edges[w][0]]
            inside = rounded_up(inside) if whole else inside
        total += inside
    return operands, total
