"""The simulator against a literal twin, and the statements against the simulator."""

import numpy as np
import pytest
from theories.shrinkage.shrinkage_specs import quadratic, run, two_curvatures, verified

from boundcalc.simulate.streams import stream
from boundcalc.theories.base import Options
from boundcalc.theories.registry import build_for
from boundcalc.theories.shrinkage.theory import THEORY

OWN = {"q": "1/2", "quantization_noise": "3/5"}


def twin(q, noise, sigma, steps, start, seed, replica, curvatures, compensated=False):
    """One replica, step by step, with the same random numbers; the weights after every step."""
    sampling, errors = stream(seed, "sampling", replica), stream(seed, "shrinkage", replica)
    w, curvatures, found = np.array(start, float), np.array(curvatures), []
    root = np.sqrt(len(w))
    for factor, step in zip(q, steps, strict=True):
        g = curvatures * w + sigma / root * sampling.standard_normal(len(w))
        received = factor * g
        if noise:
            received = received + noise / root * errors.standard_normal(len(w))
        w = w - (step / factor if compensated else step) * received
        found.append(w)
    return found


@pytest.mark.parametrize("compensation", [False, True])
@pytest.mark.parametrize("noise", [0, "3/5"])
def test_a_run_equals_its_literal_twin(compensation, noise):
    own = {
        "q": {"pattern": ["1/2", 1, "1/4"]},
        "quantization_noise": noise,
        "compensation": compensation,
        "steps": {"type": "inverse_sqrt"},
    }
    found = run(two_curvatures(own, training={"horizon": 30}, simulation={"replicas": 5}))
    q = [[0.5, 1.0, 0.25][k % 3] for k in range(30)]
    steps = [0.2 / np.sqrt(k + 1) for k in range(30)]
    for replica in range(5):
        path = twin(
            q, 0.6 if noise else 0.0, 1.0, steps, [1, 1], 3, replica, [1, 0.25], compensation
        )
        final = found.more.run.trajectory.final[replica]
        assert final == pytest.approx(path[-1], rel=1e-12)
        gap = [0.5 * (w[0] ** 2 + w[1] ** 2 / 4) for w in path]
        assert found.series["gap"][1:, replica] == pytest.approx(gap, rel=1e-9)


def test_past_factors_equal_their_literal_twin():
    own = {"q": {"depends_on_past": True, "threshold": 1}, "q_min": "1/4"}
    found = run(quadratic(own, training={"horizon": 40}, simulation={"replicas": 3}))
    for replica in range(3):
        sampling, w = stream(3, "sampling", replica), 2.0
        for k in range(40):
            q = 0.25 if abs(w) > 1 else 1.0
            assert found.more.run.shrinking.met[k, replica] == q
            w -= 0.2 * q * (w + sampling.standard_normal())
        assert found.more.run.trajectory.final[replica, 0] == pytest.approx(w, rel=1e-12)


def test_runs_are_the_same_again_and_on_any_number_of_threads():
    graph = quadratic({**OWN, "q": {"segments": [{"q": "1/2", "steps": 9}, {"q": 1, "steps": 1}]}})
    one, two, three = run(graph), run(graph, threads=1), run(graph, threads=2)
    assert one.metrics == two.metrics == three.metrics
    more = run(quadratic(graph.spec.own, simulation={"replicas": 40}))
    assert np.array_equal(more.series["gap"][:, :32], one.series["gap"])


def test_segments_act_at_their_steps():
    own = {"q": {"segments": [{"q": "1/2", "steps": 3}, {"q": "1/4", "steps": 2}]}}
    found = run(quadratic(own, training={"horizon": 7}))
    assert found.more.run.shrinking.factors.tolist() == [0.5] * 3 + [0.25] * 4


