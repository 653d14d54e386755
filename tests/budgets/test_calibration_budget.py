"""Predictions against closed forms and full simulation, the measured budget, bad input."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from test_calibration_sites import BILINEAR, asked, mixed, section

import boundcalc as bc
from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.calibration import budgeting, calibrate, iterates, survey
from boundcalc.budgets.calibration.checked import enlarged
from boundcalc.budgets.calibration.iterates import trained_iterates
from boundcalc.budgets.calibration.scale import Growth, largest_factor, measured_bound
from boundcalc.budgets.levels import scaled, with_perturbations
from boundcalc.errors import SimulationError, SpecError
from boundcalc.rates.timeline import Timeline
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.streams import stream

GAUSSIAN = "generator: gaussian, samples: 4, dimension: 2, seed: 1"


def bound_at(question, levels):
    timeline = Timeline(question.graph, question.graph.spec.training.horizon)
    return measured_bound(question, timeline, levels)


def factor_of(question, limits):
    timeline = Timeline(question.graph, question.graph.spec.training.horizon)
    return largest_factor(question, timeline, limits)


def predicted(
    perturbations, operators=BILINEAR, data="points: [[2]]", weights="[1/2, 1/4]", **keys
):
    question = asked(
        operators,
        data=data,
        weights=weights,
        perturbations=f"[{perturbations}]",
        more=", check: {draws: 4096}",
    )
    return calibrate(question, section(**keys), proved_scale=None)


@pytest.mark.parametrize(
    ("model", "error", "bias"),
    [
        ("model: constant, value: 1/4", 1 / 16, 1 / 16),
        ("model: gaussian, std: 1/2, center: 1/3", 1 / 4 + 1 / 9, 1 / 9),
        ("model: uniform, low: 0, high: 1", 1 / 3, 1 / 4),
        ("model: gaussian, std: 1, center: 1, probability: 1/2", 1, 1 / 4),
        ("model: gaussian, std: 1, center: 2, probability: 0", 0, 0),
    ],
)
def test_a_linear_chain_is_predicted_exactly(model, error, bias):
    # u = (w₂x, y₁): only u₂ moves, by δ.
    found = predicted(f"{{at: f1, pass: forward, {model}}}")
    assert float(found.predicted_error) == pytest.approx(error, rel=1e-6, abs=1e-12)
    assert float(found.predicted_bias) == pytest.approx(bias, rel=1e-6, abs=1e-12)
    assert found.error_interval[0] - 1e-12 <= error <= found.error_interval[1] + 1e-12
    assert found.bias_interval[0] - 1e-12 <= bias <= found.bias_interval[1] + 1e-12


def test_means_of_two_sites_meet_and_variances_do_not():
    # ũ₁ = (v₁ + ε) x and v₁ = w₂: two means of ε at one site add; δ moves u₂ alone.
    found = predicted(
        "{at: f2, pass: backward, model: gaussian, std: 1/5, center: 1/3},"
        "{at: f2, pass: backward, model: constant, value: 1/6},"
        "{at: f1, pass: forward, model: constant, value: 1/2}"
    )
    assert float(found.predicted_error) == pytest.approx(4 * (1 / 25 + 1 / 4) + 1 / 4, rel=1e-6)
    assert float(found.predicted_bias) == pytest.approx(4 / 4 + 1 / 4, rel=1e-6)


SMALL = (
    "{at: [f1, f2, f3], pass: forward, model: gaussian, std: 1/100},"
    "{at: [f2, f4], pass: backward, model: uniform, half_width: 1/100}"
)


@pytest.mark.parametrize(
    "perturbations",
    [
        SMALL,
        "{at: [f1, f2], pass: forward, model: gaussian, std: 1/100, center: 1/200}",
        "{at: f1, pass: forward, model: two_point, magnitude: 1/50, probability: 1/4},"
        "{at: f3, pass: backward, model: constant, value: 1/50, probability: 1/4}",
    ],
)
def test_small_perturbations_are_predicted_as_simulated(perturbations):
    found = predicted(perturbations, mixed(3), GAUSSIAN, "1/2", samples=4)
    lo, hi = found.error_interval
    assert lo * 0.99 <= float(found.predicted_error) <= hi * 1.01
    lo, hi = found.bias_interval
    assert lo * 0.97 <= float(found.predicted_bias) <= hi * 1.03
    assert float(found.predicted_bias) > 0
    assert not any("off by more" in note for note in found.notes)


def test_large_perturbations_are_said_to_be_off():
    found = predicted("{at: f1, pass: forward, model: gaussian, std: 3}", mixed(3), GAUSSIAN, "1/2")
    assert any("the predicted E‖ũ−u‖² is off" in note for note in found.notes)


def test_second_order_effects_of_means_and_of_spreads_add_as_vectors():
    operators = """
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: sine}
    - {id: f3, type: squared, region: {input: 9}}"""
    model = "model: gaussian, std: 1/100, center: 1/100"
    found = predicted(f"{{at: f1, pass: forward, {model}}}", operators, "points: [[2]]", "[1/2]")
    # With u(y) the gradient as a function of y₁: bias u'm + u''E δ²/2, error (u')² E δ².
    y, m, second = 1.0, 0.01, 2e-4
    unit = asked(operators, weights="[1/2]")
    derivative = _gradient_of(unit)
    h = 1e-3
    first = (derivative(y + h) - derivative(y - h)) / (2 * h)
    curved = (derivative(y + h) - 2 * derivative(y) + derivative(y - h)) / h**2
    assert float(found.predicted_bias) == pytest.approx(
        (first * m + curved * second / 2) ** 2, rel=1e-5
    )
    assert float(found.predicted_error) == pytest.approx(first**2 * second, rel=1e-5)
    assert abs(curved * second) > 1e-3 * abs(first * m)


def _gradient_of(question):
    """u₁ as a function of the value after f₁, by a shift there."""
    from boundcalc.simulate.program import make_program

    program, data = make_program(question.graph), question.graph.data
    x, labels, w = data.features[None], data.labels[None], np.array([[0.5]])

    def gradient(y):
        path = program.outputs(w, x, labels, {1: np.full((1, 1, 1), y - 1.0)})
        return float(program.sample_gradients(w, path, labels, {})[0, 0, 0])

    return gradient


def test_the_measured_scale_meets_the_target_and_a_little_more_does_not():
    question = asked(
        mixed(3), data=GAUSSIAN, perturbations=f"[{SMALL}]", more=", check: {draws: 256}"
    )
    found = calibrate(question, section(), proved_scale=None)
    factor = float(found.scale)
    assert found.scale.limit
    assert str(found.scale.status) == "sampled"
    # Its levels, scaled, reach the target.
    growth = Growth(error=float(found.predicted_error))
    assert float(bound_at(question, [growth.at(factor)])) <= float(question.target.value)
    assert factor > 0


@pytest.mark.parametrize(
    "growth", [Growth(2.0, 0.0, 0.0), Growth(4.0, 1.0, 0.5), Growth(9.0, 0.0, 2.0)]
)
def test_the_largest_factor_is_the_root_of_the_statement(growth):
    question = asked(BILINEAR, perturbations="[{at: f1, pass: forward, model: gaussian, std: 1}]")
    factor = factor_of(question, [growth])
    target = float(question.target.value)
    bound = float(bound_at(question, [growth.at(factor)]).value)
    assert bound <= target
    assert bound == pytest.approx(target, rel=1e-9)
    assert float(bound_at(question, [growth.at(1.01 * factor)]).value) > target


def test_without_levels_any_factor_will_do():
    question = asked(BILINEAR, perturbations="[{at: f1, pass: forward, model: gaussian, std: 1}]")
    assert factor_of(question, [Growth()]) is None
    assert factor_of(question, [Growth(1e40)]) == 0.0


def test_bias_in_a_growth_is_capped_by_the_error():
    assert Growth(1.0, 5.0, 0.0).at(2.0) == (4.0, 4.0)
    assert Growth(100.0, 1.0, 2.0).at(2.0) == (400.0, 100.0)
    assert Growth(1, 2, 3).plus(Growth(1, 1, 1)) == Growth(2, 3, 4)
    assert Growth(1, 2, 3).enlarged(Growth(2, 1, 4)) == Growth(2, 2, 4)


def test_perturbations_that_act_seldom_may_be_larger():
    def scale(extra):
        perturbation = f"{{at: f1, pass: forward, model: gaussian, std: 1/100{extra}}}"
        question = asked(BILINEAR, weights="[1/2, 1/4]", perturbations=f"[{perturbation}]")
        return float(calibrate(question, section(), proved_scale=None).scale)

    # Every fifth step of ten: a fifth of the error, so √5 times the size.
    assert scale(", every: 5") == pytest.approx(np.sqrt(5) * scale(""), rel=1e-6)


def test_the_measured_budget_is_never_below_the_proved_one():
    # What is proved holds at these iterates and samples, so it admits no more.
    question = asked(
        mixed(3), data=GAUSSIAN, perturbations=f"[{SMALL}]", more=", check: {draws: 256}"
    )
    factor = Fraction(float(calibrate(question, section(samples=4), proved_scale=None).scale))
    times = [scaled(p, factor) for p in question.graph.perturbations]
    assert not question.admissible(with_perturbations(question.graph, times))


def test_too_many_sets_of_perturbations_give_no_budget(monkeypatch):
    question = asked(
        BILINEAR,
        perturbations="[{at: f1, pass: forward, model: gaussian, std: 1, every: 5}]",
    )
    monkeypatch.setattr(budgeting, "MAX_SETS", 1)
    found = calibrate(question, section(), proved_scale=None)
    assert found.scale is None
    assert found.predicted_error is not None
    assert any("more than 1 sets" in note for note in found.notes)


def test_intervals_hold_together_over_samples_and_iterates():
    # Two samples that are the same one: the interval of each is wider than that of one alone.
    def width(data, **keys):
        found = calibrate(asked(mixed(12), data=data), section(probes=8, **keys), proved_scale=None)
        return found.sites[0].interval[1] - found.sites[0].interval[0]

    one = width("points: [[1, -1]]")
    two = width("points: [[1, -1], [1, -1]]")
    assert 1.01 * one < two < 1.5 * one


def test_a_prediction_that_simulation_contradicts_is_raised(monkeypatch):
    # Two squares after the noise: at the target the error grows with c⁶, not with c².
    operators = """
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: quadratic, region: {input: 9}}
    - {id: f3, type: quadratic, region: {input: 99}}"""
    question = asked(
        operators,
        weights="[1/10, 0, 0]",
        perturbations="[{at: f1, pass: forward, model: gaussian, std: 1/100}]",
        more=", check: {draws: 1024}",
    )
    found = calibrate(question, section(), proved_scale=None)
    simulate = budgeting.simulated
    check = simulate(
        question.graph,
        section(),
        trained_iterates(question.graph, section(), lambda done: None),
        0,
        float(found.scale),
    )
    levels = (float(check.error.max()), float(check.bias.max()))
    assert float(bound_at(question, [levels])) <= float(question.target.value)
    monkeypatch.setattr(budgeting, "simulated", lambda *args: None)
    unchecked = calibrate(question, section(), proved_scale=None)
    assert float(found.scale) < 0.9 * float(unchecked.scale)
    check = simulate(
        question.graph,
        section(),
        trained_iterates(question.graph, section(), lambda done: None),
        0,
        float(unchecked.scale),
    )
    levels = (float(check.error.max()), float(check.bias.max()))
    assert float(bound_at(question, [levels])) > float(question.target.value)


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_rounding_is_predicted_from_its_moments_at_the_iterate(rounding):
    # y₁ = w₁x on a grid of spacing s: the nearest number is off by d, chance by (1 − d/s) d.
    step = 64 / 255
    found = predicted(
        "{at: f1, pass: forward, model: number_format, format: uniform, bits: 8, low: -32, "
        f"high: 32, rounding: {rounding}}}",
        weights="[0.3, 1/4]",
    )
    below = np.floor((0.6 + 32) / step) * step - 32
    p = (0.6 - below) / step
    nearest = min(0.6 - below, below + step - 0.6) ** 2
    expected = nearest if rounding == "nearest" else p * (1 - p) * step**2
    bias = nearest if rounding == "nearest" else 0.0
    # 256 draws: the relative deviation of a variance of two values is below a fifth.
    assert float(found.predicted_error) == pytest.approx(expected, rel=0.2)
    assert float(found.predicted_bias) == pytest.approx(bias, rel=1e-6, abs=1e-15)
    lo, hi = found.error_interval
    assert lo * 0.8 <= float(found.predicted_error) <= hi * 1.2


def test_rounding_in_the_backward_pass():
    step = 64 / 255
    found = predicted(
        "{at: f2, pass: backward, model: number_format, format: uniform, bits: 8, low: -32, "
        "high: 32, rounding: nearest}",
        weights="[1/2, 0.3]",
    )
    # v₁ = w₂ = 0.3, and u₁ = v₁x.
    below = np.floor((0.3 + 32) / step) * step - 32
    off = min(0.3 - below, below + step - 0.3)
    assert float(found.predicted_error) == pytest.approx(4 * off**2, rel=1e-6)
    assert float(found.simulated_error) == pytest.approx(4 * off**2, rel=1e-6)


def test_what_remembers_is_not_predicted():
    found = predicted(
        "{at: f1, pass: forward, model: sign, memory: feedback}", mixed(3), GAUSSIAN, "1/2"
    )
    assert found.predicted_error is None
    assert any("remembers earlier steps" in note for note in found.notes)


def test_enlarged_noise_is_the_noise_times_the_factor():
    question = asked(
        BILINEAR,
        perturbations="[{at: f1, pass: forward, model: uniform, low: 1, high: 2, probability: 1/2},"
        "{at: f2, pass: backward, model: gaussian, std: 1, center: 1}]",
    )
    noise = make_noise(question.graph)
    more = enlarged(noise, 3.0)
    for (one, two), (a, b) in [
        (
            noise.draw(stream(1, "check"), 5, 1, (True, True)),
            more.draw(stream(1, "check"), 5, 1, (True, True)),
        )
    ]:
        np.testing.assert_allclose(a[1], 3 * one[1])
        np.testing.assert_allclose(b[2], 3 * two[2])
    assert more.mirrors["backward"] == {2: 6.0}
    assert more.mirrors["forward"] is None


def test_an_enlarged_transform_moves_the_value_that_much_further():
    question = asked(
        BILINEAR,
        perturbations="[{at: f1, pass: forward, model: number_format, format: uniform, bits: 8, "
        "low: -32, high: 32, rounding: nearest}]",
    )
    noise = make_noise(question.graph)
    value, rng = np.array([[[0.6]]]), stream(0, "check")
    once = noise.samplers[0](rng, value, None, rng) - value
    thrice = enlarged(noise, 3.0).samplers[0](rng, value, None, rng) - value
    np.testing.assert_allclose(thrice, 3 * once)
    assert abs(once[0, 0, 0]) > 1e-3


def test_moments_alone_are_measured_but_not_simulated():
    found = predicted("{at: f1, pass: forward, rms: 1/10, mean: 0}")
    assert float(found.predicted_error) == pytest.approx(1 / 100, rel=1e-6)
    assert found.simulated_error is found.error_interval is None
    assert found.scale is not None
    assert any("not checked by simulation" in note for note in found.notes)
    assert any("without perturbations" in note for note in found.notes)


def test_a_mean_of_unknown_direction_predicts_nothing():
    found = predicted("{at: f1, pass: forward, rms: 1/10, mean: 1/20}")
    assert found.predicted_error is found.predicted_bias is found.scale is None
    assert float(found.sites[0].measured) == pytest.approx(1.0)
    assert any("unknown direction" in note for note in found.notes)


def test_a_spec_without_perturbations_is_measured_all_the_same():
    found = calibrate(asked(BILINEAR), section(), proved_scale=None)
    assert found.predicted_error is None
    assert [float(site.measured) for site in found.sites] == pytest.approx([1.0, 4.0])


def test_the_proved_scale_stands_beside():
    number = Number(Fraction(1, 3), Status.PROVED, limit=True)
    found = calibrate(asked(BILINEAR), section(), proved_scale=number)
    assert found.proved_scale is number


def test_progress_rises_to_the_end():
    seen = []
    calibrate(
        asked(BILINEAR),
        section(iterates=[0, 1]),
        proved_scale=None,
        progress=lambda done, total: seen.append(done / total),
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_an_interrupt_is_not_swallowed():
    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(asked(BILINEAR), section(), proved_scale=None, progress=stop)


def without(question, **update):
    spec = question.graph.spec.model_copy(update=update)
    return replace(question, graph=replace(question.graph, spec=spec))


def test_a_spec_without_simulation_is_refused():
    with pytest.raises(SpecError, match="no `simulation`"):
        calibrate(without(asked(BILINEAR), simulation=None), section(), proved_scale=None)


def test_operators_by_constants_are_refused_with_their_place():
    operators = """
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1,
       third_input: 1, third_mixed: 1}}"""
    with pytest.raises((SimulationError, SpecError)) as caught:
        calibrate(asked(operators), section(), proved_scale=None)
    assert "f2" in str(caught.value) or "operators[1]" in str(caught.value)


def test_too_much_work_and_too_long_a_run_are_refused(monkeypatch):
    question = asked(BILINEAR)
    monkeypatch.setattr(survey, "MAX_WORK", 10)
    with pytest.raises(SimulationError, match="too large"):
        calibrate(question, section(), proved_scale=None)
    monkeypatch.setattr(iterates, "MAX_STEPS", 9)
    with pytest.raises(SimulationError, match="too long"):
        calibrate(question, section(), proved_scale=None)


def test_a_diverging_run_leaves_iterates_out_or_is_refused():
    question = asked(
        """
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: squared, region: {input: 99}}""",
        data="points: [[30]]",
    )
    training = question.graph.spec.training
    wild = training.model_copy(update={"step_size": bc.loads(WILD).training.step_size})
    wild = wild.model_copy(update={"horizon": 200})
    with np.errstate(all="ignore"):
        found = calibrate(
            without(question, training=wild), section(iterates=[0, 1]), proved_scale=None
        )
        assert found.iterates == (0,)
        assert any("the run diverged" in note for note in found.notes)
        with pytest.raises(SimulationError, match="diverged before the first"):
            calibrate(without(question, training=wild), section(iterates=[1]), proved_scale=None)


WILD = """
version: 1
name: wild
graph: {operators: [{id: a}, {id: b}]}
training: {step_size: 100000, horizon: 200}
"""
