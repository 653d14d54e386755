"""The run of a spec: metrics, premises and verdicts, delayed descent, perturbed pipelines."""

import math
import re

import numpy as np
import pytest
from theories.staleness.staleness_cases import graph_of, parts_of, piped, spec_text
from theories.staleness.test_staleness_pipeline import (
    DATA,
    GAUSSIAN,
    METHODS,
    MINIBATCH,
    PERTURBED,
    QUARTIC,
    ordinary,
)

from boundcalc.errors import SimulationError, SpecError
from boundcalc.theories.base import Options
from boundcalc.theories.plain import jsonable
from boundcalc.theories.staleness.pipeline import PipelineEngine
from boundcalc.theories.staleness.pipeline_setup import make_setup
from boundcalc.theories.staleness.theory import THEORY
from boundcalc.theories.staleness.verify import _ratios

OPTIONS = Options()
ELEMENTWISE = """
  input: {radius: 5}
  operators:
    - {id: f1, type: tanh, bias: true}
    - {id: f2, type: sine, bias: true}
    - {id: f3, type: sigmoid, bias: true}
"""
POINTS = "{points: [[1/2], [1], [-1/3]]}"
LOSS = "loss: {smoothness: 3, initial_gap: 1, gradient_noise: 1/5, batch: 1}"


def bounded(p=(1, 1, 0), m=(4, 2, 0), *, step="1/250", steps=120, method="sgd", more=GAUSSIAN):
    """A chain with constants and everything that a rate needs."""
    text = spec_text(p, m, graph=ELEMENTWISE, step=step, steps=steps, method=method, more=more)
    return text.replace("loss: {batch: 2}", LOSS).replace(DATA, POINTS)


def verdicts_of(text):
    answer = THEORY.verify(graph_of(text), OPTIONS)
    return {(v["claim"], v["family"]): v for v in answer.data["verdicts"]}, answer


def test_every_metric_is_that_of_its_series():
    answer = THEORY.simulate(graph_of(bounded()), OPTIONS)
    run = answer.value
    norm = run.series["gradient_norm"]
    expected = (norm[:-1] ** 2).mean(axis=0)
    assert run.metrics["mean_squared_gradient"].mean == pytest.approx(expected.mean(), rel=1e-12)
    gaps = sum(run.series[f"difference_{k}"][:-1] ** 2 for k in range(3)).mean()
    assert run.metrics["mean_squared_difference"].mean == pytest.approx(gaps, rel=1e-12)
    assert run.metrics["final_loss"].mean == pytest.approx(run.series["loss"][-1].mean())
    assert run.metrics["diverged_share"].mean == 0
    data = jsonable(answer.data)
    assert data["queues"] == {"p": [1, 1, 0], "m": [4, 2, 0], "q": [0, 1, 1]}
    assert [row["delay"] for row in data["blocks"]] == [4, 2, 0]
    assert data["blocks"][2]["distance"] == 0
    assert data["blocks"][0]["distance"] > data["blocks"][1]["distance"] > 0
    assert data["status"] == "sampled"


def test_the_same_seed_gives_the_same_run_and_another_gives_another():
    runs = [
        THEORY.simulate(graph_of(bounded().replace("seed: 7", f"seed: {seed}")), OPTIONS).value
        for seed in (7, 7, 8)
    ]
    same = [np.array_equal(runs[0].series["loss"], run.series["loss"]) for run in runs]
    assert same == [True, True, False]


def test_progress_is_told_to_the_end():
    told = []
    THEORY.simulate(graph_of(bounded()), Options(progress=lambda *pair: told.append(pair)))
    assert told[0] == (0, 125)
    assert told[-1] == (125, 125)


@pytest.mark.parametrize("noise", [GAUSSIAN, MINIBATCH])
@pytest.mark.parametrize("method", ["sgd", "{type: unified_momentum, momentum: 1/2, s: 1}"])
def test_every_statement_holds_on_a_chain_with_constants(noise, method):
    step = "1/250" if method == "sgd" else "1/1000"
    found, answer = verdicts_of(bounded(more=noise, method=method, step=step))
    assert answer.value.ok, [v for v in found.values() if v["status"] != "holds"]
    lemmas = {claim: v for (claim, _), v in found.items() if not claim.startswith("average")}
    assert set(lemmas) == {"Lemma 1", "Lemma 2", "difference by operator", "separable bound"}
    for verdict in lemmas.values():
        assert 0 < verdict["observed"] <= 1
    bounds = sum(claim.startswith("average") for claim, _ in found)
    assert bounds == (5 if method == "sgd" else 2)


def test_the_bound_by_operator_is_within_a_small_factor_of_what_happens():
    """A ratio far below 1 could hide a lost factor."""
    found, _ = verdicts_of(bounded(step="1/20", more=""))
    by_operator = next(v for (claim, _), v in found.items() if claim == "difference by operator")
    assert 0.2 < by_operator["observed"] <= 1


