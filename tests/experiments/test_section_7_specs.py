"""The shipped sweep specs: they load, and say what the paper says."""

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.experiments.registry import EXPERIMENTS
from boundcalc.experiments.running import spec_file

PLANS = [plan for experiment in EXPERIMENTS.values() for plan in experiment.sweeps]
LOGISTIC = [plan.spec for plan in PLANS if plan.shortened]


def size(section):
    axes = [len(values) for values in section.over.values()]
    axes += [len(next(iter(axis.values()))) for axis in section.zip_]
    return int(np.prod(axes))


def test_every_spec_is_used():
    shipped = {path.stem for path in spec_file("figure-3").parent.glob("*.yaml")}
    assert shipped == {plan.spec for plan in PLANS} | {"appendix-a1", "appendix-a2"}


@pytest.mark.parametrize("name", LOGISTIC)
def test_the_settings_are_the_papers(name):
    spec = bc.load(spec_file(name))
    graph = bc.build(spec)
    assert graph.data.features.shape == (2000, 10)
    assert spec.training.horizon == 200_000
    assert spec.simulation.replicas == 8
    assert spec.simulation.noise.std.evaluate(FLOATS) == 0.001
    assert spec.loss.batch == 2000
    assert graph.values(FLOATS)["gamma"] > 0


@pytest.mark.parametrize("name", LOGISTIC)
def test_the_smoothness_is_above_that_of_the_objective(name):
    graph = bc.build(bc.load(spec_file(name)))
    h = graph.data.features
    strength = graph.spec.simulation.regulariser.strength.evaluate(FLOATS)
    largest = np.linalg.eigvalsh(h.T @ h / len(h))[-1] / 4 + 2 * strength
    L = graph.spec.loss.smoothness.evaluate(FLOATS)
    assert largest <= L <= 1.06 * largest
    if graph.spec.loss.pl is not None:
        assert graph.spec.loss.pl.evaluate(FLOATS) <= 2 * strength


@pytest.mark.parametrize(
    ("name", "kind", "strength"),
    [
        ("figure-4", "nonconvex", 0.001),
        ("figure-5", "squared", 0.1),
        ("figure-7", "nonconvex", 0.001),
        ("figure-8", "squared", 0.5),
    ],
)
def test_regularisers(name, kind, strength):
    section = bc.load(spec_file(name)).simulation.regulariser
    assert (section.kind, section.strength.evaluate(FLOATS)) == (kind, strength)


def test_all_of_it_is_small_enough_for_one_machine():
    count = sum(size(bc.load(spec_file(name)).sweep) for name in LOGISTIC)
    assert 80 <= count <= 120


def test_intervals_of_powers_of_two_are_recorded_at_every_phase():
    for name in ("figure-7", "figure-8"):
        assert bc.load(spec_file(name)).simulation.record.every % 2 == 1
