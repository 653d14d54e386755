"""The theorems against sums written out step by step, and against exact expectations."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from theories.distributed import distributed_specs as specs

from boundcalc.theories.distributed.rate import statements
from boundcalc.theories.distributed.theory import THEORY
from boundcalc.theories.distributed.weak_error import SignWalk

MP = specs.MP


def made(section, **keys):
    graph = specs.graph(section, **keys)
    return {s.key: s for s in statements(graph, THEORY.own(graph.spec))}


def phi(u):
    return MP.mpf(1) if u == 0 else 2 * (MP.exp(u) - 1 - u) / u**2


def literal_compressed(q, L0, L1, A, B, R, gap, steps, products, largest):
    """Theorem 12.5 summed over steps: γ_k ≤ largest_k, γ_k(L0 + L1a) ≤ products_k."""
    psi = phi(MP.mpf(max(products)) * R)
    paid = MP.mpf(gap)
    for product, step in zip(products, largest, strict=True):
        paid += psi * MP.mpf(B) * product * step / 2
    share = 1 - psi * max(products) * (1 + MP.mpf(A)) / 2
    return paid / (share * sum(steps))


T = 20
S = [1 / MP.sqrt(k + 1) for k in range(T)]
CUT = {"sigma0": 1, "sigma1": "1/4", "truncation": 2}
#: Of 8 agents with ω = 3, L0 = 4, L1 = 1, d = 1 and CUT.
A, B, R = MP.mpf(3 + 4 / MP.mpf(16)) / 8, MP.mpf(4) / 8, 4 * MP.mpf(1.5)


@pytest.mark.parametrize("decay", [False, True])
def test_normalised_schedule(decay):
    schedule = {"type": "normalised"} | ({"decay": "inverse_sqrt"} if decay else {})
    section = {**specs.COMPRESSED, **CUT, "schedule": schedule, "epsilon": "1/20"}
    s = S if decay else [MP.mpf(1)] * T
    c = [MP.mpf(1) / 10 / (1 + A) * x for x in s]
    expected = literal_compressed("a²/(L0+L1a)", 4, 1, A, B, R, 20.25, c, c, [x / 4 for x in c])
    found = made(section)
    assert specs.close(found["discrete"].bound.value, expected)
    # The equation: integrals over [0, ηT] of a step function.
    eta, eps = MP.mpf(1) / 10, MP.mpf(1) / 20
    one, two = sum(eta * x for x in s), sum(eta * x * x for x in s)
    first = eta * (1 + A) * MP.mpf("20.25") / (2 * eps * (1 - eps))
    second = eps * B * two / ((1 - eps) * 4 * (1 + A))
    assert specs.close(found["normalised_sde"].bound.value, (first + second) / one)
    assert found["normalised_sde"].bound.value < found["discrete"].bound.value


@pytest.mark.parametrize("kind", ["constant", "inverse_sqrt"])
def test_steps_fixed_in_advance(kind):
    section = {**specs.COMPRESSED, **CUT, "schedule": {"type": kind}, "gradient_bound": 27}
    steps = [MP.mpf(1) / 1000 * (1 if kind == "constant" else x) for x in S]
    products = [x * 31 for x in steps]
    expected = literal_compressed("a²", 4, 1, A, B, R, 20.25, steps, products, steps)
    found = made(section, training="{step_size: 1/1000, horizon: 20}")["discrete"]
    assert specs.close(found.bound.value, expected)
    assert any("gradient_bound" in str(condition) for condition in found.conditions)


@pytest.mark.parametrize("offset", [Fraction(1, 2), Fraction(5), Fraction(50)])
def test_inverse_norm(offset):
    schedule = {"type": "inverse_norm", "offset": offset}
    section = {**specs.COMPRESSED, **CUT, "schedule": schedule}
    eta, o = MP.mpf(1) / 100, specs.high(offset)
    products = [eta * max(4 / o, 1)] * T
    expected = literal_compressed(
        "a²/(o+a)", 4, 1, A, B, R, 20.25, [eta] * T, products, [eta / o] * T
    )
    found = made(section, training="{step_size: 1/100, horizon: 20}")["discrete"]
    assert specs.close(found.bound.value, expected)


def test_without_curvature_the_equation_and_the_algorithm_agree():
    found = made({**specs.COMPRESSED, "L1": 0, "sigma0": 1})
    assert found["discrete"].bound.value == found["normalised_sde"].bound.value
    assert found["discrete"].bound.status == "proved"


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt"])
@pytest.mark.parametrize("nu", [None, 1, 2, "3/2"])
def test_sign(schedule, nu):
    """Theorem 12.8 summed over steps and agents."""
    scales = [1, 2, 3, 4, 1, 2, 3, 4]
    section = {**specs.SIGN, "dimension": 4, "sigma_max": scales, "schedule": {"type": schedule}}
    del section["nu"]
    section |= {} if nu is None else {"nu": nu}
    c = {
        None: MP.erf(1 / MP.sqrt(2)),
        1: MP.mpf(1) / 2,
        2: 1 / MP.sqrt(3),
        "3/2": MP.mpf("0.5488646327232897"),
    }[nu]
    gamma = [MP.mpf(1) / 100 * (1 if schedule == "constant" else x) for x in S]
    psi, d, L0, L1 = phi(gamma[0] * 2), 4, 4, 1
    top, bottom = MP.mpf("20.25"), MP.mpf(0)
    for step in gamma:
        extra = sum(MP.mpf(sigma) / 4 * d for sigma in scales) / 8
        top += psi * d * step**2 / 2 * (L0 + L1 * extra)
        bottom += c * step - psi * d * L1 * step**2 / 2
    found = made(section, training="{step_size: 1/100, horizon: 20}")["sign"]
    assert specs.close(found.bound.value, top / bottom, 1e-14 if nu == "3/2" else 1e-25)
    assert found.bound.status == "proved"


# ---- exact expectations ------------------------------------------------------------------


def smooth(x):
    """f = (e^|x| − 1 − |x|), for which |f''| = 1 + |f'|: L0 = L1 = 1 with equality."""
    return np.expm1(np.abs(x)) - np.abs(x)


