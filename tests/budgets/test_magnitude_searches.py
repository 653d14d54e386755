"""Magnitude budgets: against slow twins, monotone, on long graphs, and the searches themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from budget_texts import (
    CENTRED,
    CONSTANTS,
    Case,
    alone_text,
    exactly,
    share,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc import build, loads
from boundcalc.arithmetic import Status
from boundcalc.budgets.inversion_groups import placed
from boundcalc.budgets.inversion_levers import Lever, Scene, alone, shift, silent
from boundcalc.budgets.inversion_moments import PLAIN, Moments
from boundcalc.budgets.inversion_search import crossing, log2, rounded_down, truncated
from boundcalc.budgets.levels import sized, with_perturbations
from boundcalc.budgets.magnitude import magnitudes
from boundcalc.budgets.question import Question, question
from boundcalc.budgets.results import Magnitudes
from boundcalc.perturbations.schedules import Progression

F = Fraction


KINKED = """
version: 1
name: kinks
graph:
  operators:
    - {id: a, type: sine, bias: true}
    - {id: b, type: relu}
    - {id: c, type: sine, bias: true}
    - {id: d, type: relu}
    - {id: e, type: sigmoid, bias: true}
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1/10, batch: 2}
training: {step_size: 1/5, horizon: 20}
budget: {tolerance: 1/10}
"""


@pytest.mark.parametrize("text", [KINKED, Case(5).text(budget=True)], ids=["kinks", "smooth"])
def test_arrays_agree_with_single_evaluations(text: str) -> None:
    graph = build(loads(text))
    asked = question(graph)
    groups, on = placed([Progression(0, 1, 20)], 20)
    moments = Moments(graph, asked.family)
    scene = Scene(groups, lambda kind, group: silent(graph, kind), on, moments, lone=True)
    for direction in ("forward", "backward"):
        for size in (alone, shift):
            levers = [
                Lever(site.direction, site.index, size, size is shift)
                for site in graph.sites
                if site.direction == direction
            ]
            x = np.linspace(0.01, 0.3, len(levers))
            error, bias = scene.many(levers, x)[0]
            for j, lever in enumerate(levers):
                one_error, one_bias = scene.sizes(PLAIN, lever, float(x[j]))[0]
                assert np.broadcast_to(error, x.shape)[j] == pytest.approx(one_error, rel=1e-13)
                found = np.broadcast_to(bias, x.shape)[j]
                assert found >= one_bias * (1 - 1e-13)
                if graph.smooth:
                    assert found == pytest.approx(one_bias, rel=1e-13)


# -- slow twin ----------------------------------------------------------------------------------


def bisected(case: Case, asked: Question, text: Any) -> float:
    low, high = F(0), F(64)
    for _ in range(34):
        middle = (low + high) / 2
        within = share(asked, case.rate(asked, (text(middle),))) <= 1
        low, high = (middle, high) if within else (low, middle)
    return float(low)


@pytest.mark.parametrize(
    "budget", ["tolerance: 1/3, regime: pl", "tolerance: 1/3, family: published"]
)
def test_bisection_through_specs(budget: str) -> None:
    case = Case(2, sigma="1/10", batch=3, budget=budget, mu="1/7", L="3/2", gap="2/3")
    asked = case.ask()
    for a in magnitudes(asked).allowances:
        slow = bisected(case, asked, lambda x, a=a: alone_text(a, x))
        assert float(exactly(a.alone)) == pytest.approx(slow, abs=1e-7)


# -- monotone -----------------------------------------------------------------------------------


@cache
def answers(case: Case) -> Magnitudes:
    return magnitudes(case.ask())


def below(small: Magnitudes, large: Magnitudes) -> bool:
    """Whether every allowance of the first is at most that of the second, but for rounding."""
    pairs = [(a.alone, b.alone) for a, b in zip(small.allowances, large.allowances, strict=True)]
    pairs.append((small.scale, large.scale))
    return all(
        y is None or (x is not None and float(x) <= float(y) * (1 + 1e-10)) for x, y in pairs
    )


@settings(max_examples=12, deadline=None)
@given(
    name=st.sampled_from(sorted(CONSTANTS)),
    value=st.sampled_from(["2", "3/2", "5/4"]),
    family=st.sampled_from(["sharp", "corrected", "published"]),
    regime=st.sampled_from(["nonconvex", "pl"]),
)
def test_larger_constants_allow_less(name: str, value: str, family: str, regime: str) -> None:
    budget = f"tolerance: 1/10, family: {family}, regime: {regime}"
    case = Case(2, perturbations=CENTRED[:1], budget=budget)
    more = replace(case, constants=_Hashable({**CONSTANTS, name: value}))
    assert below(answers(more), answers(replace(case, constants=_Hashable(CONSTANTS))))


class _Hashable(dict[str, str]):
    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))


@settings(max_examples=6, deadline=None)
@given(
    first=st.fractions(F(1, 1000), 10, max_denominator=1000),
    second=st.fractions(F(1, 1000), 10, max_denominator=1000),
    tail=st.sampled_from(
        ["", ", regime: nonconvex", ", regime: nonconvex, step_size: best", ", family: corrected"]
    ),
)
def test_a_larger_tolerance_allows_more(first: Fraction, second: Fraction, tail: str) -> None:
    low, high = sorted((first, second))
    case = Case(2, constants=_Hashable(CONSTANTS), sigma="1/20", perturbations=CENTRED[:1])
    small = answers(case.asking(f"tolerance: {low}{tail}"))
    assert below(small, answers(case.asking(f"tolerance: {high}{tail}")))


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.sampled_from([F(0), F(1, 50), F(1, 10), F(1), F(7)]), min_size=8, max_size=8),
    place=st.integers(0, 3),
    raise_mean=st.booleans(),
    sigma=st.sampled_from(["0", "1/5"]),
    family=st.sampled_from(["sharp", "corrected"]),
)
def test_the_bound_is_monotone_in_every_level(
    sizes: list[Fraction], place: int, raise_mean: bool, sigma: str, family: str
) -> None:
    case = Case(3, sigma=sigma, batch=3, budget=f"tolerance: 1, family: {family}")
    asked = case.ask()
    names = (("f.1", "forward"), ("f.2", "forward"), ("f.2", "backward"), ("f.3", "backward"))
    levels = [[max(sizes[2 * k : 2 * k + 2]), min(sizes[2 * k : 2 * k + 2])] for k in range(4)]

    def bound() -> Fraction:
        texts = [
            f"at: {at}, pass: {way}, rms: {rms}, mean: {mean}"
            + (f", fourth: {rms}" if way == "forward" else "")
            for (at, way), (rms, mean) in zip(names, levels, strict=True)
        ]
        return case.rate(asked, tuple(texts))

    before = bound()
    if raise_mean:
        levels[place][1] = levels[place][0]
    else:
        levels[place][0] = levels[place][0] * 2 + F(1, 100)
    assert share(asked, before) <= share(asked, bound()) * (1 + 1e-12)


# -- long graphs and extreme numbers ------------------------------------------------------------


def test_long_chains_agree_with_verified_ones() -> None:
    case = Case(66, constants={**CONSTANTS, "jac": "1", "lip": "1"})
    asked = case.ask()
    found = magnitudes(asked)
    assert len(found.allowances) == 4 * 65
    for a in (found.allowances[0], found.allowances[131], found.allowances[-1]):
        assert a.alone is not None
        assert a.alone.status is Status.COMPUTED
        reached = share(asked, case.rate(asked, (alone_text(a, exactly(a.alone)),)))
        assert 1 - 1e-9 < reached <= 1


@pytest.mark.parametrize("jac", ["1e-120", "1e120"])
def test_sizes_outside_float64(jac: str) -> None:
    # A spec's numbers may not be so small: the size is put into a perturbation of one.
    start = ("at: f.1, pass: forward, rms: 0, mean: 0",)
    case = Case(4, start, {**CONSTANTS, "jac": jac, "lip": jac}, mu=None)
    asked = case.ask()
    found = magnitudes(asked)
    for a in (found.allowances[0], found.allowances[7], found.allowances[-1]):
        if jac == "1e-120" and a.direction == "forward":
            assert a.alone is None  # what a Jacobian can change at all is within the target
            continue
        size = exactly(a.alone)
        assert size > 0
        p = replace(asked.graph.perturbations[0], direction=a.direction)
        site = next(
            s for s in asked.graph.sites if (s.direction, s.label) == (a.direction, a.label)
        )
        p = replace(p, site=asked.graph.operator_of(site), edge=site.index)
        made = sized(p, size, size if a.quantity == "mean" else F(0))
        reached = share(asked, asked.bound(with_perturbations(asked.graph, [made])).value)
        assert reached == pytest.approx(1, abs=1e-9)


def test_irrational_and_measured_constants() -> None:
    case = Case(2, constants={**CONSTANTS, "jac": "sqrt(2)", "lip": "exp(1)"}, sigma="log(2)")
    asked = case.ask()
    for a in magnitudes(asked).allowances:
        assert a.alone is not None
        assert a.alone.status is Status.PROVED
        reached = share(asked, case.rate(asked, (alone_text(a, exactly(a.alone)),)))
        assert reached == pytest.approx(1, abs=1e-11)


# -- the search ---------------------------------------------------------------------------------


@given(
    powers=st.lists(st.floats(0.5, 4), min_size=1, max_size=5),
    offset=st.floats(-100, 100),
    jump=st.sampled_from([0.0, 0.5, 0.999]),
)
def test_crossings(powers: list[float], offset: float, jump: float) -> None:
    p = np.array(powers)

    def spent(which: Any, u: Any) -> Any:
        return jump + (1 - jump) * 2.0 ** (p[which] * (u - offset))

    n = len(powers)
    found = crossing(spent, np.full(n, -200.0), np.full(n, 200.0))
    # A relative error of the function near 1 is one of the size times 1/(1 − jump).
    assert np.abs(found - offset).max() < 1e-13 * (200 + 1 / (1 - jump)) * 40


def test_the_smaller_of_a_number_and_an_overflow_is_not_known() -> None:
    nan = float("nan")
    assert np.isnan([PLAIN.minimum(nan, 1.0), PLAIN.minimum(1.0, nan)]).all()
    assert PLAIN.minimum(2.0, 1.0) == PLAIN.minimum(1.0, 2.0) == 1.0


def test_crossings_at_the_ends() -> None:
    low, high = np.array([-5.0, -5.0, -5.0]), np.array([5.0, 5.0, 5.0])
    found = crossing(lambda which, u: np.array([0.5, 2.0, np.nan])[which], low, high)
    assert list(found) == [5.0, -np.inf, -np.inf]


@given(value=st.fractions(F(1, 10**12), 10**12), bits=st.integers(1, 60))
def test_rounding_down(value: Fraction, bits: int) -> None:
    found = truncated(value, bits)
    assert found <= value < found * (1 + F(2, 2**bits))
    whole = found.numerator >> ((found.numerator & -found.numerator).bit_length() - 1)
    assert whole.bit_length() <= bits
    assert abs(log2(value) - float(np.log2(float(value)))) < 1e-12
    near = rounded_down(log2(value))
    assert abs(near / value - 1) < F(1, 10**12)


@pytest.fixture(scope="module", autouse=True)
def _forget() -> Iterator[None]:
    yield
    answers.cache_clear()


ONES = dict.fromkeys(CONSTANTS, "1")


@pytest.mark.parametrize("budget", ["tolerance: 1/10", "tolerance: 1/10, step_size: best"])
@pytest.mark.parametrize("mu", [None, "1/10"])
@pytest.mark.parametrize("family", ["sharp", "corrected"])
def test_a_huge_perturbation_is_scaled_like_a_small_one(
    budget: str, mu: str | None, family: str
) -> None:
    item = "at: f.1, pass: forward, rms: {0}, mean: 0, fourth: {0}"
    case = Case(
        mu=mu, step="1/4", horizon=100, constants=ONES, budget=f"{budget}, family: {family}"
    )
    one = magnitudes(replace(case, perturbations=(item.format("1"),)).ask())
    huge = magnitudes(replace(case, perturbations=(item.format("1e300"),)).ask())
    assert one.scale is not None
    assert huge.scale is not None
    assert float(huge.scale.value * 10**300) == pytest.approx(float(one.scale), rel=1e-9)
    assert [str(a.alone) for a in huge.allowances] == [str(a.alone) for a in one.allowances]


def test_huge_constants_scale_what_is_admissible() -> None:
    # An operator's size goes with a power of 1/c that grows with what comes after it.
    case = Case(mu=None, step="1/4", horizon=100, constants=dict.fromkeys(CONSTANTS, "1e300"))
    small = replace(case, constants=dict.fromkeys(CONSTANTS, "1e10"))
    huge, modest = magnitudes(case.ask()).allowances, magnitudes(small.ask()).allowances
    assert [(a.direction, a.label, a.quantity) for a in huge] == [
        (a.direction, a.label, a.quantity) for a in modest
    ]
    for a, b in zip(huge, modest, strict=True):
        power = round(-log2(exactly(b.alone)) / (10 * np.log2(10)))
        assert power in (1, 2, 3, 4)
        # What is left of the power is a number near 1, the same for both.
        rest_a = float(exactly(a.alone) * Fraction(10) ** (300 * power))
        rest_b = float(exactly(b.alone) * Fraction(10) ** (10 * power))
        assert rest_a == pytest.approx(rest_b, rel=1e-6)
