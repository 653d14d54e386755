"""Rates on intervals: what is proved, what is decided, and sums that float64 makes."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from literal_rates import Case, Site, high

from boundcalc import build, loads
from boundcalc.arithmetic import INTERVALS, RATIONALS, WIDE, Number, Status
from boundcalc.arithmetic.balls import Ball
from boundcalc.errors import InexactError, SpecError
from boundcalc.graph import UniformConstants
from boundcalc.perturbations.schedules import Progression
from boundcalc.rates import Timeline, rates
from boundcalc.rates.discounts import PowerTable, geometric, power, sum_of_floats
from boundcalc.rates.steps import exact_step

F = Fraction
HALVES = UniformConstants(3, *[F(1, 2)] * 5)

SPEC = """
version: 1
name: decisions
graph:
  uniform: {{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}}
  operators: [{{id: f1}}, {{id: f2}}]
loss: {{smoothness: "{L}", initial_gap: 1, gradient_noise: 0{pl}}}
training: {{step_size: "{step}", horizon: 10}}
"""


def spec(step: str, L: str, mu: str | None = None) -> Any:
    return build(loads(SPEC.format(step=step, L=L, pl="" if mu is None else f', pl: "{mu}"')))


DROPS = [F(1, 10**6), F(1, 3), F(1, 2), F(4, 5), F(99, 100)]


@settings(deadline=None, max_examples=80)
@given(st.sampled_from(DROPS), st.integers(0, 30), st.integers(1, 9), st.integers(0, 12), st.data())
def test_discounts_agree_in_all_kinds(
    drop: F, start: int, stride: int, length: int, data: Any
) -> None:
    last = start + max(length - 1, 0) * stride
    top = last + data.draw(st.integers(0, 3))
    steps = Progression(start, stride, length)
    exact = sum(((1 - drop) ** (top - start - k * stride) for k in range(length)), F(0))
    assert geometric(drop, steps, top, RATIONALS) == exact
    ball = geometric(INTERVALS.number(drop), steps, top, INTERVALS)
    assert ball.contains(exact)
    assert exact == 0 or ball.relative_width < 1e-25
    near = geometric(WIDE.number(drop), steps, top, WIDE)
    assert abs(high(near) - high(exact)) <= high(exact) * high(F(1, 10**25))
    assert power(INTERVALS.number(drop), top, INTERVALS).contains((1 - drop) ** top)


def test_a_contraction_that_is_perhaps_zero() -> None:
    # 1 − q is enclosed around 1: √2 · √2 / 2
    drop = INTERVALS.sqrt(INTERVALS.number(2)) ** 2 / 2
    assert drop != 1
    assert power(drop, 5, INTERVALS).contains(0)
    assert power(drop, 0, INTERVALS).contains(1)
    found = geometric(drop, Progression(0, 1, 6), 5, INTERVALS)
    assert found.contains(1)
    assert found.relative_width < 1e-30


def test_powers_too_long_to_write_are_enclosed() -> None:
    with pytest.raises(InexactError):
        power(F(1, 3), 10**6, RATIONALS)
    with pytest.raises(InexactError):
        geometric(F(1, 3), Progression(0, 1, 10**6), 10**6, RATIONALS)


@pytest.mark.parametrize("drop", [F(1, 10**5), F(1, 100), F(1, 2), F(9, 10)])
def test_tables_of_powers_are_within_their_error(drop: F) -> None:
    import numpy as np

    top = 9_000
    table = PowerTable(INTERVALS.number(drop), top, INTERVALS)
    exponents = np.array([0, 1, 2, 1000, 4095, 4096, 5000, 8191, 8192, top])
    for exponent, found in zip(exponents.tolist(), table(exponents).tolist(), strict=True):
        exact = (1 - drop) ** exponent
        assert abs(F(found) - exact) <= exact * 5 * F(1, 2**53) + F(1, 2**1072)


def test_the_enclosure_of_a_float_sum_is_as_wide_as_it_says() -> None:
    n, total = 1000, 3.0
    ball = sum_of_floats(total, n, INTERVALS)
    assert ball.contains(3)
    gamma = F(n + 5, 2**53) / (1 - F(n + 5, 2**53))
    assert ball.contains(3 * (1 + gamma))
    assert ball.contains(3 / (1 + gamma))
    assert not ball.contains(3 * (1 + 3 * gamma))
    assert sum_of_floats(total, n, WIDE) == 3
    with pytest.raises(InexactError):
        sum_of_floats(total, n, RATIONALS)


@pytest.mark.parametrize("lag", [0, 1])
def test_several_schedules_are_enclosed(lag: int) -> None:
    site = Site(1, "forward", F(1, 10), F(1, 20), F(1, 8))
    sites = (
        replace(site, schedule=("every", 3)),
        replace(site, operator=2, schedule=("last", 7)),
        replace(site, operator=3, direction="backward", schedule=("steps", [0, 4, 5])),
    )
    T, drop = 60, F(1, 7)
    found = Timeline(Case(HALVES, sites, horizon=T).graph(), T)
    balls = found.discounted(INTERVALS.number(drop), lag, INTERVALS)
    acting = [
        tuple(k for k, on in enumerate((t % 3 == 0, t >= T - 7, t in (0, 4, 5))) if on)
        for t in range(T)
    ]
    for pattern, ball in zip(found.patterns, balls, strict=True):
        exact = sum(
            ((1 - drop) ** (T - lag - t) for t in range(T) if acting[t] == pattern.active), F(0)
        )
        assert ball.contains(exact)
        assert ball.relative_width < 1e-13


def test_rates_with_exact_inputs_are_proved() -> None:
    site = Site(1, "forward", F(1, 10), F(1, 20), F(1, 8))
    case = Case(HALVES, (site,), sigma=F(1, 3), horizon=25, mu=F(1, 2))
    found = rates(case.graph())
    for table in (found.nonconvex, found.pl):
        sharp = table["sharp"]
        assert sharp.bound is not None
        assert sharp.step_size_limit is not None
        assert sharp.best_step is not None
        numbers = [*sharp.terms.values(), sharp.bound, sharp.step_size_limit, sharp.best_step[1]]
        assert {number.status for number in numbers} == {Status.PROVED}
        assert {number.status for number in sharp.split().values()} == {Status.PROVED}
        for number in numbers:
            assert number.relative_width is not None
            assert number.relative_width < 1e-25
        published = table["published"]
        assert published.bound is not None
        assert published.bound.status is Status.COMPUTED
        assert published.terms["perturbation_bias"].status is Status.COMPUTED
        assert published.terms["perturbation_error"].status is Status.PROVED
        assert published.terms["optimisation"].status is Status.PROVED
    assert found.step_size == Number(case.step, Status.PROVED, limit=True)


def test_measured_regions_are_sampled_in_the_terms_they_enter() -> None:
    graph = Case(HALVES, (Site(1, "forward", F(1, 10), F(0), F(1, 8)),)).graph()
    found = rates(replace(graph, sampled=True)).nonconvex["sharp"]
    assert found.bound is not None
    assert found.bound.status is Status.SAMPLED
    assert found.terms["perturbation_error"].status is Status.SAMPLED
    assert found.terms["optimisation"].status is Status.PROVED


@pytest.mark.parametrize(
    ("step", "L", "refused"),
    [
        ("1/2", "2", None),
        ("1/2 + 1/10**40", "2", "above the limit"),
        ("1/sqrt(2)", "sqrt(2)", "undecided"),
        ("1/sqrt(2) - 1/10**50", "sqrt(2)", None),
        ("1/sqrt(2) + 1/10**50", "sqrt(2)", "above the limit"),
    ],
)
def test_the_step_limit_is_decided_or_refused(step: str, L: str, refused: str | None) -> None:
    found = rates(spec(step, L)).nonconvex["sharp"]
    if refused is None:
        assert found.refused is None
        assert found.bound is not None
    else:
        assert found.refused is not None
        assert refused in found.refused
        assert found.bound is None


def test_premises_are_decided() -> None:
    with pytest.raises(SpecError, match="larger than the smoothness"):
        rates(spec("1/8", "sqrt(2)", "sqrt(2) + 1/10**30"))
    # √2 twice: equal numbers, which no interval tells apart, contradict nothing
    assert rates(spec("1/8", "sqrt(2)", "sqrt(2)")).pl["sharp"].bound is not None
    with pytest.raises(SpecError, match="step size of 0"):
        rates(spec("sqrt(2) - sqrt(2)", "1"))


def test_the_best_step_is_exact_and_below_the_limit() -> None:
    site = Site(1, "forward", F(1, 10), F(1, 20), F(1, 8))
    for gap in (F(1, 10), F(10**6)):
        case = Case(
            HALVES, (site,), sigma=F(3), gap=gap, horizon=25, L=F(7, 3), mu=F(1), step=F(1, 8)
        )
        found = rates(case.graph())
        for table in (found.nonconvex, found.pl):
            for family, rate in table.items():
                if rate.best_step is None:  # a bound that only grows with the step
                    assert table is found.pl
                    assert gap < 1
                    continue
                step, bound = rate.best_step
                limit = 1 / (case.L * (1 if family == "sharp" else 3))
                assert isinstance(step.value, Fraction)
                assert 0 < step.value <= limit
                again = rates(replace(case, step=step.value).graph())
                same = (again.nonconvex if table is found.nonconvex else again.pl)[family].bound
                assert same is not None
                assert abs(high(same.value) - high(bound.value)) <= high(bound.value) * 1e-30


@settings(deadline=None, max_examples=100)
@given(st.fractions(min_value=F(1, 10**6), max_value=10**6), st.sampled_from(["ball", "wide"]))
def test_exact_steps(value: F, kind: str) -> None:
    given = INTERVALS.number(value) if kind == "ball" else WIDE.number(value)
    for limit in (value, INTERVALS.number(value), 2 * value):
        found = exact_step(given, limit)
        assert found is not None
        assert found <= value
        assert value - found <= value * F(1, 2**50)
    # next to an enclosed limit the step stays below what the limit certainly is
    limit = INTERVALS.number(1) - F(1, 2**100)
    found = exact_step(WIDE.number(1), limit)
    assert found is not None
    assert found < 1 - F(1, 2**100)
    assert exact_step(WIDE.number(0), F(1)) is None
    assert exact_step(WIDE.number(2) ** -1_000_000, F(1)) is None


def test_bounds_grow_with_the_levels() -> None:
    """Monotone: the upper end for smaller levels is at most that for larger ones."""
    sizes = [F(1, 30), F(1, 20), F(1, 10)]
    ends = []
    for size in sizes:
        site = Site(1, "forward", size, size / 2, F(1, 8))
        case = Case(HALVES, (site,), sigma=F(1, 3), horizon=25, mu=F(1, 2))
        bound = rates(case.graph()).pl["sharp"].bound
        assert bound is not None
        value = bound.value
        ends.append(value if isinstance(value, Fraction) else _upper(value))
    assert ends == sorted(ends)


def _upper(ball: Ball) -> F:
    mantissa, exponent = ball.upper
    return F(mantissa) * F(2) ** exponent
