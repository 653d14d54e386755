"""The cheapest assignment of candidates, against every assignment there is."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import allocation_specs as specs
import numpy as np
import pytest

from boundcalc.budgets.allocation.candidates import Candidate, Table
from boundcalc.budgets.allocation.choose import cheapest
from boundcalc.budgets.allocation.evaluator import Moments


def random_candidates(asked, seed, count=5):
    """Formats of random cost and moments, some with means and some without."""
    rng = random.Random(seed)  # noqa: S311 - cases, not secrets
    table = []
    for _ in asked.graph.sites:
        rows = []
        for k in range(rng.randint(1, count)):
            rms = 10.0 ** rng.uniform(-4, 0)
            mean = rng.choice([0.0, rms, rms / 3])
            rows.append(Candidate(f"format {k}", Fraction(rng.randint(0, 40), 3), rms, mean))
        table.append(rows)
    return table


def by_trying(asked, table, target):
    evaluator = specs.evaluator(asked)
    best = None
    for picks in product(*(range(len(rows)) for rows in table)):
        chosen = [rows[k] for rows, k in zip(table, picks, strict=True)]
        cost = sum((c.cost for c in chosen), Fraction(0))
        if best is not None and cost >= best:
            continue
        levels = Moments(
            *(np.array([getattr(c, n) for c in chosen]) for n in ("rms", "mean", "fourth"))
        )
        if evaluator.bound(levels) <= target:
            best = cost
    return best


@pytest.mark.parametrize("seed", range(20))
def test_cheapest_is_the_cheapest_of_all(seed):
    asked = specs.chain(3, seed, budget="tolerance: 1/2")
    table = random_candidates(asked, seed)
    target = float(asked.target)
    found = cheapest(table, specs.evaluator(asked), target)
    best = by_trying(asked, table, target)
    if best is None:
        assert found is None
        return
    assert found is not None
    assert found.cost == best == found.lower
    assert found.proved
    assert found.bound <= target
    chosen = [rows[k].cost for rows, k in zip(table, found.picks, strict=True)]
    assert sum(chosen) == found.cost


def test_some_of_those_problems_have_solutions_and_some_none():
    solved = [
        cheapest(random_candidates(a, seed), specs.evaluator(a), float(a.target)) is not None
        for seed in range(20)
        for a in [specs.chain(3, seed, budget="tolerance: 1/2")]
    ]
    assert 3 < sum(solved) < 20


@pytest.mark.parametrize("seed", range(8))
def test_without_effort_it_is_admissible_and_its_bound_holds(seed):
    asked = specs.chain(4, seed, budget="tolerance: 1/2")
    rng = random.Random(seed)  # noqa: S311 - cases, not secrets
    table = [
        [
            Candidate(f"{b} bits", Fraction(b * rng.randint(1, 5)), 0.9 / 2**b, 0.0)
            for b in (2, 4, 8, 16, 24)
        ]
        for _ in asked.graph.sites
    ]
    target = float(asked.target)
    quick = cheapest(table, specs.evaluator(asked), target, effort=5_000)
    full = cheapest(table, specs.evaluator(asked), target)
    assert quick is not None
    assert full is not None
    assert full.proved
    assert quick.bound <= target
    assert quick.lower <= full.cost <= quick.cost


def test_acceptance_has_the_last_word():
    asked = specs.chain(3, 1, budget="tolerance: 1/2")
    table = [
        [Candidate(str(b), Fraction(b), 0.5**b, 0.0) for b in range(1, 9)]
        for _ in asked.graph.sites
    ]
    seen = []

    def refuse(picks):
        seen.append(picks)
        return False

    assert cheapest(table, specs.evaluator(asked), float(asked.target), refuse) is None
    assert len(seen) >= 2
    found = cheapest(table, specs.evaluator(asked), float(asked.target), lambda _: True)
    assert found is not None
    assert found.picks == seen[0]


def test_ties_with_the_target_are_left_to_acceptance():
    asked = specs.chain(3, 1, budget="tolerance: 1/2")
    table = [
        [Candidate(str(b), Fraction(b), 0.5**b, 0.0) for b in range(1, 9)]
        for _ in asked.graph.sites
    ]
    evaluator = specs.evaluator(asked)
    found = cheapest(table, evaluator, float(asked.target), lambda _: True)
    assert found is not None
    # Rounding may put the float just above an exact target that is met.
    tight = found.bound * (1 - 1e-15)
    again = cheapest(table, evaluator, tight, lambda _: True)
    assert again is not None
    assert again.cost == found.cost
    without = cheapest(table, evaluator, tight)
    assert without is not None
    assert without.cost >= found.cost


def test_beaten_candidates_are_left_out():
    asked = specs.chain(2, 1)
    rows = [
        Candidate("good", Fraction(2), 0.1, 0.0),
        Candidate("beaten", Fraction(3), 0.2, 0.1),
        Candidate("cheap", Fraction(1), 0.5, 0.0),
        Candidate("small mean, large rms", Fraction(3), 0.05, 0.05),
        Candidate("the same", Fraction(2), 0.1, 0.0),
    ]
    table = Table([rows] * len(asked.graph.sites), specs.evaluator(asked))
    assert table.kept[0] == [2, 0, 3]
    assert table.cost[0].tolist() == [1.0, 2.0, 3.0, 1.0]
    assert table.rms[0, table.ideal] == 0.05
    assert table.mean[0, table.ideal] == 0.0
    assert table.original(np.array([1, 2])) == (0, 3)


def test_a_start_that_is_not_admissible_does_no_harm():
    asked = specs.chain(3, 2, budget="tolerance: 1/10")
    table = [
        [Candidate(str(b), Fraction(b), 0.5**b, 0.0) for b in range(1, 20)]
        for _ in asked.graph.sites
    ]
    arguments = (table, specs.evaluator(asked), float(asked.target))
    free = cheapest(*arguments)
    started = cheapest(*arguments, start=[0] * len(table))
    assert free is not None
    assert started is not None
    assert started.cost == free.cost
