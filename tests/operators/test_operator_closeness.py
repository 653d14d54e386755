"""Maximised over points of random regions, no constant is passed, and activations reach theirs."""

import numpy as np
import pytest
from closeness import closeness
from operator_cases import ACTIVATIONS, CASES, activations
from visits import any_region

MOVED = [case for case in CASES if not case.operator.reads_data]


@pytest.mark.parametrize("case", MOVED, ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_maximisation_passes_no_constant(case, seed):
    rng = np.random.default_rng(seed)
    region = any_region(rng, case)
    best = closeness(case, region, rng, rounds=4)
    assert max(best.values()) <= 1 + 1e-6, (best, region)


@pytest.mark.parametrize("case", activations(ACTIVATIONS, 2, bias=True), ids=str)
@pytest.mark.parametrize("seed", range(3))
def test_activations_attain_their_constants(case, seed):
    rng = np.random.default_rng(seed)
    best = closeness(case, any_region(rng, case), rng)
    assert min(best.values()) >= 0.99, best
