"""Formats and bits that are chosen for a network, held against builds with them in the spec."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest

import boundcalc as bc
from boundcalc.arithmetic import FLOATS
from boundcalc.budgets.budget import bare_reaches
from boundcalc.budgets.formats import cheapest_formats
from boundcalc.budgets.levels import with_perturbations
from boundcalc.budgets.offers import offer, offered, with_formats
from boundcalc.budgets.question import Question, highest, lowest, question
from boundcalc.budgets.results import Allocation, Formats
from boundcalc.budgets.spread import settled_allocation
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.perturbations import NumberFormat
from boundcalc.perturbations.transform import Reach
from boundcalc.spec.budget import FormatsSection
from boundcalc.spec.model import PerturbationSection

NETWORK = """
version: 1
name: a small network
graph:
  input: {shape: [3], low: -1, high: 1}
  operators:
    - id: layer
      type: dense
      units: 4
      initial: {normal: 1/3, seed: 1}
      region: {weight_change: 1/10}
    - {id: act, type: tanh}
    - id: out
      type: dense
      units: 2
      initial: {normal: 1/3, seed: 2}
      region: {weight_change: 1/10}
    - {id: loss, type: cross_entropy}
loss: {smoothness: 2, initial_gap: 1, gradient_noise: 1/10, batch: 8}
training: {step_size: 1/100, horizon: 10}
"""


def asked(tolerance: str = "1/10", **keys: Any) -> Question:
    extra = {"tolerance": tolerance, **keys}
    text = NETWORK + f"budget: {extra}\n".replace("'", '"')
    return question(bc.build(bc.loads(text)))


def rebuilt(found: Formats, q: Question) -> OperatorGraph:
    offers = {
        site: offer(entry.format, entry.rounding, "")
        for site, entry in zip(q.graph.sites, found.sites, strict=True)
    }
    return bc.build(with_formats(q.graph.spec, offers))


# --- formats --------------------------------------------------------------------------------


def test_the_bound_is_that_of_the_spec_with_the_formats_in_it() -> None:
    q = asked()
    found = cheapest_formats(q, bare_reaches(q.graph))
    graph = rebuilt(found, q)
    assert found.bound is not None
    assert q.bound(graph).json() == found.bound.json()
    assert float(found.bound) <= float(q.target)
    assert found.bound.status == "proved"
    for entry, p in zip(found.sites, graph.perturbations, strict=True):
        assert p.moments is not None
        assert p.direction == entry.direction
        assert entry.size == p.size
        assert entry.rms is not None
        assert float(entry.rms) ** 2 == pytest.approx(
            float(p.moments.second.evaluate(FLOATS)), rel=1e-12
        )
        assert entry.mean is not None
        assert entry.mean.value == 0


@pytest.mark.parametrize("tolerance", ["1/3", "1/7", "1/20", "1/50", "1/123", "1/200"])
def test_the_bound_with_the_formats_is_never_above_the_target(tolerance: str) -> None:
    q = asked(tolerance)
    found = cheapest_formats(q, bare_reaches(q.graph))
    assert found.bound is not None
    assert highest(found.bound.value) <= lowest(q.target.value)


def test_events_are_admissible_on_top_of_the_formats() -> None:
    event = {"at": "act", "pass": "forward", "rms": "1", "mean": "3/4"}
    q = asked("1/4", events=[{"name": "flip", "largest": "1/2", **event}])
    found = cheapest_formats(q, bare_reaches(q.graph))
    chosen = next(f for f in found.frequencies if f.mean_case == "given")
    assert 0 < chosen.count_worst < 10
    # On the regions that the formats alone make, which an event enlarges, a little more would do.
    for count, admissible in ((chosen.count_worst, True), (10, False)):
        more = PerturbationSection.model_validate({**event, "last": count})
        graph = rebuilt(found, q)
        place = bc.build(
            bc.loads(
                """
version: 1
name: places
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: layer}, {id: act}, {id: out}, {id: loss}]
"""
            ).model_copy(update={"perturbations": [more]})
        )
        joint = with_perturbations(graph, [*graph.perturbations, *place.perturbations])
        assert q.admissible(joint) is admissible


def test_no_cheaper_choice_among_all_of_two_candidates_is_admissible() -> None:
    names = ["fp8_e4m3", "bf16"]
    q = asked("1/50", formats={"activations": names, "gradients": names})
    found = cheapest_formats(q, bare_reaches(q.graph))
    assert found.cost is not None
    sites = q.graph.sites
    best = None
    for picks in product(names, repeat=len(sites)):
        offers = {s: offer(n, "stochastic", "") for s, n in zip(sites, picks, strict=True)}
        try:
            graph = bc.build(with_formats(q.graph.spec, offers))
        except SpecError:
            continue
        if q.admissible(graph):
            cost = sum(
                p.size * offer(n, "stochastic", "").transform.form.bits
                for p, n in zip(graph.perturbations, picks, strict=True)
            )
            best = cost if best is None else min(best, cost)
    assert best is not None
    assert found.lower_cost is not None
    assert lowest(found.lower_cost.value) <= best <= found.cost.value
    # the search knows moments over reaches that rounding enlarges a little: it may miss by that
    assert found.cost.value <= best * Fraction(5, 4)


def test_every_run_with_the_formats_stays_in_their_range_and_under_the_target() -> None:
    text = (
        NETWORK
        + """
