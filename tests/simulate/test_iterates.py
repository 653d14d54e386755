"""Error and bias at a fixed iterate against exact values."""

from dataclasses import replace

import numpy as np
import pytest
from programs import graph_of

import boundcalc as bc
from boundcalc.simulate.iterates import check_iterate
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.streams import stream


def linear_graph(model, extra=""):
    """u = (w₂ x, y₁): a shift δ of y₁ moves u₂ by δ, a shift ε of v₁ moves u₁ by ε·x."""
    return bc.build(
        bc.loads(f"""
version: 1
name: bilinear pair
graph:
  operators:
    - {{id: f1, type: bilinear, region: {{weight: 9}}}}
    - {{id: f2, type: bilinear, region: {{input: 99, weight: 9}}}}
perturbations: [{{at: f1, pass: forward, {model}}}{extra}]
training: {{step_size: 1/10, horizon: 2}}
simulation:
  data: {{points: [[2]]}}
  initial_weights: [1/2, 1/4]
""")
    )


def measure(graph, draws=20_000, seed=0):
    program, noise = make_program(graph), make_noise(graph)
    return check_iterate(
        program,
        noise,
        stream(seed, "check"),
        step=0,
        w=np.linspace(0.2, 0.5, program.weights),
        features=graph.data.features,
        labels=graph.data.labels,
        rows=np.arange(len(graph.data.labels)),
        draws=draws,
        confidence=0.9999,
    )


@pytest.mark.parametrize(
    ("model", "error", "bias"),
    [
        ("model: constant, value: 1/4", 1 / 16, 1 / 16),
        ("model: gaussian, std: 1/2, center: 1/3", 1 / 4 + 1 / 9, 1 / 9),
        ("model: uniform, low: 0, high: 1", 1 / 3, 1 / 4),
        ("model: two_point, low: 0, high: 1, p_high: 1/4", 1 / 4, 1 / 16),
        ("model: gaussian, std: 1, center: 1, probability: 1/2", 1, 1 / 4),
    ],
)
def test_a_linear_chain_shows_the_moments_of_its_noise(model, error, bias):
    check = measure(linear_graph(model))
    assert check.error_lo[0] - 1e-12 <= error <= check.error_hi[0] + 1e-12
    assert check.bias_lo[0] - 1e-12 <= bias <= check.bias_hi[0] + 1e-12
    assert check.error_hi[0] - check.error_lo[0] <= 0.2 * error + 1e-12


def test_backward_noise_on_a_linear_chain():
    graph = linear_graph(
        "model: constant, value: 0", ", {at: f2, pass: backward, model: constant, value: 3}"
    )
    check = measure(graph, draws=32)
    assert check.error[0] == pytest.approx(36, rel=1e-13)
    assert check.bias[0] == pytest.approx(36, rel=1e-13)


def test_symmetric_noise_on_a_linear_chain_has_no_bias_at_all():
    check = measure(linear_graph("model: gaussian, std: 1/2"))
    assert abs(check.bias[0]) < 1e-28


@pytest.mark.parametrize("name", ["dense-tanh-dense", "sine-bilinear", "margin-logit"])
def test_mirrored_draws_estimate_the_same_as_plain_ones(name):
    graph = graph_of(name)
    program, noise = make_program(graph), make_noise(graph)
    rows = np.arange(3)
    w = np.linspace(-0.4, 0.7, program.weights)
    args = {
        "step": 0,
        "w": w,
        "features": graph.data.features,
        "labels": graph.data.labels,
        "rows": rows,
        "confidence": 0.999,
    }
    mirrored = check_iterate(program, noise, stream(1, "check"), draws=20_000, **args)
    plain = replace(noise, mirrors={"forward": None, "backward": None})
    unmirrored = check_iterate(program, plain, stream(2, "check"), draws=40_000, **args)
    assert (mirrored.error_lo <= unmirrored.error_hi).all()
    assert (unmirrored.error_lo <= mirrored.error_hi).all()
    assert (mirrored.bias_lo <= unmirrored.bias_hi).all()
    assert (unmirrored.bias_lo <= mirrored.bias_hi).all()


def test_zero_perturbation_gives_zero_to_the_last_bit():
    check = measure(linear_graph("model: gaussian, std: 0"), draws=64)
    assert check.error.tolist() == check.bias.tolist() == [0.0]


def test_intervals_cover_as_often_as_they_say():
    graph = linear_graph("model: gaussian, std: 1/2, center: 1/4")
    program, noise = make_program(graph), make_noise(graph)
    hits = {"error": 0, "bias": 0}
    runs = 200
    for seed in range(runs):
        check = check_iterate(
            program,
            noise,
            stream(seed, "check"),
            step=0,
            w=np.array([0.2, 0.5]),
            features=graph.data.features,
            labels=graph.data.labels,
            rows=np.array([0]),
            draws=640,
            confidence=0.9,
        )
        hits["error"] += check.error_lo[0] <= 5 / 16 <= check.error_hi[0]
        hits["bias"] += check.bias_lo[0] <= 1 / 16 <= check.bias_hi[0]
    # Mirrored draws leave no spread in the bias of a linear chain: only rounding is left.
    assert 0.84 * runs <= hits["error"] <= 0.96 * runs
    assert abs(check.bias[0] - 1 / 16) < 1e-15
