"""The figures and pages of the chapter on budgets."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import budget_cases as cases
import pytest

from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.results import Allowance, Budget, Magnitudes
from boundcalc.report import content as contents
from boundcalc.report import engine as engines
from boundcalc.report import plots
from boundcalc.report import write as writing
from boundcalc.report.budget_blocks import budget_blocks
from boundcalc.report.budget_figures import BUDGET_CAPTIONS, BUDGET_PAINTERS, described_budget
from boundcalc.report.budget_heat import heat_figure
from boundcalc.report.cells import Content, Document, Figure, Section
from boundcalc.report.fitting import fitted
from boundcalc.report.gather import Findings

NO_ENGINE = pytest.mark.skipif(engines.find_engine() is None, reason="no TeX engine is installed")


P = Status.PROVED


@pytest.fixture(scope="module")
def full() -> Budget:
    return cases.budget()


def test_figures_are_drawn_where_there_is_something_to_draw(full: Budget) -> None:
    with plots.style():
        for stem, paint in BUDGET_PAINTERS.items():
            figure = paint(cases.findings(full))
            assert figure is not None, stem
            assert any(a.has_data() or a.patches for a in figure.axes), stem
            assert paint(cases.findings(None)) is None
        bare = {
            stem: paint(cases.findings(cases.bare())) for stem, paint in BUDGET_PAINTERS.items()
        }
    assert [stem for stem, figure in bare.items() if figure is not None] == ["magnitudes"]
    assert (
        set(BUDGET_PAINTERS) == set(BUDGET_CAPTIONS) == set(described_budget(cases.findings(full)))
    )


def test_the_heat_map_holds_the_logarithms(full: Budget) -> None:
    with plots.style():
        figure = heat_figure(full)
    assert figure is not None
    image = figure.axes[0].images[0].get_array()
    assert image is not None
    assert math.isclose(image[0, 0], math.log10(2 / 3))
    assert math.isclose(image[0, 2], math.log10(2 / 3 / 49))
    assert math.isclose(image[1, 1], math.log10(2 / 3 / 343))
    # No output of the last operator, nothing passed back by the first, no limit at the last.
    assert [bool(image.mask[k]) for k in ((0, 3), (1, 0), (1, 3), (1, 2))] == [True] * 3 + [False]
    assert len(figure.axes[0].patches) == 1
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {"0.66", "0.095", "0.013", "0.0019", "0.00027"} == texts  # rounded down


def with_alone(found: Budget, label: str, alone: Number | None) -> Budget:
    entries: tuple[Allowance, ...] = tuple(
        replace(a, alone=alone) if a.label == label else a for a in found.magnitudes.allowances
    )
    sizes: Magnitudes = replace(found.magnitudes, allowances=entries)
    return replace(found, magnitudes=sizes)


def test_the_heat_map_marks_what_allows_nothing_and_takes_the_least_of_several_edges() -> None:
    found = cases.join()
    with plots.style():
        zero = heat_figure(with_alone(found, "f1", cases.limit(Fraction(0))))
        tight = heat_figure(with_alone(found, "f1->f3", cases.limit(Fraction(1, 10**9))))
        free = heat_figure(replace(found, magnitudes=replace(found.magnitudes, allowances=())))
    assert zero is not None
    assert [line.get_marker() for line in zero.axes[0].lines] == ["x"]
    assert tight is not None
    image = tight.axes[0].images[0].get_array()
    assert image is not None
    assert math.isclose(image[1, 2], -9.0)
    assert free is None


def test_many_operators_are_drawn_in_strips_and_by_number() -> None:
    names = tuple(f"block.{k}" for k in range(130))
    with plots.style():
        figure = heat_figure(cases.bare(cases.graph(names, perturbed=False)))
    assert figure is not None
    strips = [a for a in figure.axes if a.images and a.get_xlabel()]
    assert [a.images[0].get_array().shape[1] for a in strips] == [44, 44, 42]
    assert [list(a.images[0].get_extent()[:2]) for a in strips][1:] == [[44.5, 88.5], [88.5, 130.5]]
    assert strips[0].get_xlim() == (0.5, 44.5)
    assert strips[2].get_xlim() == (88.5, 132.5)


def test_prices_follow_the_order_of_the_table(full: Budget) -> None:
    with plots.style():
        figure = BUDGET_PAINTERS["prices"](cases.findings(full))
        trade = BUDGET_PAINTERS["tradeoff"](cases.findings(full))
    assert figure is not None
    above, below = figure.axes
    forward, backward = above.lines
    assert (list(forward.get_xdata()), list(forward.get_ydata())) == ([1, 2, 3], [12, 11, 10])
    assert (list(backward.get_xdata()), list(backward.get_ydata())) == ([4, 5], [9, 8])
    assert math.isclose(below.lines[0].get_ydata()[1], math.log10(0.01 / 3.7))
    assert trade is not None
    curve, star, uniform, target = trade.axes[0].lines
    # The excess of the fixture's curve falls from 4⁴ to 4⁻⁴ of what is allowed.
    assert curve.get_ydata()[0] == pytest.approx(4 * math.log10(4))
    assert curve.get_ydata()[-1] == pytest.approx(-4 * math.log10(4))
    assert star.get_ydata()[0] == pytest.approx(math.log10(0.9))
    assert (uniform.get_xdata()[0], target.get_ydata()[0]) == (184_320.0, 0.0)


def test_events_show_both_counts(full: Budget) -> None:
    with plots.style():
        figure = BUDGET_PAINTERS["events"](cases.findings(full))
    assert figure is not None
    panel = figure.axes[0]
    counts = [line.get_xdata()[0] for line in panel.lines if len(line.get_xdata()) == 1]
    assert counts == [3, 6, 120, 240, 120_000, 6]
    assert [t.get_text() for t in panel.get_yticklabels()][1] == "bit flips at f4"


def test_numbers_beyond_floats_are_drawn() -> None:
    found = cases.budget()
    assert found.allocation is not None
    huge = Number(Fraction(10) ** 400, P)
    curve = ((Number(1.0, P), huge), (Number(2.0, P), Number(Fraction(1), P)))
    priced = tuple(replace(site, price=huge) for site in found.allocation.sites)
    spread = replace(found.allocation, curve=curve, sites=priced, bound=huge)
    content = cases.findings(replace(found, allocation=spread))
    with plots.style():
        trade = BUDGET_PAINTERS["tradeoff"](content)
        prices = BUDGET_PAINTERS["prices"](content)
    assert trade is not None
    assert prices is not None
    assert trade.axes[0].lines[0].get_ydata()[0] == pytest.approx(400 + math.log10(150_000))
    assert list(prices.axes[1].lines[0].get_ydata()) == [400.0] * 3


@NO_ENGINE
@pytest.mark.parametrize("name", ["nasty", "long"])
def test_pages_with_budgets_fit(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tuple(f"block.{k}.attention" for k in range(1, 71))
    names = {"nasty": cases.NASTY, "long": long}[name]
    graph = cases.graph(names, pl="1/1000" if name == "nasty" else None)
    found = cases.budget(graph)
    content = cases.findings(found)
    logs: list[str] = []

    def typeset(place: Path, stem: str, engine: str | None) -> engines.Typeset:
        outcome = engines.typeset(place, stem, engine)
        logs.append((place / f"{stem}.log").read_text(encoding="utf-8", errors="replace"))
        return outcome

    def chapter_only(given: Findings, figures: dict[str, Content]) -> Document:
        def shown(*stems: str) -> tuple[Figure, ...]:
            return tuple(Figure(s, figures[s]) for s in stems if s in figures)

        blocks = tuple(b for block in budget_blocks(given, shown) for b in fitted(block))
        return Document(graph.name, (), (Section("Budgets", blocks),))

    monkeypatch.setattr(writing, "typeset", typeset)
    monkeypatch.setattr(contents, "document", chapter_only)
    monkeypatch.setattr(writing, "gather", lambda graph, progress=None: content)
    written = writing.write(graph, tmp_path / "out")
    assert written.pdf, written.message
    for trouble in ("Overfull", "Missing character", "undefined", "LaTeX Warning", "Rerun to"):
        assert trouble not in logs[-1], [x for x in logs[-1].splitlines() if trouble in x]
    drawn = {path.name for path in (tmp_path / "out/figures").iterdir()}
    assert {f"{stem}.{end}" for stem in BUDGET_PAINTERS for end in ("pdf", "png")} <= drawn
    written_out = json.loads((tmp_path / "out/results.json").read_text(encoding="utf-8"))
    assert written_out["budget"]["question"]["regime"] == ("pl" if name == "nasty" else "nonconvex")
