"""One forward perturbation alone on any graph: what it does to every gradient on average.

docs/theory.md, Theorem 4.8 for a pass with one perturbed operator, with saturation and caps.
"""

from __future__ import annotations

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import GraphConstants, Levels
from boundcalc.theories.perturbed.drift import drifts, mean_drifts
from boundcalc.theories.perturbed.forward import forward_means, forward_sizes
from boundcalc.theories.perturbed.pull import pulled
from boundcalc.theories.perturbed.refinements import MEAN_CAP, SATURATION, Choice


def site_rows(
    g: GraphConstants, levels: Levels, k: int, V: tuple[Scalar, ...], kind: Arithmetic
) -> tuple[Scalar, ...]:
    """Bounds on ‖E[ũ_v − u_v]‖, by operator, 0 to N, when δ_k is the only perturbation.

    A concave function of (e_k², m_k), so it may be averaged over what came before
    (docs/theory.md, Lemma 4.16).

    Parameters
    ----------
    k
        The perturbed operator, 1 to N − 1.
    V
        Bounds on ‖v_v‖.

    Examples
    --------
    All constants and levels 1, N = 2: the weights of both operators see half the curvature.

    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> from boundcalc.graph import ChainConstants
    >>> one, zero = (F(0), F(1), F(1)), (F(0),) * 3
    >>> levels = Levels(one, zero, one, zero, zero)
    >>> site_rows(ChainConstants(*[one] * 7).graph, levels, 1, one, RATIONALS)
    (Fraction(0, 1), Fraction(1, 2), Fraction(1, 2))
    """
    choice = Choice(kind, (SATURATION, MEAN_CAP))
    alone = _only(levels, k, kind)
    s = forward_sizes(g, alone, kind, centred=False)
    moved = drifts(g, s, kind, choice)
    mu = forward_means(g, alone, s, moved, kind, choice)
    shift = mean_drifts(g, s, mu, moved, kind, choice)
    zero = kind.number(0)
    R, beta = [zero] * (g.size + 1), [zero] * (g.size + 1)

    def size_source(v: int, slot: int) -> Scalar:
        return V[v] * moved.input[v][slot]

    def mean_source(v: int, slot: int) -> Scalar:
        return moved.input[v][slot] * R[v] + V[v] * shift.input[v][slot]

    for u in range(g.size - 1, 0, -1):
        R[u] = choice.least(SATURATION, pulled(g, R, u, zero, source=size_source), 2 * V[u])
        mean = pulled(g, beta, u, zero, source=mean_source, affine_only=True)
        beta[u] = choice.least(MEAN_CAP, mean, R[u])
    rows = [zero]
    for v in range(1, g.size + 1):
        size = g.b[v] * R[v] + V[v] * moved.weight[v]
        size = choice.least(SATURATION, size, 2 * g.b[v] * V[v])
        mean = g.b[v] * beta[v] + moved.weight[v] * R[v] + V[v] * shift.weight[v]
        rows.append(choice.least(MEAN_CAP, mean, size))
    return tuple(rows)


def _only(levels: Levels, k: int, kind: Arithmetic) -> Levels:
    """The level of δ_k, and no other."""
    zero = kind.number(0)
    none = (zero,) * len(levels.e)

    def at_k(row: tuple[Scalar, ...]) -> tuple[Scalar, ...]:
        return (*none[:k], row[k], *none[k + 1 :])

    silent = (zero,) * len(levels.eps)
    return Levels(e=at_k(levels.e), m=at_k(levels.m), q=none, eps=silent, n=silent)
