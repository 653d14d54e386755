"""Factors that depend on the past: what holds, and a counterexample to more."""

import pytest
from theories.shrinkage.shrinkage_specs import quadratic, run

from boundcalc.theories.base import Options
from boundcalc.theories.shrinkage.theory import THEORY

#: w²/2 with q = 1/1000 where |w| > 3: the noise of a step from inside throws it out, and it comes
#: back a thousand steps later.
OWN = {"q": {"depends_on_past": True, "threshold": 3}, "q_min": "1/1000"}
CHANGES = {
    "loss_changes": {"initial_gap": 0, "gradient_noise": 3},
    "training": {"step_size": 1, "horizon": 8_000},
    "simulation": {"initial_weights": [0], "replicas": 32},
}


@pytest.fixture(scope="module")
def graph():
    return quadratic(OWN, **CHANGES)


@pytest.fixture(scope="module")
def answer(graph):
    return THEORY.simulate(graph, Options())


@pytest.fixture(scope="module")
def found(answer):
    return answer.value


def test_the_plain_average_breaks_the_form_with_q_min_under_the_noise(found):
    """2Δ₀/(Kμq_min) + Lμ(σ² + σ_e²/q_min) = 9 is below the average of all gradients."""
    assert found.metrics["gradient_average"].lo > 9


def test_the_weighted_average_does_not(found):
    assert found.metrics["gradient_q_weighted"].hi < 9


def test_both_forms_are_verified(graph, answer):
    verdicts = THEORY.verify(graph, Options(), answer).value
    assert verdicts.ok
    assert [v.family for v in verdicts.verdicts] == [
        "Nonconvex",
        "Nonconvex, weighted by q",
        "PL",
    ]
    assert float(verdicts.verdicts[1].bound) == pytest.approx(9)
    assert float(verdicts.verdicts[0].bound) == pytest.approx(9000)


def test_without_a_threshold_large_gradients_are_shortened():
    own = {"q": {"depends_on_past": True}, "q_min": "1/4", "compensation": True}
    found = run(quadratic(own))
    met = found.more.run.shrinking.met
    norm = found.more.run.trajectory.gradient_norm[:-1]
    assert ((norm > 1) == (met == 0.25)).all()
    assert set(met.ravel()) == {0.25, 1.0}
