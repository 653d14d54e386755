"""The sharp family: recurrences for the size of every intermediate error.

docs/theory.md, section 4, derives them, for chains and (4.8) for directed acyclic graphs.
They are written here once, over any number kind, for a graph, of which a chain is the
special case with one slot for each operator.  Every function takes O(N + slot pairs)
operations.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import ChainConstants, GraphConstants, Levels, Run
from boundcalc.theories.perturbed.drift import Drifts, drifts, mean_drifts, vanishes
from boundcalc.theories.perturbed.pull import combined, pulled, pulled_squares

AnyConstants: TypeAlias = ChainConstants | GraphConstants


@dataclass(frozen=True)
class SecondMoments:
    """Bounds on root-mean-square errors, by operator, 0 to N.

    Attributes
    ----------
    s
        √E‖ỹ_i − y_i‖² for i < N, with s_0 = 0; that of the loss is not needed.
    V
        ‖v_i‖.
    R
        The part of the error of v_i that forward perturbations cause, root mean square.
    drifts
        How far the Jacobians move, root mean square.
    gradient
        E‖ũ_g − u_g‖², for every group g of operators with the same weights, from 1.
    """

    s: tuple[Scalar, ...]
    V: tuple[Scalar, ...]
    R: tuple[Scalar, ...]
    drifts: Drifts
    gradient: tuple[Scalar, ...]

    def total(self) -> Scalar:
        """ζ² = Σ_g gradient_g, which bounds E‖ũ − u‖²."""
        return sum(self.gradient[2:], self.gradient[1])


@dataclass(frozen=True)
class Means:
    """Bounds on means, by operator, 0 to N.

    Attributes
    ----------
    mu
        ‖E[ỹ_i − y_i]‖.
    beta, nu
        The mean error of v_i without, and from, backward perturbations.
    gradient
        ‖E[ũ_g − u_g]‖², for every group g of operators with the same weights, from 1.
    """

    mu: tuple[Scalar, ...]
    beta: tuple[Scalar, ...]
    nu: tuple[Scalar, ...]
    gradient: tuple[Scalar, ...]

    def total(self) -> Scalar:
        """β² = Σ_g gradient_g, which bounds ‖E[ũ − u]‖²."""
        return sum(self.gradient[2:], self.gradient[1])


def adjoint_norms(c: AnyConstants, kind: Arithmetic) -> tuple[Scalar, ...]:
    """V_N = 1, V_u = Σ_{v reads u} a_{v,u} V_v: bounds on ‖v_u‖."""
    g, zero = c.graph, kind.number(0)
    V = [zero] * g.size + [kind.number(1)]
    for u in range(g.size - 1, 0, -1):
        V[u] = pulled(g, V, u, zero)
    return tuple(V)


def forward_sizes(
    g: GraphConstants, levels: Levels, kind: Arithmetic, *, centred: bool
) -> tuple[Scalar, ...]:
    """s_v = Σ_u ℓ_{v,u} s_u + e_v; centred s_v² = (Σ_u ℓ_{v,u} s_u)² + e_v²."""
    zero = kind.number(0)
    s = [zero] * (g.size + 1)
    for v in range(1, g.size):
        inherited = _sum((g.l[v][k] * s[u] for k, u in enumerate(g.inputs[v])), zero)
        if v in g.run_to:
            whole = _through_run(g, g.run_to[v], s, levels, kind, centred=centred)
            inherited = kind.minimum(inherited, whole)
        s[v] = _with_noise(inherited, levels.e[v], kind, centred=centred)
    return tuple(s)


def _with_noise(size: Scalar, e: Scalar, kind: Arithmetic, *, centred: bool) -> Scalar:
    """The size of a sum: s + e, or √(s² + e²) where e has conditional mean zero."""
    if centred and not (vanishes(size) or vanishes(e)):
        return kind.sqrt(size**2 + e**2)
    return size + e


def _through_run(
    g: GraphConstants,
    run: Run,
    s: list[Scalar],
    levels: Levels,
    kind: Arithmetic,
    *,
    centred: bool,
) -> Scalar:
    """norm · s before the run, and what perturbations inside it add (docs/theory.md, Lemma 4.10).

    Squares add only where the run is affine: what is inside stays centred then.
    """
    inside = kind.number(0)
    for v, w in pairwise(run.nodes):
        inside = g.l[w][0] * _with_noise(inside, levels.e[v], kind, centred=centred)
    passed = run.norm * s[g.inputs[run.first][0]]
    return _with_noise(passed, inside, kind, centred=centred and run.affine)


def general(c: AnyConstants, levels: Levels, kind: Arithmetic) -> SecondMoments:
    """Second moments for arbitrary perturbations (docs/theory.md, Theorems 4.1 and 4.7).

    Examples
    --------
    All constants and forward levels 1, N = 3: ζ² = 22.

    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> one, zero = (F(0), *[F(1)] * 3), (F(0),) * 4
    >>> ones = ChainConstants(one, one, one, one, one, one, one)
    >>> general(ones, Levels(one, zero, one, zero, zero), RATIONALS).total()
    Fraction(22, 1)
    """
    return centred(c, levels, kind, forward=False, backward=False)


def centred(
    c: AnyConstants, levels: Levels, kind: Arithmetic, *, forward: bool, backward: bool
) -> SecondMoments:
    """Second moments where conditional means are zero (docs/theory.md, Theorems 4.3 and 4.9).

    Cross terms of a centred pass vanish exactly, so squares add where
    :func:`general` adds sizes.  With neither pass centred the two agree.

    Parameters
    ----------
    forward, backward
        Whether every forward, every backward perturbation has conditional mean zero.

    Raises
    ------
    InexactError
        In exact arithmetic, where a square root is irrational.

    Examples
    --------
    All constants and forward levels 1, N = 2: ζ² = 2, as in the general form.

    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> one, zero = (F(0), *[F(1)] * 2), (F(0),) * 3
    >>> ones, levels = ChainConstants(*[one] * 7), Levels(one, zero, one, zero, zero)
    >>> centred(ones, levels, RATIONALS, forward=True, backward=True).total()
    Fraction(2, 1)
    """
    g, zero = c.graph, kind.number(0)
    s = forward_sizes(g, levels, kind, centred=forward)
    V = adjoint_norms(g, kind)
    moved = drifts(g, s, kind)
    R, E = [zero] * (g.size + 1), [zero] * (g.size + 1)
    for u in range(g.size - 1, 0, -1):
        # R_u = Σ_v (a_{v,u} R_v + V_v · drift of ∇_u f_v)
        R[u] = pulled(g, R, u, zero, source=lambda v, k: V[v] * moved.input[v][k])
        if not backward:
            # the ε part of v_u:  E_u = Σ_v a_{v,u} E_v + Σ ϵ
            E[u] = pulled(g, E, u, zero, noise=levels.eps)
            E[u] = E[u] + _sum((levels.eps[edge] for edge in g.outgoing[u]), zero)
    W = _backward_squares(g, levels, kind) if backward else None
    gradient = []
    for group in g.members:
        # √E‖ũ_v − u_v‖² ≤ b_v R_v + V_v · drift of ∇_w f_v, and the ε part; shared weights add
        caused = _sum((g.b[v] * R[v] + V[v] * moved.weight[v] for v in group), zero)
        if W is None:
            gradient.append((caused + _sum((g.b[v] * E[v] for v in group), zero)) ** 2)
        else:
            gradient.append(caused**2 + combined([(g.b[v], W[v]) for v in group], kind))
    return SecondMoments(s, V, tuple(R), moved, (zero, *gradient))


def _backward_squares(g: GraphConstants, levels: Levels, kind: Arithmetic) -> list[Scalar]:
    """W_u = (Σ_v a_{v,u} √W_v)² + Σ ϵ²: squared sizes of a centred ε part."""
    zero = kind.number(0)
    W = [zero] * (g.size + 1)
    for u in range(g.size - 1, 0, -1):
        W[u] = pulled_squares(g, W, u, levels.eps, kind)
        W[u] = W[u] + _sum((levels.eps[edge] ** 2 for edge in g.outgoing[u]), zero)
    return W


def means(
    c: AnyConstants, levels: Levels, second: SecondMoments, kind: Arithmetic, *, capped: bool
) -> Means:
    """Bounds on the means, from the second moments (docs/theory.md, Theorems 4.2 and 4.8).

    Parameters
    ----------
    second
        The result of :func:`general` or :func:`centred` on the same arguments.
    capped
        Apply refinement (ii), a mean never exceeds the root mean square, at every
        stage (docs/theory.md, Lemma 4.4).

    Examples
    --------
    All constants and forward levels 1, zero means, N = 3: β² = 225/4, capped 22.

    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> one, zero = (F(0), *[F(1)] * 3), (F(0),) * 4
    >>> ones, levels = ChainConstants(*[one] * 7), Levels(one, zero, one, zero, zero)
    >>> second = general(ones, levels, RATIONALS)
    >>> means(ones, levels, second, RATIONALS, capped=False).total()
    Fraction(225, 4)
    >>> means(ones, levels, second, RATIONALS, capped=True).total()
    Fraction(22, 1)
    """
    g, zero, s, V, R = c.graph, kind.number(0), second.s, second.V, second.R
    moved = second.drifts

    def cap(mean: Scalar, size: Scalar) -> Scalar:
        return kind.minimum(mean, size) if capped else mean

    mu = _forward_means(g, levels, second, kind, cap)
    shift = mean_drifts(g, s, mu, moved, kind)
    beta, nu = [zero] * (g.size + 1), [zero] * (g.size + 1)
    for u in range(g.size - 1, 0, -1):
        # β_u = Σ_v (a β_v + drift · R_v + V_v · mean drift);  ν_u = Σ_v a ν_v + Σ n
        beta[u] = pulled(
            g,
            beta,
            u,
            zero,
            source=lambda v, k: moved.input[v][k] * R[v] + V[v] * shift.input[v][k],
            affine_only=True,
        )
        nu[u] = pulled(g, nu, u, zero, noise=levels.n)
        beta[u] = cap(beta[u], R[u])
        nu[u] = nu[u] + _sum((levels.n[edge] for edge in g.outgoing[u]), zero)
    gradient = []
    for group, size in zip(g.members, second.gradient[1:], strict=True):
        # b (β + ν) + drift of ∇_w f · R + V · mean drift of ∇_w f; shared weights add
        mean = zero
        for v in group:
            mean = mean + g.b[v] * (beta[v] + nu[v])
            mean = mean + moved.weight[v] * R[v] + V[v] * shift.weight[v]
        gradient.append(cap(mean**2, size))
    return Means(mu, tuple(beta), tuple(nu), (zero, *gradient))


def _forward_means(
    g: GraphConstants,
    levels: Levels,
    second: SecondMoments,
    kind: Arithmetic,
    cap: Callable[[Scalar, Scalar], Scalar],
) -> tuple[Scalar, ...]:
    """μ_v = Σ_u a_{v,u} μ_u + ½ Σ_{u,u'} A_{v,u,u'} s_u s_{u'} + m_v."""
    s, moved = second.s, second.drifts
    mu = [kind.number(0)] * (g.size + 1)
    for v in range(1, g.size):
        inherited = kind.number(0)
        for k, u in enumerate(g.inputs[v]):
            if u == 0:
                continue
            if moved.smooth[v]:
                inherited = inherited + g.a[v][k] * mu[u] + moved.input[v][k] * s[u] / 2
            else:
                # f(ỹ) − f(y) has no second-order expansion: its mean is at most its size.
                inherited = inherited + g.l[v][k] * s[u]
        run = g.run_to.get(v)
        if run is not None and run.affine:
            whole = run.norm * mu[g.inputs[run.first][0]]
            inside = kind.number(0)
            for w, x in pairwise(run.nodes):
                inside = g.a[x][0] * (inside + levels.m[w])
            inherited = kind.minimum(inherited, whole + inside)
        mu[v] = cap(inherited + levels.m[v], s[v])
    return tuple(mu)


def _sum(terms: object, zero: Scalar) -> Scalar:
    """The sum of some terms, without a zero in front of the first."""
    total = None
    for term in terms:  # type: ignore[attr-defined]
        total = term if total is None else total + term
    return zero if total is None else total
