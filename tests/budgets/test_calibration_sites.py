"""Sensitivities of single sites against closed forms, and what their intervals promise."""

import math
from dataclasses import replace

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.budgets.calibration import calibrate, measured_coefficients
from boundcalc.budgets.calibration.estimates import mean_of, squared_mean_of
from boundcalc.budgets.calibration.iterates import trained_iterates
from boundcalc.budgets.calibration.point import Point, typical_sizes
from boundcalc.budgets.calibration.probes import Probes, respond
from boundcalc.budgets.question import question
from boundcalc.resources import example
from boundcalc.spec.budget import CalibrationSection
from boundcalc.spec.expressions import exact

LOSS = "loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}"


def asked(operators, *, data="points: [[2]]", weights="1/2", perturbations="[]", more="", seed=4):
    return question(
        bc.build(
            bc.loads(f"""
version: 1
name: calibrated
graph:
  operators:
{operators}
{LOSS}
perturbations: {perturbations}
training: {{step_size: 1/100, horizon: 10}}
simulation: {{data: {{{data}}}, initial_weights: {weights}, seed: {seed}, replicas: 2{more}}}
budget: {{tolerance: 1/10}}
""")
        )
    )


def section(**keys):
    if "size" in keys:
        keys["size"] = exact(keys["size"])
    return CalibrationSection(**{"iterates": [0.0], **keys})


def measure(question, **keys):
    found = calibrate(question, section(**keys), proved_scale=None)
    return {f"{site.direction}:{site.label}": site for site in found.sites}


BILINEAR = """
    - {id: f1, type: bilinear, region: {weight: 9}}
    - {id: f2, type: bilinear, region: {input: 99, weight: 9}}"""

PRODUCT = """
    - {id: f1, type: dense, units: 3, bias: false, region: {weight: 9}}
    - {id: f2, type: quadratic_cost, diagonal: [1, 2, 4], region: {input: 99}}"""


def test_a_bilinear_chain_has_its_jacobians_and_no_curvature():
    # u = (w₂x, y₁): δ moves u₂ by δ, ε moves u₁ by xε.
    found = measure(asked(BILINEAR, weights="[1/2, 1/4]"))
    assert float(found["forward:f1"].measured) == pytest.approx(1.0, rel=1e-9)
    assert float(found["backward:f2"].measured) == pytest.approx(4.0, rel=1e-9)
    assert float(found["forward:f1"].measured_bias) == 0.0
    lo, hi = found["forward:f1"].bias_interval
    assert lo == 0.0
    assert hi < 1e-15


def test_a_matrix_has_its_frobenius_norm_and_its_worst_direction_its_spectral_norm():
    # y₁ = Wx, loss ½yᵀDy, u = (Dy) xᵀ: δ moves u by (Dδ) xᵀ; ‖u‖_F = ‖Dδ‖ ‖x‖.
    question = asked(PRODUCT, data="points: [[3, 4]]")
    for probes, exactly in ((8, True), (64, True)):
        site = measure(question, probes=probes)["forward:f1"]
        assert float(site.measured) == pytest.approx(25 * (1 + 4 + 16) / 3, rel=1e-9)
        assert float(site.measured_worst) == pytest.approx(25 * 16, rel=1e-9)
        assert site.worst_exact is exactly
    assert float(site.proved) >= 25 * 16


def mixed(units):
    """Sines whose sums are squared: neither JᵀJ nor second derivatives are diagonal."""
    return f"""
    - {{id: f1, type: dense, units: {units}, bias: false, region: {{weight: 9}}}}
    - {{id: f2, type: sine}}
    - {{id: f3, type: dense, units: 2, region: {{input: 99, weight: 9}}}}
    - {{id: f4, type: quadratic_cost, diagonal: [1, 2], region: {{input: 99}}}}"""


def literal_derivatives(question, site_index, features, w, h=1e-4):
    """Columns of J and second derivatives at one forward site, one component at a time."""
    found = trained_iterates(question.graph, section(), lambda done: None)
    point = Point(found.program, w, features, np.zeros(len(features)))
    size = question.graph.nodes[site_index - 1].outputs
    columns, seconds = [], []
    for i in range(size):
        shift = np.zeros((1, len(features), size))
        shift[..., i] = h
        plus, minus = (
            point._moved({site_index: sign * shift}, {}) - point.clean for sign in (1.0, -1.0)
        )
        columns.append((plus - minus)[0] / (2 * h))
        seconds.append((plus + minus)[0] / h**2)
    return np.array(columns), np.array(seconds)


