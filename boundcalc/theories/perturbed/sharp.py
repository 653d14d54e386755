"""The sharp family: recurrences for the size of every intermediate error.

docs/theory.md, section 4, derives them, for chains and (4.8) for directed acyclic graphs.
They are written here once, over any number kind, for a graph, of which a chain is the
special case with one slot for each operator.  Every function takes O(N + slot pairs)
operations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import ChainConstants, GraphConstants, Levels
from boundcalc.perturbations.dependence import Dependence
from boundcalc.theories.perturbed.drift import Drifts, drifts, mean_drifts
from boundcalc.theories.perturbed.forward import forward_means, forward_sizes, total
from boundcalc.theories.perturbed.pull import combined, pulled, pulled_squares
from boundcalc.theories.perturbed.refinements import (
    CONDITIONAL,
    INDEPENDENCE,
    MEAN_CAP,
    SATURATION,
    SUPERPOSITION,
    Choice,
)
from boundcalc.theories.perturbed.restarts import Restarts, restarts
from boundcalc.theories.perturbed.superposition import superposed

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
    caused
        The part of the error of u_v that forward perturbations cause, root mean square.
    gradient
        E‖ũ_g − u_g‖², for every group g of operators with the same weights, from 1.
    """

    s: tuple[Scalar, ...]
    V: tuple[Scalar, ...]
    R: tuple[Scalar, ...]
    drifts: Drifts
    caused: tuple[Scalar, ...]
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


def statement(levels: Levels, *, chain: bool) -> str:
    """The theorem used, in words; a pass without perturbations is not worth a word."""
    general_form, zero_mean = (
        ("Theorem 4.1", "Theorem 4.3") if chain else ("Theorem 4.7", "Theorem 4.9")
    )
    forward, backward = levels.forward_centred, levels.backward_centred
    if forward and backward:
        return f"conditionally zero-mean ({zero_mean})"
    if forward and any(levels.e[i] != 0 for i in range(1, len(levels.e) - 1)):
        return f"zero-mean forward pass only ({zero_mean})"
    if backward and any(level != 0 for level in levels.eps[2:]):
        return f"zero-mean backward pass only ({zero_mean})"
    return f"general ({general_form})"


