"""Every way in which a simulation says nothing about a bound, and what is said then."""

from dataclasses import replace

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.arithmetic import Number, Status
from boundcalc.simulate.statistics import t_quantile
from boundcalc.theories.perturbed.families import FAMILIES
from boundcalc.verify import verify
from boundcalc.verify.judging import judge
from boundcalc.verify.rare import acting_share, rare_along

TEXT = """
version: 1
name: small
graph: {operators: [{id: f1, type: margin}, {id: f2, type: softplus}]}
loss: {smoothness: 1PL, initial_gap: log(2), gradient_noise: sqrt(2)/100, batch: 40}
perturbations: [PERTURBATION]
training: {step_size: 1/10, horizon: 60MORE}
simulation:
  data: {generator: logistic, samples: 40, dimension: 2}
  replicas: 4
  noise: {kind: gaussian, std: 1/100}
  check: {samples: 4, draws: 2048}
  confidence: 0.95
"""
PERTURBATION = "{at: f1, pass: forward, model: uniform, half_width: 1/10}"


#: Of one size: the error is the same in every draw, and the bound on it is attained.
CONSTANT_SIZE = "{at: f1, pass: forward, model: two_point, magnitude: 1/10}"

SHARP = {"sharp": FAMILIES["sharp"]}


def graph_of(perturbation=PERTURBATION, more="", simulation="", pl=""):
    text = TEXT.replace("PERTURBATION", perturbation).replace("MORE", more)
    return bc.build(bc.loads(text.replace("PL", pl) + simulation))


def verified(graph, run=None, families=SHARP):
    return verify(graph, run=run, families=families)


@pytest.fixture(scope="module")
def graph():
    return graph_of()


@pytest.fixture(scope="module")
def run(graph):
    return bc.simulate(graph)


def along(verdicts):
    return {v.claim: v for v in verdicts.verdicts if " at step " not in v.claim}


def at_iterates(verdicts):
    return [
        (v.claim, v.status, v.ci, v.detail) for v in verdicts.verdicts if " at step " in v.claim
    ]


def test_the_claims_of_a_spec_share_its_confidence(graph, run):
    verdicts = verify(graph, run=run)  # all families
    # Error and bias at two iterates, and the average along the run; three families each.
    assert verdicts.claims == 5
    assert len(verdicts.verdicts) == 15
    assert verdicts.confidence == 0.95
    assert verdicts.each_confidence == pytest.approx(1 - 0.05 / 5)
    metric = run.metrics["mean_squared_gradient"]
    spread = np.mean(run.trajectory.gradient_norm[:-1] ** 2, axis=0).std(ddof=1) / 2
    half = t_quantile(3, 1 - 0.05 / 5) * spread
    assert along(verdicts)["nonconvex"].ci == pytest.approx(
        (metric.mean - half, metric.mean + half)
    )
    one = next(v for v in verdicts.verdicts if v.claim == "error at step 0")
    plain = run.checks[0].error_hi.max()
    assert one.ci[1] > plain


def test_fewer_claims_have_shorter_intervals(graph, run):
    few = verified(graph, run=replace(run, checks=()))
    assert few.claims == 1
    assert along(few)["nonconvex"].ci[1] < along(verified(graph, run=run))["nonconvex"].ci[1]


def test_other_families_do_not_make_intervals_longer(graph, run):
    sharp = verified(graph, run)
    assert sharp.claims == 5
    assert along(sharp)["nonconvex"].ci == along(verify(graph, run=run))["nonconvex"].ci


def test_a_bound_inside_the_longer_interval_is_undetermined(graph, run):
    verdicts = verified(graph, run=run)
    bound = float(along(verdicts)["nonconvex"].bound)
    metric = run.metrics["mean_squared_gradient"]
    half = metric.hi - metric.mean
    # On its own the interval ends just below the bound; as one of five it does not.
    near = replace(metric, mean=bound - 1.01 * half, lo=bound - 2.01 * half, hi=bound - 0.01 * half)
    moved = replace(run, metrics={**run.metrics, "mean_squared_gradient": near})
    found = [v for v in verified(graph, run=moved).verdicts if v.claim == "nonconvex"]
    tightest = min(found, key=lambda v: float(v.bound))
    assert tightest.status == "undetermined"
    assert "inside the confidence interval" in tightest.detail


def test_a_replica_that_diverged_leaves_the_run_open_even_if_it_came_back():
    graph = graph_of(pl=", pl: 1/1000")
    run = bc.simulate(graph)
    sound = verified(graph, run)
    assert {v.status for v in along(sound).values()} == {"holds"}
    trajectory = replace(run.trajectory, diverged=np.array([-1, 30, -1, 12]))
    verdicts = verified(graph, run=replace(run, trajectory=trajectory))
    for claim in ("nonconvex", "pl"):
        found = along(verdicts)[claim]
        assert found.status == "undetermined"
        assert "2 of 4 replicas diverged, the first one at step 12" in found.detail
    assert at_iterates(verdicts) == at_iterates(sound)


def test_two_replicas_are_few_and_say_little(graph, run):
    two = replace(run.metrics["mean_squared_gradient"], degrees=1, lo=-1.0, hi=3.0, mean=1.0)
    found = verified(graph, run=replace(run, metrics={**run.metrics, "mean_squared_gradient": two}))
    lo, hi = along(found)["nonconvex"].ci
    # t_1 is Cauchy's law: a fifth of the risk is five times the length, nearly.
    assert (hi - lo) / 4 == pytest.approx(5, rel=0.02)


