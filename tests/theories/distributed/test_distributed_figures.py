"""What the figures are made of, and that they are written."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from distributed_specs import COMPRESSED, SIGN, graph

from boundcalc.graph import OperatorGraph
from boundcalc.report import plots
from boundcalc.simulate.statistics import Metric, share_interval
from boundcalc.theories.base import Options
from boundcalc.theories.distributed import figures
from boundcalc.theories.distributed.experiment_figures import (
    sensitivity_figure,
    shares_figure,
    weak_error_figure,
)
from boundcalc.theories.distributed.experiments import Share
from boundcalc.theories.distributed.theory import THEORY
from boundcalc.theories.distributed.weak_error import Quadratic, WeakErrors

RUN = "{step_size: 1/10, horizon: 12}"


def drawn_lines(found: OperatorGraph) -> dict[str, np.ndarray]:
    met = THEORY.simulate(found, Options()).value.more
    others = figures._others(figures.objective_of(found), met.plan)
    with plots.style():
        figure = figures.runs_figure([figures.Curve("this spec", met.walk), *others])
    panel = figure.axes[1]
    return {line.get_label(): np.asarray(line.get_ydata()) for line in panel.lines}


@pytest.mark.parametrize("section", [COMPRESSED | {"truncation": 3}, SIGN])
def test_the_figure_is_written_and_described(section: dict[str, object], tmp_path: Path) -> None:
    found = graph(section, training=RUN, simulation=True)
    answer = THEORY.simulate(found, Options())
    with plots.style():
        (drawn,) = THEORY.figures(found, {"simulate": answer}, tmp_path)
    assert drawn.stem == "distributed-runs"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "distributed-runs.pdf",
        "distributed-runs.png",
    ]
    assert THEORY.figures(found, {}, tmp_path) == ()


def test_the_specs_own_algorithm_is_not_drawn_twice() -> None:
    signs = graph(SIGN, training=RUN, simulation=True)
    assert list(drawn_lines(signs)) == ["this spec", "SGD", "normalised", "clipped"]
    plain = COMPRESSED | {"algorithm": "dsgd", "omega": 0, "schedule": {"type": "constant"}}
    fixed = graph(plain, training=RUN, simulation=True)
    assert list(drawn_lines(fixed)) == ["this spec", "sign", "normalised", "clipped"]
    normalised = graph(COMPRESSED | {"truncation": 3}, training=RUN, simulation=True)
    assert list(drawn_lines(normalised)) == ["this spec", "SGD", "sign", "normalised", "clipped"]


def test_the_share_falls_at_the_very_step_of_an_escape() -> None:
    wild = graph(
        COMPRESSED | {"schedule": {"type": "constant"}, "escape": 100, "nu": 1, "sigma0": 1},
        training="{step_size: 1, horizon: 6}",
        simulation=True,
    )
    met = THEORY.simulate(wild, Options()).value.more.walk
    share = drawn_lines(wild)["this spec"]
    assert share[0] == 1.0
    assert share[-1] == np.mean(met.escaped < 0) < 1.0
    assert (np.diff(share) <= 0).all()
    first = met.escaped[met.escaped >= 0].min()
    assert share[first] < 1.0 == share[first - 1]


def test_a_run_that_is_dear_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "_EFFORT", 10)
    assert list(drawn_lines(graph(SIGN, training=RUN, simulation=True))) == ["this spec"]


def share_of(algorithm: str, noise: str, start: float, count: int, **more: Any) -> Share:
    bounded = share_interval(count, 20, 0.95)
    settings = {"size": 1, "horizon": 10, "escape": 1e6, "replicas": 20} | more
    return Share(algorithm, noise, start, bounded=bounded, final=bounded, **settings)


def test_shares_are_drawn_where_they_belong() -> None:
    found = [
        share_of(algorithm, noise, start, count)
        for count, (start, noise, algorithm) in enumerate(
            itertools.product((3.0, 5.0), ("Gaussian", "Student, ν = 1"), ("SGD", "sign"))
        )
    ]
    with plots.style():
        figure = shares_figure(found)
    left, right = figure.axes
    assert [left.get_title(), right.get_title()] == ["from $x_0 = 3$", "from $x_0 = 5$"]
    points = [container[0].get_ydata().tolist() for container in right.containers]
    assert points == [[4 / 20, 6 / 20], [5 / 20, 7 / 20]]
    ends = [segment[:, 1].tolist() for segment in right.containers[0][2][0].get_segments()]
    for (low, high), share in zip(ends, (found[4], found[6]), strict=True):
        assert (low, high) == pytest.approx((share.bounded.lo, share.bounded.hi), rel=1e-12)
    assert [text.get_text() for text in left.get_xticklabels()] == ["Gaussian", "ν = 1"]


def test_sensitivity_has_a_line_for_each_radius_and_each_step() -> None:
    by_horizon = [
        share_of("SGD", "Student, ν = 1", 3.0, 20 - horizon // 10, horizon=horizon, escape=radius)
        for radius in (30.0, 1e6)
        for horizon in (10, 100)
    ]
    by_compression = [
        share_of(f"rand-{k}, ω = {4 / k - 1:g}", "Gaussian", 3.0, k, size=4) for k in (4, 1)
    ]
    by_compression.append(share_of("rand-1, ω = 3, normalised step", "Gaussian", 3.0, 20, size=4))
    with plots.style():
        figure = sensitivity_figure(by_horizon, by_compression)
    left, right = figure.axes
    assert [c[0].get_ydata().tolist() for c in left.containers] == [[19 / 20, 10 / 20]] * 2
    assert [c[0].get_ydata().tolist() for c in right.containers] == [[1.0], [4 / 20, 1 / 20]]


def test_weak_errors_are_those_of_the_problem() -> None:
    problem, steps = Quadratic(), (1 / 10, 1 / 20)
    sampled = WeakErrors(
        steps, (Metric(2e-2, 1e-2, 3e-2), Metric(1e-2, 9e-3, 2e-2)), Metric(1, 0, 2)
    )
    with plots.style():
        left, right = weak_error_figure(problem, steps, sampled).axes
    classic = left.lines[0].get_ydata()
    assert classic[0] == abs(problem.equation(0.1, 0) - problem.discrete(0.1))
    # The line of slope 2 goes through the error of the smallest step.
    lines = {line.get_label(): line.get_ydata() for line in left.lines}
    assert lines["slope 2"][0] == pytest.approx(4 * lines["slope 2"][1], rel=1e-12)
    assert lines["slope 2"][1] == lines[r"$\kappa = 1$"][1]
    assert right.containers[0][0].get_ydata().tolist() == [2e-2, 1e-2]
