"""Runs against a literal twin, exact moments, and what a run must leave alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from literal_distributed import literal_path
from scipy import stats

from boundcalc.errors import SpecError
from boundcalc.simulate.statistics import mean_interval
from boundcalc.theories.distributed import simulator
from boundcalc.theories.distributed.algorithms import Algorithm, KeepOrDrop, RandK
from boundcalc.theories.distributed.noise_sampling import BLOCK, Draws, Noise
from boundcalc.theories.distributed.paths import Measure, Plan
from boundcalc.theories.distributed.schedules import Steps
from boundcalc.theories.distributed.simulator import walk
from boundcalc.theories.distributed.smoothness import smoothness_met
from boundcalc.theories.distributed.tails import (
    careful_interval,
    heaviest_share,
    median_interval,
    quantile_band,
)

Array = np.ndarray


def quartic(x: Array) -> tuple[Array, Array]:
    return np.sum(x**4, axis=1) / 4, x**3


def half_square(x: Array) -> tuple[Array, Array]:
    return np.sum(x**2, axis=1) / 2, x


def noise_of(kind: str = "gaussian", nu: float | None = None, cut: float | None = None) -> Noise:
    return Noise(kind, np.array([0.5, 1.0, 0.0]), np.array([0.0, 0.5, 1.0]), nu, cut)  # type: ignore[arg-type]


def plan_of(**changes: object) -> Plan:
    plain = Plan(Algorithm("dsgd"), noise_of("affine"), Steps("inverse_sqrt", 0.1), 12, 70, 3, 1e6)
    return replace(plain, **changes)  # type: ignore[arg-type]


PLANS = {
    "sgd": plan_of(),
    "rand-k": plan_of(algorithm=Algorithm("dcsgd", RandK(1)), steps=Steps("inverse_sqrt", 0.02)),
    "keep": plan_of(algorithm=Algorithm("dcsgd", KeepOrDrop(np.array([0.0, 2.0, 7.0])))),
    "clip then keep": plan_of(
        algorithm=Algorithm("dcsgd", KeepOrDrop(np.full(3, 1.0)), agent_clip=2.0)
    ),
    "sign": plan_of(algorithm=Algorithm("dsignsgd"), noise=noise_of("student", 1.0)),
    "normalised": plan_of(algorithm=Algorithm("normalised"), noise=noise_of("student", 2.5)),
    "clipped": plan_of(algorithm=Algorithm("clipped", server_clip=1.5)),
    "cut": plan_of(noise=noise_of("student", 1.5, 2.0), steps=Steps("constant", 0.05)),
    "inverse": plan_of(steps=Steps("inverse_norm", 0.5, offset=2.0)),
    "prescribed": plan_of(steps=Steps("normalised", 9.0, numerator=0.7, L0=4.0, L1=1.0)),
}


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("replica", [0, 66])
def test_a_run_is_its_literal_twin(name: str, replica: int) -> None:
    plan, start = PLANS[name], [1.5, -2.0, 0.25]
    met = walk(quartic, np.array(start), plan)
    path = literal_path(lambda x: [v**3 for v in x], start, plan, replica)
    np.testing.assert_allclose(met.final[replica], path[-1], rtol=1e-9, atol=1e-12)
    expected = [math.sqrt(sum(v * v for v in x)) for x in path]
    np.testing.assert_allclose(met.distance[:, replica], expected, rtol=1e-9)
    losses = [sum(v**4 for v in x) / 4 for x in path]
    np.testing.assert_allclose(met.loss[:, replica], losses, rtol=1e-9)
    assert met.escaped[replica] == -1


def test_escape_is_recorded_at_its_step_and_leaves_no_number_behind() -> None:
    mild = Noise("gaussian", np.full(3, 0.1), np.zeros(3))
    plan = plan_of(noise=mild, steps=Steps("constant", 0.3), escape=50.0, replicas=BLOCK)
    met = walk(quartic, np.array([3.0, 0.0]), plan)
    assert (met.escaped >= 0).all()
    path = literal_path(lambda x: [v**3 for v in x], [3.0, 0.0], plan, 9)
    step = met.escaped[9]
    assert step == len(path) - 1
    assert np.isinf(met.loss[step:, 9]).all()
    assert np.isfinite(met.loss[:step, 9]).all()
    np.testing.assert_allclose(met.final[9], path[-2], rtol=1e-9)
    assert math.isnan(met.largest_distance)


def test_infinite_and_nan_iterates_escape_without_a_warning() -> None:
    def broken(x: Array) -> tuple[Array, Array]:
        loss, gradient = quartic(x)
        return loss, np.where(np.arange(len(x))[:, None] % 2 == 0, np.nan, gradient)

    met = walk(broken, np.array([1.0]), plan_of(replicas=4, steps=Steps("constant", 1e-3)))
    assert met.escaped.tolist() == [1, -1, 1, -1]
    wild = walk(quartic, np.array([1e200]), plan_of(replicas=2, escape=1e300))
    assert wild.escaped.tolist() == [1, 1]


def test_a_replica_depends_neither_on_the_others_nor_on_the_memory_at_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = plan_of(algorithm=Algorithm("dcsgd", RandK(1)), replicas=200, every=5)
    whole = walk(quartic, np.array([1.0, 2.0]), plan)
    few = walk(quartic, np.array([1.0, 2.0]), replace(plan, replicas=70))
    assert (few.final == whole.final[:70]).all()
    assert (few.loss == whole.loss[:, :70]).all()
    monkeypatch.setattr(simulator, "_AT_ONCE", 1)
    tiled = walk(quartic, np.array([1.0, 2.0]), plan)
    assert (tiled.final == whole.final).all()
    assert (tiled.loss == whole.loss).all()
    assert tiled.L0_met == whole.L0_met
    other = walk(quartic, np.array([1.0, 2.0]), replace(plan, seed=4))
    assert not (other.final == whole.final).any()


def test_recording_less_changes_nothing_else() -> None:
    often, seldom = (walk(quartic, np.array([2.0]), plan_of(every=every)) for every in (1, 5))
    assert seldom.at.tolist() == [0, 5, 10, 12]
    assert (seldom.loss == often.loss[[0, 5, 10, 12]]).all()
    assert (seldom.final == often.final).all()


def test_compression_meets_the_noise_that_the_uncompressed_run_meets() -> None:
    one, two = Draws(5, range(1), 3), Draws(5, range(1), 3)
    noise = noise_of()
    one.uniforms(3, 2)
    assert (one.noise(noise, 2) == two.noise(noise, 2)).all()


def test_without_noise_every_run_is_gradient_descent() -> None:
    quiet = Noise("gaussian", np.zeros(5), np.zeros(5))
    plan = plan_of(noise=quiet, steps=Steps("constant", 0.25), replicas=2, horizon=8)
    met = walk(half_square, np.array([4.0]), plan)
    assert met.distance[:, 0].tolist() == [4.0 * 0.75**k for k in range(9)]


@pytest.mark.parametrize("compressor", ["rand-k", "keep"])
def test_second_moments_of_compressed_sgd_on_a_quadratic_are_exact(compressor: str) -> None:
    """E‖x_{k+1}‖² = (1−γ)²E‖x_k‖² + γ²/N·(ω + d·avg (1+ω)σ1²)E‖x_k‖² + γ²d·avg (1+ω)σ0²/N."""
    size, horizon, gamma = 4, 25, 0.2
    sigma0, sigma1 = np.array([0.5, 1.0]), np.array([0.25, 0.5])
    omega = np.array([3.0, 3.0]) if compressor == "rand-k" else np.array([1.0, 4.0])
    chosen = RandK(1) if compressor == "rand-k" else KeepOrDrop(omega)
    plan = Plan(
        Algorithm("dcsgd", chosen),
        Noise("affine", sigma0, sigma1),
        Steps("constant", gamma),
        horizon,
        20_000,
        11,
        1e9,
        every=horizon,
    )
    met = walk(half_square, np.full(size, 1.5), plan)
    second = size * 1.5**2
    growth = (omega.mean() + size * ((1 + omega) * sigma1**2).mean()) / 2
    level = size * ((1 + omega) * sigma0**2).mean() / 2
    for _ in range(horizon):
        second = (1 - gamma) ** 2 * second + gamma**2 * (growth * second + level)
    found = mean_interval(met.distance[-1] ** 2, 0.999)
    assert found.lo <= second <= found.hi
    assert found.hi - found.lo < 0.1 * second


def test_the_mean_sign_is_twice_the_distribution_function_less_a_half() -> None:
    """One step of DSignSGD from g: E(x_0 − x_1)/γ = 2(F(g/σ) − ½), ν = 1, 2.5 and Gaussian."""
    for kind, nu, law in (
        ("student", 1.0, stats.cauchy),
        ("student", 2.5, stats.t(2.5)),
        ("gaussian", None, stats.norm),
    ):
        noise = Noise(kind, np.full(4, 2.0), np.zeros(4), nu)  # type: ignore[arg-type]
        plan = Plan(Algorithm("dsignsgd"), noise, Steps("constant", 1.0), 1, 30_000, 2, 1e9)
        met = walk(half_square, np.array([1.0]), plan)
        found = mean_interval(1.0 - met.final[:, 0], 0.9999)
        exact = 2 * (law.cdf(0.5) - 0.5)
        assert found.lo <= exact <= found.hi
        assert found.hi - found.lo < 0.05


@pytest.mark.parametrize("nu", [1.0, 1.5, 5.0, None])
def test_noise_has_the_stated_law(nu: float | None) -> None:
    kind = "gaussian" if nu is None else "student"
    noise = Noise(kind, np.ones(4), np.zeros(4), nu)  # type: ignore[arg-type]
    drawn = Draws(8, range(3), 192).noise(noise, 40)
    law = stats.norm if nu is None else stats.t(nu)
    # Kolmogorov–Smirnov at a fixed seed.
    assert stats.kstest(drawn.ravel(), law.cdf).pvalue > 1e-3
    cut = Draws(8, range(3), 192).noise(replace(noise, truncation=1.5), 40)
    assert (cut == np.clip(drawn, -1.5, 1.5)).all()


def test_measures_are_the_sums_that_they_say() -> None:
    weights = np.array([0.5, 0.3, 0.2])
    square = Measure(weights, lambda gradient: np.sum(gradient**2, axis=1))
    plan = plan_of(horizon=3, measures={"square": square}, replicas=5)
    met = walk(quartic, np.array([1.0, 2.0]), plan)
    expected = (weights[:, None] * met.gradient_norm[:-1] ** 2).sum(axis=0)
    np.testing.assert_allclose(met.measured["square"], expected, rtol=1e-12)


def test_a_measure_stops_where_the_gradient_first_exceeds_its_bound() -> None:
    one = Measure(np.full(6, 1 / 6), lambda gradient: np.ones(len(gradient)))
    quiet = Noise("gaussian", np.zeros(1), np.zeros(1))
    # x doubles in each step: x_k = 2^k, and ‖∇f‖ = 2^k.
    grows = plan_of(
        noise=quiet,
        steps=Steps("constant", -1.0),
        horizon=6,
        replicas=2,
        measures={"whole": one, "stopped": replace(one, stop=4.0)},
    )
    met = walk(half_square, np.array([1.0]), grows)
    np.testing.assert_allclose(met.measured["whole"], 1.0)
    np.testing.assert_allclose(met.measured["stopped"], 3 / 6)  # k = 0, 1, 2
    escapes = walk(half_square, np.array([1.0]), replace(grows, escape=6.0))
    assert escapes.escaped.tolist() == [3, 3]
    # It left over a gradient of 8 > 4: the stopped measure is known, the whole one is not.
    assert np.isinf(escapes.measured["whole"]).all()
    np.testing.assert_allclose(escapes.measured["stopped"], 3 / 6)
    loose = replace(grows, measures={"stopped": replace(one, stop=1e3)}, escape=6.0)
    assert np.isinf(walk(half_square, np.array([1.0]), loose).measured["stopped"]).all()


def test_a_measure_that_has_stopped_stays_stopped() -> None:
    one = Measure(np.full(4, 1 / 4), lambda gradient: np.ones(len(gradient)))
    quiet = Noise("gaussian", np.zeros(1), np.zeros(1))
    # x ↦ −x/2: the gradient falls below the bound later, which must not count.
    plan = plan_of(
        noise=quiet,
        steps=Steps("constant", 1.5),
        horizon=4,
        replicas=2,
        measures={"stopped": replace(one, stop=3.0)},
    )
    assert walk(half_square, np.array([4.0]), plan).measured["stopped"].tolist() == [0.0, 0.0]


def test_smoothness_met_is_attained_and_never_exceeded_by_a_smooth_function() -> None:
    met = walk(quartic, np.array([3.0]), plan_of(L1=1.0, replicas=64, horizon=200))
    # x⁴/4 has L0 = 4/L1², attained at x = 2/L1, where the runs come by.
    assert 3.0 < met.L0_met <= 4.0 + 1e-6
    flat = walk(half_square, np.array([3.0]), plan_of(L1=0.0))
    assert flat.L0_met == pytest.approx(1.0, rel=1e-9)


def test_smoothness_met_against_a_function_that_attains_it() -> None:
    """f' = (e^x − 1)·L0/L1 with L1 = 1 has f'' = L0 + L1f' exactly for x ≥ 0."""
    x, y = np.array([[0.5]]), np.array([[2.0]])
    one, two = (x, 3 * np.expm1(x)), (y, 3 * np.expm1(y))
    assert smoothness_met(one, two, 1.0, np.array([True])) == pytest.approx(3.0, rel=1e-12)
    assert smoothness_met(one, one, 1.0, np.array([True])) == -math.inf
    assert smoothness_met(one, two, 1.0, np.array([False])) == -math.inf


def test_too_many_agents_are_refused_before_memory_is_asked_for() -> None:
    wide = Noise("gaussian", np.ones(10_000), np.zeros(10_000))
    with pytest.raises(SpecError, match="do not fit into memory"):
        walk(half_square, np.zeros(1000), plan_of(noise=wide))


def test_intervals_are_silent_about_heavy_tails_and_speak_about_light_ones() -> None:
    rng = np.random.default_rng(0)
    heavy, light = rng.standard_cauchy(2000), rng.standard_normal(2000)
    assert heaviest_share(heavy)[0] > heaviest_share(heavy)[1]
    assert careful_interval(heavy, 0.99).lo == -math.inf
    assert careful_interval(light, 0.99) == mean_interval(light, 0.99)
    assert careful_interval(rng.exponential(size=2000), 0.99).hi < 1.2


def test_the_median_interval_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(800):
        found = median_interval(rng.standard_cauchy(25), 0.9)
        covered += found.lo <= 0 <= found.hi
    exact = 1 - 2 * float(stats.binom.cdf(7, 25, 0.5))  # between the 8th and the 18th of 25
    assert exact >= 0.9
    assert abs(covered / 800 - exact) < 4 * math.sqrt(exact * (1 - exact) / 800)
    assert median_interval(np.array([1.0, 2.0]), 0.99).hi == math.inf
    lost = median_interval(np.array([1.0] * 60 + [math.inf] * 40), 0.9)
    assert lost.mean == lost.lo == 1.0


def test_bands_are_made_of_values_that_occurred() -> None:
    values = np.array([[4.0, 1.0, 3.0, 2.0, math.inf]])
    median, low, high = quantile_band(values, 0.2, 0.8)
    assert (median.item(), low.item(), high.item()) == (3.0, 1.0, math.inf)


@pytest.mark.parametrize("name", ["dsgd", "dsignsgd"])
@pytest.mark.parametrize("affine", [0.0, 0.5])
def test_an_agent_without_noise_has_none_where_the_draw_overflows(name: str, affine: float) -> None:
    """t_ν with ν = 1/100 is infinite in floating point every few steps; 0·∞ would be NaN."""
    quiet = Noise("student", np.zeros(2), np.zeros(2), 0.01)
    plan = plan_of(algorithm=Algorithm(name), noise=quiet, replicas=64, horizon=200)  # type: ignore[arg-type]
    met = walk(half_square, np.array([3.0]), plan)
    assert met.bounded.all()
    gaussian = replace(plan, noise=Noise("gaussian", np.zeros(2), np.zeros(2)))
    assert (met.final == walk(half_square, np.array([3.0]), gaussian).final).all()
    mixed = Noise("student", np.array([0.0, 1.0]), np.array([0.0, affine]), 0.01)
    signs = walk(half_square, np.array([3.0]), replace(plan, noise=mixed))
    assert signs.bounded.all() == (name == "dsignsgd")
    path = literal_path(lambda x: x, [3.0], replace(plan, noise=mixed, horizon=30), 5)
    assert name == "dsgd" or signs.distance[30, 5] == pytest.approx(abs(path[30][0]))


def test_noise_free_agents_have_no_scale_where_a_gradient_norm_overflows() -> None:
    mixed = Noise("affine", np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    assert mixed.scale(np.array([np.inf])).tolist() == [[0.0, np.inf]]


def test_a_sign_is_the_same_with_clipping_also_of_an_infinite_gradient() -> None:
    sent = Algorithm("dsignsgd", agent_clip=1.0).direction(np.array([[[np.inf], [-3.0]]]), None)
    assert sent.tolist() == [[0.0]]


def test_student_noise_of_infinite_degrees_is_normal() -> None:
    heavy = Noise("student", np.ones(1), np.zeros(1), math.inf)
    rng, other = np.random.default_rng(1), np.random.default_rng(1)
    drawn = heavy.standard(rng, (4,))
    assert drawn.tolist() == other.standard_normal(4).tolist()
