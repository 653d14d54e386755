"""The bound as a program, its gradient, and the convex programme over it."""

from __future__ import annotations

import random
from fractions import Fraction

import allocation_specs as specs
import numpy as np
import pytest

from boundcalc.arithmetic import WIDE
from boundcalc.arithmetic.doubles import DOUBLES
from boundcalc.budgets.allocation.evaluator import Evaluator, Moments
from boundcalc.budgets.allocation.programme import frozen, optimum, solved
from boundcalc.budgets.allocation.quantisers import columns
from boundcalc.budgets.allocation.recording import recorded
from boundcalc.budgets.levels import with_perturbations
from boundcalc.graph import Perturbation
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.schedules import from_keys
from boundcalc.spec.expressions import exact

BRANCHED = """\
    - {id: f1, constants: {jac_input: 1, jac_weight: 1/2, lip_input: 1, hess_input: 1/3,
       hess_mixed: 1, third_input: 1/2, third_mixed: 1}}
    - {id: f2, inputs: [f1], constants: {jac_input: 3/2, jac_weight: 1, lip_input: 3/2,
       hess_input: 1/5, hess_mixed: 1/2, third_input: 1/2, third_mixed: 1}}
    - {id: f3, type: add, inputs: [f1, f2]}
    - {id: f4, constants: {jac_input: 1/2, jac_weight: 2, lip_input: 1/2, hess_input: 1,
       hess_mixed: 1/4, third_input: 1/2, third_mixed: 1/3}}"""

QUESTIONS = {
    "nonconvex": lambda: specs.chain(3, 1),
    "pl": lambda: specs.chain(3, 2, loss="gradient_noise: 1/2, pl: 1/10"),
    "batch": lambda: specs.chain(3, 3, loss="gradient_noise: 1, batch: 8"),
    "no noise": lambda: specs.chain(4, 4, loss="gradient_noise: 0"),
    "published": lambda: specs.chain(3, 5, budget="tolerance: 1/10, family: published"),
    "corrected": lambda: specs.chain(
        3, 6, budget="tolerance: 1/10, family: corrected", loss="gradient_noise: 1, pl: 1/20"
    ),
}


def perturbed(asked, rms, mean, fourth):
    """The graph with these levels at its sites, in order."""
    made = []
    for site, r, m, f in zip(asked.graph.sites, rms, mean, fourth, strict=True):
        forward = site.direction == "forward"
        made.append(
            Perturbation(
                site=asked.graph.operator_of(site),
                direction=site.direction,
                size=1,
                rms=exact(r),
                mean=exact(m),
                fourth=exact(f),
                moments=None,
                distribution=None,
                probability=None,
                schedule=from_keys({}),
                where="test",
                edge=0 if forward else site.index,
                dependence=Dependence.CONDITIONAL,
            )
        )
    return with_perturbations(asked.graph, made)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("means", ["none", "forward", "backward", "both", "some"])
def test_programs_give_the_bound(name, means):
    asked = QUESTIONS[name]()
    rng = random.Random(f"{name} {means}")  # noqa: S311 - cases, not secrets
    evaluator = specs.evaluator(asked)
    for size in (1000, 10, 1):
        rms, mean, fourth = [], [], []
        for site in asked.graph.sites:
            r = Fraction(rng.randint(1, 50), 50 * size)
            with_mean = means in (site.direction, "both") or (
                means == "some" and rng.random() < 0.5
            )
            rms.append(r)
            mean.append(r * Fraction(rng.randint(0, 10), 10) if with_mean else Fraction(0))
            fourth.append(r * Fraction(rng.randint(10, 20), 10))
        levels = Moments(*(np.array([float(x) for x in row]) for row in (rms, mean, fourth)))
        true = float(asked.bound(perturbed(asked, rms, mean, fourth)))
        assert evaluator.bound(levels) == pytest.approx(true, rel=1e-12)
        rows = Moments(*(np.stack([row, row]) for row in (levels.rms, levels.mean, levels.fourth)))
        assert evaluator.bounds(rows) == pytest.approx([true, true], rel=1e-12)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_sites_that_are_left_out_are_not_perturbed(direction):
    asked = specs.chain(4, 9)
    sites = tuple(site for site in asked.graph.sites if site.direction == direction)
    chosen = [site in sites for site in asked.graph.sites]
    rms = [Fraction(int(on), 20) for on in chosen]
    for mean in ([Fraction(0)] * len(rms), rms):
        true = asked.bound(perturbed(asked, rms, mean, rms))
        levels = Moments(*(np.array([float(x) for x in row])[chosen] for row in (rms, mean, rms)))
        found = Evaluator(asked, sites).bound(levels)
        assert found == pytest.approx(float(true), rel=1e-12)