def test_the_floor_of_the_quadratic_is_inside_its_interval():
    graph = quadratic(
        OWN, training={"horizon": 2500}, simulation={"replicas": 100, "record": {"every": 50}}
    )
    found = verified(graph)
    assert found.ok
    floor = next(v for v in found.verdicts if v.claim == "floor")
    assert float(floor.bound) == pytest.approx(61 / 950)
    assert floor.ci[0] <= 61 / 950 <= floor.ci[1]
    assert floor.ci[1] - floor.ci[0] < 0.1 * 61 / 950


def test_a_wrong_floor_is_refuted():
    from boundcalc.theories.shrinkage.rate import shrinkage_rate
    from boundcalc.theories.shrinkage.setting import case_of
    from boundcalc.theories.shrinkage.verdicts import verdicts

    graph = quadratic(OWN, training={"horizon": 1500}, simulation={"replicas": 64})
    answer = THEORY.simulate(graph, Options())
    wrong = quadratic({**OWN, "quantization_noise": "1/2"}, training={"horizon": 1500})
    case = case_of(wrong, THEORY.own(wrong.spec))
    found = verdicts(case, shrinkage_rate(case), answer.value)
    floor = next(v for v in found.verdicts if v.claim == "floor")
    assert floor.status == "violated"


def test_a_short_run_leaves_the_floor_undetermined():
    found = verified(quadratic(OWN, training={"horizon": 40}))
    floor = next(v for v in found.verdicts if v.claim == "floor")
    assert floor.status == "undetermined"
    assert "too short" in floor.detail
    assert found.exit_code == 3


@pytest.mark.parametrize(
    "own",
    [
        {"q": {"pattern": ["1/2", "1/4"]}, "quantization_noise": "1/2"},
        {"q": {"segments": [{"q": "1/4", "steps": 90}, {"q": 1, "steps": 1}]}},
        {"q": "1/2", "quantization_noise": "1/2", "compensation": True},
        {"q": {"pattern": ["1/2", "1/4"]}, "quantization_noise": "1/4", "compensation": True},
        {"q": "1/2", "quantization_noise": "1/2", "steps": {"type": "inverse_sqrt"}},
        {"q": "1/2", "steps": {"type": "inverse"}},
        {"q": {"depends_on_past": True}, "q_min": "1/2", "quantization_noise": "1/2"},
    ],
)
def test_every_statement_holds_in_simulation(own):
    found = verified(two_curvatures(own, training={"horizon": 300}, simulation={"replicas": 64}))
    assert found.ok, [(v.family, v.status, v.detail) for v in found.verdicts]
    assert {v.status for v in found.verdicts} == {"holds"}


def test_constants_that_the_run_refutes_leave_it_undetermined():
    for changes in ({"smoothness": "1/2", "pl": "1/4"}, {"initial_gap": "1/2"}, {"pl": "1/2"}):
        found = verified(two_curvatures(OWN, loss_changes=changes))
        assert found.exit_code == 3
        assert all("outside the assumptions" in v.detail for v in found.verdicts)


def test_a_kink_is_no_quadratic_and_has_no_exact_floor():
    """max(w, 0)²/2 has L = m = 1 but another stationary law."""
    found = verified(_kinked())
    reasons = {family: reason for claim, family, reason in found.skipped if claim == "floor"}
    assert "no quadratic" in reasons["exact"]


def _kinked():
    import yaml

    import boundcalc as bc

    text = {
        "version": 1,
        "name": "half a quadratic",
        "theory": "shrinkage",
        "shrinkage": OWN,
        "graph": {
            "operators": [
                {"id": "r", "type": "relu", "bias": True},
                {"id": "f", "type": "square", "scale": "1/2"},
            ]
        },
        "loss": {"smoothness": 1, "pl": 1, "initial_gap": 2, "gradient_noise": 1},
        "training": {"step_size": "1/5", "horizon": 400},
        "simulation": {
            "data": {"points": [[0]]},
            "replicas": 16,
            "initial_weights": [2],
        },
    }
    return build_for(bc.loads(yaml.safe_dump(text)))
