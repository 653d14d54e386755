"""Bounds of transforms held against what is measured."""

import numpy as np
import pytest
from toy_transforms import EVERYWHERE, NETWORKS, inside, network, pair

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.perturbations import TRANSFORMS
from boundcalc.simulate.iterates import check_iterate
from boundcalc.simulate.noise import make_noise
from boundcalc.simulate.program import make_program
from boundcalc.simulate.streams import stream

SIDES = ("forward", "backward")

#: Parameters of every transform of the library, to run it in the networks.
LIBRARY = {
    "bit_flip": "format: fp8_e4m3, rate: 1/20, first: 0",
    "natural": "",
    "number_format": "format: fp8_e4m3",
    "rand_k": "k: 1",
    "sign": "",
    "sparsify": "keep: 1/2",
    "top_k": "k: 1",
}


def test_the_library_is_all_here():
    assert set(LIBRARY) == set(TRANSFORMS)


@pytest.mark.parametrize("model", LIBRARY)
@pytest.mark.parametrize("name", ["chain", "skip"])
def test_every_transform_of_the_library_keeps_its_word(name, model):
    # Flips make values very large: their neighbours would have to hold these, and a run with
    # them would leave the regions of the weights.
    at = "f1" if model == "bit_flip" else "'*'"
    parameters = f", {LIBRARY[model]}" if LIBRARY[model] else ""
    lines = [f"at: {at}, pass: {side}, model: {model}{parameters}" for side in SIDES]
    graph = network(name, *lines, draws=128)
    verdicts = bc.verify(graph)
    sharp = [v for v in verdicts.verdicts if v.family == "sharp" and " at step " in v.claim]
    assert {v.status for v in sharp} == {"holds"}
    assert len(verdicts.run.transformed) == (1 if model == "bit_flip" else len(graph.sites))
    assert all(inside(met, p.reach) for p, met in verdicts.run.transformed)


@pytest.mark.parametrize("name", NETWORKS)
def test_measured_error_and_bias_stay_below_the_sharp_bounds(name):
    graph = network(name, *EVERYWHERE, draws=1024)
    verdicts = bc.verify(graph)
    sharp = [v for v in verdicts.verdicts if v.family == "sharp" and " at step " in v.claim]
    assert len(sharp) == 4
    assert {v.status for v in sharp} == {"holds"}


def test_where_a_bound_is_attained_the_measurement_agrees():
    """f = w₂·y₁ is linear in y₁: the error is E‖δ‖² with |y₁| = R, and halving is all bias."""
    line = "at: f1, pass: forward, model: {}, reach: {radius: 1}"
    for model, moments in (("halving", (1 / 4, 1 / 4)), ("dropping, keep: 1/3", (2.0, 0.0))):
        graph = pair(line.replace("{}", model))
        levels = graph.levels(FLOATS)
        assert (levels.e[1] ** 2, levels.m[1] ** 2) == pytest.approx(moments)
        (check,) = bc.simulate(graph).checks[:1]
        assert check.error_lo[0] - 1e-12 <= moments[0] <= check.error_hi[0] + 1e-12
        assert check.bias_lo[0] - 1e-12 <= moments[1] <= check.bias_hi[0] + 1e-12


def test_no_pass_with_a_transform_is_mirrored():
    noise = make_noise(
        network(
            "chain",
            "at: f1, pass: forward, model: gaussian, std: 1",
            "at: f3, pass: backward, model: gaussian, std: 1",
            "at: f3, pass: backward, model: rounding",
        )
    )
    delta, epsilon = noise.draw(stream(0, "check"), 2, 6, (True,) * 3)
    assert np.array_equal(noise.mirrored("forward", delta)[1], -delta[1])
    assert noise.mirrored("backward", epsilon) is None


def test_a_check_with_mirrored_noise_beside_a_transform_is_unbiased():
    """u₂ = y₁ + δ, u₁ = Q(v₁ + ε)x: mirroring δ must leave the mean of Q as it is."""
    graph = pair(
        "at: f1, pass: forward, model: gaussian, std: 1/2",
        "at: f2, pass: backward, model: dropping, keep: 1/2",
    )
    program, noise = make_program(graph), make_noise(graph)
    check = check_iterate(
        program,
        noise,
        stream(0, "check"),
        step=0,
        w=np.array([0.5, 0.75]),
        features=graph.data.features,
        labels=graph.data.labels,
        rows=np.array([0]),
        draws=20_000,
        confidence=0.9999,
    )
    expected = 1 / 4 + 4 * 0.75**2  # E δ² and x²·E(Q(v) − v)²
    assert check.error_lo[0] <= expected <= check.error_hi[0]
    assert check.bias_lo[0] <= 0 <= check.bias_hi[0]
