"""What the figures are made of, and that they are written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from distributed_specs import COMPRESSED, SIGN, graph

from boundcalc.graph import OperatorGraph
from boundcalc.report import plots
from boundcalc.theories.base import Options
from boundcalc.theories.distributed import figures
from boundcalc.theories.distributed.theory import THEORY

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
