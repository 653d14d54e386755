"""Specs with other values at their paths."""

import pytest
from sweep_cases import small

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.resources import examples
from boundcalc.spec.loading import load, loads, with_values
from boundcalc.spec.model import Spec
from boundcalc.spec.plain import json_text
from boundcalc.sweeps import override
from boundcalc.sweeps.overrides import without_sweep
from boundcalc.sweeps.paths import read_path


@pytest.mark.parametrize("path", examples().values(), ids=lambda path: path.stem)
def test_plain_data_and_its_text_mean_the_same_spec(path):
    spec = load(path)
    again = Spec.model_validate(without_sweep(spec))
    # Fields only: folders differ, and a sweep is left out.
    fields = {**vars(spec), "sweep": None}
    assert vars(again) == fields
    assert vars(loads(json_text(without_sweep(spec)), format="json")) == fields


def test_no_digit_is_lost():
    digits = "0.1000000000000000000000000001"
    text = small().model_copy(update={})
    spec = override(text, {"perturbations[0].half_width": digits, "training.step_size": digits})
    again = loads(json_text(without_sweep(spec)), format="json")
    assert again.training.step_size.evaluate(RATIONALS) * 10 != 1
    assert again.perturbations[0].parameters["half_width"].expression.source == digits


def test_a_number_whose_text_was_shortened_keeps_its_value():
    from fractions import Fraction

    value = Fraction(10**30 + 1, 10**31)
    spec = with_values(small(), {"C": value})
    again = loads(json_text(without_sweep(spec)), format="json")
    assert again.symbols["C"].evaluate(RATIONALS) == value


@pytest.mark.parametrize(
    ("path", "value", "look"),
    [
        ("training.horizon", 7, lambda s: s.training.horizon == 7),
        ("training.horizon", "7", lambda s: s.training.horizon == 7),
        ("training.clip", "1/3", lambda s: s.training.clip.source == "1/3"),
        ("training.optimizer", "adam", lambda s: s.training.optimizer.type == "adam"),
        (
            "training.optimizer",
            {"type": "momentum", "momentum": "1/2"},
            lambda s: s.training.optimizer.momentum.source == "1/2",
        ),
        ("symbols.C", 2, lambda s: s.symbols["C"].source == "2"),
        ("symbols.C", 0.25, lambda s: s.symbols["C"].source == "0.25"),
        ("simulation.ewma", "0.5", lambda s: s.simulation.ewma == 0.5),
        ("simulation.data.seed", 9, lambda s: s.simulation.data.seed == 9),
        ("simulation.record.every", 5, lambda s: s.simulation.record.every == 5),
        ("graph.operators[1].id", "loss", lambda s: s.graph.operators[1].id == "loss"),
        ("perturbations[0].half_width", "2*C", lambda s: True),
    ],
)
def test_a_value_is_set_and_everything_else_stays(path, value, look):
    before = without_sweep(small())
    spec = override(small(), {path: value})
    assert look(spec)
    assert without_sweep(override(spec, {})) == without_sweep(spec)
    assert without_sweep(small()) == before


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("training.stepsize", 1, "did you mean 'step_size'"),
        ("trainin.step_size", 1, "did you mean 'training'"),
        ("perturbations[1].half_width", 1, "the list has 1"),
        ("perturbations.half_width", 1, r"perturbations\[0\].half_width"),
        ("training[0]", 1, "is not a list"),
        ("training.horizon.x", 1, "is a plain value"),
        ("symbols.E", 1, "unknown symbol 'E'"),
        ("symbols.CC", 1, "unknown symbol 'CC'"),
        ("symbols", 1, "expected: symbols.NAME"),
        ("training.step_size", -1, "a negative number"),
        ("training.step_size", "E", "undeclared symbol 'E'"),
        ("training.horizon", 0, "out of range"),
        ("training.horizon", True, "not a number"),
        ("perturbations[0].pass_", "forward", "unknown key|pass"),
        ("sweep.seeds", 3, "cannot be swept itself"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(path, value, words):
    with pytest.raises(SpecError, match=words):
        override(small(), {path: value})


@pytest.mark.parametrize("text", ["", "a..b", "[0]", "a[", "a[x]", "a b", ".a", "a.", "a" * 600])
def test_what_is_no_path_is_refused(text):
    with pytest.raises(SpecError, match="not a path"):
        read_path(text)


def test_paths_take_keys_in_quotes():
    assert read_path("a.b[2]['c d'][\"e.f\"].g-h") == ("a", "b", 2, "c d", "e.f", "g-h")
