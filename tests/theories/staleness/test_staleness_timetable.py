"""The timetable against the pipeline that runs."""

import numpy as np
import pytest
from theories.staleness.staleness_cases import graph_of, parts_of, spec_text

from boundcalc.report import plots
from boundcalc.theories.staleness.pipeline import PipelineEngine
from boundcalc.theories.staleness.queues import Queues
from boundcalc.theories.staleness.timetable import timetable, timetable_figure


class Watcher:
    """Which batch passes which block, with the tick that it is told, and the weights there."""

    def __init__(self):
        self.tick, self.seen = 0, []

    def ahead(self, block, number, weights):
        self.seen.append((self.tick, block, number, "forward", weights.copy()))

    def back(self, block, number, weights):
        self.seen.append((self.tick, block, number, "backward", weights.copy()))


@pytest.mark.parametrize(
    ("p", "m"), [((1, 1, 0), (4, 2, 0)), ((2, 3, 0), (9, 5, 1)), ((0,), (3,)), ((0,) * 3, (0,) * 3)]
)
def test_it_is_what_the_pipeline_does(p, m):
    graph = graph_of(spec_text(p, m, steps=25))
    problem, stages, queues = parts_of(graph)
    watcher = Watcher()
    engine = PipelineEngine(problem, stages, queues, observer=watcher)
    for watcher.tick in range(20):
        engine.tick()
    expected = timetable(queues, 20)
    assert [(s.tick, s.block, s.batch, s.direction) for s in expected] == [
        row[:4] for row in watcher.seen
    ]
    weights = {}
    for slot, row in zip(expected, watcher.seen, strict=True):
        known = weights.setdefault((slot.block, slot.version), row[4])
        assert np.array_equal(known, row[4])


def test_versions_are_those_of_the_delays():
    for slot in timetable(Queues((1, 1, 0), (4, 2, 0)), 15):
        delay = (4, 2, 0)[slot.block] if slot.direction == "forward" else 0
        assert slot.version == max(0, slot.batch - delay)


def test_large_or_missing_pipelines_are_not_drawn():
    assert timetable_figure(Queues((0, 0), (0, 0))) is None
    assert timetable_figure(Queues((1, 0), (29, 0))) is None
    assert timetable_figure(Queues((1,) * 8 + (0,), tuple(range(16, -1, -2)))) is None


def test_the_figure_names_passes_and_queues():
    with plots.style():
        figure = timetable_figure(Queues((1, 1, 0), (4, 2, 0)))
        (panel,) = figure.axes
        texts = [text.get_text() for text in panel.texts]
    assert {"F0", "B0", "F10", "$p_0=1$", "$m_0=4$", "$m_2=0$", "$q_1=1$", "$q_2=1$"} <= set(texts)
    assert texts.count("B0") == 3
    low, high = panel.get_xlim()
    assert all(low <= patch.get_x() <= high for patch in panel.patches)
