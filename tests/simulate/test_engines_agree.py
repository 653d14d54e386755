"""What a run can have, each in both engines: penalties, sizes of blocks, memory, shared draws."""

import numpy as np
import pytest
from programs import ENGINES

import boundcalc as bc
from boundcalc.errors import SimulationError

pytestmark = pytest.mark.skipif("compiled" not in ENGINES, reason="there is no C compiler")

NETWORK = """
version: 1
name: network
graph:
  operators:
    - {id: f1, type: dense, units: 5, region: {input: 100, weight: 100}}
    - {id: f2, type: tanh, region: {input: 100}}
    - {id: f3, type: dense, units: 3, region: {input: 100, weight: 100}}
    - {id: f4, type: tanh, region: {input: 100}}
    - {id: f5, type: dense, units: 1, region: {input: 100, weight: 100}}
    - {id: f6, type: squared, region: {input: 100}}
perturbations: [PERTURBATIONS]
training: {step_size: STEP, horizon: 12}
simulation:
  data: {generator: gaussian, samples: SAMPLES, dimension: 4, seed: 1}
  replicas: 3
  seed: 7
  initial_weights: 1/3
  check: {draws: 32, samples: 1}
  MORE
"""


def network(*perturbations, samples=40, more="", step_size="1/10"):
    text = NETWORK.replace("PERTURBATIONS", ", ".join(f"{{{p}}}" for p in perturbations))
    for name, value in (("SAMPLES", samples), ("MORE", more), ("STEP", step_size)):
        text = text.replace(name, str(value))
    return bc.build(bc.loads(text))


def both(graph):
    runs = [bc.simulate(graph, engine=engine) for engine in ("numpy", "compiled")]
    assert [run.engine for run in runs] == ["numpy", "compiled"]
    return runs


def agree(graph, tolerance=1e-12):
    """Both runs, after everything along them was found the same to rounding."""
    one, other = both(graph)
    for name in ("loss", "gradient_norm", "final"):
        a, b = getattr(one.trajectory, name), getattr(other.trajectory, name)
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * np.abs(a).max())
    assert one.trajectory.secant == pytest.approx(other.trajectory.secant, rel=1e-5)
    for (_, a), (_, b) in zip(one.transformed, other.transformed, strict=True):
        assert (a.norm, a.low, a.high) == pytest.approx((b.norm, b.low, b.high), rel=1e-9)
    return one, other


@pytest.mark.parametrize("kind", ["squared", "nonconvex"])
def test_penalties(kind):
    runs = agree(network(more=f"regulariser: {{kind: {kind}, strength: 1/5}}"))
    bare, _ = both(network())
    for run in runs:
        assert np.all(run.trajectory.loss[0] > bare.trajectory.loss[0])


@pytest.mark.parametrize("samples", [1, 2, 31, 32, 33, 63, 64, 127, 128, 129, 255])
def test_every_size_of_the_last_block(samples):
    agree(network("at: f1, pass: forward, model: gaussian, std: 1/5", samples=samples))


def test_draws_that_a_batch_shares_at_several_places_of_several_sizes():
    agree(
        network(
            "at: [f1, f3, f4], pass: forward, model: gaussian, std: 1/5, draw: per_batch",
            "at: f1, pass: forward, model: uniform, half_width: 1/5, draw: per_batch, every: 2",
            "at: [f3, f5], pass: backward, model: gaussian, std: 1/5, draw: per_batch",
            "at: f2, pass: forward, model: gaussian, std: 1/5",
        )
    )


@pytest.mark.parametrize("memory", ["", ", memory: feedback", ", memory: difference"])
@pytest.mark.parametrize("samples", [40, 200])
def test_transforms_with_and_without_memory_at_places_of_several_sizes(memory, samples):
    one, _ = agree(
        network(
            f"at: f2, pass: forward, model: top_k, k: 2{memory}",
            f"at: f4, pass: forward, model: rand_k, k: 1, scaled: false{memory}",
            f"at: f5, pass: backward, model: top_k, k: 1{memory}",
            samples=samples,
        )
    )
    met = [reach.norm for _, reach in one.transformed]
    assert len(set(met)) == len(met) == 3  # each place has its own


def test_the_secant_of_small_steps():
    """Steps of 1e-5, which is far above rounding, and far below the weights."""
    one, _ = agree(network(step_size="1/100000"))
    assert one.trajectory.secant > 0


@pytest.mark.parametrize("every", [1, 2, 3])
def test_steps_in_which_nothing_acts(every):
    agree(
        network(
            "at: f1, pass: forward, model: gaussian, std: 1/5, steps: [1, 5, 9]",
            "at: f3, pass: backward, model: gaussian, std: 1/5, steps: [2, 6, 10, 11]",
            more=f"record: {{every: {every}}}",
        )
    )


@pytest.mark.parametrize(
    ("step_size", "strength"),
    # In the second the change of the gradient overflows before that of the weights.
    [("1e40", "1"), ("1e-60", "1e100")],
)
def test_a_run_that_diverges_has_the_secant_and_the_reach_of_its_finite_steps(step_size, strength):
    one, other = both(
        network(step_size=step_size, more=f"regulariser: {{kind: squared, strength: {strength}}}")
    )
    assert (one.trajectory.diverged >= 0).all()
    assert np.array_equal(one.trajectory.diverged, other.trajectory.diverged)
    assert np.isfinite(other.trajectory.secant)
    assert one.trajectory.secant == pytest.approx(other.trajectory.secant, rel=1e-5)
    a, b = (run.trajectory.weight_reach for run in (one, other))
    assert a.norm == pytest.approx(b.norm, rel=1e-9, nan_ok=True)
    assert a.change == pytest.approx(b.change, rel=1e-9, nan_ok=True)


def test_a_value_that_does_not_fit_names_its_format_in_both_engines():
    def rounded(at, most):
        return (
            f"at: {at}, pass: forward, model: number_format, format: uniform, bits: 8, "
            f"low: -{most}, high: {most}, reach: {{low: -{most}, high: {most}}}"
        )

    graph = network(rounded("f2", 100), rounded("f3", "1/1000"))
    for engine in ENGINES:
        with pytest.raises(SimulationError, match="does not fit the format uniform") as caught:
            bc.simulate(graph, engine=engine)
        assert caught.value.expected == "values from -0.001 to 0.001"
