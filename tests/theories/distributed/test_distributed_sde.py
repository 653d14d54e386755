"""The modified equations: their symbols, and how fast their means approach the algorithm's."""

import math

import numpy as np
import pytest

from boundcalc.theories.distributed.sde import equation, symbols_of
from boundcalc.theories.distributed.weak_error import (
    Quadratic,
    SignWalk,
    order,
    sampled_errors,
    whole_steps,
)

STEPS = (1 / 80, 1 / 160, 1 / 320, 1 / 640)


def numbers(expression, f, **values):
    """A SymPy expression for a given f and numbers."""
    s = symbols_of()
    plain = expression.subs(s["f"](s["x"]), f(s["x"])).doit()
    return float(plain.subs({s[name]: value for name, value in values.items()}).evalf(30))


def test_compressed_variance_is_that_of_the_step():
    """S² = ηη_t²(Aa² + B') for d = 1: what Setting.A and Setting.B say."""
    from theories.distributed import distributed_specs as specs

    from boundcalc.arithmetic import RATIONALS
    from boundcalc.theories.distributed.noise_model import setting_in
    from boundcalc.theories.distributed.theory import THEORY

    graph = specs.graph({**specs.COMPRESSED, "sigma0": 2, "sigma1": "1/2"})
    made = setting_in(graph, THEORY.own(graph.spec), RATIONALS)
    at = {"x": 1.5, "eta": 0.1, "eta_t": 0.5, "N": 8, "omega": 3, "sigma_0": 2, "sigma_1": 0.5}
    found = numbers(equation("dcsgd").variance, lambda x: x**4 / 4, **at)
    square = 1.5**6
    assert found == pytest.approx(0.1 * 0.25 * (float(made.A) * square + float(made.B)))
    alone = numbers(equation("dsgd").variance, lambda x: x**4 / 4, **at)
    assert alone == pytest.approx(0.1 * 0.25 * (4 + 0.25 * square) / 8)


@pytest.mark.parametrize("correction", [0, 1, -1])
def test_drift_by_hand(correction):
    """b − κ(η/2)b'b for b = −η_t x³: the correction is −κ(η/2)·3x²·x³·η_t²."""
    at = {"x": 1.25, "eta": 0.25, "eta_t": 0.5}
    found = numbers(equation("dsgd", correction=correction).drift, lambda x: x**4 / 4, **at)
    x = 1.25
    assert found == pytest.approx(-0.5 * x**3 - correction * 0.125 * 3 * x**5 * 0.25)


@pytest.mark.parametrize("nu", [None, 1.0, 3.0])
def test_sign_drift_is_minus_the_mean_sign(nu):
    from scipy import stats

    law = stats.norm if nu is None else stats.t(nu)
    at = {"x": 1.1, "eta": 0.1, "eta_t": 0.5, "N": 8, "sigma_0": 2.0}
    at |= {} if nu is None else {"nu": nu}
    made = equation("dsignsgd", heavy=nu is not None)
    mean = 2 * law.cdf(1.1**3 / 2) - 1
    assert numbers(made.drift, lambda x: x**4 / 4, **at) == pytest.approx(-0.5 * mean)
    expected = 0.1 * 0.25 * (1 - mean**2) / 8
    assert numbers(made.variance, lambda x: x**4 / 4, **at) == pytest.approx(expected)


def test_correction_is_one_of_three():
    with pytest.raises(ValueError, match="correction"):
        equation("dsgd", correction=2)


def test_quadratic_recurrence_is_the_enumerated_mean():
    """Two steps of one agent, every outcome of ±σ and of keep (× 1 + ω) or drop."""
    problem = Quadratic(curvature=0.7, start=2.0, agents=1, omega=1.0, sigma=3.0, time=0.4)
    xs = np.array([2.0])
    for _ in range(2):
        moved = [xs - 0.2 * 2 * (0.7 * xs + noise) for noise in (-3.0, 3.0)]
        xs = np.concatenate([*moved, xs, xs])  # kept or dropped with probability 1/2 each
    assert problem.discrete(0.2) == pytest.approx(float(np.mean(0.7 * xs**2 / 2)), rel=1e-13)


