"""A spec as canonical JSON: the same spec when it is read again."""

import json

import pytest
from results_cases import FILES, SPEC

import boundcalc as bc
from boundcalc.errors import SpecError
from boundcalc.resources import examples
from boundcalc.simulate.results_files import file_names
from boundcalc.simulate.results_spec import spec_text
from boundcalc.spec.expressions import bounded, exact
from boundcalc.spec.loading import with_values


@pytest.mark.parametrize("name", sorted(examples()))
def test_every_shipped_spec_survives(name):
    spec = bc.load(examples()[name])
    text = spec_text(spec)
    again = bc.loads(text, format="json")
    assert again.model_dump() == spec.model_dump()
    assert spec_text(again) == text
    assert "\n" not in text


NUMBERS = """\
version: 1
name: "numbers: é ✓ \\\\ \\" "
symbols: {C: 0.1000000000000000000000001, free: , big: 123456789012345678901234567890123}
graph:
  input: {low: -.5, high: +3}
  operators:
    - {id: f1, type: dense, units: 2, initial: {values: [1.50e-3, .25, 5., "007", 1/3, sqrt(2)]}}
    - {id: f2, type: spline, knots: [-.5, 0.25, 1], values: [0, 1.0, 2e0]}
    - {id: f3, type: bilinear, region: {weight: 2*C}}
perturbations: [{at: f1->f2, pass: backward, model: uniform, half_width: .05, every: 3}]
"""


def test_numbers_are_kept_as_they_are_spelt():
    text = spec_text(bc.loads(NUMBERS))
    for said in (
        "0.1000000000000000000000001",
        "null",
        "123456789012345678901234567890123",
        '"-.5"',
        "1.50e-3",
        '".25"',
        '"007"',
        '"sqrt(2)"',
        '"half_width":0.05',
        '"knots":[-0.5,0.25,1]',
        '"2*C"',
    ):
        assert said in text, said
    json.loads(text)


def test_numbers_are_read_again_as_the_same_expressions():
    spec = bc.loads(NUMBERS)
    again = bc.loads(spec_text(spec))
    assert again.symbol_values == spec.symbol_values
    values, others = (s.graph.operators[0].initial.values for s in (spec, again))
    assert [v.node for v in values] == [v.node for v in others]
    assert spec.graph.operators[1].parameters == again.graph.operators[1].parameters
    assert spec.perturbations[0].parameters == again.perturbations[0].parameters


def test_values_of_symbols_set_later_are_kept():
    spec = with_values(bc.loads(SPEC), {"half": "1/7"})
    assert bc.loads(spec_text(spec)).symbols["half"].source == "1/7"


def test_computed_numbers_are_exact_or_refused():
    spec = bc.loads(SPEC)

    def changed(value):
        training = spec.training.model_copy(update={"step_size": value})
        return spec.model_copy(update={"training": training})

    third = exact(12345678901234567890123) / exact(7)
    with pytest.raises(SpecError, match="no exact text") as caught:
        spec_text(changed(bounded(0.1)))
    assert caught.value.where == "spec.training.step_size"
    long = exact(10**30 + 1)
    assert bc.loads(spec_text(changed(long))).training.step_size.node == long.node
    assert bc.loads(spec_text(changed(third))).training.step_size.node == third.node


def test_the_files_of_a_spec_are_found():
    assert file_names(bc.loads(FILES)) == ("table.csv", "sub/w.npz")
    nested = FILES.replace(
        "- {id: f1, type: dense, units: 1, initial: {file: sub/w.npz, arrays: [W, b]}}",
        "- {id: b, repeat: 2, block: [{id: f1, type: dense, units: 2, "
        "initial: {file: sub/w.npz, arrays: [W, b]}}]}",
    )
    assert file_names(bc.loads(nested)) == ("table.csv", "sub/w.npz")
    assert file_names(bc.loads(SPEC)) == ()
