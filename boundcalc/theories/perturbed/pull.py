"""Sums over the operators that read one: how every quantity of the backward pass goes back.

docs/theory.md, section 4.8; runs of operators with one norm together are Lemma 4.10.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import GraphConstants, Run
from boundcalc.theories.perturbed.drift import ByOperator, vanishes

#: What passing back through a slot (v, k) adds.
Source = Callable[[int, int], Scalar]


def pulled(
    g: GraphConstants,
    X: ByOperator,
    u: int,
    zero: Scalar,
    *,
    source: Source | None = None,
    noise: Sequence[Scalar] | None = None,
    affine_only: bool = False,
) -> Scalar:
    """Σ over the slots (v, k) that read u of a_{v,k} X_v + source(v, k).

    Parameters
    ----------
    noise
        By edge: what is added to X between two operators of a run.
    affine_only
        Take the norm of a run only where all its operators are affine.
    """
    total = None
    for v, k in g.consumers[u]:
        run = g.run_from.get(v)
        if run is not None and (run.affine or not affine_only):
            term = run.norm * X[run.last] + _inside(g, run, zero, source, noise)
        else:
            term = g.a[v][k] * X[v]
            if source is not None:
                term = term + source(v, k)
        total = term if total is None else total + term
    return zero if total is None else total


def _inside(
    g: GraphConstants,
    run: Run,
    zero: Scalar,
    source: Source | None,
    noise: Sequence[Scalar] | None,
) -> Scalar:
    """What arises inside a run: the recurrence from 0 at its end."""
    x = zero
    for w in reversed(run.nodes):
        x = g.a[w][0] * x
        if source is not None:
            x = x + source(w, 0)
        if noise is not None and w != run.first:
            x = x + noise[g.edges[w][0]]
    return x


def pulled_squares(
    g: GraphConstants, W: Sequence[Scalar], u: int, noise: Sequence[Scalar], kind: Arithmetic
) -> Scalar:
    """(Σ_v a_{v,u} √W_v)², the squared size of a centred quantity that goes back to u."""
    parts = []
    for v, k in g.consumers[u]:
        run = g.run_from.get(v)
        if run is None:
            parts.append((g.a[v][k], W[v]))
        else:
            inside = kind.number(0)
            for w in reversed(run.nodes):
                inside = g.a[w][0] ** 2 * inside
                if w != run.first:
                    inside = inside + noise[g.edges[w][0]] ** 2
            parts.append((kind.number(1), run.norm**2 * W[run.last] + inside))
    return combined(parts, kind)


def combined(parts: list[tuple[Scalar, Scalar]], kind: Arithmetic) -> Scalar:
    """(Σ x √W)², without a root where there is one part only."""
    parts = [(x, W) for x, W in parts if not (vanishes(x) or vanishes(W))]
    if len(parts) == 1:
        return parts[0][0] ** 2 * parts[0][1]
    total = kind.number(0)
    for x, W in parts:
        total = total + x * kind.sqrt(W)
    return total**2
