"""Magnitude budgets: plugged back into rates, against slow twins, by hand, and monotone."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from budget_texts import (
    CENTRED,
    CONSTANTS,
    Case,
    alone_text,
    exactly,
    rated,
    share,
    shipped,
    site_text,
)

from boundcalc.arithmetic import Status
from boundcalc.budgets.levels import scaled, sized, with_perturbations
from boundcalc.budgets.magnitude import magnitudes
from boundcalc.budgets.results import Allowance
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph

F = Fraction

#: Moments in both passes, with means, fourth moments, and a schedule.
BOTH = (
    "at: f.1, pass: forward, rms: 1/200, mean: 1/1000, fourth: 1/150",
    "at: f.2, pass: forward, rms: 1/300, mean: 0, fourth: 1/300, every: 3",
    "at: f.3, pass: backward, rms: 1/100, mean: 1/2000",
)


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


def test_published_needs_fourth_moments() -> None:
    case = Case(perturbations=("at: f.1, pass: forward, rms: 1/100, mean: 0",),
                budget="tolerance: 1, family: corrected")  # fmt: skip
    with pytest.raises(SpecError, match="fourth"):
        magnitudes(case.ask())
