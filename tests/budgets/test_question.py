"""What a budget is asked for: regimes, steps, targets, and questions that have no answer."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from budget_texts import Case, shipped

from boundcalc import build, loads
from boundcalc.arithmetic import Status
from boundcalc.arithmetic.number import format_number
from boundcalc.budgets.levels import scaled, sized, with_perturbations
from boundcalc.budgets.question import digits_apart, highest, lowest, question
from boundcalc.errors import BoundcalcError, SpecError

F = Fraction
PLAIN = Case(mu=None, step="1/4", horizon=100)


def test_target_of_a_tolerance_and_an_absolute_one() -> None:
    asked = PLAIN.ask()
    assert (asked.regime, asked.family.name, asked.best) == ("nonconvex", "sharp", False)
    assert asked.baseline.value == F(2, 25)
    assert asked.target.value == F(2, 25) * F(11, 10)
    assert asked.target.limit
    absolute = PLAIN.asking("target: 1/10").ask()
    assert absolute.target.value == F(1, 10)
    assert absolute.baseline.value == F(2, 25)


def test_regime_horizon_and_step_of_the_budget_override() -> None:
    assert Case().ask().regime == "pl"
    asked = Case().asking("tolerance: 1, regime: nonconvex, horizon: 50, step_size: 1/2").ask()
    assert asked.regime == "nonconvex"
    assert asked.baseline.value == F(2) / (F(1, 2) * 50)
    published = Case().asking("tolerance: 1, family: published, regime: nonconvex").ask()
    assert published.baseline.value == F(6) / (F(1, 5) * 20)


def test_best_step_is_chosen_anew_for_each_level() -> None:
    asked = Case(mu=None, sigma="1", horizon=100).asking("tolerance: 1, step_size: best").ask()
    # √(2Δ₀/(LTσ²)) = √(1/50) < 1/L, so 2√(2LΔ₀σ²/T).
    assert float(asked.baseline) == pytest.approx(2 * (2 / 100) ** 0.5, rel=1e-14)
    louder = Case(
        mu=None, sigma="1", horizon=100, perturbations=("at: f.3, pass: backward, rms: 1, mean: 0",)
    )
    bound = asked.bound(louder.graph())
    fixed = louder.asking("tolerance: 1, step_size: 1/100").ask()
    assert float(bound) < float(fixed.bound(louder.graph()))


def test_with_the_best_step_no_bound_exceeds_the_initial_gap() -> None:
    asked = Case().asking("tolerance: 1, step_size: best").ask()
    huge = Case(perturbations=("at: f.1, pass: forward, rms: 1000, mean: 1000",))
    assert asked.bound(huge.graph()).value == 1
    assert not asked.admissible(huge.graph())
    assert Case().asking("target: 1, step_size: best").ask().admissible(huge.graph())


def test_a_bound_differs_in_the_perturbations_only() -> None:
    case = Case(perturbations=("at: f.1, pass: forward, rms: 1/10, mean: 1/20, fourth: 1/8",))
    asked = case.ask()
    assert asked.bound(asked.graph).value == case.rate(asked, case.perturbations)
    assert asked.bound(with_perturbations(asked.graph, ())).value == asked.baseline.value
    half = [scaled(p, F(1, 2)) for p in asked.graph.perturbations]
    smaller = case.rate(asked, ("at: f.1, pass: forward, rms: 1/20, mean: 1/40, fourth: 1/16",))
    assert asked.bound(with_perturbations(asked.graph, half)).value == smaller
    other = [sized(p, F(1, 3), F(1, 4), F(1, 2)) for p in asked.graph.perturbations]
    larger = case.rate(asked, ("at: f.1, pass: forward, rms: 1/3, mean: 1/4, fourth: 1/2",))
    assert asked.bound(with_perturbations(asked.graph, other)).value == larger


def test_admissible_is_certain_to_the_last_digit() -> None:
    # γε² + ε² = 5/4 ε² with a mean; the tolerance is 1/125.
    case = Case(2, mu=None, step="1/4", horizon=100, constants=dict.fromkeys(Case().constants, "1"))
    asked = case.ask()

    def at(size: Fraction) -> bool:
        item = f"at: f.2, pass: backward, rms: {size}, mean: {size}"
        return asked.admissible(replace(case, perturbations=(item,)).graph())

    assert at(F(2, 25))
    assert not at(F(2, 25) + F(1, 10**20))


def test_ends_of_numbers_of_every_kind() -> None:
    from boundcalc.arithmetic import INTERVALS, WIDE

    assert lowest(F(1, 3)) == highest(F(1, 3)) == F(1, 3)
    assert lowest(0.1) == highest(0.1) == F(0.1)
    assert lowest(WIDE.number(-3)) == -3
    root = INTERVALS.sqrt(INTERVALS.number(2))
    assert lowest(root) < highest(root)
    assert lowest(root) ** 2 < 2 < highest(root) ** 2


@pytest.mark.parametrize(
    ("case", "where", "words"),
    [
        (PLAIN.asking("target: 1/100"), "budget.target", "by 0.07"),
        (PLAIN.asking("target: 1/100"), "budget.target", "8 times the target"),
        (PLAIN.asking("target: 2/25"), "budget.target", "nothing is left"),
        (PLAIN.asking("tolerance: 1, regime: pl"), "budget.regime", "without a PL constant"),
        (PLAIN.asking("tolerance: 1, step_size: 2"), "budget", "above the limit"),
        (PLAIN.asking("tolerance: 1, family: published, step_size: 1/2"), "budget", "1/(3L)"),
        (Case(horizon=10**8).asking("tolerance: 1"), "budget.tolerance", "so small"),
        (Case(gap="0"), "budget.tolerance", "so small"),
    ],
)  # fmt: skip
def test_questions_without_an_answer(case: Case, where: str, words: str) -> None:
    with pytest.raises(SpecError) as caught:
        case.ask()
    assert words in str(caught.value)
    assert caught.value.where == where
    assert caught.value.fix


@pytest.mark.parametrize(
    "budget",
    ["tolerance: 0", "tolerance: .inf", "tolerance: .nan", "tolerance: -1", "tolerance: 1e400",
     "target: 0", "target: .inf", "tolerance: 1, target: 1", "regime: pl",
     "tolerance: 1, horizon: 0", "tolerance: 1, step_size: 0"],
)  # fmt: skip
def test_numbers_that_the_schema_refuses(budget: str) -> None:
    with pytest.raises(BoundcalcError) as caught:
        PLAIN.asking(budget).graph()
    assert "budget" in str(caught.value)


def test_a_tiny_baseline_and_an_absolute_target() -> None:
    asked = Case(horizon=10**8).asking("target: 1/10").ask()
    assert asked.baseline.status is Status.PROVED
    assert asked.target.value == F(1, 10)


def test_a_spec_without_the_sections() -> None:
    for missing, where in (("budget", "budget"), ("training", "training")):
        text = "\n".join(
            line for line in PLAIN.text(budget=True).splitlines() if not line.startswith(missing)
        )
        with pytest.raises(SpecError) as caught:
            question(build(loads(text)))
        assert caught.value.where == where


def test_a_family_that_refuses_the_graph() -> None:
    with pytest.raises(SpecError, match="chains"):
        shipped("diamond", tolerance=F(1), family="published")


@pytest.mark.parametrize(
    ("budget", "words"),
    [
        ("tolerance: -1", "expected: a number > 0"),
        ("tolerance: 0", "expected: a number > 0"),
        ("tolerance: 1, step_size: -1/2", "expected: a number > 0"),
        ("tolerance: 1, target: 1", "both `tolerance` and `target` are given"),
        ("regime: pl", "needs one of `tolerance` and `target`"),
    ],
)
def test_what_a_refused_budget_is_told(budget: str, words: str) -> None:
    with pytest.raises(BoundcalcError) as caught:
        PLAIN.asking(budget).graph()
    assert words in str(caught.value)


def test_a_target_just_below_the_baseline_is_told_apart() -> None:
    with pytest.raises(SpecError) as caught:
        PLAIN.asking("target: 0.07999999999").ask()
    assert caught.value.value == "0.07999999999"
    assert caught.value.expected == "more than 0.08"


def test_digits_apart() -> None:
    for k in range(1, 30):
        first, second = F(2, 7), F(2, 7) * (1 + F(1, 10**k))
        digits = digits_apart(first, second)
        assert digits == digits_apart(second, first) == max(6, k + 3)
        assert format_number(first, digits) != format_number(second, digits)
    assert digits_apart(F(1), F(1)) == 6
