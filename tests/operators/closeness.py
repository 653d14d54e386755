"""How close each constant comes to being attained: attained/bound, by maximisation.

``python closeness.py`` in this folder, with boundcalc importable, prints a table of all
cases, for one region each.  The search keeps, for every constant, the points that show
most of it, and moves them by ever smaller random steps; it finds lower bounds of what is
attained, so that a small number need not mean a loose constant.
"""

from __future__ import annotations

import numpy as np
from claims import claims
from visits import Points, any_points, into_region

ROUNDING = 1e-9  # of the symbolic forms, which cancel in places
KEPT = 4  # best points of each constant that go into the next round


def closeness(case, region, rng, rounds=15, count=200):
    """The largest attained/bound of each constant; 1 for a constant 0 that is not passed."""
    constants = case.operator.constants(region, case.data, reads=False)
    points, best = any_points(rng, case, region, count), {}
    for step in np.geomspace(1.0, 1e-3, rounds):
        kept = []
        for claim in claims(case, constants, points, rng):
            if claim.bound == 0:
                assert claim.found.max() <= ROUNDING, claim.name
                best[claim.name] = 1.0
                continue
            ratio = max(float(claim.found.max()) - ROUNDING, 0.0) / claim.bound
            best[claim.name] = max(best.get(claim.name, 0.0), ratio)
            kept.extend(np.argsort(claim.found)[-KEPT:])
        if not kept:
            break
        points = moved(case, region, points.chosen(np.unique(kept)), step, rng, count)
    return best


def moved(case, region, points, step, rng, count):
    """The points themselves, copies moved at random, and new ones."""
    fresh = any_points(rng, case, region, count // 5)
    index = rng.integers(len(points), size=count - len(points) - len(fresh))
    copies = points.chosen(index)

    def shaken(x, like):
        scale = step * max(float(np.abs(like).max(initial=0.0)), 1e-3)
        return x + scale * rng.standard_normal(x.shape) * rng.choice([0.0, 0.1, 1.0], (len(x), 1))

    y = shaken(copies.y, points.y)
    # Pairs stay as near as they are, or come nearer.
    gap = (copies.other - copies.y) * rng.choice([1.0, 1.0, 0.3], (len(y), 1))
    other = shaken(y + gap, gap)
    near = Points(y, other, shaken(copies.w, points.w), copies.labels)
    parts = (points, into_region(case, region, near), fresh)
    return Points(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in Points.__match_args__)
    )


def main():
    from operator_cases import CASES
    from visits import any_region

    print("| case | constant: attained/bound |")
    print("|---|---|")
    for case in CASES:
        if case.operator.reads_data:
            continue
        rng = np.random.default_rng(0)
        best = closeness(case, any_region(rng, case), rng, rounds=25, count=400)
        print(f"| {case} | " + ", ".join(f"{k} {v:.3f}" for k, v in best.items()) + " |")


if __name__ == "__main__":
    main()