def adjoint_norms(c: AnyConstants, kind: Arithmetic) -> tuple[Scalar, ...]:
    """V_N = 1, V_u = Σ_{v reads u} a_{v,u} V_v: bounds on ‖v_u‖."""
    g, zero = c.graph, kind.number(0)
    V = [zero] * g.size + [kind.number(1)]
    for u in range(g.size - 1, 0, -1):
        V[u] = pulled(g, V, u, zero)
    return tuple(V)


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
    c: AnyConstants,
    levels: Levels,
    kind: Arithmetic,
    *,
    forward: bool,
    backward: bool,
    choice: Choice | None = None,
) -> SecondMoments:
    """Second moments where conditional means are zero (docs/theory.md, Theorems 4.3 and 4.9).

    Cross terms of a centred pass vanish exactly, so squares add where
    :func:`general` adds sizes.  With neither pass centred the two agree.

    Parameters
    ----------
    forward, backward
        Whether every forward, every backward perturbation has conditional mean zero.
    choice
        The refinements to take; none by default.  Saturation (docs/theory.md, Lemma 4.11)
        is the one that concerns second moments.

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
    g, zero, choice = c.graph, kind.number(0), choice or Choice(kind, ())
    s = forward_sizes(g, levels, kind, centred=forward)
    V = adjoint_norms(g, kind)
    moved = drifts(g, s, kind, choice)
    R, E = [zero] * (g.size + 1), [zero] * (g.size + 1)
    for u in range(g.size - 1, 0, -1):
        # R_u = Σ_v (a_{v,u} R_v + V_v · drift of ∇_u f_v), at most 2 V_u
        size = pulled(g, R, u, zero, source=lambda v, k: V[v] * moved.input[v][k])
        R[u] = choice.least(SATURATION, size, 2 * V[u])
        if not backward:
            # the ε part of v_u:  E_u = Σ_v a_{v,u} E_v + Σ ϵ
            E[u] = pulled(g, E, u, zero, noise=levels.eps)
            E[u] = E[u] + total((levels.eps[edge] for edge in g.outgoing[u]), zero)
    W = _backward_squares(g, levels, kind) if backward else None
    # √E‖ũ_v − u_v‖² ≤ b_v R_v + V_v · drift of ∇_w f_v, at most 2 b_v V_v, and the ε part
    caused = [zero]
    for v in range(1, g.size + 1):
        size = g.b[v] * R[v] + V[v] * moved.weight[v]
        caused.append(choice.least(SATURATION, size, 2 * g.b[v] * V[v]))
    gradient = []
    for group in g.members:  # shared weights add
        forward_part = total((caused[v] for v in group), zero)
        if W is None:
            gradient.append((forward_part + total((g.b[v] * E[v] for v in group), zero)) ** 2)
        else:
            gradient.append(forward_part**2 + combined([(g.b[v], W[v]) for v in group], kind))
    return SecondMoments(s, V, tuple(R), moved, tuple(caused), (zero, *gradient))


def _backward_squares(g: GraphConstants, levels: Levels, kind: Arithmetic) -> list[Scalar]:
    """W_u = (Σ_v a_{v,u} √W_v)² + Σ ϵ²: squared sizes of a centred ε part."""
    zero = kind.number(0)
    W = [zero] * (g.size + 1)
    for u in range(g.size - 1, 0, -1):
        W[u] = pulled_squares(g, W, u, levels.eps, kind)
        W[u] = W[u] + total((levels.eps[edge] ** 2 for edge in g.outgoing[u]), zero)
    return W


def means(
    c: AnyConstants,
    levels: Levels,
    second: SecondMoments,
    kind: Arithmetic,
    *,
    capped: bool = False,
    choice: Choice | None = None,
) -> Means:
    """Bounds on the means, from the second moments (docs/theory.md, Theorems 4.2 and 4.8).

    Parameters
    ----------
    second
        The result of :func:`general` or :func:`centred` on the same arguments.
    capped
        Apply refinement (ii), a mean never exceeds the root mean square, at every
        stage (docs/theory.md, Lemma 4.4).
    choice
        The refinements to take, in place of ``capped``.

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
    choice = choice or Choice(kind, (MEAN_CAP,) if capped else ())
    moved = second.drifts
    mu = forward_means(g, levels, s, moved, kind, choice)
    shift = mean_drifts(g, s, mu, moved, kind, choice)
    restarted = restarts(g, levels, s, V, kind, choice)
    beta, nu = [zero] * (g.size + 1), [zero] * (g.size + 1)

    def source(v: int, k: int) -> Scalar:
        drift, mean = moved.input[v][k], shift.input[v][k]
        return _product(v, drift, R[v], beta[v], restarted, choice) + V[v] * mean

    for u in range(g.size - 1, 0, -1):
        # β_u = Σ_v (a β_v + product term + V_v · mean drift);  ν_u = Σ_v a ν_v + Σ n
        found = pulled(g, beta, u, zero, source=source, affine_only=True)
        beta[u] = choice.least(MEAN_CAP, found, R[u])
        nu[u] = pulled(g, nu, u, zero, noise=levels.n)
        nu[u] = nu[u] + total((levels.n[edge] for edge in g.outgoing[u]), zero)
    alone: tuple[Scalar | None, ...] = (None,) * (g.size + 1)
    if SUPERPOSITION in choice:
        alone = superposed(g, levels, s, mu, V, R, kind)
    mean = [zero]
    for v in range(1, g.size + 1):
        # b β + product term of ∇_w f + V · mean drift of ∇_w f, and b ν
        drift, move = moved.weight[v], shift.weight[v]
        product = _product(v, drift, R[v], beta[v], restarted, choice)
        found = g.b[v] * beta[v] + product + V[v] * move
        if alone[v] is not None:
            found = choice.least(SUPERPOSITION, found, alone[v])
        mean.append(choice.least(MEAN_CAP, found, second.caused[v]) + g.b[v] * nu[v])
    gradient = []
    for group, size in zip(g.members, second.gradient[1:], strict=True):  # shared weights add
        squared = total((mean[v] for v in group), zero) ** 2
        gradient.append(choice.least(MEAN_CAP, squared, size))
    return Means(mu, tuple(beta), tuple(nu), (zero, *gradient))


def _product(
    v: int,
    drift: Scalar,
    R: Scalar,
    beta: Scalar,
    restarted: Restarts | None,
    choice: Choice,
) -> Scalar:
    """What ‖E[J̃ᵀ(v̂_v − v_v)]‖ can exceed a β by, as a mean of a product is no product of means.

    drift · R by Cauchy-Schwarz; or, T the change of v̂_v when the noise before v is left out,
    drift · T (Theorem 4.13), drift · T + drift · β (Theorem 4.14).
    """
    product = drift * R
    if restarted is None or restarted.change[v] is None:
        return product
    dependence, changed = restarted.dependence[v], drift * restarted.change[v]
    if dependence is Dependence.INDEPENDENT:
        product = choice.least(INDEPENDENCE, product, changed)
    elif dependence is Dependence.CONDITIONAL:
        product = choice.least(CONDITIONAL, product, changed + drift * beta)
    return product
