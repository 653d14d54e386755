"""Events on top of perturbations that act at every step, plugged back into the rates."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from on_top_texts import on_top_spec

import boundcalc as bc
from boundcalc.budgets.frequency import frequencies
from boundcalc.budgets.levels import with_perturbations
from boundcalc.budgets.question import Question, highest, lowest, question

T = 40
CASES = [
    # direction, site of the event, rms, mean, batch, regime
    ("forward", "f1", "1/20", "1/40", 1, "nonconvex"),
    ("forward", "f2", "1/5", "1/8", 4, "pl"),
    ("backward", "f3", "1/4", "0", 1, "nonconvex"),
    ("backward", "f2", "1/8", "1/50", 4, "pl"),
]


def asked(case: tuple[str, str, str, str, int, str]) -> Question:
    direction, site, rms, mean, batch, regime = case
    event = {"name": "e", "at": site, "pass": direction, "rms": rms, "mean": mean}
    budget = {"tolerance": "1/4", "regime": regime, "events": [event]}
    return question(bc.build(bc.loads(on_top_spec(batch, T, budget))))


def bound_with(q: Question, case: tuple[str, str, str, str, int, str], **when: object) -> bc.Spec:
    direction, site, rms, mean, batch, regime = case
    event = {"at": site, "pass": direction, "rms": rms, "mean": mean, **when}
    rates = bc.rates(bc.loads(on_top_spec(batch, T, None, event)))
    found = (rates.pl if regime == "pl" else rates.nonconvex)["sharp"].bound
    assert found is not None
    return highest(found.value)


@pytest.mark.parametrize("case", CASES, ids=lambda c: "-".join(map(str, c)))
def test_the_count_on_top_is_admissible_and_one_more_is_not(case) -> None:
    q = asked(case)
    target = lowest(q.target.value)
    found = frequencies(q, on_top=True)[0]
    count = found.count_worst
    assert 0 < count < T
    assert bound_with(q, case, last=count) <= target
    assert bound_with(q, case, last=count + 1) > target
    assert found.interval is not None
    assert bound_with(q, case, every=found.interval) <= target
    p = found.probability
    at, above = (bound_with(q, case, probability=str(p.value * x)) for x in (1, Fraction(101, 100)))
    assert at <= target
    assert float(at) == pytest.approx(float(target), rel=1e-9)
    assert above > target


@pytest.mark.parametrize("case", CASES, ids=lambda c: "-".join(map(str, c)))
def test_on_top_of_something_fewer_events_are_admissible_than_alone(case) -> None:
    q = asked(case)
    (alone, *_), (top, *_) = frequencies(q), frequencies(q, on_top=True)
    assert top.count_worst <= alone.count_worst
    assert top.count_even <= alone.count_even
    assert float(top.rate) <= float(alone.rate)
    assert float(top.probability) <= float(alone.probability)


@pytest.mark.parametrize("case", CASES, ids=lambda c: "-".join(map(str, c)))
def test_on_top_of_nothing_nothing_changes(case) -> None:
    q = asked(case)
    bare = replace(q, graph=with_perturbations(q.graph, ()))
    for x, y in zip(frequencies(bare), frequencies(bare, on_top=True), strict=True):
        assert (x.count_worst, x.count_even, x.interval) == (
            y.count_worst,
            y.count_even,
            y.interval,
        )
        assert float(x.probability) == pytest.approx(float(y.probability), rel=1e-12)
        assert float(x.spare) == pytest.approx(float(y.spare), rel=1e-12)


def test_the_share_of_one_event_is_what_it_adds() -> None:
    case = CASES[0]
    q = asked(case)
    found = frequencies(q, on_top=True)[0]
    quiet, one = bound_with(q, case, last=0), bound_with(q, case, last=1)
    slack = lowest(q.target.value) - highest(q.baseline.value)
    assert float(found.spare) == pytest.approx(float((one - quiet) / slack), rel=1e-9)