def smooth_slope(x):
    return np.sign(x) * np.expm1(np.abs(x))


OBJECTIVES = {
    "quartic": (lambda x: x**4 / 4, lambda x: x**3, 4.0, 1.0),
    "exponential": (smooth, smooth_slope, 1.0, 1.0),
}


def exact_left_side(f, slope, start, horizon, step, noise, omega, weight, g=math.inf):
    """Σ_k E[weight(a_k); k < τ]/T for one agent: every outcome of noise ±σ and of keep or drop."""
    x, probability = np.array([start]), np.array([1.0])
    alive, total = np.array([True]), 0.0
    keep = 1 / (1 + omega)
    for k in range(horizon):
        gradient = slope(x)
        a = np.abs(gradient)
        alive = alive & (a <= g)
        total += probability[alive] @ weight(a[alive])
        moves, chances = [], []
        for sign in (-1, 1):
            moves.append(x - step(k, a) * (1 + omega) * (gradient + sign * noise))
            chances.append(probability * keep / 2)
        if omega:
            moves.append(x)
            chances.append(probability * (1 - keep))
        alive = np.concatenate([alive] * len(moves))
        # What is no longer counted is not moved: it may go anywhere.
        x, probability = np.concatenate(moves), np.concatenate(chances)
        x = np.where(alive, x, 0.0)
    return total / horizon


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("omega", [0, 1])
@pytest.mark.parametrize("start", [0.5, 3.0])
@pytest.mark.parametrize("epsilon", ["1/20", "1/8"])
def test_discrete_bound_holds_exactly(name, omega, start, epsilon):
    f, slope, L0, L1 = OBJECTIVES[name]
    horizon, noise = 8, 2.0
    section = {
        "algorithm": "dcsgd", "agents": 1, "L0": L0, "L1": L1, "dimension": 1, "omega": omega,
        "sigma0": noise, "truncation": 1, "epsilon": epsilon,
    }  # fmt: skip
    run = {
        "loss": f"{{initial_gap: {f(start)}}}",
        "training": f"{{step_size: 1/10, horizon: {horizon}}}",
    }
    bound = made(section, **run)["discrete"]
    c = 2 * float(Fraction(epsilon)) / (1 + omega)
    left = exact_left_side(
        f, slope, start, horizon,
        lambda k, a: c / (L0 + L1 * a), noise, omega, lambda a: a**2 / (L0 + L1 * a),
    )  # fmt: skip
    assert 0 < left <= float(bound.bound)
    assert bound.bound.status == "proved"


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("omega", [0, 1])
def test_stopped_bound_holds_exactly(name, omega):
    """Steps fixed in advance, counted until ‖∇f‖ exceeds g."""
    f, slope, L0, L1 = OBJECTIVES[name]
    horizon, noise, g, start = 8, 3.0, 6.0, 1.5
    section = {
        "algorithm": "dcsgd", "agents": 1, "L0": L0, "L1": L1, "dimension": 1, "omega": omega,
        "sigma0": noise, "truncation": 1, "schedule": {"type": "constant"}, "gradient_bound": g,
    }  # fmt: skip
    run = {
        "loss": f"{{initial_gap: {f(start)}}}",
        "training": f"{{step_size: 1/50, horizon: {horizon}}}",
    }
    bound = made(section, **run)["discrete"]
    left = exact_left_side(
        f, slope, start, horizon, lambda k, a: 0.02, noise, omega, lambda a: a**2, g
    )
    assert 0 < left <= float(bound.bound)


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("start", [0.5, 3.0])
@pytest.mark.parametrize("sigma", [0.5, 4.0])
@pytest.mark.parametrize("nu", [1, None])
def test_sign_bound_holds_exactly(name, start, sigma, nu):
    """E h(x_k̂) on the lattice of sign steps, exact but for rounding, with one agent or three."""
    from scipy import special

    f, slope, L0, L1 = OBJECTIVES[name]
    step, horizon = 0.1, 15

    def mean_sign(g):
        ratio = g / sigma
        return 2 * np.arctan(ratio) / np.pi if nu == 1 else special.erf(ratio / math.sqrt(2))

    def h(x):
        a = np.abs(slope(x))
        return a * np.minimum(a / sigma, 1)

    section = {**specs.SIGN, "L0": L0, "L1": L1, "sigma_max": sigma}
    if nu is None:
        del section["nu"]
    for agents in (1, 3):
        left = 0.0
        for n in range(1, horizon):
            walk = SignWalk(slope, h, mean_sign, start, agents, n * step)
            left += walk.discrete(step)
        left = (left + float(h(np.array(start)))) / horizon
        run = {
            "loss": f"{{initial_gap: {f(start)}}}",
            "training": f"{{step_size: {step}, horizon: {horizon}}}",
        }
        assert left <= float(made({**section, "agents": agents}, **run)["sign"].bound)


