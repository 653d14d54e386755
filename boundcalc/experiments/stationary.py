"""Where the logistic runs of [KZY] settle: exact mean field, noise to first order in γ.

The average step of a perturbed run is −γF(w), F(w) = E g̃ the mean field.  Without forward
perturbation it is ∇ℓ; with δ ~ U(−a, a) after the margin z and a backward mean m

    F(w) = (1/M) Σ_l z_l′ (s̄(z_l) + m) + ρ∇𝓡(w),   s̄(z) = (ln(1+e^{z+a}) − ln(1+e^{z−a}))/(2a),

z_l′ = −y_l h_l, since the sigmoid is the derivative of ln(1+e^z).  The run settles around the
root w̄ of F, where ‖∇ℓ(w̄)‖ is the plateau that no step size removes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from boundcalc.operators.base import Array

_NODES = 24  # of Gauss and Legendre, for averages over a shared δ


@dataclass(frozen=True)
class Law:
    """The problem, and the moments of what perturbs it.

    Attributes
    ----------
    slopes
        z′ = −y h by sample, ``(M, d)``.
    kind, strength
        𝓡 (``squared``, ``nonconvex`` or ``none``) and ρ.
    step, noise
        γ, and the standard deviation σ_n of the noise added to every component.
    half_width
        a: δ ~ U(−a, a).
    back_mean, back_variance
        Of ε.
    shared
        Whether all samples of a step have the same δ and ε.
    every
        Δt: the perturbations act at t = 0, Δt, 2Δt, ….
    """

    slopes: Array
    kind: str
    strength: float
    step: float
    noise: float
    half_width: float = 0.0
    back_mean: float = 0.0
    back_variance: float = 0.0
    shared: bool = False
    every: int = 1

    @property
    def still(self) -> Law:
        """The same without perturbations."""
        return replace(self, half_width=0.0, back_mean=0.0, back_variance=0.0)

    def field(self, w: Array) -> Array:
        """F(w) at a step at which the perturbations act."""
        mean = _mean_sigmoid(self.slopes @ w, self.half_width) + self.back_mean
        return np.asarray(mean @ self.slopes / len(self.slopes) + self._penalty(w))

    def jacobian(self, w: Array) -> Array:
        """∇F(w), symmetric."""
        curve = _mean_curve(self.slopes @ w, self.half_width)
        inner = (self.slopes * curve[:, None]).T @ self.slopes / len(self.slopes)
        return np.asarray(inner + np.diag(self._penalty_curve(w)))

    def covariance(self, w: Array) -> Array:
        """Of g̃ at a step at which the perturbations act, with the added noise."""
        z, count = self.slopes @ w, len(self.slopes)
        if self.shared:
            nodes, weights = np.polynomial.legendre.leggauss(_NODES)
            found = _sigmoid(z[None, :] + self.half_width * nodes[:, None]) @ self.slopes / count
            off = found - weights @ found / 2
            cov = (off * weights[:, None] / 2).T @ off
            mean = self.slopes.mean(axis=0)
            cov = cov + self.back_variance * np.outer(mean, mean)
        else:
            spread = _sigmoid_variance(z, self.half_width) + self.back_variance
            cov = (self.slopes * spread[:, None]).T @ self.slopes / count**2
        return np.asarray(cov + self.noise**2 * np.eye(len(w)))

    def _penalty(self, w: Array) -> Array:
        scale = 2.0 * self.strength
        match self.kind:
            case "squared":
                return scale * w
            case "nonconvex":
                return np.asarray(scale * w / (1.0 + w**2) ** 2)
            case _:
                return np.zeros_like(w)

    def _penalty_curve(self, w: Array) -> Array:
        scale = 2.0 * self.strength
        match self.kind:
            case "squared":
                return np.full_like(w, scale)
            case "nonconvex":
                return np.asarray(scale * (1.0 - 3.0 * w**2) / (1.0 + w**2) ** 3)
            case _:
                return np.zeros_like(w)


@dataclass(frozen=True)
class Plateau:
    """Where a law's runs settle.

    Attributes
    ----------
    limit
        ‖∇ℓ(w̄)‖: the plateau as γ → 0.
    norm
        E‖∇ℓ(w)‖ at the law's step size, to first order in the noise.
    weights
        w̄.
    """

    limit: float
    norm: float
    weights: Array


def settle(law: Law, start: Array) -> Plateau | None:
    """The plateau of a law, from the root of F next to a start; None where there is none.

    With J = ∇F(w̄), H = ∇²ℓ(w̄), b = F(w̄), g = ∇ℓ(w̄), x = w − w̄, the linearised run is

        x ← (I − γJ)x − γb + γξ at perturbed steps,   x ← (I − γH)x − γg + γξ′ at the others,

    with Gaussian x in the limit, and ‖∇ℓ‖ = ‖g + Hx‖ is averaged over the Δt phases.

    Notes
    -----
    `computed`: floating point, and third derivatives times the variance of x are neglected.
    """
    from scipy.optimize import root

    share = 1.0 / law.every

    def mean_field(w: Array) -> Array:
        return np.asarray(share * law.field(w) + (1 - share) * law.still.field(w))

    def slope(w: Array) -> Array:
        return np.asarray(share * law.jacobian(w) + (1 - share) * law.still.jacobian(w))

    found = root(mean_field, start, jac=slope, tol=1e-13)
    # A field that only vanishes at infinity has no root; a saddle is left again.
    at_root = np.linalg.norm(mean_field(found.x)) < 1e-10
    if not at_root or np.linalg.eigvalsh(slope(found.x))[0] <= 0:
        return None
    w, gradient = found.x, law.still.field(found.x)
    norms = _phases(law, w)
    return Plateau(float(np.linalg.norm(gradient)), float(np.mean(norms)), w)


def _phases(law: Law, w: Array) -> list[float]:
    """E‖∇ℓ‖ before each step of a period, once the linearised run has settled."""
    from scipy.linalg import solve, solve_discrete_lyapunov

    eye, step = np.eye(len(w)), law.step
    H, J = law.still.jacobian(w), law.jacobian(w)
    steps = [(eye - step * J, -step * law.field(w), step**2 * law.covariance(w))]
    still = (eye - step * H, -step * law.still.field(w), step**2 * law.still.covariance(w))
    steps += [still] * (law.every - 1)
    A, b, C = eye, np.zeros(len(w)), np.zeros_like(eye)
    for a, shift, noise in steps:
        A, b, C = a @ A, a @ b + shift, a @ C @ a.T + noise
    mean, cov = solve(eye - A, b), solve_discrete_lyapunov(A, C)
    found = []
    for a, shift, noise in steps:
        found.append(expected_norm(law.still.field(w) + H @ mean, H @ cov @ H.T))
        mean, cov = a @ mean + shift, a @ cov @ a.T + noise
    return found


def expected_norm(mean: Array, covariance: Array) -> float:
    """E‖x‖ of a Gaussian x.

    E√q = (1/(2√π)) ∫_0^∞ s^{−3/2} (1 − E e^{−sq}) ds for q = ‖x‖², with
    E e^{−sq} = Π_j (1 + 2sλ_j)^{−1/2} exp(−s c_j²/(1 + 2sλ_j)) in the eigenbasis of the
    covariance.  In u = ln s the trapezoidal rule converges geometrically.

    >>> round(expected_norm(np.zeros(1), np.eye(1)), 9) == round((2 / np.pi) ** 0.5, 9)
    True
    >>> round(expected_norm(np.array([3.0, 4.0]), np.zeros((2, 2))), 9)
    5.0
    """
    values, basis = np.linalg.eigh(covariance)
    values, parts = np.maximum(values, 0.0), (basis.T @ mean) ** 2
    scale = float(values.sum() + parts.sum())
    if scale == 0.0:
        return 0.0
    values, parts = values / scale, parts / scale
    u = np.linspace(-60.0, 60.0, 4_001)
    s = np.exp(u)[:, None]
    double = 2.0 * s * values
    exponent = -np.sum(0.5 * np.log1p(double) + s * parts / (1.0 + double), axis=1)
    # s^{−3/2} ds = e^{−u/2} du
    integrand = -np.expm1(exponent) * np.exp(-u / 2)
    return float(np.sqrt(scale / np.pi) / 2 * np.sum(integrand) * (u[1] - u[0]))


def _sigmoid(z: Array) -> Array:
    # 1/(1 + e^(−z)) = exp(−ln(1 + e^(−z))), which overflows for no z.
    return np.asarray(np.exp(-np.logaddexp(0.0, -z)))


def _mean_sigmoid(z: Array, a: float) -> Array:
    """E s(z + δ) for δ ~ U(−a, a)."""
    if a == 0.0:
        return _sigmoid(z)
    return np.asarray((np.logaddexp(0.0, z + a) - np.logaddexp(0.0, z - a)) / (2 * a))


def _mean_curve(z: Array, a: float) -> Array:
    """E s′(z + δ)."""
    if a == 0.0:
        s = _sigmoid(z)
        return np.asarray(s * (1 - s))
    return np.asarray((_sigmoid(z + a) - _sigmoid(z - a)) / (2 * a))


def _sigmoid_variance(z: Array, a: float) -> Array:
    """Var s(z + δ): s² = s − s′, so E s² = E s − E s′."""
    mean = _mean_sigmoid(z, a)
    return np.asarray(np.maximum(mean - _mean_curve(z, a) - mean**2, 0.0))
