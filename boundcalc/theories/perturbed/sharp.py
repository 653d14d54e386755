"""The sharp family: recurrences for the size of every intermediate error.

docs/theory.md, section 4, derives them.  They are written here once, over any
number kind, for a chain; every function takes O(N) operations.
"""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import ChainConstants, Levels


@dataclass(frozen=True)
class SecondMoments:
    """Bounds on root-mean-square errors, by operator, 1 to N.

    Attributes
    ----------
    s
        √E‖ỹ_i − y_i‖², with s_0 = 0.
    V
        ‖v_i‖.
    R
        The part of the error of v_i that forward perturbations cause, root mean square.
    gradient
        E‖ũ_i − u_i‖².
    """

    s: tuple[Scalar, ...]
    V: tuple[Scalar, ...]
    R: tuple[Scalar, ...]
    gradient: tuple[Scalar, ...]

    def total(self) -> Scalar:
        """ζ² = Σ_i gradient_i, which bounds E‖ũ − u‖²."""
        return sum(self.gradient[2:], self.gradient[1])


@dataclass(frozen=True)
class Means:
    """Bounds on means, by operator, 1 to N.

    Attributes
    ----------
    mu
        ‖E[ỹ_i − y_i]‖.
    beta, nu
        The mean error of v_i without, and from, backward perturbations.
    gradient
        ‖E[ũ_i − u_i]‖².
    """

    mu: tuple[Scalar, ...]
    beta: tuple[Scalar, ...]
    nu: tuple[Scalar, ...]
    gradient: tuple[Scalar, ...]

    def total(self) -> Scalar:
        """β² = Σ_i gradient_i, which bounds ‖E[ũ − u]‖²."""
        return sum(self.gradient[2:], self.gradient[1])


def adjoint_norms(c: ChainConstants, kind: Arithmetic) -> tuple[Scalar, ...]:
    """V_N = 1, V_{i−1} = a_i V_i: bounds on ‖v_i‖."""
    V = [kind.number(1)] * (c.size + 1)
    for i in range(c.size, 1, -1):
        V[i - 1] = c.a[i] * V[i]
    return tuple(V)


def general(c: ChainConstants, levels: Levels, kind: Arithmetic) -> SecondMoments:
    """Second moments for arbitrary perturbations (docs/theory.md, Theorem 4.1).

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
    N, zero = c.size, kind.number(0)
    s = [zero] * (N + 1)
    for i in range(1, N + 1):
        # s_i = ℓ_i s_{i−1} + e_i
        s[i] = (c.l[i] * s[i - 1] if i > 1 else zero) + levels.e[i]
    V = adjoint_norms(c, kind)
    R, r = [zero] * (N + 1), [zero] * (N + 1)
    for i in range(N - 1, 0, -1):
        # R_i = a_{i+1} R_{i+1} + A_{i+1} V_{i+1} s_i ;  r_i the same with ϵ_{i+1} added
        from_forward = c.A[i + 1] * V[i + 1] * s[i]
        R[i] = c.a[i + 1] * R[i + 1] + from_forward
        r[i] = c.a[i + 1] * r[i + 1] + from_forward + levels.eps[i + 1]
    # √E‖ũ_i − u_i‖² ≤ b_i r_i + B_i V_i s_{i−1}
    gradient = [(c.b[i] * r[i] + _mixed(c, V, s, i, zero)) ** 2 for i in range(1, N + 1)]
    return SecondMoments(tuple(s), V, tuple(R), (zero, *gradient))


def centred(
    c: ChainConstants, levels: Levels, kind: Arithmetic, *, forward: bool, backward: bool
) -> SecondMoments:
    """Second moments where conditional means are zero (docs/theory.md, Theorem 4.3).

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
    N, zero = c.size, kind.number(0)
    s = [zero] * (N + 1)
    for i in range(1, N):
        if forward:
            # s_i² = ℓ_i² s_{i−1}² + e_i²
            inherited = c.l[i] ** 2 * s[i - 1] ** 2 if i > 1 else zero
            s[i] = kind.sqrt(inherited + levels.e[i] ** 2)
        else:
            s[i] = (c.l[i] * s[i - 1] if i > 1 else zero) + levels.e[i]
    V = adjoint_norms(c, kind)
    R, W, E = [zero] * (N + 1), [zero] * (N + 1), [zero] * (N + 1)
    for i in range(N - 1, 0, -1):
        R[i] = c.a[i + 1] * R[i + 1] + c.A[i + 1] * V[i + 1] * s[i]
        # the ε part of v_i:  W_i = a_{i+1}² W_{i+1} + ϵ_{i+1}², or E_i = a_{i+1} E_{i+1} + ϵ_{i+1}
        W[i] = c.a[i + 1] ** 2 * W[i + 1] + levels.eps[i + 1] ** 2
        E[i] = c.a[i + 1] * E[i + 1] + levels.eps[i + 1]
    gradient = []
    for i in range(1, N + 1):
        from_forward = c.b[i] * R[i] + _mixed(c, V, s, i, zero)
        if backward:
            # E‖ũ_i − u_i‖² ≤ (b_i R_i + B_i V_i s_{i−1})² + b_i² W_i
            gradient.append(from_forward**2 + c.b[i] ** 2 * W[i])
        else:
            gradient.append((from_forward + c.b[i] * E[i]) ** 2)
    return SecondMoments(tuple(s), V, tuple(R), (zero, *gradient))


