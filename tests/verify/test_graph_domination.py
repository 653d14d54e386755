"""Simulation never exceeds the sharp bounds: random graphs, exact expectations.

As test_domination does for chains; here graphs branch, join, share weights, read one operator
twice and have kinks, and the noise may depend on all that was drawn before it.
"""

import numpy as np
import pytest
from verify.random_graphs import (
    dependent_law,
    exact_moments,
    independent_law,
    random_spec,
    random_weights,
)

import boundcalc as bc
from boundcalc.arithmetic import WIDE
from boundcalc.simulate.program import make_program
from boundcalc.theories.perturbed import sharp

ROUNDING = 1e-9


def two_point(rng):
    """One law at a site, or two."""
    centred = rng.random() < 0.6
    for _ in range(1 + (rng.random() < 0.15)):
        size = 10 ** rng.uniform(-2.5, 0.3)
        if centred:
            yield f"magnitude: {size:.6f}"
        else:
            high = size * rng.uniform(0, 3)
            yield f"low: {-size:.6f}, high: {high:.6f}, p_high: {rng.integers(1, 8)}/8"


def bounded(rng):
    """Only the largest size counts: the law itself is replaced."""
    yield f"magnitude: {10 ** rng.uniform(-2.5, 0.3):.6f}"
