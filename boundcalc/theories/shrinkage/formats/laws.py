"""Centred laws of a component of the gradient: their moments beyond a point.

T_i(x) = ∫_x^∞ tⁱ p(t) dt for i = 0, 1, 2 and x ≥ 0.  Written as tails, small masses far out keep
their digits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.operators.base import Array

_MANY = 100  # degrees of freedom from which on a series is used

#: x → (T_0, T_1, T_2).
Tails = Callable[[Array], tuple[Array, Array, Array]]


def tails(distribution: str, scale: float, degrees: float | None = None) -> Tails:
    """The tails of a law with standard deviation ``scale``.

    Raises
    ------
    SpecError
        For Student's law with at most two degrees of freedom, which has no variance.

    Examples
    --------
    >>> mass, _, second = tails("laplace", 2.0)(np.array([0.0]))
    >>> float(mass[0]), round(float(second[0]), 12)
    (0.5, 2.0)
    """
    if distribution == "student":
        assert degrees is not None  # noqa: S101 - the section's validator asks for it
        if not degrees > 2:
            raise SpecError(
                "a law without a variance has no projection",
                where="shrinkage.format.gradient.degrees",
                value=degrees,
                expected="more than 2 degrees of freedom",
                fix="give `q` and `quantization_noise` themselves",
            )
        return lambda x: _student(x, scale, degrees)
    made: dict[str, Callable[[Array, float], tuple[Array, Array, Array]]] = {
        "gaussian": _gaussian,
        "laplace": _laplace,
        "uniform": _uniform,
    }
    return lambda x: made[distribution](x, scale)


def between(law: Tails, start: Array, stop: Array) -> tuple[Array, Array, Array]:
    """∫ tⁱ p(t) dt over [start, stop), where ``stop`` may be infinite."""
    finite = np.isfinite(stop)
    near, far = law(start), law(np.where(finite, stop, 0.0))
    found = [a - np.where(finite, b, 0.0) for a, b in zip(near, far, strict=True)]
    return found[0], found[1], found[2]


def drawn(
    distribution: str, scale: float, degrees: float | None, rng: np.random.Generator, size: int
) -> Array:
    """Components of that law."""
    if distribution == "gaussian":
        return np.asarray(scale * rng.standard_normal(size))
    if distribution == "laplace":
        return rng.laplace(0.0, scale / np.sqrt(2), size)
    if distribution == "uniform":
        return np.asarray(scale * np.sqrt(3) * rng.uniform(-1.0, 1.0, size))
    assert degrees is not None  # noqa: S101 - the section's validator asks for it
    return np.asarray(scale * np.sqrt((degrees - 2) / degrees) * rng.standard_t(degrees, size))


def _gaussian(x: Array, s: float) -> tuple[Array, Array, Array]:
    from scipy.special import erfc

    z = x / s
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    mass = erfc(z / np.sqrt(2)) / 2
    return mass, s * density, s**2 * (mass + z * density)


def _laplace(x: Array, s: float) -> tuple[Array, Array, Array]:
    b = s / np.sqrt(2)
    mass = np.exp(-x / b) / 2
    return mass, (x + b) * mass, (x**2 + 2 * b * x + 2 * b**2) * mass


def _uniform(x: Array, s: float) -> tuple[Array, Array, Array]:
    c = np.sqrt(3) * s
    inside = np.minimum(x, c)
    return (
        (c - inside) / (2 * c),
        (c**2 - inside**2) / (4 * c),
        (c**3 - inside**3) / (6 * c),
    )


def _student(x: Array, s: float, nu: float) -> tuple[Array, Array, Array]:
    from scipy.special import stdtr

    tau = s * np.sqrt((nu - 2) / nu)
    z = x / tau
    # (1 + z²/ν) t_ν(z); both integrals by parts, without differences of nearly equal numbers:
    # ∫ t t_ν = ν/(ν−1) of it, and (ν−2) ∫ t² t_ν = ν ∫ t_ν + ν z of it.
    wide = np.exp(_log_top(nu) - (nu - 1) / 2 * np.log1p(z**2 / nu))
    mass = stdtr(nu, -z)
    return mass, tau * (nu / (nu - 1)) * wide, s**2 * (mass + z * wide)


def _log_top(nu: float) -> float:
    """ln Γ((ν+1)/2) − ln Γ(ν/2) − ½ ln(νπ), the logarithm of Student's density at 0.

    From ν = 100 on by the asymptotic series of ln Γ(y + ½) − ln Γ(y) − ½ ln y at y = ν/2, whose
    next term is below 10⁻¹⁷: the two logarithms are far larger than their difference.
    """
    from scipy.special import gammaln

    if nu < _MANY:
        return float(gammaln((nu + 1) / 2) - gammaln(nu / 2) - np.log(nu * np.pi) / 2)
    y = 2 / nu
    series = y * (-1 / 8 + y**2 * (1 / 192 + y**2 * (-1 / 640 + y**2 * 17 / 14336)))
    return float(series - np.log(2 * np.pi) / 2)
