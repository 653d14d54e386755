"""Shortened gradients of perturbed passes."""

from fractions import Fraction

import numpy as np
import pytest
import yaml

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.rates import rates
from boundcalc.theories.base import Options
from boundcalc.theories.registry import build_for
from boundcalc.theories.shrinkage import descent, pl
from boundcalc.theories.shrinkage.rate import shrinkage_rate
from boundcalc.theories.shrinkage.setting import case_of
from boundcalc.theories.shrinkage.theory import THEORY

OPERATORS = [
    {"id": "a", "type": "dense", "units": 1},
    {"id": "f", "type": "square", "scale": "1/2", "region": {"input": 6}},
]


def built(own, perturbations, **loss):
    raw = {
        "version": 1,
        "name": "perturbed and shortened",
        "theory": "shrinkage",
        "shrinkage": own,
        "graph": {"operators": OPERATORS},
        "loss": {"smoothness": 1, "pl": 1, "initial_gap": 2, "gradient_noise": "1/2", **loss},
        "perturbations": perturbations,
        "training": {"step_size": "1/5", "horizon": 200},
        "simulation": {
            "data": {"points": [[0]]},
            "replicas": 32,
            "initial_weights": [0, 2],
        },
    }
    return build_for(bc.loads(yaml.safe_dump(raw)))


def case(graph):
    return case_of(graph, THEORY.own(graph.spec))


def test_terms_are_those_of_theorem_11_7():
    graph = built(
        {"q": "1/2", "quantization_noise": "1/4"},
        [{"at": "a", "pass": "forward", "model": "constant", "value": "1/10"}],
    )
    s = case(graph).at(RATIONALS)
    sharp = rates(graph).nonconvex["sharp"]
    # The rate of perturbed passes at q = 1 has the same B² and V.
    assert s.bias == sharp.terms["perturbation_bias"].value == Fraction(1, 100)
    extra = sharp.terms["sampling"].value + sharp.terms["perturbation_error"].value
    assert s.variance == extra * 5
    mu, q = Fraction(1, 5), Fraction(1, 2)
    noise = mu * (q * s.variance + Fraction(1, 16) / q)
    assert descent.bound(s) == 4 / (200 * mu * q) + s.bias + noise
    assert pl.floor(s) == (s.bias + noise) / 2


SHIFT = [{"at": "a", "pass": "forward", "model": "constant", "value": "1/10"}]


@pytest.mark.parametrize(
    ("own", "form", "factor"),
    [
        ({"q": {"depends_on_past": True}, "q_min": "1/4"}, "plain", 4),
        ({"q": {"depends_on_past": True}, "q_min": "1/4"}, "weighted", 1),
        ({"q": {"depends_on_past": True}, "q_min": "1/4", "compensation": True}, "plain", 1),
        ({"q": {"pattern": ["1/4", "1/2"]}}, "plain", 1),
        ({"q": {"pattern": ["1/4", "1/2"]}}, "least", 1),
        ({"q": {"pattern": ["1/4", "1/2"]}, "steps": {"type": "inverse"}}, "plain", 2),
        ({"q": "1/4", "steps": {"type": "inverse"}}, "plain", 1),
    ],
)
def test_what_becomes_of_the_bias(own, form, factor):
    graph = built(own, SHIFT)
    found, _ = case(graph).evaluated(lambda s: descent.sums(s, form).terms(s)["bias"])
    assert float(found) == pytest.approx(factor / 100, rel=1e-12)


def test_the_bias_in_the_recurrences():
    s = case(built({"q": {"depends_on_past": True}, "q_min": "1/4"}, SHIFT)).at(RATIONALS)
    (step,) = pl.steps(s)
    assert step.added[1] == Fraction(1, 5) * Fraction(1, 100) / 2
    s = case(built({"q": {"pattern": ["1/4", "1/2"]}}, SHIFT)).at(RATIONALS)
    assert [x.added[1] for x in pl.steps(s)] == [Fraction(1, 4000), Fraction(1, 2000)]


def test_there_is_no_exact_floor_with_perturbed_passes():
    assert "without perturbed passes" in shrinkage_rate(case(built({"q": "1/2"}, SHIFT))).exact.why


def test_the_bias_is_not_shortened():
    floors = []
    for q in ("1/100", "1"):
        graph = built(
            {"q": q},
            [{"at": "a", "pass": "forward", "model": "constant", "value": "1/10"}],
            gradient_noise=0,
        )
        floors.append(case(graph).at(RATIONALS).bias)
    assert floors[0] == floors[1] == Fraction(1, 100)


def test_sharp_statements_are_refused_with_a_bias():
    graph = built({"q": "1/2"}, [{"at": "a", "pass": "forward", "model": "constant", "value": 1}])
    found = shrinkage_rate(case(graph)).statements
    assert "unbiased" in found["nonconvex_sharp"].refused
    assert found["pl"].bound is not None


@pytest.mark.parametrize("model", ["constant", "gaussian", "both"])
@pytest.mark.parametrize("q", ["1/2", {"pattern": ["1/4", 1]}, {"depends_on_past": True}])
def test_perturbed_and_shortened_runs_obey_the_bounds(model, q):
    shift = {"at": "a", "pass": "forward", "model": "constant", "value": "1/5"}
    noise = {"at": "a", "pass": "forward", "model": "gaussian", "std": "1/2"}
    chosen = {"constant": [shift], "gaussian": [noise], "both": [shift, noise]}[model]
    graph = built({"q": q, "q_min": "1/4", "quantization_noise": "1/2"}, chosen)
    run = THEORY.simulate(graph, Options())
    found = THEORY.verify(graph, Options(), run).value
    statuses = {v.family: v.status for v in found.verdicts if "sharp" not in v.family}
    assert set(statuses.values()) == {"holds"}
    assert "violated" not in {v.status for v in found.verdicts}


def test_a_shifted_run_settles_where_the_bias_is():
    graph = built(
        {"q": "1/2"},
        [{"at": "a", "pass": "forward", "model": "constant", "value": "1/5"}],
        gradient_noise=0,
    )
    run = THEORY.simulate(graph, Options()).value
    assert np.allclose(run.more.run.trajectory.final[:, 1], -0.2, atol=1e-8)
    bound = shrinkage_rate(case(graph)).statements["pl"].bound
    # B²/(2m) is attained; the bound adds LμqV/(2m), as a shift counts as variance too.
    assert float(bound) == pytest.approx(0.02 + 0.002)
    assert run.metrics["final_gap"].mean == pytest.approx(0.02, rel=1e-6)
