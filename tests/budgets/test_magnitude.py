"""Magnitude budgets: plugged back into rates, against slow twins, by hand, and monotone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import pytest
from budget_cases import CONSTANTS, Case, rated, share, shipped
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc import build, loads
from boundcalc.arithmetic import Status
from boundcalc.budgets.inversion_groups import placed
from boundcalc.budgets.inversion_levers import Lever, Scene, alone, shift, silent
from boundcalc.budgets.inversion_moments import PLAIN, Moments
from boundcalc.budgets.inversion_search import crossing, log2, rounded_down, truncated
from boundcalc.budgets.levels import scaled, sized, with_perturbations
from boundcalc.budgets.magnitude import magnitudes
from boundcalc.budgets.question import Question, question
from boundcalc.budgets.results import Allowance, Magnitudes
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.perturbations.schedules import Progression

F = Fraction

#: Moments in both passes, with means, fourth moments, and a schedule.
BOTH = (
    "at: f.1, pass: forward, rms: 1/200, mean: 1/1000, fourth: 1/150",
    "at: f.2, pass: forward, rms: 1/300, mean: 0, fourth: 1/300, every: 3",
    "at: f.3, pass: backward, rms: 1/100, mean: 1/2000",
)
CENTRED = (
    "at: f.1, pass: forward, rms: 1/100, mean: 0, fourth: 1/50",
    "at: f.3, pass: backward, rms: 1/50, mean: 0",
)


def site_text(a: Allowance, rms: Fraction, mean: Fraction, fourth: Fraction | None = None) -> str:
    fourth = rms if fourth is None else fourth
    last = f", fourth: {fourth}" if a.direction == "forward" else ""
    return f"at: {a.label}, pass: {a.direction}, rms: {rms}, mean: {mean}{last}"


def alone_text(a: Allowance, value: Fraction) -> str:
    return site_text(a, value, value if a.quantity == "mean" else F(0))


def exactly(value: Any) -> Fraction:
    assert value is not None
    assert value.limit
    assert isinstance(value.value, Fraction)
    return value.value


# -- plugging back ------------------------------------------------------------------------------


QUESTIONS = [
    f"tolerance: 1/10, family: {family}, regime: {regime}{step}"
    for family in ("sharp", "corrected", "published")
    for regime in ("nonconvex", "pl")
    for step in ("", ", step_size: best")
]


@pytest.mark.parametrize("sigma", ["0", "1/20"])
@pytest.mark.parametrize("budget", QUESTIONS)
def test_alone_reaches_the_target_and_one_percent_more_exceeds_it(budget: str, sigma: str) -> None:
    case = Case(sigma=sigma, batch=4, budget=budget)
    asked = case.ask()
    found = magnitudes(asked)
    assert found.scale is None
    assert found.notes
    assert len(found.allowances) == 8
    slow = "best" in budget and "pl" in budget
    for a in found.allowances[:: 5 if slow else 1]:
        size = exactly(a.alone)
        assert (a.given, a.current) == (None, None)
        assert a.alone.status is (Status.COMPUTED if "published" in budget else Status.PROVED)
        reached = case.rate(asked, (alone_text(a, size),))
        assert share(asked, reached) == pytest.approx(1, abs=1e-9 if "best" in budget else 1e-11)
        assert share(asked, reached) <= 1 + (1e-9 if "best" in budget else 0)
        assert share(asked, case.rate(asked, (alone_text(a, size * F(101, 100)),))) > 1.005


@pytest.mark.parametrize("budget", [q for q in QUESTIONS if "best" not in q])
def test_given_the_others(budget: str) -> None:
    case = Case(sigma="1/20", budget=budget.replace("1/10", "4"), perturbations=BOTH)
    asked = case.ask()
    found = magnitudes(asked)
    current = {("forward", "f.1"): 0, ("forward", "f.2"): 1, ("backward", "f.3"): 2}
    for a in found.allowances:
        if a.given is None:  # saturated
            assert a.note is not None
            assert "any value" in a.note
            continue
        size = exactly(a.given)
        place = current.get((a.direction, a.label))
        others = tuple(text for k, text in enumerate(BOTH) if k != place)

        def with_size(x: Fraction, a: Allowance = a, place: int | None = place) -> str:
            if place is None:
                return alone_text(a, x)
            rms, mean = ((F(1, 200), F(1, 1000)), (F(1, 300), F(0)), (F(1, 100), F(1, 2000)))[place]
            fourth = (F(1, 150), F(1, 300), F(1, 100))[place]
            if a.quantity == "rms":
                rms, fourth = x, fourth / rms * x
            else:
                mean = x
            return site_text(a, rms, mean, fourth) + (", every: 3" if place == 1 else "")

        reached = share(asked, case.rate(asked, (*others, with_size(size))))
        assert reached <= 1
        if a.note is not None and "no larger mean" in a.note:
            assert a.current is not None
            continue
        assert reached == pytest.approx(1, abs=1e-11)
        assert share(asked, case.rate(asked, (*others, with_size(size * F(101, 100))))) > 1


@pytest.mark.parametrize("budget", QUESTIONS)
def test_scale_reaches_the_target(budget: str) -> None:
    case = Case(sigma="1/20", batch=2, budget=budget, perturbations=CENTRED)
    asked = case.ask()
    found = magnitudes(asked)
    c = exactly(found.scale)
    loose = 1e-9 if "best" in budget else 1e-11

    def at(factor: Fraction) -> float:
        return share(
            asked,
            case.rate(
                asked,
                (
                    f"at: f.1, pass: forward, rms: {factor / 100}, mean: 0, fourth: {factor / 50}",
                    f"at: f.3, pass: backward, rms: {factor / 50}, mean: 0",
                ),
            ),
        )

    assert at(c) == pytest.approx(1, abs=loose)
    assert at(c * F(101, 100)) > 1.005
    assert found.scaled_bound is not None
    assert share(asked, found.scaled_bound.value) == pytest.approx(1, abs=loose)


@pytest.mark.parametrize(
    "name",
    ["three-operators", "diamond", "logistic-strongly-convex", "logistic-nonconvex", "lqc",
     "unrolled-gd"],
)  # fmt: skip
def test_shipped_specs(name: str) -> None:
    asked = shipped(name, tolerance=F(1, 10))
    found = magnitudes(asked)
    graph = asked.graph
    own = {(p.direction, p.site if p.direction == "forward" else p.edge): p
           for p in graph.perturbations}  # fmt: skip

    def bound(graph: OperatorGraph) -> float:
        value = rated(graph, asked).bound
        assert value is not None
        return share(asked, value.value)

    c = exactly(found.scale)
    assert bound(with_perturbations(graph, [scaled(p, c) for p in graph.perturbations])) == (
        pytest.approx(1, abs=1e-10)
    )
    assert [(a.direction, a.label) for a in found.allowances[::2]] == [
        (site.direction, site.label) for site in graph.sites
    ]
    for index in (0, -1):
        site = graph.sites[index]
        p = own.get((site.direction, site.index))
        if p is None:
            continue
        rms, mean = found.allowances[2 * index : 2 * index + 2 or None]
        for a, size in ((rms, (exactly(rms.alone), F(0))), (mean, (exactly(mean.alone),) * 2)):
            assert a.alone is not None
            assert a.alone.status is Status.PROVED
            assert bound(with_perturbations(graph, [sized(p, *size)])) == (
                pytest.approx(1, abs=1e-10)
            )


# -- by hand ------------------------------------------------------------------------------------

ONES = dict.fromkeys(CONSTANTS, "1")


def test_two_operators_by_hand() -> None:
    """γ = 1/4, T = 100: 2/(γT) = 0.08 of which a tenth is 0.008."""
    case = Case(2, constants=ONES, mu=None, step="1/4", horizon=100)
    forward_rms, forward_mean, backward_rms, backward_mean = magnitudes(case.ask()).allowances
    # Both operators err by e: ζ² = 2e². A mean m: μ = m, each operator m + e²/2 at most e.
    e = (-1 / 2 + (1 / 4 + 0.016) ** 0.5) ** 0.5  # γ·2e² + 2(e²/2)² = 0.008
    assert float(exactly(forward_rms.alone)) == pytest.approx(e, rel=1e-12)
    assert float(exactly(forward_mean.alone)) == pytest.approx((0.008 / 2.5) ** 0.5, rel=1e-12)
    # One operator errs by ε: (γ or γ + 1) ε² = 0.008.
    assert float(exactly(backward_rms.alone)) == pytest.approx(0.032**0.5, rel=1e-12)
    assert exactly(backward_mean.alone) == F(2, 25)


def test_a_site_without_influence() -> None:
    affine = {"jac": "1", "lip": "1", "hess": "0", "hess_op": "0", "third": "0"}
    case = Case(2, constants=affine, perturbations=("at: f.1, pass: forward, rms: 5, mean: 1",))
    found = magnitudes(case.ask())
    for a in found.allowances[:2]:
        assert a.alone is None
        assert a.note is not None
        assert "any value" in a.note
    assert found.scale is None
    assert any("any common factor" in note for note in found.notes)
    assert found.allowances[2].alone is not None


def test_a_single_operator_has_no_site() -> None:
    assert magnitudes(Case(1).ask()).allowances == ()


def test_saturation_leaves_any_value() -> None:
    # The gradient moves by at most 2b at f.2 and f.1, whatever δ is.
    found = magnitudes(Case(2, budget="target: 1000").ask())
    assert [a.alone is None for a in found.allowances] == [True, True, False, False]


def test_a_jump_leaves_nothing() -> None:
    # With noise the variance jumps by 2σζ where the mean is not zero; here even rms ≥ mean fails.
    strong = ("at: f.3, pass: backward, rms: 1, mean: 1/2",)
    case = Case(sigma="1/20", perturbations=strong, budget="tolerance: 1/100")
    found = {(a.direction, a.label, a.quantity): a for a in magnitudes(case.ask()).allowances}
    own = found["backward", "f.3", "rms"]
    assert exactly(own.given) == 0
    assert own.note is not None
    assert "no rms of at least that mean" in own.note
    assert exactly(found["backward", "f.3", "mean"].given) == 0
    assert exactly(found["forward", "f.1", "rms"].given) == 0
    assert exactly(found["forward", "f.1", "rms"].alone) > 0


def test_a_mean_stops_at_the_rms() -> None:
    case = Case(perturbations=("at: f.3, pass: backward, rms: 1/1000, mean: 0",))
    a = next(
        a for a in magnitudes(case.ask()).allowances
        if (a.direction, a.label, a.quantity) == ("backward", "f.3", "mean")
    )  # fmt: skip
    assert float(exactly(a.given)) == pytest.approx(1 / 1000, rel=1e-15)
    assert exactly(a.given) <= F(1, 1000)
    assert a.note is not None
    assert "no larger mean" in a.note


def test_perturbations_of_one_site_are_taken_together() -> None:
    two = ("at: f.1, pass: forward, rms: 1/1000, mean: 1/5000, fourth: 1/900",
           "at: f.1, pass: forward, rms: 1/500, mean: 0, fourth: 1/400")  # fmt: skip
    one = ("at: f.1, pass: forward, rms: 3/1000, mean: 1/5000, fourth: 13/3600",)
    for family in ("sharp", "corrected"):
        budget = f"tolerance: 1/4, family: {family}"
        found = magnitudes(Case(perturbations=two, budget=budget).ask()).allowances
        expected = magnitudes(Case(perturbations=one, budget=budget).ask()).allowances
        for a, b in zip(found, expected, strict=True):
            assert float(exactly(a.given)) == pytest.approx(float(exactly(b.given)), rel=1e-11)
            assert a.current is None or float(a.current) == float(b.current)
        assert found[0].note == "2 perturbations here, taken together"
    differ = (two[0], two[1] + ", every: 5")
    found = magnitudes(Case(perturbations=differ).ask()).allowances
    assert found[0].note is not None
    assert "their schedules differ" in found[0].note


def test_schedules_are_kept() -> None:
    text = "at: f.3, pass: backward, rms: 1/100, mean: 0, every: 4"
    case = Case(mu=None, perturbations=(text,))
    often = magnitudes(replace(case, perturbations=()).ask()).allowances[-2]
    seldom = magnitudes(case.ask()).allowances[-2]
    # A quarter of the steps, so twice the size.
    assert float(exactly(seldom.alone)) == pytest.approx(2 * float(exactly(often.alone)), rel=1e-11)
    assert seldom.note == "at the steps of its schedule"
    never = Case(mu=None, perturbations=("at: f.3, pass: backward, rms: 1, mean: 0, first: 0",))
    assert magnitudes(never.ask()).allowances[-2].alone is None


@pytest.mark.parametrize("family", ["sharp", "published"])
def test_schedules_with_discounts_and_noise(family: str) -> None:
    text = "at: f.3, pass: backward, rms: {}, mean: 0, every: 4"
    case = Case(sigma="1", mu="1/2", perturbations=(text.format("1/100"),),
                budget=f"tolerance: 1/10, family: {family}")  # fmt: skip
    asked = case.ask()
    size = exactly(magnitudes(asked).allowances[-2].alone)
    assert share(asked, case.rate(asked, (text.format(size),))) == pytest.approx(1, abs=1e-10)


def test_no_step_at_all_admits_everything_up_to_the_initial_gap() -> None:
    found = magnitudes(Case(budget="target: 1, step_size: best").ask())
    assert all(a.alone is None for a in found.allowances)
    found = magnitudes(Case(budget="target: 999/1000, step_size: best").ask())
    assert all(exactly(a.alone) > 0 for a in found.allowances)


def test_what_is_too_much_as_it_is_is_said() -> None:
    loud = Case(perturbations=("at: f.1, pass: forward, rms: 1, mean: 0",))
    found = magnitudes(loud.ask())
    assert exactly(found.scale) < 1
    assert any("exceed the target" in note for note in found.notes)
    quiet = Case(perturbations=("at: f.1, pass: forward, rms: 1/10000, mean: 0",))
    assert magnitudes(quiet.ask()).notes == ()


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


def test_published_needs_fourth_moments() -> None:
    case = Case(perturbations=("at: f.1, pass: forward, rms: 1/100, mean: 0",),
                budget="tolerance: 1, family: corrected")  # fmt: skip
    with pytest.raises(SpecError, match="fourth"):
        magnitudes(case.ask())


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
