"""Times of steps with stragglers: the recurrence against tokens that move one by one."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from theories.staleness.staleness_cases import graph_of, section_of
from theories.staleness.test_staleness_run import OPTIONS, bounded

from boundcalc.errors import SimulationError, SpecError
from boundcalc.theories.plain import jsonable
from boundcalc.theories.staleness.queues import Queues
from boundcalc.theories.staleness.stragglers import (
    _durations,
    _slowest,
    lengths_of,
    step_ends,
    straggler_answer,
    straggler_table,
    time_per_step,
)
from boundcalc.theories.staleness.theory import THEORY


def by_tokens(durations, forward, back):
    """C_k(n) from queues of items with the time at which each was put there."""
    steps, workers = len(durations), len(durations[0])
    values = [[0] * length for length in forward]  # between k and k + 1
    gradients = [[0] * length for length in back]  # between k + 1 and k
    free, done = [0] * workers, [[None] * workers for _ in range(steps)]
    count = [0] * workers
    while any(n < steps for n in count):
        moved = False
        for k in range(workers):
            if count[k] == steps:
                continue
            if (k and not values[k - 1]) or (k < workers - 1 and not gradients[k]):
                continue
            taken = [free[k]]
            if k:
                taken.append(values[k - 1].pop(0))
            if k < workers - 1:
                taken.append(gradients[k].pop(0))
            free[k] = max(taken) + durations[count[k]][k]
            if k < workers - 1:
                values[k].append(free[k])
            if k:
                gradients[k - 1].append(free[k])
            done[count[k]][k] = free[k]
            count[k] += 1
            moved = True
        assert moved, "the pipeline is stuck"
    return done


LENGTHS = st.integers(1, 4)


@st.composite
def pipelines(draw):
    workers, steps = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    forward = draw(st.lists(LENGTHS, min_size=workers - 1, max_size=workers - 1))
    back = draw(st.lists(LENGTHS, min_size=workers - 1, max_size=workers - 1))
    row = st.lists(st.integers(1, 5), min_size=workers, max_size=workers)
    return draw(st.lists(row, min_size=steps, max_size=steps)), forward, back


def ends_of(durations, forward, back):
    return step_ends((np.array(row, float)[:, None] for row in durations), forward, back)[..., 0]


@given(pipelines())
def test_the_recurrence_is_what_queues_of_items_do(case):
    durations, forward, back = case
    assert ends_of(*case).tolist() == by_tokens(durations, forward, back)


@given(pipelines(), st.integers(0, 5), st.booleans())
def test_longer_queues_are_never_slower(case, place, which):
    durations, forward, back = case
    longer = [list(forward), list(back)]
    if longer[which]:
        longer[which][place % len(longer[which])] += 1
    assert (ends_of(durations, *longer) <= ends_of(*case)).all()


@given(pipelines())
def test_the_time_lies_between_no_waiting_and_waiting_for_the_slowest(case):
    durations, forward, _ = case
    total = ends_of(*case)[-1].max()
    alone = np.array(durations).sum(axis=0).max()
    together = np.array(durations).max(axis=1).sum()
    assert alone <= total <= together
    plenty = [len(durations)] * len(forward)
    assert ends_of(durations, plenty, plenty)[-1].max() == alone


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_two_workers_enumerated(lag):
    """E C(4) over all 2⁸ patterns, slow with probability 1/3 by one half, as a fraction."""
    steps, slow, chance = 4, Fraction(1, 2), Fraction(1, 3)
    patterns = list(product((0, 1), repeat=2 * steps))
    expected = Fraction(0)
    for pattern in patterns:
        durations = [[1 + slow * pattern[2 * n + k] for k in range(2)] for n in range(steps)]
        weight = chance ** sum(pattern) * (1 - chance) ** (2 * steps - sum(pattern))
        expected += weight * max(by_tokens(durations, [lag], [lag])[-1])
    acts = np.array(patterns).reshape(-1, steps, 2).transpose(1, 2, 0)
    ends = step_ends((1 + 0.5 * row for row in acts), [lag], [lag])[-1].max(axis=0)
    ones = acts.sum(axis=(0, 1))
    weights = (1 / 3) ** ones * (2 / 3) ** (2 * steps - ones)
    assert ends @ weights == pytest.approx(float(expected), rel=1e-13)
    if lag == 1:  # one item each way: both wait for the slower one
        waiting = 1 - (1 - chance) ** 2
        assert expected == steps * (1 + slow * waiting)
    found = sampled_ends(lag, steps)
    assert abs(found.mean() - float(expected)) < 5 * found.std() / len(found) ** 0.5


def sampled_ends(lag, steps, runs=20_000):
    rows = _durations(2, 1 / 3, (0.5,), 3, steps, runs)
    return step_ends(rows, [lag], [lag])[-1].max(axis=0)


def test_the_slowest_of_all_workers_enumerated():
    slow, chance, workers = [0.5, 1.0, 3.0], 0.4, 3
    each = [(0.0, 1 - chance)] + [(s, chance / 3) for s in slow]
    expected = sum(
        max(s for s, _ in row) * np.prod([p for _, p in row])
        for row in product(each, repeat=workers)
    )
    assert _slowest(workers, chance, slow) == pytest.approx(expected, rel=1e-12)
    assert _slowest(workers, chance, slow[::-1]) == pytest.approx(expected, rel=1e-12)


def test_time_per_step_is_that_of_the_second_half():
    rows = [np.array([[1.0, 2.0], [3.0, 1.0]])] * 6
    assert time_per_step(lambda: iter(rows), [2], [2], 6).tolist() == [3.0, 2.0]


@pytest.fixture(scope="module")
def table():
    lengths = lengths_of(Queues((1, 1, 0), (4, 2, 0)), 3)
    return straggler_table(lengths, 3, 1 / 3, (0.2, 0.5, 1.0, 1.5), 5, 0.999, steps=600, runs=16)


def test_longer_queues_help_as_in_the_papers_table(table):
    rows = np.array([[m.mean for m in row] for row in table.rows.values()])
    assert rows.shape == (4, 5)
    assert (np.diff(rows, axis=0) < 0).all()
    assert (rows[0] < table.waiting).all()
    assert (rows[-1] > np.array(table.free) - 1).all()
    assert (np.diff(rows[:, :4], axis=1) > 0).all()


def test_the_slow_share_is_the_probability(table):
    rows = list(_durations(3, 1 / 3, (0.2, 0.5), 1, 400, 50))
    times = np.array(rows).reshape(400, 3, 3, 50)
    for column, size in enumerate((0.2, 0.5)):
        values = times[:, :, column]
        assert set(np.unique(values)) == {1.0, 1.0 + size}
        assert abs((values > 1).mean() - 1 / 3) < 0.01
    assert set(np.unique(times[:, :, 2])) == {1.0, 1.2, 1.5}
    assert ((times[:, :, 2] > 1) == (times[:, :, 0] > 1)).all()
    assert table.free[0] == pytest.approx(20 / 3)


def test_the_table_stands_in_the_answer_to_simulate():
    text = bounded(steps=20).replace("{queues:", "{stragglers: {slowdowns: [1/2]}, queues:")
    answer = THEORY.simulate(graph_of(text), OPTIONS)
    found = jsonable(answer.data)["stragglers"]
    assert found["slowdowns"] == [0.5]
    assert found["waiting_for_the_slowest"] == [pytest.approx(50 * (1 - (2 / 3) ** 3))]
    assert list(found["rows"]) == [
        "queues as in the spec",
        "queues 2 times as long",
        "queues 4 times as long",
        "queues 8 times as long",
    ]
    assert "Stragglers" in answer.blocks[-1].caption


def test_lengths_are_those_between_workers():
    queues = Queues((2, 3, 0), (9, 5, 1))
    assert lengths_of(queues, 3) == ((2, 3), (2, 1))
    assert lengths_of(queues, 5) == ((1,) * 4, (1,) * 4)
    assert lengths_of(Queues((0, 0), (0, 0)), 2) is None
    assert lengths_of(Queues((0,), (3,)), 1) == ((), ())


def test_a_probability_above_one_is_refused_when_its_symbol_is_known():
    text = bounded().replace("{queues:", "{stragglers: {probability: large}, queues:")
    graph = graph_of(text.replace("version: 1", "version: 1\nsymbols: {large: 3}"))
    with pytest.raises(SpecError, match=r"staleness\.stragglers\.probability"):
        straggler_answer(graph, section_of(graph))


def test_tables_that_would_fill_the_memory_are_refused():
    lengths = (300,) * 999, (300,) * 999
    with pytest.raises(SimulationError, match=r"staleness\.stragglers"):
        straggler_table(lengths, 1000, 0.3, (0.5, 1.0), 0, 0.99)


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.integers(1, 6), st.lists(st.floats(0.01, 3), min_size=1, max_size=4))
def test_no_waiting_is_never_slower_than_waiting(chance, workers, slow):
    mean = chance * sum(slow) / len(slow)
    assert _slowest(workers, chance, slow) >= mean - 1e-9
    assert _slowest(1, chance, slow) == pytest.approx(mean, abs=1e-12)