def test_thinned_records_leave_averages_over_all_steps_unchecked():
    verdicts = verified(graph_of(simulation="  record: {every: 7}\n", pl=", pl: 1/1000"))
    assert set(along(verdicts)) == {"pl"}
    ((claim, family, reason),) = [s for s in verdicts.skipped if s[0] == "nonconvex"]
    assert (claim, family) == ("nonconvex", "all")
    assert "one step in 7 was recorded" in reason
    assert "record: {every: 1}" in reason
    assert verdicts.claims == 5


def test_single_precision_needs_its_rounding_error(graph, run):
    single = replace(run, precision="float32")
    bare = along(verified(graph, run=single))
    assert bare["nonconvex"].status == "undetermined"
    assert "its rounding error was not measured" in bare["nonconvex"].detail
    assert at_iterates(verified(graph, run=single)) == at_iterates(verified(graph, run=run))

    def with_error(error):
        metrics = {name: metric.rounded(error) for name, metric in run.metrics.items()}
        return along(verified(graph, run=replace(single, metrics=metrics)))["nonconvex"]

    plain = along(verified(graph, run=run))["nonconvex"]
    small = with_error(1e-6)
    assert small.status == "holds"
    assert small.ci == pytest.approx((plain.ci[0] - 1e-6, plain.ci[1] + 1e-6), rel=1e-12)
    assert with_error(10.0).status == "undetermined"
    assert with_error(float("nan")).status == "undetermined"


def test_a_perturbation_too_rare_to_be_seen_is_not_verified():
    rare = PERTURBATION.replace("}", ", probability: 1/100000}")
    graph = graph_of(rare)
    verdicts, share = verified(graph), acting_share(graph.perturbations[0], graph)
    assert {v.status for v in verdicts.verdicts} == {"undetermined"}
    at = next(v for v in verdicts.verdicts if v.claim == "error at step 0")
    assert f"about {share * 2048:.2g} of 2048" in at.detail
    assert "raise `simulation.check.draws` to" in at.detail
    # 4 replicas · 60 steps · 40 samples
    times = f"about {share * 9600:.2g} times in the whole run"
    assert times in along(verdicts)["nonconvex"].detail


@pytest.mark.parametrize(
    ("probability", "draw", "seen"),
    [("1/12", "", True), ("1/80", "", False), ("1/12", ", draw: per_batch", False)],
)
def test_three_hundred_events_in_a_run_are_enough(probability, draw, seen):
    # 9 600 draws of their own, or 240 shared by the samples of a step.
    rare = PERTURBATION.replace("}", f", probability: {probability}{draw}}}")
    found = along(verified(graph_of(rare)))["nonconvex"]
    assert (found.status == "holds") == seen, found.detail


@pytest.mark.parametrize(("noise", "times"), [("gaussian, std: 1/100", 9600), ("minibatch", 2400)])
def test_a_step_has_as_many_draws_as_samples_in_its_batch(noise, times):
    text = TEXT.replace("batch: 40", "batch: 10").replace("gaussian, std: 1/100", noise)
    rare = PERTURBATION.replace("}", ", probability: 1/100000}")
    text = text.replace("PERTURBATION", rare).replace("MORE", "").replace("PL", "")
    graph = bc.build(bc.loads(text))
    share = acting_share(graph.perturbations[0], graph)
    assert f"about {share * times:.2g} times" in rare_along(bc.simulate(graph))


@pytest.mark.parametrize(
    ("law", "share"),
    [
        ("model: uniform, half_width: 3", 5 / 9),
        ("model: two_point, magnitude: 1", 1),
        ("model: two_point, low: 0, high: 5, p_high: 1/1000", 1 / 1000),
        ("model: constant, value: 2, probability: 1/50", 1 / 50),
        ("model: gaussian, std: 0", 1),
        ("model: bit_flip, format: fp16, rate: 1e-6, reach: {low: -50, high: 50}", 1.6e-5),
        ("model: sparsify, keep: 1/200, reach: {low: -50, high: 50}", 1 / 200),
    ],
)
def test_rare_values_inside_a_law_are_found(law, share):
    graph = graph_of("{at: f1, pass: forward, " + law + "}")
    assert acting_share(graph.perturbations[0], graph) == pytest.approx(share, rel=1e-4)


def test_a_schedule_that_never_acts_is_not_rare():
    never = PERTURBATION.replace("}", ", probability: 1/100000, steps: [60]}")
    verdicts = verified(graph_of(never))
    assert along(verdicts)["nonconvex"].status == "holds"


@pytest.mark.parametrize(
    ("more", "said"),
    [(", optimizer: adam", "`training.optimizer` is adam"), (", clip: 1/2", "`training.clip`")],
)
def test_other_methods_than_sgd_have_no_rates_but_are_checked_at_iterates(more, said):
    verdicts = verified(graph_of(perturbation=CONSTANT_SIZE, more=more))
    assert along(verdicts) == {}
    assert {v.status for v in verdicts.verdicts} == {"holds"}
    assert len(at_iterates(verdicts)) == verdicts.claims == 4
    reasons = {s[2] for s in verdicts.skipped if "nonconvex" in s[0]}
    assert len(reasons) == 1
    assert said in reasons.pop()


def test_a_reason_outweighs_the_interval_and_a_premise_outweighs_the_reason():
    one = Number(1, Status.COMPUTED)
    low, high = np.array([0.1]), np.array([0.2])
    assert judge(one, low, high, 0.0, [], "few") == ("undetermined", "few")
    assert judge(one, low + 5, high + 5, 0.0, [], "few") == ("undetermined", "few")
    assert judge(one, low, high, 0.0, []) == ("holds", "")
