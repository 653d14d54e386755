"""The common factor counts that larger perturbations enlarge regions; the whole budget."""

from __future__ import annotations

from fractions import Fraction

import pytest

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.budgets.budget import budget
from boundcalc.budgets.magnitude import magnitudes
from boundcalc.budgets.question import Question, highest, lowest, question
from boundcalc.budgets.rebuilt import rebuilt, scaled_spec
from boundcalc.errors import SpecError
from boundcalc.perturbations import DISTRIBUTIONS
from boundcalc.resources import example
from boundcalc.spec.budget import BudgetSection

#: The weight's Jacobian is the input, whose region the perturbation before it enlarges.
GROWING = """
version: 1
name: regions grow
symbols: {{h: {h}}}
graph:
  input: {{shape: [2], low: -1, high: 1}}
  operators:
    - {{id: act, type: tanh}}
    - {{id: layer, type: dense, units: 2, region: {{weight: 1}}}}
    - {{id: loss, type: cross_entropy}}
loss: {{smoothness: 4, initial_gap: 1, gradient_noise: 1/10, batch: 4}}
perturbations:
  - {{at: act, pass: forward, model: uniform, half_width: h}}
  - {{at: loss, pass: backward, model: two_point, magnitude: h/2}}
training: {{step_size: 1/10, horizon: 50}}
budget: {{tolerance: {tolerance}}}
"""


def asked(h: str, tolerance: str) -> Question:
    return question(bc.build(bc.loads(GROWING.format(h=h, tolerance=tolerance))))


@pytest.mark.parametrize(("h", "tolerance"), [("1/100", "1"), ("2", "1/10"), ("1/10", "1/2")])
def test_the_factor_plugged_into_the_spec_gives_the_target(h: str, tolerance: str) -> None:
    q = asked(h, tolerance)
    plain = magnitudes(q)
    found = rebuilt(q, plain)
    assert found.scale is not None
    assert plain.scale is not None
    factor = highest(found.scale.value)
    # between 1 and the factor for the regions of the spec
    low, high = sorted((Fraction(1), highest(plain.scale.value)))
    assert low < factor < high
    target = lowest(q.target.value)
    at, above = (
        highest(q.bound(bc.build(scaled_spec(q.graph.spec, x))).value)
        for x in (factor, factor * Fraction(101, 100))
    )
    assert at <= target
    assert float(at / target) == pytest.approx(1, rel=1e-9)
    assert above > target
    assert found.scaled_bound is not None
    assert found.scaled_bound.json() == pytest.approx(float(at), rel=1e-12)
    assert "enlarge the regions" in found.notes[-1]


def test_the_factor_written_into_the_text_of_the_spec_gives_the_target() -> None:
    q = asked("1/100", "1")
    factor = rebuilt(q, magnitudes(q)).scale
    assert factor is not None
    text = GROWING.format(h=f'"{highest(factor.value) / 100}"', tolerance="1")
    rate = bc.rates(bc.loads(text)).nonconvex["sharp"].bound
    assert rate is not None
    assert float(rate) == pytest.approx(float(q.target), rel=1e-9)
    assert highest(rate.value) <= lowest(q.target.value)


@pytest.mark.parametrize("name", ["three-operators", "logistic-nonconvex"])
def test_nothing_changes_where_constants_do_not_depend_on_the_noise(name: str) -> None:
    spec = bc.load(example(name)).model_copy(update={"budget": BudgetSection(tolerance="1/10")})
    q = question(bc.build(spec))
    plain = magnitudes(q)
    assert rebuilt(q, plain) is plain


def test_formats_have_no_size_to_scale() -> None:
    spec = bc.load(example("fine-tuning"))
    assert scaled_spec(spec, Fraction(2)) is None
    q = question(bc.build(spec))
    plain = magnitudes(q)
    found = rebuilt(q, plain)
    assert found.scale is plain.scale
    assert "follows from its format" in found.notes[-1]


def test_every_law_names_the_parameters_that_scale() -> None:
    parameters = {
        "constant": {"value": "1/3"},
        "gaussian": {"std": "1/3", "center": "1/7"},
        "two_point": {"low": "-1/3", "high": "1/2", "p_high": "1/4"},
        "uniform": {"low": "-1/3", "high": "1/2"},
    }
    assert set(parameters) == set(DISTRIBUTIONS)
    for name, keys in parameters.items():
        law = DISTRIBUTIONS[name]
        text = {k: f"({v})*3" if k in law.lengths else v for k, v in keys.items()}
        plain, scaled = (law.model_validate(x).moments() for x in (keys, text))
        for moment, power in (("mean", 1), ("second", 2), ("fourth", 4)):
            values = [getattr(m, moment).evaluate(RATIONALS) for m in (plain, scaled)]
            assert values[1] == values[0] * 3**power, (name, moment)


def test_moments_scale_with_the_factor() -> None:
    spec = bc.loads("""
version: 1
name: moments
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
perturbations: [{at: f1, pass: forward, rms: 1/5, mean: 1/10, fourth: 1/4, every: 3}]
""")
    section = scaled_spec(spec, Fraction(5, 2)).perturbations[0]
    found = [getattr(section, k).evaluate(RATIONALS) for k in ("rms", "mean", "fourth")]
    assert found == [Fraction(1, 2), Fraction(1, 4), Fraction(5, 8)]
    assert section.every == 3


# --- everything at once ---------------------------------------------------------------------


def test_a_spec_without_a_section_says_what_to_write() -> None:
    with pytest.raises(SpecError, match="the spec asks for no budget") as info:
        bc.budget(bc.load(example("three-operators")))
    assert "tolerance: 1/10" in str(info.value)


def test_what_stands_in_the_way_of_formats_is_an_error_or_a_note() -> None:
    text = """
version: 1
name: refused
graph:
  input: {shape: [2], low: -1, high: 1}
  operators: [{id: act, type: tanh}, {id: loss, type: cross_entropy}]
loss: {smoothness: 4, initial_gap: 1, gradient_noise: 1/10}
training: {step_size: 1/10, horizon: 50}
budget: {tolerance: 1/1000000000, formats: {activations: [fp8_e4m3], gradients: [fp8_e4m3]}}
"""
    text = text.replace("{id: act, type: tanh}", "{id: act, type: tanh, bias: true}")
    graph = bc.build(bc.loads(text))
    with pytest.raises(SpecError, match="no assignment of the candidate formats"):
        budget(graph, formats=True)
    found = budget(graph, formats=True, lenient=True)
    assert found.formats is None
    assert any("no assignment of the candidate formats" in note for note in found.notes)


def test_an_engineer_reads_off_formats_and_events() -> None:
    found = bc.budget(bc.load(example("fine-tuning")), formats=True)
    assert found.formats is not None
    assert all(site.format is not None for site in found.formats.sites)
    assert found.formats.bound is not None
    assert found.formats.bound.status == "proved"
    assert highest(found.formats.bound.value) <= lowest(found.question.target.value)
    # formats leave half of the excess to events, which are counted on top of them
    middle = (float(found.question.baseline) + float(found.question.target)) / 2
    assert float(found.formats.bound) <= middle
    named = {(f.name, f.mean_case): f for f in found.formats.frequencies}
    flip = named["bit flip", "given"]
    assert 0 < flip.count_worst < found.question.graph.spec.training.horizon
    assert flip.interval is not None
    assert -(-60 // flip.interval) <= flip.count_even