def test_perturbed_passes_must_stay_in_stated_regions():
    """Exact passes stay inside |y| ≤ 1, perturbed ones reach 20."""
    text = """
version: 1
name: perturbed out of the region
theory: staleness
staleness: {queues: {p: [1, 0], m: [3, 1]}}
graph:
  operators:
    - {id: s, type: sine, bias: true}
    - {id: q, type: square, bias: true, scale: 1/2, region: {input: 1, weight: 1/2}}
loss: {smoothness: 10, initial_gap: 10, gradient_noise: 0}
perturbations: [{at: s, pass: forward, model: two_point, magnitude: 20}]
training: {step_size: 1/100000, horizon: 20}
simulation: {data: {points: [[0]]}, replicas: 2}
"""
    found, answer = verdicts_of(text)
    assert answer.exit_code == 3
    assert any("region" in v["detail"] for v in found.values())


def test_a_false_lipschitz_constant_leaves_everything_open():
    text = bounded().replace("{queues:", "{lipschitz: 1/100, error_gradient: 1, queues:")
    text = re.sub(r"smoothness: [^,}]+", "smoothness: 1/100", text)
    found, answer = verdicts_of(text)
    assert answer.exit_code == 3
    assert {v["status"] for v in found.values()} == {"undetermined"}
    assert any("Lemma 2 at this L and M" in v["detail"] for v in found.values())
    assert any("Lipschitz constant L" in v["detail"] for v in found.values())


def test_a_false_error_gradient_and_a_false_noise_are_noticed():
    small = bounded().replace("{queues:", "{lipschitz: 3, error_gradient: 1/2, queues:")
    assert any("error gradient M" in v["detail"] for v in verdicts_of(small)[0].values())
    quiet = bounded().replace("gradient_noise: 1/5", "gradient_noise: 1/10")
    found, _ = verdicts_of(quiet)
    for (claim, _), verdict in found.items():
        average = claim.startswith("average")
        assert verdict["status"] == ("undetermined" if average else "holds")


def test_a_thinned_record_makes_no_claim_about_averages():
    found, answer = verdicts_of(bounded(more=GAUSSIAN + "  record: {every: 5}\n"))
    assert not any(claim.startswith("average") for claim, _ in found)
    assert any("one step in 5" in skipped["reason"] for skipped in answer.data["skipped"])
    assert answer.exit_code == 0


def test_what_is_above_the_limit_is_skipped_with_the_reason():
    _, answer = verdicts_of(bounded(step="1/5"))
    reasons = [skipped["reason"] for skipped in answer.data["skipped"]]
    assert any("above the limit" in reason for reason in reasons)


def test_a_run_that_diverges_says_nothing():
    text = spec_text((0,), (3,), graph=QUARTIC, step=1000, steps=60).replace(
        DATA, "{points: [[0]]}"
    )
    text = text.replace("initial_weights: 1/2", "initial_weights: [3]").replace(
        "loss: {batch: 2}", "loss: {initial_gap: 21, gradient_noise: 0, smoothness: 100}"
    )
    text = text.replace("{queues:", "{lipschitz: 100, error_gradient: 100, queues:")
    answer = THEORY.verify(graph_of(text), OPTIONS)
    assert answer.value.run.metrics["diverged_share"].mean == 1
    assert answer.exit_code == 3
    assert {v["status"] for v in answer.data["verdicts"]} == {"undetermined"}
    jsonable(answer.data)


def test_ratios_forgive_rounding_and_nothing_else():
    left, right = np.array([[[1e-15, 2.0, 1.0, np.nan]]]), np.array([[[0.0, 1.0, 0.0, 1.0]]])
    found = _ratios(left, right, np.full(4, 1e-12))
    assert found[0, 0, 0] == 0
    assert found[0, 0, 1] == 2
    assert found[0, 0, 2] == 1e300
    assert math.isnan(found[0, 0, 3])


DELAYED = """
  operators:
    - {id: f, type: dense, units: 1, bias: false}
    - {id: loss, type: square, scale: 1/2}
"""


def delayed(tau, step, steps):
    """x_{t+1} = x_t − η x_{t−τ}: one block whose loss is differentiated at the older value."""
    text = spec_text((0,), (tau,), graph=DELAYED, step=step, steps=steps)
    text = text.replace(DATA, "{points: [[1]]}").replace("replicas: 3", "replicas: 2")
    return text.replace("initial_weights: 1/2", "initial_weights: [1]")


@pytest.mark.parametrize("tau", [0, 1, 3])
def test_one_block_is_delayed_gradient_descent(tau):
    engine, recorder = piped(graph_of(delayed(tau, "3/10", 60)))
    x = [1.0]
    for t in range(60):
        x.append(x[t] - 0.3 * x[max(0, t - tau)])
    np.testing.assert_allclose(recorder.loss[:, 0], np.square(x) / 2, rtol=1e-9, atol=1e-14)
    assert engine.w[0, 0] == pytest.approx(x[-1], rel=1e-9)


