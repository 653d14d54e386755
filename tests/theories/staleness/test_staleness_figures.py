"""The figures show the numbers of the answers."""

import numpy as np
import pytest
from theories.staleness.staleness_cases import graph_of
from theories.staleness.test_staleness_run import GAUSSIAN, OPTIONS, bounded

from boundcalc.report import plots
from boundcalc.theories.staleness.figures import _chosen, bound_figure, difference_figure, draw
from boundcalc.theories.staleness.theory import THEORY


@pytest.fixture(scope="module")
def answers():
    graph = graph_of(bounded(step="1/120", steps=60))
    return graph, {"rate": THEORY.rate(graph), "simulate": THEORY.simulate(graph, OPTIONS)}


def lines_of(panel):
    return {line.get_label(): line.get_xydata() for line in panel.lines}


def test_every_figure_is_written_twice(answers, tmp_path):
    graph, found = answers
    with plots.style():
        drawn = draw(graph, found, tmp_path)
    assert [d.stem for d in drawn] == [
        "staleness-timetable",
        "staleness-difference",
        "staleness-bounds",
    ]
    for figure in drawn:
        for suffix in (".pdf", ".png"):
            assert (tmp_path / f"{figure.stem}{suffix}").stat().st_size > 5_000
    assert draw(graph, {}, tmp_path) == ()


def test_differences_are_means_over_replicas_on_logarithms(answers):
    run = answers[1]["simulate"].value
    with plots.style():
        figure = difference_figure(run)
    left, right = (lines_of(panel) for panel in figure.axes)
    assert set(left) == {"block 0, delay 4", "block 1, delay 2", "block 2, delay 0"}
    assert set(right) == {"block 0, delay 4", "block 1, delay 2"}
    for k, label in enumerate(left):
        for lines, name in ((left, "difference"), (right, "distance")):
            for step, value in lines.get(label, np.zeros((0, 2))):
                expected = run.series[f"{name}_{k}"][int(step)].mean()
                assert 10**value == pytest.approx(expected, rel=1e-9)


def test_bounds_end_at_the_bounds_and_the_simulation_at_its_average(answers):
    found = answers[1]
    run, rates = found["simulate"].value, found["rate"].value
    with plots.style():
        figure = bound_figure(run, rates)
    lines = lines_of(figure.axes[0])
    for label, key in (
        ("published", "sgd"),
        ("corrected", "sgd.corrected"),
        ("sharp", "sgd.sharp"),
    ):
        steps, value = lines[label][-1]
        assert steps == run.steps
        assert 10**value == pytest.approx(float(rates.statements[key].bound), rel=1e-9)
        assert (np.diff(lines[label][:, 1]) < 0).all()
        assert (lines[label][:, 1] > lines["simulation"][:, 1]).all()
    steps, value = lines["simulation"][-1]
    assert steps == run.steps
    assert 10**value == pytest.approx(run.metrics["mean_squared_gradient"].mean, rel=1e-9)


def test_momentum_has_its_own_bounds():
    text = bounded(step="1/20000", steps=30, method="nesterov", more=GAUSSIAN)
    graph = graph_of(text)
    with plots.style():
        figure = bound_figure(THEORY.simulate(graph, OPTIONS).value, THEORY.rate(graph).value)
    assert {"published", "sharp"} <= set(lines_of(figure.axes[0]))


def test_of_many_blocks_a_few_are_shown():
    assert _chosen(3) == [0, 1, 2]
    assert _chosen(101) == [0, 20, 40, 60, 80, 100]
