"""Coefficients of all sites at once: float64 with a proved error against exact arithmetic."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest

from boundcalc.arithmetic import INTERVALS, RATIONALS
from boundcalc.errors import InexactError
from boundcalc.graph import Site
from boundcalc.graph.numbers import ChainConstants
from boundcalc.theories.perturbed import graph_sites

F = Fraction
N = 66  # above graph_sites.TOGETHER


def chain(low: int, high: int) -> ChainConstants:
    rng = random.Random(5)  # noqa: S311 - a test's chain
    return ChainConstants(
        *[(F(0), *(F(rng.randint(low, high), 100) for _ in range(N))) for _ in range(7)]
    )


def moved(c: ChainConstants) -> ChainConstants:
    names = ("a", "b", "l", "A", "B", "A3", "B3")
    return ChainConstants(
        **{name: tuple(INTERVALS.number(x) for x in getattr(c, name)) for name in names}
    )


SITES = [Site("forward", v, f"f{v}") for v in (1, 2, 30, 65)] + [
    Site("backward", v, f"f{v}") for v in (2, 40, 66)
]


def test_enclosed_columns_contain_the_exact_ones() -> None:
    exact = chain(20, 130)
    found = graph_sites.site_columns(moved(exact).graph, SITES, INTERVALS)
    true = graph_sites.site_columns(exact.graph, SITES, RATIONALS)
    for name, column in true.items():
        for ball, value in zip(found[name], column, strict=True):
            assert ball is not None
            assert ball.contains(value)
            assert value == 0 or 1e-14 < ball.relative_width < 1e-10


def test_the_error_covers_every_rounding() -> None:
    """Its width is that of γ_{2n}, n = 6T + 16."""
    c = moved(chain(20, 130)).graph
    ball = graph_sites.site_columns(c, SITES, INTERVALS)["error_forward"][0]
    assert ball is not None
    n = 2 * (6 * (4 * N + 6 * N) + 16)
    assert ball.relative_width == pytest.approx(2 * n * 2.0**-53, rel=1e-3, abs=0)


def test_underflow_is_noticed() -> None:
    tiny = ChainConstants(*[(F(0), *[F(1, 10**6)] * N)] * 7)
    with pytest.raises(InexactError):
        graph_sites.site_columns(moved(tiny).graph, SITES, INTERVALS)
    with pytest.raises(InexactError):
        graph_sites.site_columns(
            moved(ChainConstants(*[(F(0), *[F(10) ** -320] * N)] * 7)).graph, SITES, INTERVALS
        )
    huge = ChainConstants(*[(F(0), *[F(10) ** 6] * N)] * 7)
    with pytest.raises(InexactError):
        graph_sites.site_columns(moved(huge).graph, SITES, INTERVALS)


def test_constants_are_rounded_up() -> None:
    exact = chain(20, 130)
    found = graph_sites.rounded_up(moved(exact).graph)
    for v in range(2, N + 1):
        assert isinstance(found.b[v], np.float64)
        assert exact.b[v] <= F(float(found.b[v])) <= exact.b[v] * (1 + F(1, 2**51))
        assert exact.a[v] <= F(float(found.a[v][0]))
