"""Frequency budgets: all placements by brute force, plugged back into rates, by hand, bad input."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import pytest
from budget_texts import CONSTANTS, Case, share, shipped

from boundcalc import build, load
from boundcalc.arithmetic import Status
from boundcalc.budgets.frequency import frequencies
from boundcalc.budgets.frequency_events import events
from boundcalc.budgets.question import Question, highest, question
from boundcalc.budgets.results import Frequency
from boundcalc.errors import SpecError
from boundcalc.resources import example
from boundcalc.spec.budget import BudgetSection

F = Fraction

QUESTIONS = [
    f"family: {family}, regime: {regime}{step}"
    for family in ("sharp", "corrected", "published")
    for regime in ("nonconvex", "pl")
    for step in ("", ", step_size: best")
]
FIXED = [budget for budget in QUESTIONS if "best" not in budget]


def event(rms: str, mean: str = "0", way: str = "backward", at: str = "f.2") -> str:
    return f"events: [{{name: flip, at: {at}, pass: {way}, rms: {rms}, mean: {mean}}}]"


def text(found: Frequency, extra: str = "") -> str:
    last = f", fourth: {F(found.rms.value)}" if found.direction == "forward" else ""
    return (
        f"at: {found.label}, pass: {found.direction}, rms: {F(found.rms.value)}, "
        f"mean: {F(found.mean.value)}{last}{extra}"
    )


def reached(case: Case, asked: Question, found: Frequency, extra: str) -> float:
    return share(asked, case.rate(asked, (text(found, extra),)))


def listed(steps: Any) -> str:
    return f", steps: [{', '.join(str(t) for t in steps)}]"


# -- brute force --------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", FIXED)
@pytest.mark.parametrize("way", ["forward", "backward"])
def test_every_placement_of_few_steps(budget: str, way: str) -> None:
    at = "f.1" if way == "forward" else "f.2"
    size = "1/4" if "sharp" in budget else "1/30"
    case = Case(
        2, mu="1/2", step="1/3", horizon=5, sigma="1/20", batch=2,
        budget=f"tolerance: 2/5, {budget}, {event(size, '1/90', way, at)}",
    )  # fmt: skip
    asked = case.ask()
    for found in frequencies(asked):
        costs = {
            steps: reached(case, asked, found, listed(steps)) if steps else 0.0
            for count in range(6)
            for steps in combinations(range(5), count)
        }
        # The count: every placement of so many is admissible, and some of one more is not.
        Q = found.count_worst
        assert all(cost <= 1 + 1e-12 for steps, cost in costs.items() if len(steps) <= Q)
        assert Q == 5 or any(cost > 1 for steps, cost in costs.items() if len(steps) == Q + 1)
        # The interval: every phase is admissible, and with one less some phase is not.
        for interval, fits in ((found.interval, True), ((found.interval or 6) - 1, False)):
            if interval:
                phases = [costs[tuple(range(p, 5, interval))] for p in range(interval)]
                assert (max(phases) <= 1 + 1e-12) is fits
        assert Q <= found.count_even <= 5
        if Q > 0:
            assert max(c for s, c in costs.items() if len(s) == 1) == pytest.approx(
                float(found.spare), rel=1e-9
            )


# -- plugging back ------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", QUESTIONS)
def test_counts_rates_and_probabilities(budget: str) -> None:
    scale = 1 if "sharp" in budget else 20
    case = Case(
        2, mu="1/10", step="1/5", horizon=40, sigma="1/50", batch=3,
        budget=f"tolerance: 1/2, {budget}, {event(str(F(1, 6 * scale)), str(F(1, 400 * scale)))}",
    )  # fmt: skip
    asked = case.ask()
    best = "best" in budget
    loose = 1e-8 if best else 1e-10
    for found in frequencies(asked)[:1] if best else frequencies(asked):
        Q, T = found.count_worst, 40
        assert Q == 0 or reached(case, asked, found, f", last: {Q}") <= 1 + loose * best
        assert Q == T or reached(case, asked, found, f", last: {Q + 1}") > 1
        p = F(found.probability.value)
        assert found.probability.limit
        assert found.probability.status is found.rate.status
        proved = Status.COMPUTED if "published" in budget else Status.PROVED
        assert found.rate.status is proved
        thin = reached(case, asked, found, f", probability: {p}")
        assert thin <= 1 + loose * best
        if p < 1:
            assert thin == pytest.approx(1, abs=loose)
            more = min(F(1), p * F(102, 100))
            assert reached(case, asked, found, f", probability: {more}") > 1
        if not best:
            # The expected bound is linear in the rate.
            whole = reached(case, asked, found, "")
            assert float(found.rate) == pytest.approx(min(1.0, 1 / whole), rel=1e-9)
            assert F(found.rate.value) * F(whole) <= 1 + F(1, 10**12)


@pytest.mark.parametrize("name", ["three-operators", "diamond", "unrolled-gd"])
def test_perturbations_of_a_spec_are_events(name: str) -> None:
    asked = shipped(name, tolerance=F(1, 10))
    found = frequencies(asked)
    graph = asked.graph
    sites = {(p.direction, p.site if p.direction == "forward" else graph.edge_label(p.edge))
             for p in graph.perturbations}  # fmt: skip
    assert len({(f.direction, f.label) for f in found}) == len(sites)
    T = graph.spec.training.horizon  # type: ignore[union-attr]
    for f in found:
        assert f.name.startswith("perturbations[")
        assert 0 <= f.count_worst <= f.count_even <= T
        assert 0 < F(f.rate.value) <= 1
        assert 0 < F(f.probability.value) <= 1
        if f.interval is not None:
            assert -(-T // f.interval) <= f.count_even
        full = next(g for g in found if (g.label, g.direction) == (f.label, f.direction)
                    and highest(g.mean.value) >= highest(f.mean.value))  # fmt: skip
        assert full.count_worst <= f.count_worst or full is f


# -- by hand ------------------------------------------------------------------------------------

AFFINE = dict.fromkeys(CONSTANTS, "1") | dict.fromkeys(("hess", "hess_op", "third"), "0")


def ask_affine(budget: str, mu: str | None = None, horizon: int = 100) -> tuple[Frequency, ...]:
    case = Case(2, constants=AFFINE, mu=mu, step="1/4", horizon=horizon, budget=budget)
    return frequencies(case.ask())


def test_nonconvex_by_hand() -> None:
    """An event of rms 1 costs γ/T = 1/400, with mean 1 (γ + 1)/T = 1/80; the slack is 1/125."""
    found = ask_affine(f"tolerance: 1/10, {event('1')}")
    assert [f.mean_case for f in found] == ["given", "full"]
    centred, biased = found
    assert (centred.count_worst, centred.count_even, centred.interval) == (3, 3, 34)
    assert centred.spare.value == F(1, 400) / F(1, 125)
    assert centred.rate.value == F(1, 125) / F(1, 4)
    assert centred.probability.value == F(1, 125) / F(1, 4)
    assert (biased.count_worst, biased.count_even, biased.interval) == (0, 0, None)
    # γ p + p² = 1/125
    assert float(biased.probability) == pytest.approx((-0.25 + (0.0625 + 0.032) ** 0.5) / 2)
    assert biased.rate.value == F(1, 125) / F(5, 4)


def test_exact_ties_count() -> None:
    found = ask_affine(f"target: 9/100, {event('1')}")  # a slack of 1/100 and 1/400 each
    assert (found[0].count_worst, found[0].interval) == (4, 25)


@pytest.mark.parametrize("target", [f"{k}/100" for k in range(9, 27, 2)])
def test_pl_by_hand(target: str) -> None:
    """q = 1 − μγ = 7/8: an event costs (γ²/2) q^(T−1−t)."""
    found = ask_affine(f"target: {target}, {event('1', '0')}", mu="1/2", horizon=20)[0]
    q = F(7, 8)
    slack = F(target) - q**20
    cost = [F(1, 32) * q**k for k in range(20)]
    assert found.count_worst == max(Q for Q in range(21) if sum(cost[:Q]) <= slack)
    fits = [d for d in range(1, 21) if sum(cost[k] for k in range(0, 20, d)) <= slack]
    assert found.interval == min(fits, default=None)
    spread = [Q for Q in range(1, 21) if sum(cost[k * (20 // Q)] for k in range(Q)) <= slack]
    every = -(-20 // found.interval) if found.interval else 0
    assert found.count_even == max([*spread, every, 0])
    assert found.spare.value == F(1, 32) / slack


def test_fourth_moments_of_thinned_events() -> None:
    # With these constants the fourth moment is what counts.
    constants = {**CONSTANTS, "third": "50"}
    for family in ("corrected", "published"):
        budget = f"tolerance: 1, family: {family}, {event('1/10', '0', 'forward', 'f.1')}"
        case = Case(2, constants=constants, mu=None, budget=budget)
        asked = case.ask()
        found = frequencies(asked)[0]
        p = F(found.probability.value)
        assert 0 < p < 1
        assert reached(case, asked, found, f", probability: {p}") == pytest.approx(1, abs=1e-10)


def test_a_horizon_of_one_step_and_of_a_billion() -> None:
    found = ask_affine(f"tolerance: 1/10, {event('1')}", horizon=1)[0]
    assert (found.count_worst, found.count_even, found.interval) == (1, 1, 1)
    assert found.rate.value == 1
    found = ask_affine(f"tolerance: 1/10, {event('1')}", horizon=10**9)[0]
    assert found.count_worst == 3
    assert found.interval == -(-(10**9) // 3)
    found = ask_affine(f"target: 1/10, {event('1/1000')}", mu="1/2", horizon=10**9)[0]
    assert found.count_worst == 10**9


def test_events_that_never_reach_the_gradient() -> None:
    for way, at in (("forward", "f.2"), ("backward", "f.1")):
        for found in ask_affine(f"tolerance: 1/10, {event('5', '1', way, at)}"):
            assert (found.count_worst, found.count_even, found.interval) == (100, 100, 1)
            assert found.rate.value == found.probability.value == 1
            assert found.spare.value == 0


def test_three_means() -> None:
    found = ask_affine(f"tolerance: 1/10, {event('1/2', '1/4')}")
    assert [(f.mean_case, F(f.mean.value)) for f in found] == [
        ("given", F(1, 4)), ("zero", 0), ("full", F(1, 2)),
    ]  # fmt: skip
    assert found[1].count_worst >= found[0].count_worst >= found[2].count_worst
    without = "events: [{name: flip, at: f.2, pass: backward, rms: 1/2}]"
    assert [f.mean_case for f in ask_affine(f"tolerance: 1/10, {without}")] == ["given", "zero"]


def test_counts_are_monotone_in_the_tolerance_and_the_size() -> None:
    counts = [
        ask_affine(f"tolerance: {tolerance}, {event(size)}", mu="1/2", horizon=30)[0]
        for tolerance, size in (("2", "1/2"), ("4", "1/2"), ("4", "1/3"), ("40", "1/5"))
    ]
    assert all(
        a.count_worst <= b.count_worst and a.count_even <= b.count_even
        and F(a.rate.value) <= F(b.rate.value) and F(a.spare.value) >= F(b.spare.value)
        for a, b in pairwise(counts)
    )  # fmt: skip


# -- places and bad input -----------------------------------------------------------------------


def at(where: str, way: str, name: str = "diamond", **more: Any) -> list[tuple[str, int]]:
    spec = load(example(name))
    item = {"name": "x", "at": where, "pass": way, "rms": F(1, 10), **more}
    section = BudgetSection.model_validate({"tolerance": F(1), "events": [item]})
    graph = build(spec.model_copy(update={"budget": section}))
    return [(e.label, e.index) for e in events(graph)]


def test_places() -> None:
    assert at("left", "forward") == [("left", 2)]
    assert [label for label, _ in at("join", "backward")] == ["left->join", "right->join"]
    assert at("left->join", "backward") == at("join", "backward")[:1]
    assert [label for label, _ in at("*", "forward")] == ["stem", "left", "right", "join", "loss"]
    assert [label for label, _ in at("step.*", "forward", "lqc")] == [
        f"step.{k}" for k in range(1, 6)
    ]


@pytest.mark.parametrize(
    ("where", "way", "more", "words"),
    [
        ("stm", "forward", {}, "did you mean 'stem'"),
        ("lft->join", "backward", {}, "did you mean 'left'"),
        ("stem->join", "backward", {}, "'join' reads left, right"),
        ("left->join", "forward", {}, "an operator, such as 'left'"),
        ("stem", "forward", {"mean": F(1, 5)}, "larger than its rms"),
        ("nothing.*", "forward", {}, "unknown operator"),
    ],
)
def test_wrong_events(where: str, way: str, more: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        at(where, way, **more)
    assert words in str(caught.value)
    assert caught.value.where.startswith("budget.events[0].")  # type: ignore[union-attr]


def test_several_schedules_have_no_best_pl_step_on_long_horizons() -> None:
    texts = ("at: f.2, pass: backward, rms: 1/100, mean: 0, every: 2",
             "at: f.1, pass: forward, rms: 1/100, mean: 0, every: 3")  # fmt: skip
    case = Case(2, perturbations=texts, horizon=3000, step="1/200")
    asked = replace(case, budget="tolerance: 1, step_size: best").ask()
    assert frequencies(asked)  # single events have
    from boundcalc.budgets.magnitude import magnitudes

    with pytest.raises(SpecError, match="best step"):
        magnitudes(asked)
    assert question(case.graph()).admissible(case.graph()) in (True, False)
