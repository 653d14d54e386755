"""Numbers that other people published.

Each test cites its source.  The numbers here come from there and are never edited to fit.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from boundcalc import build, loads
from boundcalc.arithmetic import WIDE
from boundcalc.rates import rates
from boundcalc.rates.statements import Level, Problem, pl_terms
from boundcalc.theories.perturbed.families import FAMILIES

F = Fraction

SPEC = """
version: 1
name: outside reference
graph:
  operators:
    - {{id: f1, constants: {{jac_weight: 1}}}}
    - id: f2
      constants:
        {{jac_input: 1, jac_weight: 0, hess_input: 0, hess_mixed: 0, third_input: 0,
          third_mixed: 0}}
loss: {{smoothness: {L}, {pl}initial_gap: {gap}, gradient_noise: {sigma}}}
training: {{step_size: {step}, horizon: {T}}}
"""

BIAS = "perturbations: [{{at: f2, pass: backward, rms: {b}, mean: {b}}}]\n"


def spec(L: Any, gap: Any, step: Any, T: int, *, mu: Any = None, sigma: Any = 0, b: Any = 0) -> str:
    pl = "" if mu is None else f"pl: {mu}, "
    text = SPEC.format(L=L, pl=pl, gap=gap, sigma=sigma, step=step, T=T)
    return text + (BIAS.format(b=b) if b else "")


@pytest.mark.parametrize(
    ("L", "gap", "n"), [(F(1), F(1), 1), (F(3), F(5, 2), 17), (F(2, 7), F(9), 1000)]
)
def test_gradient_descent_on_smooth_functions(L: F, gap: F, n: int) -> None:
    """Noise-free gradient descent, γ = 1/L: min ‖∇f‖² ≤ 2L(f₀ − f*)/n.

    Yu. Nesterov, Introductory Lectures on Convex Optimization, 2004, section 1.2.3, (1.2.15).
    The PEPit example `gradient_descent` (nonconvex) gives 4L(f₀ − f_n)/(3n), which is tight, so no
    valid bound of this form lies below it.
    """
    bound = rates(build(loads(spec(L, gap, 1 / L, n)))).nonconvex["sharp"].bound
    assert bound is not None
    assert bound.value == 2 * L * gap / n
    assert bound.value >= F(4, 3) * L * gap / n


def test_gradient_descent_under_pl() -> None:
    """L = 1, μ = 0.2, γ = 1: every valid one-step factor of f − f* lies in [0.64, 1).

    H. Abbaszadehpeivasti, E. de Klerk, M. Zamani, Conditions for linear convergence of the
    gradient method for non-convex optimization, arXiv 2204.00647; (1 − μγ)² = 0.64 on μx²/2.
    """
    bound = rates(build(loads(spec(1, 1, 1, 1, mu=F(1, 5))))).pl["sharp"].bound
    assert bound is not None
    factor = float(bound.value)
    assert 0.64 <= factor < 1
    # what the paper proves for this step is 8/11, so ours is valid and not tight
    assert factor >= 8 / 11
    assert factor == pytest.approx(0.8, rel=1e-15)


def problem(mu: F, step: F, sigma: F, T: int) -> Problem:
    number = WIDE.number
    return Problem(
        L=number(1),
        mu=number(mu),
        gap=number(1),
        sigma=number(sigma),
        step=number(step),
        horizon=T,
    )


def exact_mean_of_f(T: int, lam: F, b: F, sigma: F, gamma: F, w0: F) -> F:
    """E[λw_T²/2] of w ← w − γ(λw + b + σξ), E ξ = 0, E ξ² = 1, from the first two moments."""
    mean, second = w0, w0**2
    for _ in range(T):
        # E(w')² = (1−γλ)² E w² − 2γb(1−γλ) E w + γ²(b² + σ²)
        second = (1 - gamma * lam) ** 2 * second - 2 * gamma * b * (1 - gamma * lam) * mean
        second += gamma**2 * (b**2 + sigma**2)
        mean = (1 - gamma * lam) * mean - gamma * b
    return lam * second / 2


def test_floor_of_a_biased_quadratic() -> None:
    """f = λw²/2, gradient λw + b + σξ: the floor of E[f] is b²/(2λ) + γσ²/(2(2 − γλ)).

    Elementary (stationary moments of an AR(1) process).  λ = σ = 1, b = 0.3, γ = 0.1: 0.0713158.
    Theorem 6.2 with bias² = 0.09 and Var = 1 gives 0.095.
    """
    lam, b, sigma, gamma = F(1), F(3, 10), F(1), F(1, 10)
    floor = b**2 / (2 * lam) + gamma * sigma**2 / (2 * (2 - gamma * lam))
    assert float(floor) == pytest.approx(0.0713158, abs=5e-8)
    # the formula is the limit of the exact moments
    assert float(exact_mean_of_f(300, lam, b, sigma, gamma, F(2))) == pytest.approx(
        float(floor), rel=1e-9
    )

    d = FAMILIES["sharp"].descent
    p = problem(lam, gamma, sigma, 10_000)
    q = 1 - p.mu * p.step
    level = Level(error=WIDE.number(0), bias=WIDE.number(b**2), unbiased=False)
    terms = pl_terms(p, d, [level], [(1 - q**p.horizon) / (1 - q)])
    assert float(sum(terms.values())) == pytest.approx(0.095, rel=1e-12)


@pytest.mark.parametrize(("T", "w0"), [(1, F(0)), (2, F(2)), (5, F(-3)), (20, F(2)), (100, F(0))])
def test_bound_of_a_spec_is_above_the_exact_mean(T: int, w0: F) -> None:
    """The same process as a chain: f₁ carries the weight, ε₂ = b is a constant perturbation.

    Elementary, as above.  A spec cannot say that the perturbation does not vary, so Var = (σ + b)².
    """
    b, sigma, gamma = F(3, 10), F(1), F(1, 10)
    gap = w0**2 / 2
    graph = build(loads(spec(1, gap, gamma, T, mu=1, sigma=sigma, b=b)))
    exact = exact_mean_of_f(T, F(1), b, sigma, gamma, w0)
    found = rates(graph).pl
    for rate in found.values():
        if rate.bound is not None:
            assert float(rate.bound.value) >= float(exact)
    sharp = found["sharp"]
    assert sharp.bound is not None
    q = 1 - gamma
    expected = q**T * gap + (1 - q**T) / 2 * (b**2 + gamma * (sigma + b) ** 2)
    assert float(sharp.bound.value) == pytest.approx(float(expected), rel=1e-14)


def test_inexact_gradient_descent() -> None:
    """‖d − ∇f‖ ≤ ϵ‖∇f‖, L = 1, μ = ϵ = 0.1, γ = 2/((1+ϵ)L + (1−ϵ)μ): factor 0.720359, 0.518917.

    E. de Klerk, F. Glineur, A. Taylor, Worst-case convergence analysis of inexact gradient and
    Newton methods, arXiv 1709.05191; PEPit example `inexact_gradient_descent`.  Attained on
    μx²/2 with d = (1−ϵ)∇f.  The step is above 1/L, so that no statement here may claim anything.
    """
    L, mu, eps = F(1), F(1, 10), F(1, 10)
    gamma = 2 / ((1 + eps) * L + (1 - eps) * mu)
    factor = (1 - gamma * (1 - eps) * mu) ** 2
    assert float(factor) == pytest.approx(0.720359, abs=5e-7)
    assert float(factor**2) == pytest.approx(0.518917, abs=5e-7)
    found = rates(build(loads(spec(L, 1, gamma, 1, mu=mu))))
    assert all(rate.bound is None and rate.refused for rate in found.pl.values())
    # Where a statement applies, γ = 1/L, the exact factor on μx²/2 without error is (1 − μ/L)²
    at_limit = rates(build(loads(spec(L, 1, 1 / L, 1, mu=mu)))).pl["sharp"].bound
    assert at_limit is not None
    assert float(at_limit.value) >= float((1 - mu) ** 2)