def test_curvature_against_one_component_at_a_time():
    question = asked(mixed(4), data="generator: gaussian, samples: 3, dimension: 2, seed: 1")
    found = trained_iterates(question.graph, section(), lambda done: None)
    w = found.weights[0]
    columns, seconds = literal_derivatives(question, 1, found.features[found.rows], w)
    sites = measure(question)
    site = sites["forward:f1"]
    frobenius = np.sum(columns**2, axis=(0, 2)) / 4
    bends = np.sum((seconds.sum(axis=0) / 8) ** 2, axis=-1)
    assert float(site.measured) == pytest.approx(frobenius.max(), rel=1e-5)
    assert float(site.measured_bias) == pytest.approx(bends.max(), rel=1e-4)
    assert float(site.measured_bias) > 1e-3
    worst = max(np.linalg.norm(columns[:, m], 2) ** 2 for m in range(3))
    assert float(site.measured_worst) == pytest.approx(worst, rel=1e-5)


def test_logistic_regression_has_the_derivatives_of_the_sigmoid():
    # f₁ = −y hᵀw, u = −y h σ(f₁): c = σ'(f₁)²‖h‖², d = (σ''(f₁)/2)²‖h‖², backward c = ‖h‖².
    question = asked(
        """
    - {id: f1, type: margin}
    - {id: f2, type: softplus}""",
        data="generator: logistic, samples: 40, dimension: 3, seed: 2",
        weights="1",
    )
    found = trained_iterates(question.graph, section(samples=6), lambda done: None)
    h, y = found.features[found.rows], found.labels[found.rows]
    s = 1 / (1 + np.exp(y * (h @ found.weights[0])))
    first, second = s * (1 - s), s * (1 - s) * (1 - 2 * s)
    norms = np.sum(h**2, axis=1)
    sites = measure(question, samples=6)
    forward, backward = sites["forward:f1"], sites["backward:f2"]
    assert float(forward.measured) == pytest.approx(np.max(first**2 * norms), rel=1e-5)
    assert float(forward.measured_bias) == pytest.approx(np.max(second**2 / 4 * norms), rel=1e-5)
    assert float(backward.measured) == pytest.approx(norms.max(), rel=1e-12)
    assert forward.interval[0] <= np.max(first**2 * norms) <= forward.interval[1]
    assert forward.bias_interval[0] <= np.max(second**2 / 4 * norms) <= forward.bias_interval[1]


def test_the_largest_over_iterates_and_samples_is_reported():
    question = asked(BILINEAR, data="points: [[1], [3], [2]]", weights="[1/2, 1/4]")
    found = calibrate(question, section(iterates=[0.0, 1.0], samples=3), proved_scale=None)
    assert found.iterates == (0, 10)
    # ‖∂u/∂ε‖² = x².
    assert float(found.sites[1].measured) == pytest.approx(9.0, rel=1e-9)


def test_random_signs_estimate_what_coordinates_give():
    question = asked(mixed(12), data="generator: gaussian, samples: 2, dimension: 2, seed: 1")
    every = measure(question, probes=12)["forward:f1"]
    some = measure(question, probes=8)["forward:f1"]
    assert every.worst_exact
    assert not some.worst_exact
    assert some.interval[0] < float(every.measured) < some.interval[1]
    assert some.interval[1] - some.interval[0] > 0.01 * float(every.measured)
    assert float(some.measured_worst) <= float(every.measured_worst) * (1 + 1e-9)
    lo, hi = some.bias_interval
    assert lo <= float(every.measured_bias) <= hi


@pytest.mark.parametrize(("size", "wanted"), [(3, 8), (9, 8)])
def test_every_probe_moves_components_by_one_times_the_step(size, wanted):
    probes = Probes(size, wanted, 0)
    (block,) = probes.blocks(0, 100)
    np.testing.assert_allclose(np.sum(block**2, axis=1), 1.0)
    moved = np.abs(block * probes.stretch)
    np.testing.assert_allclose(moved[moved > 0], 1.0)


