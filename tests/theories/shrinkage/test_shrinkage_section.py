"""The section of a spec, and bad input."""

import pytest
import yaml
from theories.shrinkage.shrinkage_cases import case
from theories.shrinkage.shrinkage_specs import quadratic, run

import boundcalc as bc
from boundcalc.errors import BoundcalcError, SpecError
from boundcalc.spec.loading import library_object
from boundcalc.theories.registry import build_for
from boundcalc.theories.shrinkage.section import LONGEST, ShrinkageSection
from boundcalc.theories.shrinkage.sequences import factors_of


def section(raw):
    return library_object(ShrinkageSection, raw, "shrinkage", {"Q"})


FORMAT = {"name": "fp8_e4m3", "gradient": {"scale": 1}}


@pytest.mark.parametrize(
    ("raw", "where"),
    [
        ({}, "shrinkage"),
        ({"q": 0}, "shrinkage.q"),
        ({"q": -1}, "shrinkage.q"),
        ({"q": "R"}, "shrinkage.q"),
        ({"q": {"pattern": []}}, "shrinkage.q.pattern"),
        ({"q": {"pattern": [1, 0]}}, "shrinkage.q.pattern[1]"),
        ({"q": {"pattern": [1] * (LONGEST + 1)}}, "shrinkage.q.pattern"),
        ({"q": {"segments": []}}, "shrinkage.q.segments"),
        ({"q": {"segments": [{"q": 1, "steps": 0}]}}, "shrinkage.q.segments[0].steps"),
        ({"q": {"pattern": [1], "segments": [{"q": 1, "steps": 1}]}}, "shrinkage.q"),
        ({"q": {"depends_on_past": True}}, "shrinkage"),
        ({"q": {"depends_on_past": False}}, "shrinkage.q"),
        ({"q": {"pattern": [1], "threshold": 1}}, "shrinkage.q"),
        ({"q": 1, "q_min": 0}, "shrinkage.q_min"),
        ({"q": 1, "quantization_noise": -1}, "shrinkage.quantization_noise"),
        ({"q": 1, "compensation": "yes"}, "shrinkage.compensation"),
        ({"q": 1, "steps": {"type": "cosine"}}, "shrinkage.steps.type"),
        ({"q": 1, "format": FORMAT}, "shrinkage"),
        ({"format": FORMAT, "quantization_noise": 1}, "shrinkage"),
        ({"format": {**FORMAT, "name": "fp32"}}, "shrinkage.format.name"),
        ({"format": {**FORMAT, "name": "e4m3"}}, "shrinkage.format.name"),
        ({"format": {**FORMAT, "rounding": "up"}}, "shrinkage.format.rounding"),
        ({"format": {"name": "fp8_e4m3"}}, "shrinkage.format"),
        ({"format": {**FORMAT, "gradient": {"scale": 0}}}, "shrinkage.format.gradient.scale"),
        (
            {"format": {**FORMAT, "gradient": {"scale": 1, "distribution": "student"}}},
            "shrinkage.format.gradient",
        ),
        ({"q": 1, "qmin": 1}, "shrinkage.qmin"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(raw, where):
    with pytest.raises(SpecError) as caught:
        section(raw)
    assert caught.value.where.split(" (")[0] == where
    assert caught.value.expected or caught.value.fix


@pytest.mark.parametrize(
    ("own", "where"),
    [
        ({"q": "3/2"}, "shrinkage.q"),
        ({"q": "sqrt(2)"}, "shrinkage.q"),
        ({"q": {"pattern": [1, "1 + 1e-30"]}}, "shrinkage.q.pattern[1]"),
        ({"q": {"segments": [{"q": 2, "steps": 1}]}}, "shrinkage.q.segments[0].q"),
        ({"q": {"depends_on_past": True}, "q_min": "3/2"}, "shrinkage.q_min"),
        ({"q": "1/2", "q_min": "2/3"}, "shrinkage.q_min"),
        ({"q": {"pattern": ["1/2", "1/8"]}, "q_min": "1/4"}, "shrinkage.q_min"),
    ],
)
def test_factors_outside_the_range_are_refused(own, where):
    with pytest.raises(SpecError) as caught:
        case(own)
    assert caught.value.where == where
    assert caught.value.value


def test_a_factor_of_exactly_one_and_q_min_of_exactly_q_are_taken():
    assert case({"q": "sqrt(4)/2"}).number(lambda s: s.q_max).value == 1
    assert case({"q": "1/sqrt(3)", "q_min": "1/sqrt(3)"}).kind == "constant"


def test_a_smaller_q_min_weakens_the_form_from_it_only():
    from boundcalc.theories.shrinkage import descent

    given, own = case({"q": "1/2", "q_min": "1/4"}), case({"q": "1/2"})
    for form in ("plain", "sharp"):
        numbers = [
            c.number(lambda s, form=form: descent.bound(s, form)).value for c in (given, own)
        ]
        assert numbers[0] == numbers[1]
    assert given.number(lambda s: descent.bound(s, "least")) != own.number(
        lambda s: descent.bound(s, "least")
    )


def test_sequences_count_and_run():
    raw = {
        "q": {"segments": [{"q": 1, "steps": 2}, {"q": "1/2", "steps": 3}, {"q": 1, "steps": 1}]}
    }
    found = factors_of(section(raw))
    for horizon in range(1, 12):
        positions = found.positions(0, horizon).tolist()
        assert positions == ([0, 0, 1, 1, 1] + [2] * 20)[:horizon]
        assert found.counts(horizon) == tuple(positions.count(i) for i in range(3))
    pattern = factors_of(section({"q": {"pattern": [1, "1/2", "1/3"]}}))
    for horizon in range(1, 9):
        positions = pattern.positions(0, horizon).tolist()
        assert pattern.counts(horizon) == tuple(positions.count(i) for i in range(3))


@pytest.mark.parametrize(
    "training",
    [
        {"optimizer": {"type": "adam"}},
        {"optimizer": {"type": "momentum", "momentum": "9/10"}},
        {"clip": 1},
    ],
)
def test_other_methods_are_refused(training):
    with pytest.raises(BoundcalcError, match="SGD"):
        quadratic({"q": "1/2"}, training=training)


@pytest.mark.parametrize(
    "simulation", [{"noise": {"kind": "gaussian", "std": 1}}, {"precision": "float32"}]
)
def test_what_the_simulator_does_itself_is_refused(simulation):
    with pytest.raises(SpecError, match="this theory"):
        run(quadratic({"q": "1/2"}, simulation=simulation))


def test_a_missing_section_is_asked_for():
    raw = {
        "version": 1,
        "name": "none",
        "theory": "shrinkage",
        "graph": {"operators": [{"id": "f"}]},
    }
    with pytest.raises(SpecError, match="needs its section"):
        build_for(bc.loads(yaml.safe_dump(raw)))


def test_a_run_that_cannot_be_recorded_is_refused():
    graph = quadratic(
        {"q": "1/2"}, training={"horizon": 10**8}, simulation={"record": {"every": 10**6}}
    )
    with pytest.raises(BoundcalcError, match="too long"):
        run(graph)