def test_graphs_with_branches_and_joins():
    asked = specs.asked(BRANCHED, "tolerance: 1/10")
    n = len(asked.graph.sites)
    rms = [Fraction(k + 1, 40) for k in range(n)]
    for mean in ([Fraction(0)] * n, rms):
        levels = Moments(*(np.array([float(x) for x in row]) for row in (rms, mean, rms)))
        true = float(asked.bound(perturbed(asked, rms, mean, rms)))
        assert specs.evaluator(asked).bound(levels) == pytest.approx(true, rel=1e-12)


def test_wide_numbers_give_the_same():
    asked = specs.chain(4, 7)
    levels = Moments(*np.full((3, len(asked.graph.sites)), 0.05))
    floats = specs.evaluator(asked).bound(levels)
    wide = Evaluator(asked, asked.graph.sites, WIDE).bound(levels)
    assert floats == pytest.approx(wide, rel=1e-13)


def problem(asked, seed=0, least=1, most=32):
    made = specs.made(asked, specs.reaches(asked, seed))
    c = columns(made, least, most)
    return c, Evaluator(asked, tuple(q.site for q in made)), float(asked.target)


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_gradients_of_bounds_agree_with_differences(name, rounding):
    asked = QUESTIONS[name]()
    asked.section.allocation.__dict__["rounding"] = rounding
    c, evaluator, _ = problem(asked)
    x = c.logs(np.linspace(3, 9, len(c.top)))
    programme = frozen(c, evaluator, x)
    value, slope = programme.gradient(x[None, :])
    step = 1e-4
    for j in range(len(x)):
        ends = []
        for steps in (-2, -1, 1, 2):
            moved = x.copy()
            moved[j] += steps * step
            ends.append(float(programme.evaluator.bound(c.moments(moved))))
        # Of fourth order, so that rounding is what is left.
        difference = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
        assert difference == pytest.approx(slope[0, j], rel=1e-7, abs=1e-11 * value[0])
    rows = programme.gradient(np.stack([x, x + 0.1]))
    assert rows[0][0] == pytest.approx(programme.gradient(x[None, :])[0][0])
    assert rows[1][0] == pytest.approx(slope[0])


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_cost_and_bound_are_convex_in_the_logarithms(name, rounding):
    asked = QUESTIONS[name]()
    asked.section.allocation.__dict__["rounding"] = rounding
    c, evaluator, _ = problem(asked)
    rng = np.random.default_rng(3)
    for _ in range(10):
        ends = c.logs(rng.uniform(1, 20, (2, len(c.top))))
        programme = frozen(c, evaluator, ends[0])
        share = np.linspace(0, 1, 21)[:, None]
        line = ends[0] * (1 - share) + ends[1] * share
        for values in (c.cost(line), np.log(programme.bounds(line))):
            bends = values[2:] - 2 * values[1:-1] + values[:-2]
            assert bends.min() >= -1e-9 * np.abs(values).max()
        # Never below the bound with all its minima.
        assert (programme.bounds(line) >= evaluator.bounds(c.moments(line)) * (1 - 1e-12)).all()


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_optima_are_certified_and_satisfy_their_conditions(name, rounding):
    asked = QUESTIONS[name]()
    asked.section.allocation.__dict__["rounding"] = rounding
    c, evaluator, target = problem(asked)
    programme, found = optimum(c, evaluator, target, c.logs(np.full(len(c.top), 12.0)))
    x, slope, multiplier = found.x[0], found.slope[0], found.multiplier[0]
    assert programme.bounds(found.x)[0] <= target
    assert programme.bounds(found.x)[0] == pytest.approx(target, rel=1e-6)
    # Primal and dual agree: neither can be improved.
    assert 0 <= found.cost[0] - found.lower[0] <= 1e-6 * found.cost[0]
    # Stationarity: w c/(ln 2 (e^x + c)) = λ ∂B/∂x wherever no limit is active.
    worth = c.weight * c.top / (np.log(2) * (np.exp(x) + c.top))
    inside = (x > c.low + 1e-9) & (x < c.high - 1e-9)
    assert inside.any()
    assert worth[inside] == pytest.approx(multiplier * slope[inside], rel=1e-3)
    at_least = x >= c.high - 1e-9
    assert (worth[at_least] >= multiplier * slope[at_least] * (1 - 1e-3)).all()


