"""Bits at least cost: against every assignment, and what must not change them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import allocation_specs as specs
import numpy as np
import pytest

from boundcalc.arithmetic import RATIONALS, Status
from boundcalc.budgets.allocation import integers
from boundcalc.budgets.allocation.allocate import _Solution, allocate
from boundcalc.budgets.allocation.quantisers import columns
from boundcalc.budgets.question import lowest
from boundcalc.errors import SpecError
from boundcalc.perturbations.transform import Reach


def constants(jac, weight, lip, hess, mixed, third, third_mixed):
    return (
        f"{{jac_input: {jac}, jac_weight: {weight}, lip_input: {lip}, hess_input: {hess}, "
        f"hess_mixed: {mixed}, third_input: {third}, third_mixed: {third_mixed}}}"
    )


BITS = "least_bits: 1, most_bits: 6"


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("seed", range(6))
def test_three_operators_agree_with_brute_force(seed, rounding):
    loss = ["gradient_noise: 1", "gradient_noise: 1, pl: 1/10", "gradient_noise: 0, batch: 4"]
    asked = specs.chain(
        3,
        seed,
        budget=f"tolerance: 3, allocation: {{{BITS}, rounding: {rounding}}}",
        loss=loss[seed % 3],
        low=5,
    )
    ranges = specs.reaches(asked, seed)
    made = specs.made(asked, ranges)
    best = specs.cheapest_of_all(asked, made, 1, 6)
    if best is None:
        with pytest.raises(SpecError, match="6 bits at every site are not enough"):
            allocate(asked, ranges)
        return
    found = allocate(asked, ranges)
    assert found.cost.value == best
    assert found.lower_cost is not None
    assert found.lower_cost.value == best
    assert specs.admissible(asked, made, tuple(site.bits for site in found.sites))


def test_brute_force_has_cases_of_both_kinds():
    costs = []
    for seed in range(6):
        asked = specs.chain(3, seed, budget="tolerance: 3", loss="gradient_noise: 1", low=5)
        made = specs.made(asked, specs.reaches(asked, seed))
        costs.append(specs.admissible(asked, made, (6,) * len(made)))
    assert any(costs)


@pytest.fixture(scope="module")
def problem():
    asked = specs.chain(4, 3)
    return asked, specs.reaches(asked, 3)


def test_what_is_printed_fits_together(problem):
    asked, ranges = problem
    found = allocate(asked, ranges)
    assert found.cost.value == sum(s.weight.value * s.bits for s in found.sites)
    assert found.cost.status is Status.PROVED
    assert found.relaxed_cost.value <= found.cost.value
    assert found.relaxed_cost.limit
    assert float(found.bound) <= float(asked.target)
    assert found.uniform_bits is not None
    assert found.uniform_cost is not None
    assert found.cost.value <= found.uniform_cost.value
    made = specs.made(asked, ranges)
    assert specs.admissible(asked, made, (found.uniform_bits,) * len(made))
    assert not specs.admissible(asked, made, (found.uniform_bits - 1,) * len(made))
    for j, site in enumerate(found.sites):
        spacing = 2 * site.magnitude.value / (2**site.bits - 1)
        assert float(site.rms) == pytest.approx(float(spacing) * site.size**0.5 / 2)
        assert site.mean.value == 0
        assert float(site.price) * float(found.multiplier) == pytest.approx(
            float(site.weight), rel=1e-3
        )
        bits = [s.bits + (k == j) for k, s in enumerate(found.sites)]
        again = asked.bound(_graph(asked, made, bits))
        assert float(site.saving) == pytest.approx(float(again), rel=1e-10)
        assert float(site.saving) < float(found.bound)


def _graph(asked, made, bits):
    from boundcalc.budgets.levels import with_perturbations

    return with_perturbations(
        asked.graph,
        [q.perturbation(asked.graph, b) for q, b in zip(made, bits, strict=True)],
    )


def test_prices_say_what_a_small_change_of_bits_buys(problem):
    asked, ranges = problem
    from boundcalc.budgets.allocation.evaluator import Evaluator
    from boundcalc.budgets.allocation.quantisers import columns

    found = allocate(asked, ranges)
    made = specs.made(asked, ranges)
    c = columns(made, 1, 32)
    evaluator = Evaluator(asked, tuple(q.site for q in made))
    bits = np.array([float(site.continuous) for site in found.sites])
    slack = float(asked.target) - float(asked.baseline)
    for j, site in enumerate(found.sites):
        ends = []
        for sign in (1, -1):
            moved = bits.copy()
            moved[j] += sign * 1e-4
            ends.append(evaluator.bound(c.moments(c.logs(moved))))
        assert (ends[1] - ends[0]) / 2e-4 / slack == pytest.approx(float(site.price), rel=1e-4)


def test_nearest_rounding_has_means_and_costs_more(problem):
    asked, ranges = problem
    section = asked.section.model_copy(
        update={"allocation": asked.section.allocation.model_copy(update={"rounding": "nearest"})}
    )
    nearest = allocate(replace(asked, section=section), ranges)
    stochastic = allocate(asked, ranges)
    assert all(float(site.mean) == float(site.rms) > 0 for site in nearest.sites)
    assert nearest.cost.value > stochastic.cost.value


def test_looser_targets_cost_no_more():
    costs = []
    for tolerance in ("1/1000", "1/100", "1/10", "1/3", "1", "10"):
        asked = specs.chain(3, 4, budget=f"tolerance: {tolerance}")
        costs.append(allocate(asked, specs.reaches(asked, 4)).cost.value)
    assert costs == sorted(costs, reverse=True)
    assert len(set(costs)) > 3


def test_the_curve_trades_cost_for_bound(problem):
    asked, ranges = problem
    found = allocate(asked, ranges)
    costs = [float(cost) for cost, _ in found.curve]
    bounds = [float(bound) for _, bound in found.curve]
    assert len(found.curve) > 15
    assert costs == sorted(costs, reverse=True)
    assert bounds == sorted(bounds)
    # One point is the allocation's own optimum.
    gap = min(abs(float(b) - float(asked.target)) for b in bounds)
    assert gap < 1e-8
    assert min(abs(c - float(found.relaxed_cost)) for c in costs) < 1e-4 * costs[0]
    # Each point is optimal: the one of another target is no cheaper where its bound is smaller.
    slopes = np.diff(costs) / np.diff(bounds)
    assert (np.diff(slopes) > -1e-9).all()  # the optimal cost is convex in the bound


def test_weights_move_bits(problem):
    asked, ranges = problem
    label = "forward:f2"
    text = "tolerance: 1/10, allocation: {weights: {'forward:f2': 1000}}"
    dear = specs.chain(4, 3, budget=text)
    plain, weighted = allocate(asked, ranges), allocate(dear, ranges)
    index = [f"{s.direction}:{s.label}" for s in plain.sites].index(label)
    assert weighted.sites[index].weight.value == 1000
    fewer, more = weighted.sites[index], plain.sites[index]
    assert float(fewer.continuous) < float(more.continuous) - 0.1
    assert float(weighted.relaxed_cost) > float(plain.relaxed_cost)


def test_scaling_all_weights_scales_the_cost(problem):
    asked, ranges = problem
    plain = allocate(asked, ranges)
    weights = ", ".join(f"'{s.direction}:{s.label}': {3 * s.size}" for s in plain.sites)
    scaled = allocate(
        specs.chain(4, 3, budget=f"tolerance: 1/10, allocation: {{weights: {{{weights}}}}}"), ranges
    )
    assert scaled.cost.value == 3 * plain.cost.value
    assert float(scaled.relaxed_cost) == pytest.approx(3 * float(plain.relaxed_cost), rel=1e-6)


def test_sites_in_another_order_cost_the_same():
    """Two branches with the same constants, written the other way round."""
    first = constants("1", "1/2", "1", "1/3", "1", "1/2", "1")
    other = constants("1/3", "2", "1/3", "1/7", "1", "1/2", "1")
    results = []
    for one, two in ((first, other), (other, first)):
        asked = specs.asked(
            f"    - {{id: f0, constants: {first}}}\n"
            f"    - {{id: a, inputs: [f0], constants: {one}}}\n"
            f"    - {{id: b, inputs: [f0], constants: {two}}}\n"
            "    - {id: sum, type: add, inputs: [a, b]}\n"
            f"    - {{id: end, inputs: [sum], constants: {first}}}",
            "tolerance: 1/10",
        )
        unit = Reach((4,), None, Fraction(-1), Fraction(1))
        found = allocate(asked, {(s.direction, s.index): unit for s in asked.graph.sites})
        results.append((found.cost.value, sorted(s.bits for s in found.sites)))
    assert results[0] == results[1]


def test_a_site_split_in_two_of_half_the_weight_costs_the_same():
    """An identity after an operator: a second site, whose noise does the same."""
    one = constants("1", "1", "1", "1/2", "1/2", "1", "1")
    same = constants("1", "0", "1", "0", "0", "0", "0")
    whole = specs.asked(
        f"    - {{id: f1, constants: {one}}}\n    - {{id: f2, constants: {one}}}",
        "tolerance: 1/10",
    )
    split = specs.asked(
        f"    - {{id: f1, constants: {one}}}\n    - {{id: same, constants: {same}}}\n"
        f"    - {{id: f2, constants: {one}}}",
        "tolerance: 1/10",
    )
    unit = Reach((4,), None, Fraction(-1), Fraction(1))
    found = allocate(whole, {("forward", 1): unit})
    both = allocate(split, {("forward", 1): unit, ("forward", 2): unit})
    # One site alone: √2 times smaller noise at each of the two leaves the same bound.
    bits = float(found.sites[0].continuous)
    noise = 1 / (2**bits - 1)
    for site in both.sites:
        assert float(site.continuous) == pytest.approx(np.log2(1 + 2**0.5 / noise), abs=1e-3)


def test_nothing_to_gain_and_nothing_to_lose():
    asked = specs.chain(3, 4, budget="tolerance: 1000000")
    ranges = {
        key: Reach((2,), None, Fraction(-1, 100), Fraction(0)) for key in specs.reaches(asked)
    }
    found = allocate(asked, ranges)
    assert {site.bits for site in found.sites} == {1}
    assert found.cost.value == found.lower_cost.value == found.uniform_cost.value
    assert float(found.relaxed_cost) == pytest.approx(float(found.cost), rel=1e-9)
    assert len(found.curve) >= 1


def test_sites_without_a_range_are_named(problem):
    asked, ranges = problem
    some = dict(list(ranges.items())[1:])
    some[("backward", 2)] = Reach((3,), None, Fraction(0), Fraction(0))
    found = allocate(asked, some)
    assert "no range is known" in found.left_out["forward:f1"]
    assert "zero" in found.left_out["backward:f2"]
    assert len(found.sites) == len(ranges) - 2
    nothing = allocate(asked, {})
    assert nothing.sites == ()
    assert nothing.cost.value == 0
    assert nothing.bound == asked.baseline
    assert len(nothing.left_out) == len(ranges)


def test_too_few_bits_say_so():
    asked = specs.chain(
        3, 4, budget="tolerance: 1/1000, allocation: {most_bits: 3, rounding: nearest}"
    )
    with pytest.raises(SpecError) as caught:
        allocate(asked, specs.reaches(asked, 4))
    assert caught.value.where == "budget.allocation.most_bits"
    assert "3 bits at every site are not enough" in str(caught.value)
    assert "bound" in str(caught.value.value)


def test_unknown_sites_in_weights_say_so():
    asked = specs.chain(2, 1, budget="tolerance: 1/10, allocation: {weights: {'forward:f9': 1}}")
    with pytest.raises(SpecError, match="unknown site"):
        allocate(asked, specs.reaches(asked))


@pytest.mark.parametrize("regime", ["", ", pl: 1/10"])
def test_the_best_step_is_chosen_for_the_levels(regime):
    loss = f"gradient_noise: 1{regime}"
    best = specs.chain(3, 5, budget="tolerance: 1/10, step_size: best", loss=loss)
    ranges = specs.reaches(best, 5)
    found = allocate(best, ranges)
    made = specs.made(best, ranges)
    assert specs.admissible(best, made, tuple(site.bits for site in found.sites))
    assert found.lower_cost is None
    # One bit less anywhere, or the next cheaper assignment, is not admissible.
    fewer = tuple(max(1, site.bits - 1) for site in found.sites)
    assert not specs.admissible(best, made, fewer)
    assert float(found.relaxed_cost) <= float(found.cost)


def test_kinks_cost_what_they_cost_and_are_admissible():
    one = constants("1", "1", "1", "1/2", "1/2", "1", "1")
    asked = specs.asked(
        f"    - {{id: f1, constants: {one}}}\n    - {{id: r, type: relu, dim: 1}}\n"
        f"    - {{id: f3, constants: {one}}}",
        "tolerance: 100",
    )
    ranges = {
        (s.direction, s.index): Reach((1,), None, Fraction(-1), Fraction(1))
        for s in asked.graph.sites
    }
    found = allocate(asked, ranges)
    made = specs.made(asked, ranges)
    assert specs.admissible(asked, made, tuple(site.bits for site in found.sites))
    best = specs.cheapest_of_all(asked, made, 1, 4)
    assert best is None or found.cost.value == best


def test_many_sites_come_near_the_bound_on_their_cost(monkeypatch):
    asked = specs.chain(12, 6, budget="tolerance: 1/10", low=60)
    ranges = specs.reaches(asked, 6)
    exact = allocate(asked, ranges)
    monkeypatch.setattr(integers, "EFFORT", 1)
    rounded = allocate(asked, ranges)
    made = specs.made(asked, ranges)
    assert specs.admissible(asked, made, tuple(site.bits for site in rounded.sites))
    assert rounded.lower_cost is None
    assert exact.cost.value <= rounded.cost.value
    assert float(rounded.cost) <= float(rounded.relaxed_cost) + max(s.size for s in exact.sites) * 3
    assert float(exact.relaxed_cost) <= float(exact.cost)


def test_numbers_outside_float64_are_done_in_wide_ones():
    tiny = constants("1/10", "1", "10", "1/10", "1/10", "1", "1")
    huge = tiny.replace("jac_input: 1/10", "jac_input: 1e200").replace(
        "jac_weight: 1,", "jac_weight: 1e-200,"
    )
    asked = specs.asked(
        f"    - {{id: f1, constants: {tiny}}}\n    - {{id: f2, constants: {huge}}}\n"
        f"    - {{id: f3, constants: {huge}}}\n    - {{id: f4, constants: {tiny}}}",
        "tolerance: 1e30",
    )
    ranges = {("backward", 4): Reach((4,), None, Fraction(-1, 10**9), Fraction(1, 10**9))}
    ranges[("backward", 3)] = ranges[("backward", 4)]
    with pytest.raises(SpecError, match="not enough"):
        allocate(asked, ranges)


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_columns_are_the_quantisers_moments(rounding):
    asked = specs.chain(3, 1, budget=f"tolerance: 1/10, allocation: {{rounding: {rounding}}}")
    made = specs.made(asked, specs.reaches(asked, 1))
    c = columns(made, 1, 32)
    for bits in (1, 2, 7, 30):
        levels = c.moments(c.logs(np.full(len(made), float(bits))))
        assert c.bits(np.log(levels.rms)) == pytest.approx(np.full(len(made), bits))
        for j, quantiser in enumerate(made):
            true = quantiser.moments(bits)
            mean, second, fourth = (
                float(part.evaluate(RATIONALS))
                for part in (true.mean_squared, true.second, true.fourth)
            )
            assert levels.rms[j] ** 2 == pytest.approx(second)
            assert levels.mean[j] ** 2 == pytest.approx(mean)
            assert levels.fourth[j] ** 4 == pytest.approx(fourth)


def test_wide_numbers_give_the_same_allocation(monkeypatch):
    asked = specs.chain(3, 1)
    ranges = specs.reaches(asked, 1)
    floats = allocate(asked, ranges)
    monkeypatch.setattr(_Solution, "trusted", False)
    wide = allocate(asked, ranges)
    assert [s.bits for s in wide.sites] == [s.bits for s in floats.sites]
    assert float(wide.relaxed_cost) == pytest.approx(float(floats.relaxed_cost), rel=1e-7)


def test_the_real_valued_cost_is_never_below_that_of_the_least_bits():
    for budget, least in (
        ("tolerance: 1e300", 1),
        ("tolerance: 1e300, allocation: {least_bits: 3}", 3),
    ):
        asked = specs.chain(3, 4, budget=budget)
        found = allocate(asked, specs.reaches(asked))
        weights = sum(site.weight.value for site in found.sites)
        assert found.cost.value == least * weights
        assert found.relaxed_cost.value == least * weights
        assert found.relaxed_cost.limit


def test_equal_bits_that_were_not_checked_exactly_are_computed(monkeypatch):
    asked = specs.chain(3, 4)
    assert allocate(asked, specs.reaches(asked)).uniform_cost.status is Status.PROVED
    monkeypatch.setattr("boundcalc.budgets.allocation.allocate.EXACT_OPERATORS", 2)
    assert allocate(asked, specs.reaches(asked)).uniform_cost.status is Status.COMPUTED


def test_too_few_bits_by_little_show_the_digits_that_matter():
    loose = specs.chain(3, 4, budget="tolerance: 100, allocation: {least_bits: 3, most_bits: 3}")
    bound = allocate(loose, specs.reaches(loose)).bound
    target = lowest(bound.value) * (1 - Fraction(1, 10**8))
    short = target.limit_denominator(10**12)
    near = specs.chain(3, 4, budget=f"target: {short}, allocation: {{most_bits: 3}}")
    with pytest.raises(SpecError) as caught:
        allocate(near, specs.reaches(near))
    shown = float(caught.value.value.removeprefix("bound "))
    limit = float(caught.value.expected.removeprefix("at most "))
    assert limit == pytest.approx(float(target), rel=1e-9)
    assert shown == pytest.approx(float(bound), rel=1e-9)
    assert shown / limit == pytest.approx(1 + 1e-8, abs=2e-9)
