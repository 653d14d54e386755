"""Statements against runs: what holds, what is violated, and what nobody can say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed_specs import COMPRESSED, REGISTRY, SIGN, graph

import boundcalc as bc
from boundcalc.arithmetic import Number, Status
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.simulate.statistics import mean_interval
from boundcalc.theories.base import Options
from boundcalc.theories.distributed.premises import premises
from boundcalc.theories.distributed.rate import DistributedRate
from boundcalc.theories.distributed.settings import plan_of
from boundcalc.theories.distributed.theory import THEORY, DistributedTheory
from boundcalc.theories.plain import jsonable
from boundcalc.theories.registry import build_for
from boundcalc.theories.values import Answer
from boundcalc.theories.verdicts import TheoryVerdicts

SPECS = Path(__file__).parents[3] / "specs"
CUT = COMPRESSED | {"sigma0": 1, "sigma1": "1/4", "truncation": 3, "epsilon": "1/10"}
RUN = "{step_size: 1/10, horizon: 60}"


def verdicts(found: OperatorGraph, run: Answer | None = None) -> TheoryVerdicts:
    value: TheoryVerdicts = THEORY.verify(found, Options(), run).value
    return value


def quartic(section: dict[str, Any], *, replicas: int = 128, **changes: Any) -> OperatorGraph:
    found = graph(section, **({"training": RUN} | changes), simulation=True)
    simulation = found.spec.simulation
    assert simulation is not None
    spec = found.spec.model_copy(
        update={"simulation": simulation.model_copy(update={"replicas": replicas})}
    )
    return build_for(spec, theories=REGISTRY)


QUADRATIC = """
version: 1
name: quadratic
theory: distributed
graph: {{operators: [{{id: f, type: square, bias: true, scale: 1/2}}]}}
loss: {{initial_gap: 8}}
distributed: {{agents: 2, L0: 1, L1: 0, dimension: 1, {more}}}
training: {{step_size: {step}, horizon: 40}}
simulation: {{data: {{points: [[0]]}}, initial_weights: [4], replicas: {replicas}}}
"""


def quadratic(more: str, *, step: str = "1/10", replicas: int = 128) -> OperatorGraph:
    text = QUADRATIC.format(more=more, step=step, replicas=replicas)
    return build_for(bc.loads(text), theories=REGISTRY)


@pytest.mark.parametrize("name", ["quartic-dcsgd", "quartic-dsignsgd-cauchy"])
def test_shipped_specs_hold(name: str) -> None:
    found = build_for(bc.load(SPECS / f"{name}.yaml"), theories=REGISTRY)
    answer = THEORY.verify(found, Options())
    assert answer.exit_code == 0
    (verdict,) = answer.value.verdicts
    assert verdict.bound.status == Status.PROVED
    assert verdict.ci[1] < float(verdict.bound)
    assert answer.value.run.metrics["share_bounded"].mean == 1.0


SETTINGS: dict[str, dict[str, Any]] = {
    "normalised": CUT,
    "falling": CUT | {"schedule": {"type": "normalised", "decay": "inverse_sqrt"}},
    "no noise": CUT | {"sigma0": 0, "sigma1": 0, "epsilon": "1/5"},
    "much noise": CUT | {"sigma0": 5, "sigma1": 0, "truncation": 2, "epsilon": "1/10"},
    "heavy and cut": CUT | {"nu": "3/2", "sigma1": 0},
    "agents differ": CUT | {"agents": 3, "omega": [0, 1, 5], "sigma0": [1, 0, 2], "epsilon": "1/8"},
    "inverse norm": CUT | {"schedule": {"type": "inverse_norm", "offset": 40}},
    "stopped": CUT | {"schedule": {"type": "constant"}, "gradient_bound": 30, "sigma1": 0},
    "sign, Cauchy": SIGN,
    "sign, ν = 1/2": SIGN | {"nu": "1/2", "schedule": {"type": "inverse_sqrt"}},
    "sign, Gaussian": {k: v for k, v in SIGN.items() if k != "nu"} | {"sigma_max": 4},
    "sign, agents differ": SIGN | {"agents": 3, "sigma_max": [9, 0, 1]},
    "sign, little noise": SIGN | {"sigma_max": "1/100"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_every_statement_holds_in_simulation(name: str) -> None:
    step = "1/1000" if name == "stopped" else "1/4" if name == "inverse norm" else "1/20"
    found = quartic(SETTINGS[name], training=f"{{step_size: {step}, horizon: 150}}")
    result = verdicts(found)
    assert [v.status for v in result.verdicts] == ["holds"], [v.detail for v in result.verdicts]
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "more",
    [
        "sigma0: 1",
        "sigma0: 1, sigma1: 1/2",
        "sigma0: 1, nu: 9",
        "algorithm: dcsgd, omega: [1, 4], sigma0: [1, 2], sigma1: [1/2, 0]",
        "sigma0: 0",
    ],
)
@pytest.mark.parametrize("schedule", ["constant", "normalised"])
def test_on_a_quadratic_the_statement_is_an_identity(more: str, schedule: str) -> None:
    """There one step is exact: bound − left side = E f(x_T)/((1 − ½ψc(1+A))θΦ¹)."""
    algorithm = "" if "algorithm" in more else "algorithm: dsgd, "
    text = f"{algorithm}{more}, epsilon: 1/4, schedule: {{type: {schedule}}}"
    found = quadratic(text, step="1/5", replicas=4000)
    statement = THEORY.rate(found).value.statements[0]
    met = THEORY.simulate(found, Options()).value.more.walk
    slack = 8 / float(statement.terms["initial_gap"])
    exact = mean_interval(met.measured["left_side"] + met.loss[-1] / slack, 0.9999)
    bound = float(statement.bound)
    assert exact.lo * (1 - 1e-12) <= bound <= exact.hi * (1 + 1e-12)
    assert exact.hi - exact.lo < 0.05 * bound


class Smaller(DistributedTheory):
    """A theory whose bound is a tenth of what is proved."""

    def rate(self, graph: OperatorGraph) -> Answer:
        answer = super().rate(graph)
        rate: DistributedRate = answer.value
        tenth = tuple(
            replace(s, bound=Number(float(s.bound) / 10, Status.COMPUTED) if s.bound else None)
            for s in rate.statements
        )
        return Answer(replace(rate, statements=tenth), answer.data, answer.blocks)


def test_a_false_bound_is_violated() -> None:
    found = quartic(SIGN)
    answer = Smaller().verify(found, Options())
    assert answer.exit_code == 1
    assert [v.status for v in answer.value.verdicts] == ["violated"]


@pytest.mark.parametrize(
    ("section", "loss", "named"),
    [
        (SIGN | {"L0": 1}, "{initial_gap: 81/4}", "smoothness L0"),
        (SIGN, "{initial_gap: 5}", "initial gap"),
        (CUT | {"L0": 2}, "{initial_gap: 81/4}", "smoothness L0"),
    ],
)
def test_a_premise_that_the_run_refutes_leaves_the_statement_open(
    section: dict[str, Any], loss: str, named: str
) -> None:
    training = "{step_size: 1/10, horizon: 400}"
    result = verdicts(quartic(section, loss=loss, training=training))
    (verdict,) = result.verdicts
    assert verdict.status == "undetermined"
    assert named in verdict.detail
    assert result.exit_code == 3


def test_noise_beyond_its_bound_is_a_broken_premise() -> None:
    found = quartic(SIGN | {"sigma0": 1, "sigma1": "1/2"})
    section, met = THEORY.own(found.spec), THEORY.simulate(found, Options()).value.more
    broken = [p for p in premises(found, section, met) if not p.consistent]
    assert [p.assumption for p in broken] == ["noise"]
    assert broken[0].met == pytest.approx(np.hypot(1, 27 / 2))
    quiet = quartic(SIGN | {"agents": 2, "sigma_max": [3, 1], "sigma0": [3, 1]})
    section, met = THEORY.own(quiet.spec), THEORY.simulate(quiet, Options()).value.more
    assert all(p.consistent for p in premises(quiet, section, met))


def test_runs_that_escape_leave_an_expectation_open_and_their_share_known() -> None:
    found = quadratic("algorithm: dsgd, sigma0: 10, escape: 5, schedule: {type: constant}")
    result = verdicts(found)
    (verdict,) = result.verdicts
    assert verdict.status == "undetermined"
    assert "escaped while the statement counted them" in verdict.detail
    share = result.run.metrics["share_bounded"]
    assert 0 < share.lo < share.mean < 1
    assert result.run.metrics["final_loss"].hi == np.inf
    assert np.isfinite(result.run.metrics["median_final_loss"].hi)


def test_a_sample_that_one_run_makes_up_is_no_evidence() -> None:
    found = quadratic(
        "algorithm: dsgd, sigma0: 1, nu: 21/10, schedule: {type: constant}", replicas=2000
    )
    result = verdicts(found)
    (verdict,) = result.verdicts
    assert verdict.status == "undetermined"
    assert "of the spread" in verdict.detail


def test_what_is_refused_or_about_the_equation_is_named_and_not_judged() -> None:
    cauchy = verdicts(quadratic("algorithm: dsgd, sigma0: 1, nu: 1, schedule: {type: constant}"))
    assert cauchy.verdicts == ()
    assert cauchy.exit_code == 3
    assert "infinite" in cauchy.skipped[0][2]
    equation = verdicts(quartic(CUT))
    assert [skip[1] for skip in equation.skipped] == ["normalised_sde"]


def test_a_given_run_is_judged_and_not_run_again() -> None:
    found = quartic(SIGN)
    run = THEORY.simulate(found, Options())
    assert verdicts(found, run).run is run.value


def test_a_run_tells_its_progress_and_is_plain_data() -> None:
    told: list[tuple[int, int]] = []
    found = quartic(SIGN)
    answer = THEORY.simulate(found, Options(progress=lambda *at: told.append(at)))
    assert told[-1] == (60, 60)
    assert told == sorted(told)
    data = jsonable(answer.data)
    assert data["escape"]["escaped"] == 0
    assert data["escape"]["reach"] == pytest.approx(3 + 60 / 10)
    assert data["metrics"]["share_bounded"]["method"] == "clopper-pearson"
    assert set(data["metrics"]) == {
        "share_bounded",
        "final_loss",
        "median_final_loss",
        "mean_squared_gradient",
        "mean_normalised_gradient",
        "left_side",
    }


def test_no_run_of_sign_steps_leaves_its_reach() -> None:
    met = THEORY.simulate(quartic(SIGN | {"nu": "1/10"}), Options()).value.more
    assert met.walk.largest_distance <= met.reach
    assert met.walk.bounded.all()


@pytest.mark.parametrize(
    ("section", "loss", "expected"),
    [
        ({"L0": 4, "clip": 2, "algorithm": "dsgd", "omega": 0}, 2.0, 3 + 60 * 0.1 * 2),
        ({"clip": 2}, None, None),
        ({"algorithm": "dsgd", "omega": 0}, None, None),
    ],
)
def test_the_reach_is_known_where_steps_are_bounded(
    section: dict[str, Any], loss: float | None, expected: float | None
) -> None:
    found = quartic(COMPRESSED | {"schedule": {"type": "constant"}} | section)
    met = THEORY.simulate(found, Options()).value.more
    assert met.reach == (None if expected is None else pytest.approx(expected))
    assert met.plan.algorithm.agent_clip == (2.0 if "clip" in section else None)


def test_a_plan_is_what_the_section_says() -> None:
    plan = plan_of(found := quartic(CUT), THEORY.own(found.spec))
    # A = [ω + d(1+ω)σ1²]/N; cut at 3σ the factor of the variance is still 1.
    level = (3 + 4 / 16) / 8
    assert plan.steps.numerator == pytest.approx(2 * 0.1 / (1 + level), rel=1e-14)
    assert plan.noise.truncation == 3.0
    assert plan.noise.sigma0.tolist() == [1.0] * 8
    assert plan.escape == 1e6


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"training": "{step_size: 1/10, horizon: 100000000}"}, "too long"),
        ({"training": "{step_size: 1/10, horizon: 2000000}"}, "record"),
    ],
)
def test_runs_that_are_too_large_are_refused(changes: dict[str, str], named: str) -> None:
    with pytest.raises(SpecError, match=named):
        THEORY.simulate(quartic(SIGN, **changes), Options())


def test_a_record_that_is_refused_says_how_to_thin_it() -> None:
    found = quartic(SIGN, training="{step_size: 1/10, horizon: 2000000}")
    with pytest.raises(SpecError) as raised:
        plan_of(found, THEORY.own(found.spec))
    every = int(str(raised.value.fix).split()[2])
    assert 3 * 128 * (2_000_000 // every + 2) <= 60_000_000


def test_a_start_beyond_the_escape_radius_is_refused() -> None:
    with pytest.raises(SpecError, match="start beyond the escape radius"):
        THEORY.simulate(quartic(SIGN | {"escape": 2}), Options())


def test_progress_ends_at_the_end_even_where_all_runs_are_lost_before() -> None:
    told: list[tuple[int, int]] = []
    wild = quartic(
        COMPRESSED | {"schedule": {"type": "constant"}},
        replicas=3,
        training="{step_size: 5, horizon: 40}",
    )
    answer = THEORY.simulate(wild, Options(progress=lambda *at: told.append(at)))
    assert not answer.value.more.walk.bounded.any()
    assert told[-1] == (40, 40)


def test_without_a_simulation_there_is_no_run() -> None:
    with pytest.raises(SpecError, match="no `simulation` section"):
        THEORY.simulate(graph(SIGN), Options())


@pytest.mark.parametrize("bound", [0, 1, 26])
def test_a_statement_that_counts_no_step_is_undetermined(bound: int) -> None:
    """‖∇f‖ = 27 at the start: the left side is 0, which confirms nothing."""
    section = CUT | {"schedule": {"type": "constant"}, "gradient_bound": bound}
    result = verdicts(quartic(section, training="{step_size: 1/1000, horizon: 60}"))
    (verdict,) = result.verdicts
    assert verdict.status == "undetermined"
    assert "counts no step" in verdict.detail
    assert result.exit_code == 3
