"""Allocation for 1 000 operators: solution, integers, prices, curve and the engine's check."""

from __future__ import annotations

import random
from fractions import Fraction

import boundcalc as bc
from boundcalc.budgets.allocation.allocate import allocate
from boundcalc.budgets.question import question
from boundcalc.perturbations.transform import Reach

OPERATORS = 1_000


def test_allocation_of_a_thousand_operators(benchmark):
    asked = question(
        bc.build(
            bc.loads(
                "version: 1\nname: long\ngraph:\n"
                "  uniform: {jac: 95/100, lip: 95/100, hess: 1/2, hess_op: 1/2, third: 1}\n"
                f"  operators: [{{id: f, repeat: {OPERATORS}}}]\n"
                "loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}\n"
                "training: {step_size: 1/4, horizon: 1000}\n"
                "budget: {tolerance: 1/10}\n"
            )
        )
    )
    rng = random.Random(0)  # noqa: S311 - cases, not secrets
    ranges = {
        (site.direction, site.index): Reach(
            (rng.choice([16, 64, 256]),), None, -Fraction(rng.randint(1, 30), 10), Fraction(1, 10)
        )
        for site in asked.graph.sites
    }
    found = benchmark.pedantic(allocate, args=(asked, ranges), rounds=3, warmup_rounds=1)
    assert len(found.sites) == 2 * (OPERATORS - 1)
    assert float(found.bound) <= float(asked.target)
    assert float(found.cost) <= 1.02 * float(found.relaxed_cost)
