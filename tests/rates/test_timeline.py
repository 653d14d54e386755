"""Patterns of perturbations and discounted sums against loops over the steps."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literal_rates import ACTS, REFERENCE, Case, Site, close, high

from boundcalc.arithmetic import WIDE
from boundcalc.graph import UniformConstants
from boundcalc.rates import Timeline, timeline
from boundcalc.rates.discounts import power

F = Fraction

ONES = UniformConstants(4, *[F(1)] * 5)

schedules = st.one_of(
    st.just(("always", None)),
    st.tuples(st.just("every"), st.integers(1, 9)),
    st.tuples(st.just("first"), st.integers(0, 30)),
    st.tuples(st.just("last"), st.integers(0, 30)),
    st.tuples(st.just("steps"), st.lists(st.integers(0, 40), unique=True, max_size=6)),
)


#: 1 − q, from a contraction that ends everything to one far below rounding.
DECAYS = [F(1, 10), F(1, 2), F(99, 100), F(1, 10**9), F(1, 10**60), F(1)]


def graph(chosen: list[tuple[str, Any]]) -> Any:
    places = [(k, d) for d in ("forward", "backward") for k in range(1, 5)]
    sites = tuple(
        Site(k, d, F(1), F(0), F(1), schedule)
        for (k, d), schedule in zip(places, chosen, strict=False)
    )
    return Case(ONES, sites).graph()


def acting(chosen: list[tuple[str, Any]], T: int) -> list[tuple[int, ...]]:
    """For every step, the perturbations that act."""
    return [
        tuple(k for k, (key, value) in enumerate(chosen) if ACTS[key](value, t, T))
        for t in range(T)
    ]


@pytest.mark.parametrize("block", [1 << 20, 5])
@settings(deadline=None, max_examples=50)
@given(chosen=st.lists(schedules, max_size=8), T=st.integers(1, 30), data=st.data())
def test_patterns_and_discounts(
    block: int, chosen: list[tuple[str, Any]], T: int, data: Any
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timeline, "_CHUNK", block)
        check(chosen, T, data.draw(st.sampled_from(DECAYS)))


def check(chosen: list[tuple[str, Any]], T: int, decay: F) -> None:
    found = Timeline(graph(chosen), T)
    steps = acting(chosen, T)
    assert {p.active: p.count for p in found.patterns} == {
        active: steps.count(active) for active in set(steps)
    }
    assert len({p.active for p in found.patterns}) == len(found.patterns)
    assert sum(p.count for p in found.patterns) == T == found.horizon
    assert found.constant == all(
        key == "always" or (key, value) == ("every", 1) for key, value in chosen
    )
    drop = WIDE.number(decay)
    for lag in (0, 1):
        sums = found.discounted(drop, lag)
        for pattern, own in zip(found.patterns, sums, strict=True):
            total = sum(
                high(1 - decay) ** (T - lag - t) for t in range(T) if steps[t] == pattern.active
            )
            assert own >= 0
            # to 1e-12, or to 1e-30 of the sum over all steps
            everything = sum(high(1 - decay) ** n for n in range(1 - lag, T + 1 - lag))
            assert close(own, total) or abs(high(own) - total) <= everything * high(F(1, 10**30))


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(DECAYS), st.integers(0, 10**9))
def test_powers(decay: F, exponent: int) -> None:
    found = power(WIDE.number(decay), exponent)
    if decay == 1 and exponent == 0:
        return  # no horizon is zero
    reference = REFERENCE.mpf(1) - high(decay)
    if decay > F(1, 10**50):
        assert close(found, reference**exponent, 1e-20)
    else:
        assert found == 1 - exponent * WIDE.number(decay)


@pytest.mark.parametrize("chosen", [[], [("every", 3)], [("last", 1)], [("first", 2), ("last", 2)]])
@pytest.mark.parametrize("lag", [0, 1])
def test_ratio_zero(chosen: list[tuple[str, Any]], lag: int) -> None:
    # 0⁰ = 1: with exponent T−1−t only the last step counts, with T−t none does.
    T = 7
    found = Timeline(graph(chosen), T)
    sums = found.discounted(WIDE.number(1), lag)
    last = acting(chosen, T)[-1]
    for pattern, own in zip(found.patterns, sums, strict=True):
        assert own == (1 if lag == 1 and pattern.active == last else 0)


def test_discounts_far_below_the_smallest_float() -> None:
    found = Timeline(graph([("first", 1)]), 10_000)
    sums = found.discounted(WIDE.number(F(1, 2)), 1)
    by_pattern = dict(zip((p.active for p in found.patterns), sums, strict=True))
    assert by_pattern[()] == pytest.approx(2, rel=1e-12)
    assert 0 <= by_pattern[(0,)] < 1e-300
    assert all(math.isfinite(float(value)) for value in sums)


@pytest.mark.parametrize("schedule", [("last", 20), ("first", 10), ("every", 2), ("steps", [29])])
@pytest.mark.parametrize("decay", [F(99, 100), F(1, 2)])
def test_early_steps_that_weigh_little(schedule: tuple[str, Any], decay: F) -> None:
    # With q = 1/100 the first ten of thirty steps weigh 1e-40 beside the last one's 1.
    check([schedule], 30, decay)
    check([schedule, ("first", 3)], 30, decay)


def test_steps_that_weigh_nothing_do_not_weigh_less() -> None:
    found = Timeline(graph([("last", 1999)]), 2000)
    sums = found.discounted(WIDE.number(F(1, 2)), 1)
    by_pattern = dict(zip((p.active for p in found.patterns), sums, strict=True))
    assert by_pattern[(0,)] == pytest.approx(2, rel=1e-12)
    assert 0 <= by_pattern[()] <= 1e-30


def test_schedules_that_are_equal_are_followed_once() -> None:
    found = Timeline(graph([("every", 2), ("every", 2), ("first", 1)]), 6)
    assert {(p.active, p.count) for p in found.patterns} == {((0, 1, 2), 1), ((0, 1), 2), ((), 3)}


def test_many_steps_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "_CHUNK", 1 << 14)
    T = (1 << 16) + 10
    found = Timeline(graph([("every", 1000), ("last", 3)]), T)
    counts = {p.active: p.count for p in found.patterns}
    Q = -(-T // 1000)
    on_last = sum(t % 1000 == 0 for t in range(T - 3, T))
    assert counts[(0,)] == Q - on_last
    assert counts[(1,)] == 3 - on_last
    assert counts[()] == T - Q - 3 + on_last
    decay = F(1, 10**6)
    sums = found.discounted(WIDE.number(decay), 1)
    by_pattern = dict(zip((p.active for p in found.patterns), sums, strict=True))
    q = high(1 - decay)
    every = sum(q ** (T - 1 - t) for t in range(0, T, 1000))
    assert close(by_pattern[(0,)], every, 1e-11)
    assert close(sum(sums), (1 - q**T) / (1 - q), 1e-11)
