"""Budgets where constants hold on regions that the perturbations themselves enlarge."""

from __future__ import annotations

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.budgets.bounded import bounded
from boundcalc.budgets.frequency import frequencies
from boundcalc.budgets.magnitude import magnitudes
from boundcalc.budgets.question import Question, highest, lowest, question
from boundcalc.budgets.regions import depends
from boundcalc.errors import SpecError
from boundcalc.resources import example
from boundcalc.spec.budget import BudgetSection

#: (w x)⁴ with |w x| ≤ 1/10 but for what a perturbation adds.
SQUARES = """
version: 1
name: squares
graph:
  input: {{shape: [1], radius: 1}}
  operators:
    - {{id: f, type: margin, region: {{weight: 1/10}}}}
    - {{id: s1, type: square}}
    - {{id: s2, type: square}}
loss: {{smoothness: 41, initial_gap: 1/1000, gradient_noise: 0, batch: 1}}
training: {{step_size: 1/50, horizon: 400}}
simulation:
  data: {{points: [[1]], labels: [-1]}}
  replicas: 2
  regulariser: {{kind: squared, strength: 20}}
  check: {{iterates: [0], samples: 1, draws: 64}}
perturbations: [{perturbation}]
budget: {budget}
"""
SHIFT = "{{name: shift, at: f, pass: forward, rms: {r}, mean: {r}{largest}}}"


def spec(perturbation: str = "", event: str = "") -> bc.Spec:
    budget = "{target: 1/100" + (f", events: [{event}]" if event else "") + "}"
    return bc.loads(SQUARES.format(perturbation=perturbation, budget=budget))


def asked(event: str = "") -> Question:
    return question(bc.build(spec(event=event)))


def test_an_event_of_unknown_size_is_refused_where_regions_depend_on_it() -> None:
    with pytest.raises(SpecError, match="how far the event shift at f moves values") as info:
        frequencies(asked(SHIFT.format(r="7/10", largest="")))
    assert info.value.where == "budget.events[0]"
    assert "largest" in str(info.value)


@pytest.mark.parametrize("size", ["7/10", "1/5", "1/8"])
def test_a_shift_of_known_size_is_counted_as_the_spec_with_it_is_bounded(size: str) -> None:
    q = asked(SHIFT.format(r=size, largest=f", largest: {size}"))
    found = frequencies(q)[0]
    for count, admissible in ((found.count_worst, True), (found.count_worst + 1, False)):
        if count > 400:
            continue
        law = f"{{at: f, pass: forward, model: constant, value: {size}, last: {count}}}"
        bound = bc.rates(spec(law)).nonconvex["sharp"].bound
        assert bound is not None
        assert (highest(bound.value) <= lowest(q.target.value)) is admissible


def test_a_run_at_the_largest_values_stays_below_the_target() -> None:
    q = asked()
    found = bounded(q, magnitudes(q))
    sizes = {(a.label, a.quantity): a.alone for a in found.allowances if a.direction == "forward"}
    assert all(size is not None for size in sizes.values())
    for (label, quantity), size in sizes.items():
        law = "model: uniform, half_width" if quantity == "rms" else "model: constant, value"
        factor = 3**0.5 if quantity == "rms" else 1
        below, above = (float(size) * factor * x for x in (1 - 1e-12, 1.01))
        texts = [f"{{at: {label}, pass: forward, {law}: {x!r}}}" for x in (below, above)]
        bounds = [bc.rates(spec(text)).nonconvex["sharp"].bound for text in texts]
        target = float(q.target)
        assert float(bounds[0]) == pytest.approx(target, rel=1e-9)
        assert float(bounds[1]) > target
        run = bc.simulate(spec(texts[0]))
        assert np.mean(run.trajectory.gradient_norm[:-1] ** 2, axis=0).max() <= target


def test_where_no_region_depends_on_them_nothing_changes() -> None:
    loaded = bc.load(example("three-operators"))
    q = question(bc.build(loaded.model_copy(update={"budget": BudgetSection(tolerance="1/10")})))
    assert not any(depends(q.graph, s.label) for s in q.graph.sites if s.direction == "forward")
    found = magnitudes(q)
    assert bounded(q, found).allowances == found.allowances


def test_given_the_others_the_spec_with_both_gives_the_target() -> None:
    other = "{at: s1, pass: forward, model: uniform, half_width: 1/1000}"
    q = question(bc.build(spec(other)))
    found = bounded(q, magnitudes(q))
    a = next(x for x in found.allowances if (x.label, x.quantity) == ("f", "rms"))
    assert a.given is not None
    assert a.alone is not None
    assert 0 < float(a.given) < float(a.alone)
    law = f"{{at: f, pass: forward, model: uniform, half_width: {float(a.given) * 3**0.5!r}}}"
    bound = bc.rates(spec(f"{other}, {law}")).nonconvex["sharp"].bound
    assert float(bound) == pytest.approx(float(q.target), rel=1e-9)


def test_events_on_formats_count_what_they_do_to_later_formats() -> None:
    formats = (
        "{at: f, pass: forward, model: number_format, format: fp16, rounding: stochastic}, "
        "{at: s1, pass: forward, model: number_format, format: bf16, rounding: stochastic}"
    )
    event = SHIFT.format(r="1/8", largest=", largest: 1/8")
    q = question(bc.build(spec(formats, event)))
    found = frequencies(q, on_top=True)[0]
    assert 0 < found.count_worst < 400
    law = "{{at: f, pass: forward, model: constant, value: 1/8, last: {}}}"
    # With the event in the spec its formats count it at every step: a little too much.
    bound = bc.rates(spec(f"{law.format(found.count_worst + 2)}, {formats}")).nonconvex["sharp"]
    assert float(bound.bound) > float(q.target)
    quiet = bc.rates(spec(formats)).nonconvex["sharp"].bound
    one = float(found.spare) * float(lowest(q.target.value) - highest(q.baseline.value))
    total = float(quiet) + found.count_worst * one
    assert float(q.target) - one <= total <= float(q.target) * (1 + 1e-12)


def test_at_a_perturbed_site_noise_replaces_what_is_there_and_a_shift_adds_to_it() -> None:
    own = "{at: f, pass: forward, model: uniform, half_width: 1/50}"
    q = question(bc.build(spec(own)))
    found = bounded(q, magnitudes(q))
    given = {a.quantity: a.given for a in found.allowances if a.label == "f"}
    noise = (
        f"{{at: f, pass: forward, model: uniform, half_width: {float(given['rms']) * 3**0.5!r}}}"
    )
    shift = f"{{at: f, pass: forward, model: constant, value: {float(given['mean'])!r}}}"
    for text in (noise, f"{own}, {shift}"):
        bound = bc.rates(spec(text)).nonconvex["sharp"].bound
        assert float(bound) == pytest.approx(float(q.target), rel=1e-9)


def test_constants_that_only_grow_depend_on_the_region_too() -> None:
    graph = bc.build(
        bc.loads("""
version: 1
name: tanh near 0
graph:
  input: {shape: [1], radius: 1}
  operators:
    - {id: f, type: dense, units: 1, bias: false, region: {weight: 1/10}}
    - {id: g, type: tanh}
    - {id: h, type: softplus}
""")
    )
    assert depends(graph, "f")  # |tanh″| is small near 0, and 0.77 somewhere
