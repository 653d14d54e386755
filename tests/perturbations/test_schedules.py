"""Schedules against literal loops over the steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from boundcalc.errors import SimulationError, SpecError
from boundcalc.perturbations import (
    SCHEDULES,
    Always,
    Every,
    First,
    Last,
    Schedule,
    Steps,
    from_keys,
)

#: What each schedule means, one step at a time.
MEANING: dict[type[Schedule], Callable[[Any, int, int], bool]] = {
    Always: lambda schedule, t, horizon: True,
    Every: lambda schedule, t, horizon: t % schedule.every == 0,
    Steps: lambda schedule, t, horizon: t in schedule.steps,
    First: lambda schedule, t, horizon: t < schedule.first,
    Last: lambda schedule, t, horizon: t >= horizon - schedule.last,
}

counts = st.integers(0, 60)
schedules = st.one_of(
    st.just(Always()),
    st.builds(Every, every=st.integers(1, 60)),
    st.builds(Steps, steps=st.lists(counts, unique=True, max_size=20)),
    st.builds(First, first=counts),
    st.builds(Last, last=counts),
)


@settings(deadline=None)
@given(schedules, st.tuples(counts, counts, counts).map(sorted))
def test_active_is_the_literal_loop(schedule: Schedule, steps: list[int]) -> None:
    start, stop, horizon = steps
    means = MEANING[type(schedule)]
    mask = schedule.active(start, stop, horizon)
    assert mask.dtype == np.bool_
    assert mask.tolist() == [means(schedule, t, horizon) for t in range(start, stop)]


@settings(deadline=None)
@given(schedules, counts)
def test_count_is_the_sum(schedule: Schedule, horizon: int) -> None:
    assert schedule.count(horizon) == schedule.active(0, horizon, horizon).sum()


@settings(deadline=None)
@given(schedules, counts, counts)
def test_always_means_every_step(schedule: Schedule, horizon: int, start: int) -> None:
    if schedule.always:
        assert schedule.count(horizon) == horizon


def test_always() -> None:
    assert [s.always for s in (Always(), Every(every=1), Every(every=2))] == [True, True, False]
    assert not any(s.always for s in (Steps(steps=[0]), First(first=9), Last(last=9)))


@settings(deadline=None)
@given(st.integers(1, 10**40), st.integers(0, 10**40))
def test_counts_of_enormous_horizons(every: int, horizon: int) -> None:
    quotient, rest = divmod(horizon, every)
    assert Every(every=every).count(horizon) == quotient + (rest > 0)
    assert First(first=every).count(horizon) == Last(last=every).count(horizon)


def test_enormous_numbers_in_small_windows() -> None:
    big = 10**30
    assert Every(every=big).active(big, big + 3, big + 3).tolist() == [True, False, False]
    assert Every(every=big).active(1, 4, 4).sum() == 0
    assert First(first=big).active(0, 3, 3).all()
    assert Last(last=2).active(big - 3, big, big).tolist() == [False, True, True]
    assert Steps(steps=[0, 10**18]).active(0, 2, 10).tolist() == [True, False]


def test_steps_are_sorted() -> None:
    assert Steps(steps=[5, 1, 3]).steps == (1, 3, 5)
    assert Steps(steps=()).count(10) == 0


@pytest.mark.parametrize(("start", "stop", "horizon"), [(-1, 1, 5), (3, 2, 5), (0, 6, 5)])
def test_steps_outside_the_run(start: int, stop: int, horizon: int) -> None:
    with pytest.raises(SimulationError, match="not steps of the run"):
        Always().active(start, stop, horizon)


@pytest.mark.parametrize(
    ("schedule", "value"),
    [
        (Every, {"every": 0}),
        (Every, {"every": True}),
        (Every, {"every": 2.0}),
        (Every, {"every": "2"}),
        (Every, {}),
        (Every, {"every": 2, "offset": 1}),
        (First, {"first": -1}),
        (Last, {"last": -1}),
        (Steps, {"steps": [-1]}),
        (Steps, {"steps": [1, 1]}),
        (Steps, {"steps": [True]}),
        (Steps, {"steps": range(1_000_001)}),
        (Always, {"every": 1}),
    ],
)
def test_values_that_are_refused(schedule: type[Schedule], value: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        schedule.model_validate(value)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, Always()),
        ({"every": None, "steps": None}, Always()),
        ({"every": 10}, Every(every=10)),
        ({"steps": [3, 1], "last": None}, Steps(steps=[1, 3])),
        ({"first": 0}, First(first=0)),
        ({"last": 7}, Last(last=7)),
    ],
)
def test_from_keys(keys: dict[str, Any], expected: Schedule) -> None:
    assert from_keys(keys) == expected


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"every": 2, "last": 3}, "every and last"),
        ({"evry": 2}, "did you mean every"),
        ({"zzz": 2}, "unknown schedule"),
        ({"every": 0}, "every: Input should be greater than or equal to 1"),
        ({"steps": [1, -1]}, r"steps\[1\]: Input should be greater"),
        ({"steps": [1, 2, 1]}, "steps: step 1 is listed twice"),
    ],
)
def test_from_keys_refuses(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        from_keys(keys)


def test_every_key_has_a_schedule() -> None:
    assert {name: next(iter(s.model_fields)) for name, s in SCHEDULES.items()} == {
        name: name for name in SCHEDULES
    }
    assert {*SCHEDULES.values(), Always} == set(Schedule.__subclasses__()) == set(MEANING)