def test_one_step_of_sign_costs_what_the_proof_says():
    """The proof's one-step inequality, exactly, over starts on both sides of σ."""
    L0 = L1 = 1.0
    c_nu, sigma = 0.5, 2.0
    for step, x in itertools.product((0.05, 0.2, 0.5), (0.01, 0.5, 1.1, 3.0)):
        a = float(smooth_slope(x))
        up = 0.5 - math.atan(a / sigma) / math.pi
        after = up * smooth(x + step) + (1 - up) * smooth(x - step)
        psi = 2 * (math.expm1(step) - step) / step**2
        h = a * min(a / sigma, 1)
        gain = (c_nu * step - psi * L1 * step**2 / 2) * h
        cost = psi * step**2 / 2 * (L0 + L1 * sigma / 4)
        assert after <= smooth(x) - gain + cost + 1e-12


def test_the_discrete_bound_needs_compression_of_bounded_length():
    """cosh x − 1, no noise, C(x) = Mx with mean 1 and variance ω = 1, unbounded: false."""
    section = {
        "algorithm": "dcsgd", "agents": 1, "L0": 1, "L1": 1, "dimension": 1, "omega": 1,
        "epsilon": "1/8",
    }  # fmt: skip
    gap = math.cosh(1) - 1
    run = {"loss": f"{{initial_gap: {gap}}}", "training": "{step_size: 1, horizon: 2}"}
    bound = float(made(section, **run)["discrete"].bound)
    c, a = 1 / 8, math.sinh(1)
    sides = {}
    for m in (1, 1000):  # M = 1 + m or 1 − 1/m; only m = 1 has |M| ≤ 1 + ω
        likely = 1 / (1 + m**2)
        left = a * a / (1 + a)
        for M, probability in ((1 + m, likely), (1 - 1 / m, 1 - likely)):
            slope = abs(math.sinh(1 - c / (1 + a) * M * a))
            left += probability * slope**2 / (1 + slope)
        sides[m] = left / 2
    assert sides[1] <= bound < sides[1000]


def test_differentiating_steps_that_depend_on_x_matters_to_second_order():
    """Without noise: after time t the κ = 1 equation is off by O(η) if η_t depends on x."""
    from scipy.integrate import solve_ivp

    def error(eta, theta, theta_slope):
        x = 2.0
        for _ in range(round(1 / eta)):
            x -= eta * theta(x) * x

        def drift(_, y, whole):
            b, growth = -theta(y) * y, -theta(y) - theta_slope(y) * y * whole
            return b - eta / 2 * growth * b

        ends = [
            solve_ivp(drift, (0, 1), [2.0], args=(whole,), rtol=1e-12, atol=1e-14).y[0, -1]
            for whole in (0, 1)
        ]
        return [abs(end - x) for end in ends]

    def orders(theta, slope):
        coarse, fine = (error(step, theta, slope) for step in (1 / 64, 1 / 128))
        return [math.log2(p / q) for p, q in zip(coarse, fine, strict=True)]

    fixed, _ = orders(lambda x: 1.0, lambda x: 0.0)
    as_fixed, differentiated = orders(lambda x: 1 / (1 + x), lambda x: -1 / (1 + x) ** 2)
    assert fixed == pytest.approx(2, abs=0.1)
    assert as_fixed == pytest.approx(1, abs=0.1)
    assert differentiated == pytest.approx(2, abs=0.1)
