"""The numbers of section 12: which algorithms stay bounded on x⁴/4, at a stated horizon."""

from __future__ import annotations

import numpy as np
import pytest

from boundcalc.theories.distributed.algorithms import Algorithm, KeepOrDrop
from boundcalc.theories.distributed.experiments import (
    ALGORITHMS,
    ESCAPE,
    HORIZON,
    NOISES,
    compression_shares,
    markdown,
    plan,
    quartic,
    sensitivity,
    shares,
)
from boundcalc.theories.distributed.simulator import walk

CAUCHY = "Student, ν = 1"


def test_the_quartic_of_the_shared_chain_is_the_formula() -> None:
    x = np.random.default_rng(0).standard_normal((7, 3)) * 4
    loss, gradient = quartic(3).both(x)
    np.testing.assert_allclose(loss, np.sum(x**4, axis=1) / 4, rtol=1e-13)
    np.testing.assert_allclose(gradient, x**3, rtol=1e-13)


def test_horizon_and_radius_are_those_of_the_documentation() -> None:
    assert (HORIZON, ESCAPE) == (1000, 1e6)


def test_sign_steps_stay_bounded_under_cauchy_noise_in_all_of_2000_runs() -> None:
    for share in shares(["sign"], [CAUCHY]):
        assert (share.replicas, share.bounded.mean) == (2000, 1.0)
        assert share.bounded.lo > 0.998
        assert share.final.hi < 0.1


def test_sgd_under_cauchy_noise_loses_a_quarter_from_3_and_nearly_all_from_5() -> None:
    from_3, from_5 = shares(["SGD"], [CAUCHY])
    assert 0.65 < from_3.bounded.lo < from_3.bounded.hi < 0.85
    assert 0 < from_5.bounded.mean < from_5.bounded.hi < 0.03


def test_sgd_from_5_is_lost_with_light_noise_too() -> None:
    """f'(5) = 125: the first step lands at −7.5, beyond where 0.1/√2 is stable."""
    (share,) = shares(["SGD"], ["Gaussian"], starts=[5.0], replicas=512)
    assert share.bounded.mean == 0.0
    assert share.final.mean == np.inf


def test_bounded_steps_stay_bounded_whatever_the_noise() -> None:
    found = shares(["normalised", "clipped at 10", "sign"], starts=[5.0], replicas=64, horizon=200)
    assert len(found) == 3 * len(NOISES)
    assert all(share.bounded.mean == 1.0 for share in found)


def test_compression_needs_smaller_steps_and_the_normalised_step_is_small_enough() -> None:
    found = compression_shares((16, 2, 1), start=3.0, replicas=128, horizon=300)
    plain, normalised = found[::2], found[1::2]
    kept = [share.bounded.mean for share in plain]
    assert kept[0] > kept[1] > kept[2]
    assert kept[2] < 0.3
    assert all(share.bounded.mean == 1.0 for share in normalised)


def test_a_longer_horizon_loses_more_runs_and_the_radius_hardly_matters() -> None:
    horizons, radii = (50, 200, 800), (100.0, 1e6)
    found = sensitivity(horizons=horizons, radii=radii, replicas=512)
    table = np.array([share.bounded.mean for share in found]).reshape(2, 3)
    assert (np.diff(table, axis=1) < 0).all()
    assert np.abs(table[0] - table[1]).max() < 0.02
    assert [share.horizon for share in found] == [*horizons, *horizons]
    # A run of exactly that horizon has the same share.
    alone = plan(ALGORITHMS["SGD"], NOISES[CAUCHY], horizon=200, replicas=512)
    met = walk(quartic().both, np.array([3.0]), alone)
    assert met.bounded.mean() == table[1, 1]


def test_all_algorithms_meet_the_same_noise() -> None:
    """Common random numbers: without compression DCSGD is DSGD to the last bit."""
    one, two = (
        walk(quartic().both, np.array([2.0]), plan(algorithm, NOISES["affine"], horizon=20))
        for algorithm in (ALGORITHMS["SGD"], Algorithm("dcsgd", KeepOrDrop(np.zeros(8))))
    )
    assert (one.final == two.final).all()


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        shares(["majority"], replicas=2)


def test_the_table_has_a_row_for_each_noise_and_start() -> None:
    found = shares(["sign", "SGD"], ["Gaussian"], starts=[3.0, 5.0], replicas=64, horizon=50)
    assert markdown(found).splitlines() == [
        "| noise | x₀ | sign | SGD |",
        "|---|---|---|---|",
        "| Gaussian | 3 | 100 [94.3, 100] | 100 [94.3, 100] |",
        "| Gaussian | 5 | 100 [94.3, 100] | 0 [0, 5.7] |",
    ]
    # A setting that was not run is left open.
    assert markdown([found[0], found[3]]).splitlines()[-1] == "| Gaussian | 5 | – | 0 [0, 5.7] |"
