"""The sharp family as coefficients: one perturbed site at a time, and pairs of them.

A site is a forward perturbation δ_j (j = 1..N−1) or a backward one ε_k (k = 2..N).
The root-mean-square errors are linear in the levels z ≥ 0 of all sites: their
vector is M z, so ζ² = zᵀGz with the Gram matrix G = MᵀM.  M is semiseparable, and
everything below is a scalar recurrence (docs/theory.md, Lemmas 5.2 and 5.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import ChainConstants
from boundcalc.theories.perturbed.sharp import adjoint_norms


@dataclass(frozen=True)
class Responses:
    """What a unit perturbation at one site does, by operator, 0 to N.

    Attributes
    ----------
    V
        Bounds on ‖v_i‖.
    rho
        ρ_j: error of v_j caused by a unit δ_j.
    Q
        Q_j = Σ_{i≤j} b_i² Π_{l=i+1}^{j} a_l²: squared gradient error caused by a unit
        error of v_j.
    kappa
        κ_i: error of u_i caused by a unit error of y_{i−1}.
    U
        U_j: squared errors of u_i, i > j, caused by a unit δ_j.
    """

    V: tuple[Scalar, ...]
    rho: tuple[Scalar, ...]
    Q: tuple[Scalar, ...]
    kappa: tuple[Scalar, ...]
    U: tuple[Scalar, ...]


def responses(c: ChainConstants, kind: Arithmetic) -> Responses:
    """All single-site responses in O(N)."""
    N, zero = c.size, kind.number(0)
    V = adjoint_norms(c, kind)
    rho, kappa, Q, U = ([zero] * (N + 1) for _ in range(4))
    for j in range(N - 1, 0, -1):
        # ρ_j = A_{j+1} V_{j+1} + a_{j+1} ℓ_{j+1} ρ_{j+1}
        rho[j] = c.A[j + 1] * V[j + 1] + c.a[j + 1] * c.l[j + 1] * rho[j + 1]
    for i in range(N, 1, -1):
        # κ_i = b_i ℓ_i ρ_i + B_i V_i ;  U_{i−1} = κ_i² + ℓ_i² U_i
        kappa[i] = c.b[i] * c.l[i] * rho[i] + c.B[i] * V[i]
        U[i - 1] = kappa[i] ** 2 + c.l[i] ** 2 * U[i]
    for j in range(1, N + 1):
        # Q_j = b_j² + a_j² Q_{j−1}
        Q[j] = c.b[j] ** 2 + (c.a[j] ** 2 * Q[j - 1] if j > 1 else zero)
    return Responses(V, tuple(rho), tuple(Q), tuple(kappa), tuple(U))


@dataclass(frozen=True)
class SiteCoefficients:
    """Coefficients for one perturbed site at a time, by operator, 0 to N.

    ``error_*`` multiply E‖δ_j‖² and E‖ε_k‖² in ζ²; ``bias_*`` multiply m_j²,
    (E‖δ_j‖²)² and n_k² in β² (no refinement applied).
    """

    error_forward: tuple[Scalar, ...]
    error_backward: tuple[Scalar, ...]
    bias_forward_mean: tuple[Scalar, ...]
    bias_forward_fourth: tuple[Scalar, ...]
    bias_backward_mean: tuple[Scalar, ...]


def site_coefficients(c: ChainConstants, kind: Arithmetic) -> SiteCoefficients:
    """The diagonal of G and the single-site bias coefficients, in O(N).

    Examples
    --------
    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> ones = ChainConstants(*[(F(0), F(1), F(1))] * 7)
    >>> found = site_coefficients(ones, RATIONALS)
    >>> found.error_forward[1], found.bias_forward_fourth[1]
    (Fraction(2, 1), Fraction(1, 2))
    """
    N, zero = c.size, kind.number(0)
    unit = responses(c, kind)
    # A mean travels forward by Jacobians, not by Lipschitz constants: ℓ becomes a.
    mean = responses(replace(c, l=c.a), kind)
    error, shift = [zero] * (N + 1), [zero] * (N + 1)
    backward = [zero] * (N + 1)
    for j in range(1, N):
        error[j] = unit.rho[j] ** 2 * unit.Q[j] + unit.U[j]
        shift[j] = mean.rho[j] ** 2 * mean.Q[j] + mean.U[j]
        backward[j + 1] = unit.Q[j]
    fourth = _curvature_coefficients(c, unit, kind)
    return SiteCoefficients(tuple(error), tuple(backward), tuple(shift), fourth, tuple(backward))


def _curvature_coefficients(
    c: ChainConstants, unit: Responses, kind: Arithmetic
) -> tuple[Scalar, ...]:
    """Coefficient of (E‖δ_j‖²)² in β²: a zero-mean perturbation met by curvature.

    With δ_j alone the state (s_i², μ_i) moves linearly,
    F_i = [[ℓ_i², 0], [A_i/2, a_i]], and every bias is linear in it.
    """
    N, zero = c.size, kind.number(0)
    X, Y = [zero] * (N + 1), [zero] * (N + 1)
    for i in range(N - 1, 0, -1):
        k = i + 1
        # β_i = X_i s_i² + Y_i μ_i along the path from δ_j
        X[i] = (
            c.a[k] * (X[k] * c.l[k] ** 2 + Y[k] * c.A[k] / 2)
            + c.A[k] * c.l[k] * unit.rho[k]
            + unit.V[k] * c.A3[k] / 2
        )
        Y[i] = c.a[k] ** 2 * Y[k] + unit.V[k] * c.A[k]
    # Z_j, symmetric 2×2, sums the squared biases of u_i for i > j as a form in (s_j², μ_j).
    z11, z12, z22 = zero, zero, zero
    result = [zero] * (N + 1)
    for i in range(N, 1, -1):
        l2, half, a = c.l[i] ** 2, c.A[i] / 2, c.a[i]
        # bias of u_i = p s_{i−1}² + q μ_{i−1}
        p = (
            c.b[i] * (X[i] * l2 + Y[i] * half)
            + c.B[i] * c.l[i] * unit.rho[i]
            + unit.V[i] * c.B3[i] / 2
        )
        q = c.b[i] * Y[i] * a + unit.V[i] * c.B[i]
        z11, z12, z22 = (
            p**2 + l2**2 * z11 + 2 * l2 * half * z12 + half**2 * z22,
            p * q + l2 * a * z12 + half * a * z22,
            q**2 + a**2 * z22,
        )
        j = i - 1
        result[j] = X[j] ** 2 * unit.Q[j] + z11
    return tuple(result)


def gram_matrix(c: ChainConstants, kind: Arithmetic) -> list[list[Scalar]]:
    """G = MᵀM over the sites δ_1..δ_{N−1}, ε_2..ε_N, in O(N²) for its O(N²) entries.

    Returns
    -------
    A symmetric matrix as a list of 2(N−1) rows.
    """
    N = c.size
    unit = responses(c, kind)
    count = 2 * (N - 1)
    G: list[list[Scalar]] = [[kind.number(0)] * count for _ in range(count)]

    def put(row: int, column: int, value: Scalar) -> None:
        G[row][column] = G[column][row] = value

    for j in range(1, N):
        # α = Π_{l=j+1}^{k} a_l ;  P = Π_{l=j+1}^{k} ℓ_l ;  C as in Lemma 5.2
        alpha, P, C = kind.number(1), kind.number(1), kind.number(0)
        for k in range(j, N):
            if k > j:
                C = c.a[k] * C + P * unit.kappa[k] * c.b[k]
                alpha, P = alpha * c.a[k], P * c.l[k]
            shared = unit.rho[j] * alpha * unit.Q[j]
            put(j - 1, k - 1, unit.rho[k] * (shared + C) + P * unit.U[k])
            put(j - 1, N - 1 + k - 1, shared + C)
            if k > j:
                put(k - 1, N - 1 + j - 1, unit.rho[k] * alpha * unit.Q[j])
            put(N - 1 + j - 1, N - 1 + k - 1, alpha * unit.Q[j])
    return G


def separable_coefficients(
    c: ChainConstants, e: tuple[Scalar, ...], eps: tuple[Scalar, ...], kind: Arithmetic
) -> tuple[tuple[Scalar | None, ...], tuple[Scalar | None, ...]]:
    """D_j = (Gz)_j / z_j: the best coefficients of Σ D_j z_j² ≥ ζ² for the profile z.

    By docs/theory.md, Theorem 4.5, with t = z; equality holds at the profile.
    O(N), by one pass with M and one with Mᵀ.  A site with z_j = 0 has none: None.

    Parameters
    ----------
    e, eps
        The profile: levels of δ_i and ε_i, 0 to N.
    """
    N = c.size
    products = gram_product(c, e, eps, kind)
    forward, backward = (None, *products[: N - 1], None), (None, None, *products[N - 1 :])
    return (
        tuple(x / t if 0 < i < N and t != 0 else None for i, (x, t) in _pairs(forward, e)),
        tuple(x / t if i > 1 and t != 0 else None for i, (x, t) in _pairs(backward, eps)),
    )


def _pairs(
    column: tuple[Scalar, ...], profile: tuple[Scalar, ...]
) -> Iterator[tuple[int, tuple[Scalar, Scalar]]]:
    return enumerate(zip(column, profile, strict=True))


def gram_product(
    c: ChainConstants, e: tuple[Scalar, ...], eps: tuple[Scalar, ...], kind: Arithmetic
) -> tuple[Scalar, ...]:
    """G z over the sites δ_1..δ_{N−1}, ε_2..ε_N, in O(N) (docs/theory.md, Lemma 5.2 (iv))."""
    N, zero = c.size, kind.number(0)
    V = adjoint_norms(c, kind)
    g = _apply(c, V, e, eps, kind)
    # Mᵀg:  r̄_i = b_i g_i + a_i r̄_{i−1},  ε̄_{i+1} = r̄_i
    rbar = [zero] * (N + 1)
    for i in range(1, N):
        rbar[i] = c.b[i] * g[i] + (c.a[i] * rbar[i - 1] if i > 1 else zero)
    # s̄_i = A_{i+1}V_{i+1} r̄_i + B_{i+1}V_{i+1} g_{i+1} + ℓ_{i+1} s̄_{i+1},  ē_i = s̄_i
    sbar = [zero] * (N + 1)
    for i in range(N - 1, 0, -1):
        k = i + 1
        sbar[i] = V[k] * (c.A[k] * rbar[i] + c.B[k] * g[k])
        sbar[i] = sbar[i] + (c.l[k] * sbar[k] if k < N else zero)
    return (*sbar[1:N], *rbar[1:N])


def _apply(
    c: ChainConstants,
    V: tuple[Scalar, ...],
    e: tuple[Scalar, ...],
    eps: tuple[Scalar, ...],
    kind: Arithmetic,
) -> list[Scalar]:
    """M z: the root-mean-square error of every u_i."""
    N, zero = c.size, kind.number(0)
    s, r, g = ([zero] * (N + 1) for _ in range(3))
    for i in range(1, N):
        s[i] = (c.l[i] * s[i - 1] if i > 1 else zero) + e[i]
    for i in range(N - 1, 0, -1):
        r[i] = c.a[i + 1] * r[i + 1] + c.A[i + 1] * V[i + 1] * s[i] + eps[i + 1]
    for i in range(1, N + 1):
        g[i] = c.b[i] * r[i] + (c.B[i] * V[i] * s[i - 1] if i > 1 else zero)
    return g