def means(
    c: ChainConstants, levels: Levels, second: SecondMoments, kind: Arithmetic, *, capped: bool
) -> Means:
    """Bounds on the means, from the second moments (docs/theory.md, Theorem 4.2).

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
    N, zero, s, V, R = c.size, kind.number(0), second.s, second.V, second.R

    def cap(mean: Scalar, size: Scalar) -> Scalar:
        return kind.minimum(mean, size) if capped else mean

    mu = [zero] * (N + 1)
    for i in range(1, N):
        # μ_i = a_i μ_{i−1} + (A_i/2) s_{i−1}² + m_i
        inherited = c.a[i] * mu[i - 1] + c.A[i] * s[i - 1] ** 2 / 2 if i > 1 else zero
        mu[i] = cap(inherited + levels.m[i], s[i])
    beta, nu = [zero] * (N + 1), [zero] * (N + 1)
    for i in range(N - 1, 0, -1):
        k = i + 1
        # β_i = a β_{i+1} + A s_i R_{i+1} + V_{i+1} (A μ_i + (A′/2) s_i²), constants of i+1
        shift = V[k] * (c.A[k] * mu[i] + c.A3[k] * s[i] ** 2 / 2)
        beta[i] = cap(c.a[k] * beta[k] + c.A[k] * s[i] * R[k] + shift, R[i])
        # ν_i = a_{i+1} ν_{i+1} + n_{i+1}
        nu[i] = c.a[k] * nu[k] + levels.n[k]
    gradient = [zero] * (N + 1)
    for i in range(1, N + 1):
        # b_i(β_i+ν_i) + B_i s_{i−1} R_i + V_i (B_i μ_{i−1} + (B′_i/2) s_{i−1}²)
        mean = c.b[i] * (beta[i] + nu[i])
        if i > 1:
            mean = mean + c.B[i] * s[i - 1] * R[i]
            mean = mean + V[i] * (c.B[i] * mu[i - 1] + c.B3[i] * s[i - 1] ** 2 / 2)
        gradient[i] = cap(mean**2, second.gradient[i])
    return Means(tuple(mu), tuple(beta), tuple(nu), tuple(gradient))


def _mixed(
    c: ChainConstants, V: tuple[Scalar, ...], s: list[Scalar], i: int, zero: Scalar
) -> Scalar:
    """B_i V_i s_{i−1}: what a shifted input does to ∇₂f_i; the data y_0 is not perturbed."""
    return c.B[i] * V[i] * s[i - 1] if i > 1 else zero