def test_no_admissible_point_is_cheaper_than_the_dual_bound():
    asked = specs.chain(3, 1)
    c, evaluator, target = problem(asked)
    programme, found = optimum(c, evaluator, target, c.logs(np.full(len(c.top), 12.0)))
    rng = np.random.default_rng(0)
    tried = np.clip(
        found.x + rng.normal(0, 1, (4000, 1)) * 0.3 + rng.normal(0, 0.5, (4000, len(c.top))),
        c.low,
        c.high,
    )
    admissible = tried[programme.bounds(tried) <= target]
    assert len(admissible) > 200
    assert c.cost(admissible).min() >= found.lower[0]


def test_backward_noise_alone_is_actnns_programme():
    """min Σ C_i/(2^b_i − 1)² under Σ w b: C 2^b/(2^b − 1)³ is proportional to w."""
    asked = specs.chain(4, 8, loss="gradient_noise: 1")
    ranges = {k: v for k, v in specs.reaches(asked).items() if k[0] == "backward"}
    made = specs.made(asked, ranges)
    c = columns(made, 1, 32)
    evaluator = Evaluator(asked, tuple(q.site for q in made))
    _, found = optimum(c, evaluator, float(asked.target), c.logs(np.full(len(made), 12.0)))
    bits = c.bits(found.x[0])
    # The error is Σ C_i/(2^b − 1)², C_i measured one site at a time.
    alone = []
    for j in range(len(made)):
        r = np.zeros(len(made))
        r[j] = c.top[j]
        levels = Moments(r, 0 * r, r)
        alone.append(evaluator.bound(levels) - float(asked.baseline))
    powers = 2.0**bits
    ratio = np.array(alone) * powers / (powers - 1) ** 3 / c.weight
    assert ratio == pytest.approx(np.full(len(made), ratio.mean()), rel=1e-4)
    used = sum(C / (p - 1) ** 2 for C, p in zip(alone, powers, strict=True))
    assert used == pytest.approx(float(asked.target) - float(asked.baseline), rel=1e-6)


def test_several_targets_at_once_agree_with_one_at_a_time():
    asked = specs.chain(3, 1)
    c, evaluator, target = problem(asked)
    programme, found = optimum(c, evaluator, target, c.logs(np.full(len(c.top), 12.0)))
    targets = target + np.array([0.0, 0.01, 0.1])
    together = solved(programme, targets, np.repeat(found.x, 3, axis=0))
    for k in range(3):
        alone = solved(programme, targets[k : k + 1], found.x)
        assert together.cost[k] == pytest.approx(alone.cost[0], rel=1e-6)
        assert together.lower[k] <= together.cost[k]
    assert together.cost[0] > together.cost[1] > together.cost[2]


def test_refinements_make_minima_and_none_without():
    asked = specs.chain(3, 1)
    arguments = (asked, asked.graph.sites)
    refined = recorded(*arguments, forward_means=True, backward_means=True)
    plain = recorded(*arguments, forward_means=True, backward_means=True, refined=False)
    assert refined.program.branches
    assert not plain.program.branches
    count = 2 * len(asked.graph.sites)
    inputs = [0.5] * count + [0.0, 1.0, 1.0]
    assert plain.program.value(inputs, DOUBLES) > refined.program.value(inputs, DOUBLES)
