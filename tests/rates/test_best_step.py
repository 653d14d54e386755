"""Lemma 6.6 and the search for the best PL step."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from literal_rates import REFERENCE, Case, Site, close, high

from boundcalc.graph import UniformConstants
from boundcalc.rates import rates
from boundcalc.theories.perturbed.families import FAMILIES

F = Fraction

HALVES = UniformConstants(3, *[F(1, 2)] * 5)

biased = Site(1, "forward", F(1, 10), F(1, 20), F(1, 8))
backward = Site(3, "backward", F(1, 5), F(0), F(1, 4))
spikes = replace(biased, schedule=("every", 4))

HALF = F(1, 2)
CASES = {
    "noise-free": Case(HALVES),
    "noisy": Case(HALVES, sigma=F(1, 4), horizon=40, L=F(3, 2), mu=HALF),
    "perturbed": Case(HALVES, (biased, backward), sigma=F(1, 50), horizon=30, mu=HALF),
    "spikes": Case(HALVES, (spikes, backward), sigma=F(1, 4), horizon=13, mu=HALF),
    "batch": Case(HALVES, (spikes,), sigma=F(1, 8), horizon=9, batch=5, L=F(7, 3), mu=F(1)),
    "backward": Case(HALVES, (backward,), sigma=F(1, 3), horizon=25, mu=HALF),
    "mu is L": Case(HALVES, (backward,), sigma=F(1, 4), horizon=11, mu=F(1)),
    "one step": Case(HALVES, (biased,), sigma=F(1, 10), horizon=1, mu=HALF),
}
NOISY = Case(HALVES, (biased, backward), sigma=F(40), horizon=20, gap=F(1, 10), mu=HALF)


def limit(case: Case, family: str) -> F:
    return 1 / case.L if family == "sharp" else 1 / (3 * case.L)


def other_steps(case: Case, family: str, low: float) -> list[Any]:
    """200 steps between low·limit and the limit, spread evenly on a logarithmic scale."""
    top = high(limit(case, family))
    return [top * REFERENCE.mpf(low) ** (REFERENCE.mpf(k) / 199) for k in range(200)]


@pytest.mark.parametrize("name", [*CASES, "much noise"])
@pytest.mark.parametrize("family", list(FAMILIES))
def test_best_nonconvex_step(name: str, family: str) -> None:
    case = CASES.get(name, NOISY)
    found = rates(replace(case, mu=None).graph(), families={family: FAMILIES[family]})
    best = found.nonconvex[family].best_step
    assert best is not None
    # Lemma 6.6, with averages over the steps
    T, L, gap, sigma = case.horizon, high(case.L), high(case.gap), high(case.sigma)
    if family == "sharp":
        Var = sum(case.variance(t) for t in range(T)) / T
        bias = sum(case.batch_error_and_bias(family, t)[1] for t in range(T)) / T
        minimiser = REFERENCE.sqrt(2 * gap / (L * T * Var)) if Var else 1 / L
        step = min(1 / L, minimiser)
        if Var and step == minimiser:
            closed = 2 * REFERENCE.sqrt(2 * L * gap * Var / T) + bias
        else:
            closed = 2 * L * gap / T + Var + bias
        assert close(best[1].value, closed)
    else:
        errors = sum(case.batch_error_and_bias(family, t)[0] for t in range(T)) / T
        spread = sigma**2 + errors
        minimiser = REFERENCE.sqrt(gap / (L * T * spread)) if spread else 1 / (3 * L)
        step = min(1 / (3 * L), minimiser)
    assert close(best[0].value, step)
    assert close(best[1].value, case.nonconvex(family, best[0].value))
    for other in other_steps(case, family, 1e-6):
        assert high(best[1].value) <= case.nonconvex(family, other) * (1 + 1e-12)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("family", list(FAMILIES))
def test_best_pl_step(name: str, family: str) -> None:
    assert check_pl(CASES[name], family, 1e-6)


def check_pl(case: Case, family: str, low: float) -> bool:
    """Whether there is a best step; if so it is compared with others."""
    found = rates(case.graph(), families={family: FAMILIES[family]})
    best = found.pl[family].best_step
    others = other_steps(case, family, low)
    if best is None:
        # no step is the best one where none improves on standing still
        assert all(case.pl(family, other) >= high(case.gap) for other in others)
        return False
    step, bound = high(best[0].value), high(best[1].value)
    assert 0 < step <= high(limit(case, family)) * (1 + high(F(1, 10**30)))
    assert close(bound, case.pl(family, step))
    for other in others:
        assert bound <= case.pl(family, other) * (1 + 1e-6)
    return True


@pytest.mark.parametrize("family", list(FAMILIES))
@pytest.mark.parametrize(
    ("T", "sigma"), [(1, F(100)), (10, F(10**4)), (100, F(10**6))], ids=["1", "10", "100"]
)
def test_best_pl_step_under_noise_that_calls_for_a_tiny_step(family: str, T: int, sigma: F) -> None:
    # The bound at the best step is never above Δ₀, which a step of zero gives.
    case = Case(HALVES, sigma=sigma, horizon=T, mu=F(1, 2))
    # 3Lγσ²/μ of the printed bounds outweighs all that the first step can gain.
    assert check_pl(case, family, 1e-15) == (family == "sharp")


def test_no_gap_leaves_nothing_to_gain() -> None:
    # Δ₀ = 0: the smaller the step the better, so no best one.
    found = rates(Case(HALVES, (biased,), gap=F(0), mu=None).graph())
    assert {rate.best_step for rate in found.nonconvex.values()} == {None}


def test_best_step_is_named_where_the_step_is_refused() -> None:
    case = Case(HALVES, (biased,), step=F(5), sigma=F(1))
    found = rates(case.graph())
    for family, rate in found.nonconvex.items():
        assert rate.refused is not None
        assert rate.best_step is not None
        assert close(rate.best_step[1].value, case.nonconvex(family, rate.best_step[0].value))


@pytest.mark.long
def test_a_schedule_over_many_steps_is_affordable() -> None:
    case = Case(HALVES, (replace(biased, schedule=("every", 3)),), horizon=100_000)
    start = time.process_time()
    rates(case.graph())
    assert time.process_time() - start < 20