simulation:
  data: {generator: uniform, samples: 8, dimension: 3, seed: 2, low: -1, high: 1, classes: 2}
  replicas: 4
  check: {iterates: [0], samples: 8, draws: 2048}
budget: {tolerance: 1/10}
"""
    )
    q = question(bc.build(bc.loads(text)))
    found = cheapest_formats(q, bare_reaches(q.graph))
    run = bc.simulate(rebuilt(found, q))
    observed = np.mean(run.trajectory.gradient_norm[:-1] ** 2, axis=0)
    assert observed.max() <= float(q.target)
    assert {site.format for site in found.sites} & {"fp8_e4m3", "fp4_e2m1:block", "int8:tensor"}
    for p, met in run.transformed:
        assert p.reach is not None
        assert met.norm <= float(p.reach.radius)


def test_a_tighter_target_never_costs_fewer_bits() -> None:
    costs = []
    for tolerance in ("1", "1/10", "1/100", "1/1000"):
        q = asked(tolerance)
        found = cheapest_formats(q, bare_reaches(q.graph))
        assert found.cost is not None
        costs.append(found.cost.value)
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]


def test_a_site_without_a_range_leaves_the_choice_open() -> None:
    spec = bc.loads("""
version: 1
name: constants only
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
training: {step_size: 1/4, horizon: 100}
budget: {tolerance: 1/10}
""")
    q = question(bc.build(spec))
    found = cheapest_formats(q, bare_reaches(q.graph))
    assert (found.cost, found.bound) == (None, None)
    notes = {site.label: site.note for site in found.sites}
    assert "no range is known" in str(notes["f1"])
    assert notes["f2"] is None  # ‖v‖ ≤ 1 bounds what goes back


def test_a_format_that_cannot_hold_the_region_is_no_candidate() -> None:
    names = {"activations": ["fp4_e2m1"], "gradients": ["fp16"]}
    q = asked("1", formats=names)
    small = bare_reaches(q.graph)
    wide = {key: Reach(r.shape, Fraction(100), None, None) for key, r in small.items()}
    found = cheapest_formats(q, wide)
    assert found.bound is None
    assert any("no candidate holds values up to 100" in str(s.note) for s in found.sites)


def test_candidates_too_coarse_for_the_target_are_refused_with_the_bound() -> None:
    names = ["fp8_e5m2"]
    q = asked("1/1000000", formats={"activations": names, "gradients": names})
    with pytest.raises(SpecError, match="no assignment of the candidate formats") as info:
        cheapest_formats(q, bare_reaches(q.graph))
    assert "budget.formats" in str(info.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [("fp9", "fp8"), ("int8:tensr", "tensor"), ("", "fp32"), ("bf16:channel", "channels")],
)
def test_an_unknown_candidate_is_refused_with_its_place(name: str, words: str) -> None:
    with pytest.raises(SpecError) as info:
        offered(FormatsSection(gradients=[name]))
    assert info.value.where == "budget.formats.gradients"
    assert words in str(info.value)


# --- bits -----------------------------------------------------------------------------------


def settled(**keys: Any) -> tuple[Any, Allocation]:
    q = asked("1/10", **keys)
    return q, settled_allocation(q)


@pytest.mark.parametrize("rounding", ["stochastic", "nearest"])
def test_bits_in_the_spec_hold_every_value_and_the_target(rounding: str) -> None:
    q, found = settled(allocation={"rounding": rounding})
    sections = [
        PerturbationSection.model_validate(
            {
                "at": site.label,
                "pass": site.direction,
                "model": "number_format",
                "format": "uniform",
                "bits": site.bits,
                "low": str(-site.magnitude.value),
                "high": str(site.magnitude.value),
                "rounding": rounding,
            }
        )
        for site in found.sites
    ]
    spec = q.graph.spec.model_copy(update={"perturbations": sections})
    graph = bc.build(spec)  # overflow is an error: it would refuse a range that is left
    assert highest(q.bound(graph).value) <= lowest(q.target.value)
    assert found.lower_cost is None or found.lower_cost.value <= found.cost.value
    assert float(found.relaxed_cost) <= float(found.cost)
    assert float(found.cost) == sum(float(s.weight) * s.bits for s in found.sites)


def test_weights_move_bits_to_where_they_are_cheap() -> None:
    _, plain = settled()
    _, dear = settled(allocation={"weights": {"forward:layer": 400}})
    bits = {(s.direction, s.label): s.bits for s in plain.sites}
    new = {(s.direction, s.label): s.bits for s in dear.sites}
    assert new["forward", "layer"] <= bits["forward", "layer"]
    assert sum(new.values()) >= sum(bits.values())


def test_transforms_of_the_library_know_their_names() -> None:
    assert offer("fp8_e4m3:block", "stochastic", "").transform == NumberFormat(
        format="fp8_e4m3", scaling="block", rounding="stochastic"
    )