@pytest.mark.parametrize("correction", [0, 1, -1])
def test_closed_form_solves_the_moment_equation(correction):
    """The second moment's differential equation, from the symbols, integrated numerically."""
    from scipy.integrate import solve_ivp

    problem, step = Quadratic(), 0.1
    at = {"eta": step, "eta_t": 1.0, "N": 8, "omega": 3, "sigma_0": 1, "sigma_1": 0}
    made = equation("dcsgd", correction=correction)

    def parabola(x):
        return x**2 / 2

    slope = numbers(made.drift, parabola, x=1.0, **at)  # the drift is linear in x
    rest = numbers(made.variance, parabola, x=0.0, **at)
    growth = numbers(made.variance, parabola, x=1.0, **at) - rest
    solved = solve_ivp(
        lambda _, m: (2 * slope + growth) * m + rest, (0, 2), [4.0], rtol=1e-11, atol=1e-13
    )
    assert problem.equation(step, correction) == pytest.approx(solved.y[0, -1] / 2, rel=1e-9)


@pytest.mark.parametrize(("correction", "expected"), [(0, 1), (-1, 1), (1, 2)])
@pytest.mark.parametrize("omega", [0.0, 3.0])
def test_weak_order(correction, expected, omega):
    """Exact on both sides: order 1 of the classic equation, 2 with the correction."""
    problem = Quadratic(omega=omega)
    errors = [abs(problem.discrete(h) - problem.equation(h, correction)) for h in STEPS]
    assert order(STEPS, errors) == pytest.approx(expected, abs=0.05)


def test_euler_converges_to_the_equation():
    """With one part it has the algorithm's moments; its own error halves with its step."""
    problem, step = Quadratic(), 0.1
    assert problem.euler(step, 1) == pytest.approx(problem.discrete(step), rel=1e-12)
    errors = [problem.euler(step, parts) - problem.equation(step) for parts in (64, 128)]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.02)


def cauchy(g):
    return 2 * np.arctan(g) / np.pi


def half_square(x):
    return x * x / 2


WALK = SignWalk(lambda x: x, half_square, cauchy, start=1.5, agents=2, time=1.0)


def test_lattice_is_the_enumerated_walk():
    """Three steps of two agents, every outcome of six signs."""
    step, total = 0.25, 0.0

    def visit(x, k, probability):
        nonlocal total
        if k == 3:
            total += probability * half_square(x)
            return
        up = (1 - cauchy(x)) / 2
        for first in (-1, 1):
            for second in (-1, 1):
                p = (up if first < 0 else 1 - up) * (up if second < 0 else 1 - up)
                visit(x - step * (first + second) / 2, k + 1, probability * p)

    visit(1.5, 0, 1.0)
    walk = SignWalk(lambda x: x, half_square, cauchy, 1.5, 2, time=0.75)
    assert walk.discrete(step) == pytest.approx(total, rel=1e-13)


def test_sign_equation_has_the_drift_of_the_algorithm_for_small_noise():
    """Without randomness in the sign the walk and the equation both go down at speed 1."""
    sure = SignWalk(lambda x: x, lambda x: x, np.sign, start=2.0, agents=1, time=1.0)
    assert sure.discrete(0.25) == pytest.approx(1.0)
    assert sure.euler(0.25, 2, 4, np.random.default_rng(0)).tolist() == [1.0, 1.0]


def test_euler_paths_have_the_equations_variance():
    """At ∇f = 0 everywhere the equation is Brownian: Var = ηt/N."""
    flat = SignWalk(lambda x: 0 * x, lambda x: x**2, lambda g: 0 * g, 0.0, agents=4, time=1.0)
    ends = flat.euler(0.2, 4, 40_000, np.random.default_rng(1))
    half = 4 * float(np.std(ends)) / math.sqrt(len(ends))
    assert abs(float(ends.mean()) - 0.2 / 4) < half


@pytest.mark.long
def test_sampled_weak_order_of_sign():
    """Order 1 within its interval, which excludes 1/2 and 2."""
    found = sampled_errors(WALK, (1 / 5, 1 / 10, 1 / 20), parts=32, paths=400_000)
    assert 0.5 < found.order.lo <= found.order.mean <= found.order.hi < 1.5


def test_sampled_errors_shrink():
    found = sampled_errors(WALK, (1 / 4, 1 / 16), parts=8, paths=20_000, batches=5)
    big, small = found.errors
    assert big.lo > small.hi
    assert found == sampled_errors(WALK, (1 / 4, 1 / 16), parts=8, paths=20_000, batches=5)


def test_steps_must_divide_the_time():
    assert whole_steps(1.0, 0.1) == 10
    with pytest.raises(ValueError, match="divide"):
        whole_steps(1.0, 0.3)
