"""The modified equations: drift and diffusion as symbols."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from boundcalc.theories.distributed.section import Algorithm


@dataclass(frozen=True)
class Equation:
    """dX = b dt + S dW for one weight, as SymPy expressions, and for d weights as LaTeX.

    Attributes
    ----------
    drift, variance
        b and S² of x, for d = 1 and agents that are alike; symbols are those of
        :func:`symbols_of`.
    drift_latex, covariance_latex
        The same for any d and agents that differ.
    """

    drift: Any
    variance: Any
    drift_latex: str
    covariance_latex: str


def symbols_of() -> dict[str, Any]:
    """The symbols: x, η, η_t, N, ω, σ0, σ1, ν, and f as a function of x.

    >>> sorted(symbols_of())
    ['N', 'eta', 'eta_t', 'f', 'nu', 'omega', 'sigma_0', 'sigma_1', 'x']
    """
    import sympy

    names = ("eta", "eta_t", "N", "omega", "sigma_0", "sigma_1", "nu")
    found: dict[str, Any] = {name: sympy.Symbol(name, positive=True) for name in names}
    found["x"] = sympy.Symbol("x", real=True)
    found["f"] = sympy.Function("f", real=True)
    return found


def equation(
    algorithm: Algorithm, *, heavy: bool = False, affine: bool = False, correction: int = 0
) -> Equation:
    """The modified equation of an algorithm.

    Parameters
    ----------
    heavy
        For ``dsignsgd``: Student's t rather than Gaussian noise.
    affine
        For ``dsignsgd``: the scale is √(σ0² + σ1²(∂f)²) rather than σ0.
    correction
        κ: the drift is b − κ(η/2)(∂b)b, to be read with the algorithm's b; η_t is not
        differentiated.  0 is the classic first-order equation.  1 is the second-order modified
        equation where steps are fixed in advance: on a quadratic its second moment agrees with
        the algorithm's to one order more (docs/theory-distributed.md, Lemma 12.10).  Where η_t
        depends on x it is of first order only.  −1 makes E f change in a short time as in one
        step.

    Raises
    ------
    ValueError
        If κ is none of −1, 0, 1.

    Notes
    -----
    docs/theory-distributed.md, section 12.1, after [COM].  For ``dsignsgd`` the noise is not cut,
    and agents and components are independent of each other.

    Examples
    --------
    >>> made = equation("dsgd")
    >>> made.drift
    -eta_t*Derivative(f(x), x)
    >>> made.variance
    eta*eta_t**2*(sigma_0**2 + sigma_1**2*Derivative(f(x), x)**2)/N
    """
    import sympy

    if correction not in (-1, 0, 1):
        raise ValueError("correction is -1, 0 or 1")
    s = symbols_of()
    x, step, gradient = s["x"], s["eta_t"], s["f"](s["x"]).diff(s["x"])
    noise = s["sigma_0"] ** 2 + s["sigma_1"] ** 2 * gradient**2
    scale = s["eta"] * step**2 / s["N"]
    if algorithm == "dsignsgd":
        size = sympy.sqrt(noise) if affine else s["sigma_0"]
        mean = _mean_sign(gradient / size, s["nu"] if heavy else None)
        drift, variance = -step * mean, scale * (1 - mean**2)
    else:
        omega = s["omega"] if algorithm == "dcsgd" else sympy.Integer(0)
        drift = -step * gradient
        variance = scale * (omega * (gradient**2 + noise) + noise)
    if correction:
        drift = drift - sympy.Rational(correction, 2) * s["eta"] * drift.diff(x) * drift
    latex = _LATEX[algorithm]
    corrected = _corrected(latex[0], correction)
    return Equation(drift, sympy.factor_terms(variance), corrected, latex[1])


def _mean_sign(ratio: Any, nu: Any) -> Any:
    """2Ξ(ratio): the mean of sign(g + σξ)."""
    import sympy

    if nu is None:
        return sympy.erf(ratio / sympy.sqrt(2))
    # Γ((ν+1)/2)/(√(πν)Γ(ν/2)) · x · ₂F₁(½, (ν+1)/2; 3/2; −x²/ν), twice.
    half = sympy.Rational(1, 2)
    peak = sympy.gamma((nu + 1) / 2) / (sympy.sqrt(sympy.pi * nu) * sympy.gamma(nu / 2))
    series = sympy.hyper((half, (nu + 1) / 2), (3 * half,), -(ratio**2) / nu)
    return 2 * peak * ratio * series


def _corrected(drift: str, correction: int) -> str:
    if not correction:
        return f"b(x)={drift}"
    sign = "-" if correction > 0 else "+"
    return rf"b(x){sign}\tfrac\eta2\,(\partial b)(x)\,b(x),\quad b(x)={drift}"


_LATEX = {
    "dsgd": (
        r"-\eta_t\nabla f(x)",
        r"\tfrac{\eta\,\eta_t^2}{N}\cdot\tfrac1N\sum_i\Sigma_i(x)",
    ),
    "dcsgd": (
        r"-\eta_t\nabla f(x)",
        r"\tfrac{\eta\,\eta_t^2}{N}\cdot\tfrac1N\sum_i\mathrm{Cov}_i(x),\quad "
        r"\operatorname{tr}\mathrm{Cov}_i=\omega_i(\lVert\nabla f\rVert^2"
        r"+\operatorname{tr}\Sigma_i)+\operatorname{tr}\Sigma_i",
    ),
    "dsignsgd": (
        r"-\tfrac{2\eta_t}{N}\sum_i\Xi_\nu(\Sigma_i^{-1/2}\nabla f(x))",
        r"\tfrac{\eta\,\eta_t^2}{N}\cdot\tfrac1N\sum_i\left(I-4\operatorname{diag}"
        r"\Xi_\nu(\Sigma_i^{-1/2}\nabla f(x))^2\right)",
    ),
}
