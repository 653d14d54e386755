"""Queue rules, delays, and the times of a batch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boundcalc.errors import SpecError
from boundcalc.theories.staleness.queues import Queues


def test_the_papers_pipeline() -> None:
    queues = Queues((1, 1, 0), (4, 2, 0))
    assert queues.q == (0, 1, 1)
    assert queues.delays == (4, 2, 0)
    assert queues.delay == 4
    assert queues.times == (0, 1, 2, 2, 3, 4)
    assert queues.held == 10
    assert not queues.plain
    assert str(queues) == "DSP(1,1,0;4,2,0)"


@pytest.mark.parametrize(
    ("p", "m", "where", "value"),
    [
        ((1, 1, 0), (4, 3, 0), "staleness.queues.m[0]", "q_1 = m_0 − p_0 − m_1 = 4 − 1 − 3 = 0"),
        ((1, 1, 0), (4, 1, 0), "staleness.queues.m[1]", "q_2 = m_1 − p_1 − m_2 = 1 − 1 − 0 = 0"),
        ((1, 1, 0), (4, 0, 0), "staleness.queues.m[1]", "m_1 = 0"),
        ((1, 1, 0), (0, 2, 0), "staleness.queues.m[0]", "m_0 = 0"),
        ((1, 1, 0), (-1, 2, 0), "staleness.queues.m[0]", "m_0 = -1"),
        ((1, 1, 0), (4, 2, -1), "staleness.queues.m[2]", "m_2 = -1"),
        ((0, 1, 0), (4, 2, 0), "staleness.queues.p[0]", "p_0 = 0"),
        ((1, 0, 0), (4, 2, 0), "staleness.queues.p[1]", "p_1 = 0"),
        ((1, 1, 1), (4, 2, 0), "staleness.queues.p[2]", "p_2 = 1"),
        ((1, 0), (4, 2, 0), "staleness.queues", "2 lengths p and 3 lengths m"),
        ((), (), "staleness.queues", "0 lengths p and 0 lengths m"),
        ((1, 0), (True, 0), "staleness.queues.m[0]", "m_0 = True"),
        ((1, 0), (2.5, 0), "staleness.queues.m[0]", "m_0 = 2.5"),
    ],
)
def test_a_broken_rule_is_named(
    p: tuple[int, ...], m: tuple[int, ...], where: str, value: str
) -> None:
    with pytest.raises(SpecError) as caught:
        Queues(p, m)
    assert caught.value.where == where
    assert caught.value.value == value
    assert caught.value.fix


def test_no_pipeline_and_one_block() -> None:
    plain = Queues((0, 0, 0), (0, 0, 0))
    assert plain.plain
    assert plain.q == (0, 0, 0)
    assert plain.delay == 0
    assert plain.times == (0, 0, 0, 0, 0, 0)
    delayed = Queues((0,), (7,))
    assert delayed.times == (0, 7)
    assert delayed.q == (0,)
    assert Queues((0,), (0,)).plain


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), max_size=6), st.integers(0, 4))
def test_lengths_made_from_the_rules_are_accepted(pairs: list[tuple[int, int]], last: int) -> None:
    # From the last block backwards: m_{k−1} = m_k + p_{k−1} + q_k.
    m, p = [last], [0]
    for length, back in pairs:
        m.insert(0, m[0] + length + back)
        p.insert(0, length)
    queues = Queues(tuple(p), tuple(m))
    K = len(m)
    assert queues.q == (0, *(back for _, back in reversed(pairs)))
    t = queues.times
    assert all(t[2 * K - 1 - k] - t[k] == m[k] for k in range(K))
    assert list(t) == sorted(t)
    # One batch takes p to pass forward, m_{K−1} at the end, and q to pass back.
    assert t[-1] == sum(p) + m[-1] + sum(queues.q) == queues.delay


@given(st.data())
def test_one_changed_length_breaks_or_keeps_every_rule(data: st.DataObject) -> None:
    p = tuple(data.draw(st.lists(st.integers(-1, 3), min_size=3, max_size=3)))
    m = tuple(data.draw(st.lists(st.integers(-1, 6), min_size=3, max_size=3)))
    q = (0, m[0] - p[0] - m[1], m[1] - p[1] - m[2])
    valid = (
        all(x > 0 for x in m[:2])
        and m[2] >= 0
        and all(x > 0 for x in p[:2])
        and p[2] == 0
        and all(x > 0 for x in q[1:])
    )
    if valid or not any((*p, *m)):
        assert Queues(p, m).q == q
    else:
        with pytest.raises(SpecError):
            Queues(p, m)