def test_batches_are_independent_and_blocks_do_not_matter():
    some = Probes(200, 96, 3)
    (whole,) = some.blocks(4, 100)
    np.testing.assert_array_equal(whole, np.concatenate(list(some.blocks(4, 2))))
    assert not np.array_equal(whole, next(some.blocks(5, 100)))


def test_intervals_cover_as_often_as_they_say():
    question = asked(mixed(12), data="points: [[1, -1]]")
    found = trained_iterates(question.graph, section(), lambda done: None)
    point = Point(found.program, found.weights[0], found.features, found.labels)
    step = 1e-3 * typical_sizes(found)[1]
    exactly = respond(point, ("forward", 1), Probes(12, 12, 0), step)
    c = float(exactly.squares[0, 0])
    d = float(np.sum(exactly.bends[0, 0] ** 2))
    runs, hits, bias_hits = 80, 0, 0
    for seed in range(runs):
        got = respond(point, ("forward", 1), Probes(12, 8, seed), step)
        error = mean_of(got.squares, got.square_slack, 0.9)
        bias = squared_mean_of(got.bends, got.bend_slack, 0.9)
        hits += bool(error.lo[0] <= c <= error.hi[0])
        bias_hits += bool(bias.lo[0] <= d <= bias.hi[0])
    # A binomial count of 80 at 0.9 lies in [62, 79] but for two times in a thousand.
    assert 62 <= hits <= 79
    assert 62 <= bias_hits <= 79


def test_squared_means_are_estimated_without_bias():
    rng = np.random.default_rng(0)
    mean = np.array([0.3, -0.4])
    found = [
        squared_mean_of(mean + rng.standard_normal((32, 1, 2)), np.zeros(1), 0.9)
        for _ in range(2000)
    ]
    covered = np.mean([e.lo[0] <= 0.25 <= e.hi[0] for e in found])
    assert 0.84 <= covered <= 0.96
    # ‖mean of 32‖² would be 0.25 + 2/32; values cut off at 0 raise the average by little.
    assert np.mean([e.value[0] for e in found]) == pytest.approx(0.25, abs=0.02)


def test_three_batches_by_hand():
    batches = np.array([[[1.0, 0.0]], [[2.0, 1.0]], [[4.0, -1.0]]])
    found = squared_mean_of(batches, np.zeros(1), 0.9)
    # The mean of the inner products of the pairs: (2 + 4 + 7) / 3.
    assert found.value[0] == pytest.approx(13 / 3)


def test_intervals_allow_for_rounding():
    question = asked(BILINEAR, weights="[1/2, 1/4]")
    found = trained_iterates(question.graph, section(), lambda done: None)
    point = Point(found.program, found.weights[0], found.features, found.labels)
    got = respond(point, ("forward", 1), Probes(1, 8, 0), 1e-3)
    unit = 2.0**-52 * np.linalg.norm(point.clean)
    assert got.bend_slack[0] >= 32 * unit / 1e-6
    assert got.square_slack[0] >= 2 * 32 * unit / 1e-3


def test_a_site_without_influence_has_zero_sensitivity():
    question = asked("""
    - {id: f1, type: dense, units: 2, bias: false, region: {weight: 9}}
    - {id: f2, type: dense, units: 1, bias: false, trainable: false, initial: {normal: 1}}""")
    site = measure(question)["forward:f1"]
    assert float(site.measured) == 0.0
    assert site.interval[0] == 0.0
    assert site.interval[1] < 1e-15
    assert site.ratio is None
    assert float(site.proved) == 0.0


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    operators, data = mixed(12), "generator: gaussian, samples: 9, dimension: 2, seed: 1"
    first, again, other = (
        calibrate(asked(operators, data=data, seed=seed), section(probes=8), proved_scale=None)
        for seed in (4, 4, 5)
    )

    def numbers(found):
        return [(float(s.measured), s.interval, s.bias_interval) for s in found.sites]

    assert numbers(first) == numbers(again)
    assert numbers(first) != numbers(other)


