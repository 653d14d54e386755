"""Axes, seeds, and the numbers of points."""

import itertools

import pytest
from sweep_cases import OVER, small

from boundcalc.errors import SpecError
from boundcalc.sweeps.check import check_points
from boundcalc.sweeps.grid import make_grid
from boundcalc.sweeps.values import MAX_POINTS


def test_points_are_the_product_in_order_with_the_seeds_fastest():
    zipped = [{"symbols.C": "5,6", "symbols.D": "7,8"}]
    grid = make_grid({"training.step_size": "1,2,3", "training.horizon": "9"}, zipped, 3, 2)
    expected = [
        ({"training.step_size": a, "training.horizon": "9", "symbols.C": c, "symbols.D": d}, seed)
        for a, (c, d), seed in itertools.product(["1", "2", "3"], [("5", "7"), ("6", "8")], [3, 4])
    ]
    assert grid.size == len(expected)
    assert [(grid.settings(i), grid.seed(i)) for i in range(grid.size)] == expected
    assert grid.values_at(5)["simulation.seed"] == 4


def test_a_sweep_over_the_seed_itself():
    grid = make_grid({"simulation.seed": "5,9"}, [], 3, None)
    assert [grid.seed(i) for i in range(grid.size)] == [5, 9]
    with pytest.raises(SpecError, match="number of seeds has no meaning"):
        make_grid({"simulation.seed": "5,9"}, [], 3, 2)


@pytest.mark.parametrize(
    ("over", "zipped", "seeds", "words"),
    [
        ({"a": "0:1:1000", "b": "0:1:1000"}, [], 1000, "the sweep has 1000000000 points"),
        ({"a": "1"}, [], MAX_POINTS + 1, "out of range"),
        ({"a": "1"}, [], 0, "out of range"),
        ({"a": "1"}, [{"a": "1", "b": "2"}], None, "swept twice"),
        ({"a[0]": "1", "a [0]".replace(" ", ""): "2", "b": "1"}, [{"b": "1", "c": "1"}], None, "b"),
        ({"a.b": "1", "a": "2"}, [], None, "lie in each other"),
        ({}, [{"a": "1,2", "b": "3"}], None, "same number of values"),
        ({"a": list(range(MAX_POINTS + 1))}, [], None, f"{MAX_POINTS + 1} values"),
    ],
)
def test_what_is_no_grid_is_refused(over, zipped, seeds, words):
    with pytest.raises(SpecError, match=words):
        make_grid(over, zipped, 0, seeds)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"perturbations[0].halfwidth": "1"}, "did you mean 'half_width'"),
        ({"perturbations[0].model": "uniform,gausian"}, "did you mean 'gaussian'"),
        ({"graph.operators[0].type": "margin,margn"}, "did you mean 'margin'"),
        ({"graph.operators[1].scale": "1"}, "unknown key 'scale'"),
        ({"training.step_size": "1,2,-3"}, "training.step_size=-3: training.step_size: a negative"),
        ({"symbols.D": "0,1"}, "point 0 .*symbols.D=0.*division by zero"),
    ],
)
def test_every_path_and_value_is_looked_at_before_anything_runs(over, words):
    with pytest.raises(SpecError, match="(?s)" + words):
        check_points(small(), make_grid(over, [], 3, None))


@pytest.mark.parametrize("name", ["simulation", "training"])
def test_a_spec_that_cannot_be_simulated_is_refused(name):
    with pytest.raises(SpecError, match=f"no `{name}` section"):
        check_points(small(**{name: None}), make_grid({}, [], 3, None))


def test_a_good_grid_passes():
    check_points(small(), make_grid(OVER, [], 3, 2))
