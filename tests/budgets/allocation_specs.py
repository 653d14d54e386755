"""Small problems for the allocation tests."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import numpy as np

import boundcalc as bc
from boundcalc.budgets.allocation.evaluator import Evaluator
from boundcalc.budgets.allocation.quantisers import Quantiser, columns, quantisers
from boundcalc.budgets.levels import with_perturbations
from boundcalc.budgets.question import Question, question
from boundcalc.perturbations.transform import Reach

NAMES = (
    "jac_input",
    "jac_weight",
    "lip_input",
    "hess_input",
    "hess_mixed",
    "third_input",
    "third_mixed",
)


def chain(
    size: int,
    seed: int = 0,
    *,
    budget: str = "tolerance: 1/10",
    loss: str = "gradient_noise: 1",
    low: int = 20,
) -> Question:
    """A chain with random rational constants."""
    rng = random.Random(seed)  # noqa: S311 - cases, not secrets
    rows = []
    for i in range(1, size + 1):
        constants = ", ".join(f"{name}: {rng.randint(low, 120)}/100" for name in NAMES)
        rows.append(f"    - {{id: f{i}, constants: {{{constants}}}}}")
    return asked("\n".join(rows), budget, loss)


def asked(operators: str, budget: str, loss: str = "gradient_noise: 1") -> Question:
    return question(
        bc.build(
            bc.loads(
                "version: 1\nname: allocation\ngraph:\n  operators:\n"
                f"{operators}\n"
                f"loss: {{smoothness: 1, initial_gap: 1, {loss}}}\n"
                "training: {step_size: 1/4, horizon: 1000}\n"
                f"budget: {{{budget}}}\n"
            )
        )
    )


def reaches(asked: Question, seed: int = 0) -> dict[tuple[str, int], Reach]:
    rng = random.Random(seed)  # noqa: S311 - cases, not secrets
    return {
        (site.direction, site.index): Reach(
            (rng.randint(1, 9),), None, -Fraction(rng.randint(1, 40), 10), Fraction(1, 10)
        )
        for site in asked.graph.sites
    }


def made(asked: Question, ranges: dict[tuple[str, int], Reach]) -> list[Quantiser]:
    return quantisers(asked.graph, asked.section.allocation, ranges)[0]


def evaluator(asked: Question) -> Evaluator:
    return Evaluator(asked, asked.graph.sites)


def admissible(asked: Question, quantisers: list[Quantiser], bits: tuple[int, ...]) -> bool:
    pairs = zip(quantisers, bits, strict=True)
    graph = with_perturbations(asked.graph, [q.perturbation(asked.graph, b) for q, b in pairs])
    return asked.admissible(graph)


def cheapest_of_all(
    asked: Question, quantisers: list[Quantiser], least: int, most: int
) -> Fraction | None:
    """By trying every assignment, in floating point; what it finds is checked by the engine."""
    every = np.array(list(product(range(least, most + 1), repeat=len(quantisers))))
    c = columns(quantisers, least, most)
    evaluate = Evaluator(asked, tuple(q.site for q in quantisers))
    bounds = evaluate.bounds(c.moments(c.logs(every.astype(float))))
    target = float(asked.target)
    assert (abs(bounds / target - 1) > 1e-10).all()  # no tie for rounding to decide
    costs = [
        sum((q.weight * int(b) for q, b in zip(quantisers, bits, strict=True)), Fraction(0))
        for bits in every
    ]
    good = [k for k in range(len(every)) if bounds[k] <= target]
    if not good:
        return None
    best = min(good, key=costs.__getitem__)
    assert admissible(asked, quantisers, tuple(every[best].tolist()))
    return costs[best]
