"""Specs that make no sense, and what is said about them."""

import pytest
from theories.distributed import distributed_specs as specs

from boundcalc.errors import SpecError
from boundcalc.theories.distributed.theory import THEORY


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"agents": 0}, "agents: the number is out of range"),
        ({"agents": 10_001}, "agents"),
        ({"L0": 0}, "L0: zero"),
        ({"L1": -1}, "L1: a negative number"),
        ({"nu": 0}, "nu: zero"),
        ({"nu": -2}, "nu: a negative number"),
        ({"omega": -1}, "omega: a negative number"),
        ({"omega": [1, 2]}, "2 numbers for 8 agents"),
        ({"sigma0": [1] * 7}, "7 numbers for 8 agents"),
        ({"epsilon": 1}, "epsilon is not below 1"),
        ({"epsilon": "3/2"}, "epsilon is not below 1"),
        ({"epsilon": 0}, "epsilon: zero"),
        ({"dimension": 0}, "dimension"),
        ({"algorithm": "adam"}, "algorithm"),
        ({"algorithm": "dsgd"}, "does not compress"),
        ({"algorithm": "dsignsgd", "omega": 0}, "needs a bound on the scale"),
        ({"compressor": "{type: rand_k, k: 1}"}, "in two ways"),
        ({"schedule": "{type: constant, offset: 1}"}, "no use for `offset`"),
        ({"schedule": "{type: inverse_sqrt, decay: none}"}, "no use for `decay`"),
        ({"truncation": 0}, "truncation: zero"),
        ({"escape": 0}, "escape: zero"),
        ({"nonsense": 1}, "nonsense"),
        ({"nu": 2, "sigma1": 1}, "infinite"),
    ],
)
def test_bad_sections(changes, words):
    with pytest.raises(SpecError, match=words) as caught:
        specs.graph({**specs.COMPRESSED, **changes})
    assert "distributed" in str(caught.value)


def test_dcsgd_needs_its_compression():
    section = dict(specs.COMPRESSED)
    del section["omega"]
    with pytest.raises(SpecError, match="needs its compression"):
        specs.graph(section)
    with pytest.raises(SpecError, match="more components than there are"):
        specs.graph({**section, "compressor": "{type: rand_k, k: 2}"})


def test_sign_is_not_normalised():
    with pytest.raises(SpecError, match="normalisation is that of D"):
        specs.graph({**specs.SIGN, "schedule": "{type: normalised}"})


def test_noise_above_its_bound():
    with pytest.raises(SpecError, match="larger than its bound"):
        specs.graph({**specs.SIGN, "sigma0": [1] * 7 + ["3/2"]})
    specs.graph({**specs.SIGN, "sigma0": 1})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("perturbations: [{at: half, pass: forward, rms: 1}]", "do not compose"),
        ("symbols: {q: 0}", "out of range"),
    ],
)
def test_what_does_not_go_together(more, words):
    section = {**specs.COMPRESSED} | ({"L0": "q"} if "symbols" in more else {})
    with pytest.raises(SpecError, match=words):
        specs.graph(section, more=more)


@pytest.mark.parametrize(
    ("training", "words"),
    [
        ("{step_size: 1/10, horizon: 2, optimizer: {type: adam}}", "as it is"),
        ("{step_size: 1/10, horizon: 2, clip: 1}", "distributed.clip"),
    ],
)
def test_other_steps(training, words):
    with pytest.raises(SpecError, match=words):
        specs.graph(specs.COMPRESSED, training=training)


def test_symbols_are_checked_when_they_have_values():
    with pytest.raises(SpecError, match="out of range"):
        specs.graph({**specs.COMPRESSED, "epsilon": "e"}, more="symbols: {e: 1}")
    specs.graph({**specs.COMPRESSED, "epsilon": "e"}, more="symbols: {e: 1/3}")


def test_dimension_is_the_graphs():
    with pytest.raises(SpecError, match="the graph has 1 weights"):
        specs.graph({**specs.COMPRESSED, "dimension": 2}, simulation=True)
    specs.graph({**specs.COMPRESSED, "dimension": 2})


@pytest.mark.parametrize(
    ("keys", "where"),
    [({"loss": "{}"}, "initial_gap"), ({"training": "{step_size: 0, horizon: 1}"}, "step_size")],
)
def test_a_statement_needs_its_numbers(keys, where):
    with pytest.raises(SpecError, match=where):
        THEORY.rate(specs.graph(specs.COMPRESSED, **keys))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("", "no `budget` section"),
        ("budget: {target: 1, regime: pl}", "no such budget"),
        ("budget: {target: 1, step_size: best}", "no such budget"),
    ],
)
def test_budgets_that_cannot_be(more, words):
    with pytest.raises(SpecError, match=words):
        THEORY.budget(specs.graph(specs.COMPRESSED, more=more))


def test_no_statement_no_budget():
    section = {**specs.COMPRESSED, "nu": 1, "sigma0": 1}
    graph = specs.graph(section, more="budget: {target: 1}")
    with pytest.raises(SpecError, match="variance of the noise is infinite"):
        THEORY.budget(graph)