@pytest.mark.parametrize("tau", [1, 2, 3, 4, 5])
def test_delayed_descent_is_stable_below_the_sine_and_unstable_above(tau):
    """ηλ = 2 sin(π/(4τ+2)), to one per cent."""
    limit = 2 * math.sin(math.pi / (4 * tau + 2))
    steps = 450 * (tau + 1)
    for factor, grows in ((0.99, False), (1.01, True)):
        graph = graph_of(delayed(tau, repr(factor * limit), steps))
        engine, size = PipelineEngine(*parts_of(graph)), []
        for _ in range(engine.ticks):
            engine.tick()
            size.append(abs(engine.w[0, 0]))
        third = len(size) // 3
        change = max(size[-third:]) / max(size[third : 2 * third])
        assert change > 1.3 if grows else change < 1 / 1.3


@pytest.mark.parametrize("tau", [1, 2, 5])
def test_every_step_that_a_statement_admits_is_stable(tau):
    text = delayed(tau, "1/1000", 10).replace(
        "loss: {batch: 2}", "loss: {smoothness: 1, initial_gap: 1/2, gradient_noise: 0}"
    )
    text = text.replace("id: f,", "id: f, region: {weight: 2},")
    for statement in THEORY.rate(graph_of(text)).statements:
        limit = float(statement.step_size_limit)
        assert 0 < limit < 2 * math.sin(math.pi / (4 * tau + 2))


@pytest.mark.parametrize("noise", ["", GAUSSIAN, MINIBATCH])
def test_perturbed_passes_without_staleness_are_those_of_the_simulator(noise):
    graph = graph_of(spec_text((0, 0, 0), (0, 0, 0), more=noise + PERTURBED, step="1/20"))
    setup = make_setup(graph, THEORY.own(graph.spec))
    engine, _ = piped(graph, draws=setup.draws)
    assert np.array_equal(engine.w, ordinary(graph)[0])
    assert not np.array_equal(engine.w, piped(graph)[0].w)


ROUNDED = """
perturbations:
  - {at: f1, pass: forward, model: top_k, k: 2, reach: {radius: 10}}
  - at: f2
    pass: backward
    model: rand_k
    k: 3
    scaled: false
    reach: {radius: 10}
    memory: feedback
"""


def test_transforms_act_once_for_every_batch():
    text = spec_text((0, 0, 0), (0, 0, 0), more=ROUNDED, step="1/20")
    text = text.replace("f3, type: dense", "f3, region: {weight: 9}, type: dense")
    graph = graph_of(text)
    setup = make_setup(graph, THEORY.own(graph.spec))
    engine, _ = piped(graph, draws=setup.draws)
    assert np.array_equal(engine.w, ordinary(graph)[0])


@pytest.mark.parametrize("method", METHODS[:2])
def test_a_batchs_draws_do_not_depend_on_the_queues(method):
    """Stale and perturbed: with tiny steps both runs sum the same gradients."""
    text = spec_text((2, 3, 0), (9, 5, 1), more=PERTURBED, step="1e-9", method=method)
    graph = graph_of(text)
    draws = make_setup(graph, THEORY.own(graph.spec)).draws
    engine, _ = piped(graph, draws=draws)
    plain = ordinary(graph_of(text))[0]
    start = parts_of(graph)[0].start
    moved, expected = engine.w - start, plain - start
    assert np.abs(expected).max() > 1e-9
    np.testing.assert_allclose(moved, expected, atol=1e-4 * np.abs(expected).max())
    quiet = piped(graph)[0].w - start
    assert np.abs(quiet - expected).max() > 1e-2 * np.abs(expected).max()


def test_refusals_name_their_place():
    single = bounded().replace("  replicas: 3", "  precision: float32\n  replicas: 3")
    with pytest.raises(SimulationError, match=r"simulation\.precision"):
        THEORY.simulate(graph_of(single), OPTIONS)
    with pytest.raises(SimulationError, match="engine"):
        THEORY.simulate(graph_of(bounded()), Options(engine="compiled"))
    with pytest.raises(SpecError, match="simulation"):
        THEORY.simulate(graph_of(bounded().split("simulation:")[0]), OPTIONS)
    with pytest.raises(SimulationError, match=r"training\.clip"):
        THEORY.simulate(graph_of(bounded().replace("horizon:", "clip: 1, horizon:")), OPTIONS)


def test_queues_that_would_fill_the_memory_are_refused():
    text = bounded((100_000, 1, 0), (300_000, 2, 0)).replace("replicas: 3", "replicas: 1000")
    with pytest.raises(SimulationError, match=r"staleness\.queues") as caught:
        THEORY.simulate(graph_of(text), OPTIONS)
    # 3 samples of 300 002 values in the queues, and the noise of 300 000 batches for 3 weights.
    assert str(1000 * (3 * 300_002 + 3 * 300_000)) in str(caught.value)
    text = bounded(steps=10**6).replace("replicas: 3", "replicas: 30")
    with pytest.raises(SimulationError, match=r"simulation\.record\.every"):
        THEORY.simulate(graph_of(text), OPTIONS)
