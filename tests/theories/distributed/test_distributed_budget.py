"""A budget is a statement read backwards: at the lever it meets the target, beyond it does not."""

from fractions import Fraction

import pytest
from theories.distributed import distributed_specs as specs

from boundcalc.theories.distributed.theory import THEORY

CUT = {"sigma0": 1, "truncation": 2, "epsilon": "1/20"}


def budget(section, more):
    return THEORY.budget(specs.graph(section, more=more)).value


def levers(section, more):
    return {q.key: q for q in budget(section, more).levers}


def bound(section):
    return THEORY.rate(specs.graph(section)).value.chosen.bound.value


SETTINGS = {
    "cut": {**specs.COMPRESSED, **CUT},
    "equation": {**specs.COMPRESSED, "sigma0": 1, "sigma1": "1/2"},
    "flat": {**specs.COMPRESSED, "L1": 0, "sigma0": 2, "schedule": "{type: constant}"},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_levers_are_borders(name):
    section = SETTINGS[name]
    target = Fraction(str(float(bound(section)))) * Fraction(11, 10)
    found = levers(section, f"budget: {{target: {target}}}")
    for key, lever in (("omega", "omega_max"), ("sigma0", "sigma0_max")):
        value = found[lever].value
        assert value.limit
        assert value.status == "proved"
        at = value.value
        assert bound({**section, key: at}) <= target
        over = bound({**section, key: at * (1 + Fraction(1, 2**38))})
        assert over > target
    agents = int(found["agents_min"].value.value)
    assert bound({**section, "agents": agents}) <= target
    assert agents == 1 or bound({**section, "agents": agents - 1}) > target


def test_compression_at_the_step_condition():
    """Where ω is the largest, the limit is the step: linear in ω."""
    section = {**SETTINGS["cut"], "gradient_bound": 1, "epsilon": "1/2", "dimension": 3}
    section |= {"sigma1": "1/2", "truncation": 1, "schedule": "{type: constant}"}
    graph = specs.graph(
        {**section, "omega": "1/10"},
        training="{step_size: 1/16, horizon: 20}",
        more="budget: {target: 10**6}",
    )
    found = {q.key: q for q in THEORY.budget(graph).value.levers}["omega_max_at_step"].value
    at = specs.graph({**section, "omega": found.value}, training="{step_size: 1/16, horizon: 20}")
    assert THEORY.rate(at).value.limits.corrected.value == Fraction(1, 16)


def test_tolerance_is_above_the_quiet_bound():
    section = {**SETTINGS["flat"], "epsilon": "1/2"}
    quiet = bound({**section, "omega": 0, "sigma0": 0})
    assert budget(section, "budget: {tolerance: 1/4}").target.value == quiet * Fraction(5, 4)


def test_noise_of_signs():
    section = {**specs.SIGN, "schedule": "{type: constant}"}
    target = Fraction(str(float(bound(section)))) * 2
    at = levers(section, f"budget: {{target: {target}}}")["sigma_max_max"].value.value
    assert bound({**section, "sigma_max": at}) <= target
    assert bound({**section, "sigma_max": at * (1 + Fraction(1, 2**38))}) > target
    assert "omega_max" not in levers(section, "budget: {target: 100}")


def test_targets_out_of_reach():
    found = levers(SETTINGS["cut"], "budget: {target: 1/10**9}")
    assert found["omega_max"].value is None
    assert "even at 0" in found["omega_max"].note
    assert found["agents_min"].note == "no number of agents is enough"


def test_a_budget_of_another_run():
    section = SETTINGS["flat"]
    found = budget(section, "budget: {target: 1, horizon: 40, step_size: 1/20}")
    graph = specs.graph(section, training="{step_size: 1/20, horizon: 40}")
    assert found.bound.value == THEORY.rate(graph).value.chosen.bound.value


def test_a_normalised_schedule_has_no_step_to_admit():
    found = levers({**specs.COMPRESSED, **CUT}, "budget: {target: 100}")["omega_max_at_step"]
    assert found.value is None
    assert "prescribes its own steps" in found.note