def test_samples_cut_into_pieces_give_the_same_numbers(monkeypatch):
    from boundcalc.budgets.calibration import point, survey

    question = asked(
        mixed(12),
        data="generator: gaussian, samples: 5, dimension: 2, seed: 1",
        perturbations="[{at: f1, pass: forward, model: gaussian, std: 1/50, center: 1/50}]",
    )
    whole = calibrate(question, section(probes=8), proved_scale=None)
    monkeypatch.setattr(survey, "MEMORY", 1)
    monkeypatch.setattr(point, "ELEMENTS", 50)
    cut = calibrate(question, section(probes=8), proved_scale=None)
    for one, other in zip(whole.sites, cut.sites, strict=True):
        assert float(one.measured) == pytest.approx(float(other.measured), rel=1e-9)
        assert one.interval == pytest.approx(other.interval, rel=1e-5)
        if one.measured_bias is not None:
            assert float(one.measured_bias) == pytest.approx(float(other.measured_bias), rel=1e-6)
    assert float(whole.predicted_error) == pytest.approx(float(cut.predicted_error), rel=1e-9)
    assert float(whole.predicted_bias) == pytest.approx(float(cut.predicted_bias), rel=1e-6)


@pytest.mark.parametrize("size", ["1/2", "1/1000"])
def test_truncation_is_inside_the_interval(size):
    question = asked(
        """
    - {id: f1, type: margin}
    - {id: f2, type: softplus}""",
        data="points: [[1, 1]], labels: [1]",
        weights="[1, 1/2]",
    )
    s = 1 / (1 + math.exp(1.5))
    c = (s * (1 - s)) ** 2 * 2
    site = measure(question, size=size)["forward:f1"]
    assert site.interval[0] <= c <= site.interval[1]
    assert (site.interval[1] - site.interval[0] > 0.01 * c) == (size == "1/2")


def test_too_large_a_probe_is_said():
    question = asked(
        """
    - {id: f1, type: margin}
    - {id: f2, type: softplus}""",
        data="points: [[1, 1]], labels: [1]",
        weights="[1, 1/2]",
    )
    found = calibrate(question, section(size=4), proved_scale=None)
    assert any("choose another `size`: forward:f1" in note for note in found.notes)
    small = calibrate(question, section(), proved_scale=None)
    assert not any("choose another" in note for note in small.notes)


SHIPPED = [
    "logistic-nonconvex",
    "logistic-strongly-convex",
    "unrolled-gd",
    "lqc",
    "diamond",
    "siamese",
    pytest.param("mlp-mnist-like", marks=pytest.mark.long),
    pytest.param("transformer-block", marks=pytest.mark.long),
]


@pytest.mark.parametrize("name", SHIPPED)
def test_no_measured_coefficient_of_a_shipped_spec_is_above_the_proved_one(name):
    graph = bc.build(bc.load(example(name)))
    budget = bc.loads(
        "version: 1\nname: x\ngraph: {operators: [{id: a}, {id: b}]}\nbudget: {target: 1000000}\n"
    ).budget
    training = graph.spec.training.model_copy(update={"horizon": 20})
    loss = graph.spec.loss
    if loss.smoothness is None:
        loss = bc.loads(f"version: 1\nname: x\ngraph: {{operators: [{{id: a}}]}}\n{LOSS}\n").loss
    update = {"budget": budget, "training": training, "loss": loss}
    simulation = graph.spec.simulation
    check = simulation.check.model_copy(update={"draws": 64})
    update["simulation"] = simulation.model_copy(update={"check": check})
    graph = replace(graph, spec=graph.spec.model_copy(update=update))
    found = calibrate(
        question(graph),
        section(iterates=[0.0, 1.0], samples=4, probes=16),
        proved_scale=None,
    )
    for site in found.sites:
        slack = 1 + 1e-6
        assert float(site.measured) <= float(site.proved) * slack
        if site.worst_exact:
            assert float(site.measured_worst) <= float(site.proved) * slack
        assert float(site.measured) <= float(site.measured_worst)
        if site.direction == "forward":
            assert float(site.measured_bias) <= float(site.proved_bias) * slack
    assert not any("above the proved" in note for note in found.notes)


def test_measured_coefficients_are_upper_limits_by_site():
    found = calibrate(
        asked(mixed(12), data="points: [[1, -1]]"), section(probes=8), proved_scale=None
    )
    model = measured_coefficients(found)
    assert set(model) == {
        *(f"forward:f{i}" for i in (1, 2, 3)),
        *(f"backward:f{i}" for i in (2, 3, 4)),
    }
    assert model["forward:f1"].error == found.sites[0].interval[1] > float(found.sites[0].measured)
    assert model["forward:f1"].bias == found.sites[0].bias_interval[1]
    assert model["backward:f4"].bias == 0.0
