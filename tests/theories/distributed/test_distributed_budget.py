"""A budget is a statement read backwards: at the lever it meets the target, beyond it does not."""

from fractions import Fraction

import numpy as np
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


@pytest.mark.parametrize("offset", ["1/2", 1, 20])
@pytest.mark.parametrize("gradient", [0, "1/4", 3])
def test_compression_admitted_by_steps_that_depend_on_the_gradient(offset, gradient):
    """Below it (12.6) holds of η/(o + a) at every a up to g, above it somewhere not."""
    schedule = {"type": "inverse_norm", "offset": offset}
    section = {**SETTINGS["cut"], "epsilon": "1/2", "gradient_bound": gradient, "L0": 2}
    section |= {"schedule": schedule, "sigma1": "1/2", "dimension": 2, "omega": "1/10"}
    run = {"training": "{step_size: 1/64, horizon: 20}", "more": "budget: {target: 10**6}"}
    found = {q.key: q for q in THEORY.budget(specs.graph(section, **run)).value.levers}
    at = Fraction(found["omega_max_at_step"].value.value)
    o, g = Fraction(offset), Fraction(gradient)

    def margin(omega):
        """The least 2ϵ − ηη_t((L0 + L1a)(1 + A) + L1B'), written out with v = 1."""
        A = (omega + 2 * (1 + omega) * Fraction(1, 4)) / 8
        B = 2 * (1 + omega) / 8
        grid = [g * i / 50 for i in range(51)]
        return min(1 - ((2 + a) * (1 + A) + B) / (64 * (o + a)) for a in grid)

    assert margin(at) == 0
    assert margin(at * Fraction(99, 100)) > 0 > margin(at * Fraction(101, 100))
    assert "offset" in found["omega_max_at_step"].note


def test_one_agents_compression_may_lower_the_bound_and_that_of_all_does_not():
    """Remark 12.9: a normalised step is shorter where ω is larger."""
    section = {**specs.COMPRESSED, **CUT, "agents": 2, "sigma0": [0, 4], "truncation": 3}

    def at(omega):
        run = {"training": "{step_size: 1/10, horizon: 1000}", "loss": "{initial_gap: 1/100}"}
        made = THEORY.rate(specs.graph({**section, "omega": omega}, **run)).value.statements
        return [float(s.bound) for s in made]

    assert all(more < less for more, less in zip(at([20, 7]), at([0, 7]), strict=True))
    shared = [at(omega) for omega in (0, "1/2", 3, 7, 20, 100)]
    assert all((np.diff(bounds) > 0).all() for bounds in np.transpose(shared))
