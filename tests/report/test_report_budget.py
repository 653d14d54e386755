"""The chapter on budgets: words, numbers with their statuses, tables, figures, pages."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import budget_cases as cases
import pytest

from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.results import Allowance, Budget, Magnitudes, SiteFormat
from boundcalc.report import content as contents
from boundcalc.report import engine as engines
from boundcalc.report import plots
from boundcalc.report import write as writing
from boundcalc.report.budget_blocks import budget_blocks
from boundcalc.report.budget_cells import cell
from boundcalc.report.budget_figures import BUDGET_CAPTIONS, BUDGET_PAINTERS, described_budget
from boundcalc.report.budget_heat import heat_figure
from boundcalc.report.budget_results import budget_results
from boundcalc.report.budget_words import (
    headline,
    how_often,
    layer_parts,
    layer_sentences,
    layers,
    saving,
)
from boundcalc.report.cells import Content, Document, Figure, Section, Table, Value
from boundcalc.report.content import document
from boundcalc.report.fitting import fitted
from boundcalc.report.gather import Findings, gather
from boundcalc.report.render import latex, markdown, markdown_document
from boundcalc.report.results import results
from boundcalc.resources import folder

NO_ENGINE = pytest.mark.skipif(engines.find_engine() is None, reason="no TeX engine is installed")
P = Status.PROVED


def findings(found: Budget | None, no_budget: str = "") -> Findings:
    graph = cases.graph() if found is None else found.question.graph
    return Findings(graph, {}, None, "", None, "", found, no_budget)


def chapter(found: Budget | None, no_budget: str = "") -> str:
    """The chapter as Markdown, with a line for each figure."""

    def shown(*stems: str) -> tuple[Figure, ...]:
        return tuple(Figure(stem, "caption") for stem in stems)

    blocks = budget_blocks(findings(found, no_budget), shown)
    lines = []
    for block in blocks:
        if isinstance(block, Table):
            lines.append(str(markdown(block.caption)))
            lines += [" | ".join(str(markdown(c)) for c in row) for row in block.rows]
            lines += [str(markdown(remark)) for remark in block.remarks]
        elif isinstance(block, Figure):
            lines.append(f"figure {block.stem}")
        elif block.kind == "bullets":
            lines += [str(markdown(item)) for item in block.items]
        else:
            lines.append(str(markdown(block.content)))
    return "\n".join(lines)


@pytest.fixture(scope="module")
def full() -> Budget:
    return cases.budget()


def test_json_has_the_keys_of_the_contract(full: Budget) -> None:
    found = budget_results(full)
    assert {"frequent", "intermittent", "orders"} <= set(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    asked = found["question"]
    assert (asked["regime"], asked["family"]) == ("nonconvex", "sharp")
    assert (asked["horizon"], asked["step_size"]) == (120_000, 0.25)
    assert asked["exact"] == {"baseline": "1/15000", "target": "11/150000"}
    assert asked["status"] == {"baseline": "proved", "target": "proved"}
    first = found["frequent"]["forward"]["f1"]["rms"]
    assert first["exact"] == {"current": "1/100", "alone": "2/3"}
    assert Fraction(first["alone"]) < Fraction(2, 3)  # a limit is rounded down
    event = found["intermittent"][cases.BIT_FLIP]["backward"]["f4"]
    assert set(event) == {"given", "zero", "full"}
    assert (event["given"]["count_worst"], event["given"]["interval"]) == (120, 1000)
    assert event["given"]["count_even"] == 240
    assert event["full"]["interval"] is None
    orders = found["orders"]["pl"]
    assert orders["frequent"]["backward_rms"] is None
    assert orders["frequent"]["forward_mean"] == {
        "power": "-1/2",
        "log": "1/2",
        "text": "T^(-1/2) ln^(1/2) T",
    }
    assert orders["intermittent"]["zero_mean"]["forward_even"]["log"] == "1"
    assert orders["intermittent"]["zero_mean"]["backward"]["text"] == "T"
    assert orders["intermittent"]["general"]["backward"]["text"] == "1"
    # Lower bounds are rounded down: 143360 − 1/3.
    assert Fraction(found["allocation"]["lower_cost"]) <= 143360 - Fraction(1, 3)
    assert found["allocation"]["left_out"] == {"f4": "the region of its values is unbounded"}
    assert found["calibration"]["sites"][0]["worst_exact"] is True
    assert found["notes"] == ["a note with `code`"]


def numbers_of(group: object, path: str = "") -> list[tuple[str, object, object]]:
    """(place, number, status) of every number in a group that has statuses."""
    found: list[tuple[str, object, object]] = []
    if isinstance(group, dict):
        statuses = group.get("status")
        for key, inner in group.items():
            if isinstance(inner, float) and key != "confidence":
                status = statuses.get(key) if isinstance(statuses, dict) else None
                found.append((f"{path}.{key}", inner, status))
            found += numbers_of(inner, f"{path}.{key}")
    elif isinstance(group, list):
        for k, inner in enumerate(group):
            found += numbers_of(inner, f"{path}[{k}]")
    return found


def test_every_number_of_the_json_has_a_status(full: Budget) -> None:
    entries = [
        entry for entry in numbers_of(budget_results(full)) if entry[0] != ".question.step_size"
    ]
    assert len(entries) > 150
    assert [entry for entry in entries if entry[2] is None] == []
    assert {entry[2] for entry in entries} == {"proved", "computed", "sampled"}


def test_none_is_null_everywhere() -> None:
    found = budget_results(cases.bare())
    assert [found[key] for key in ("allocation", "formats", "calibration")] == [None] * 3
    assert found["intermittent"] == {}
    assert found["orders"] == {}
    assert found["frequent"]["scale"] is None
    entry = found["frequent"]["backward"]["f4"]["rms"]
    assert (entry["alone"], entry["given"], entry["exact"], entry["status"]) == (None, None, {}, {})
    failing = budget_results(cases.budget(formats=cases.formats(cases.graph(), failing=True)))
    assert failing["formats"]["bound"] is None
    assert failing["formats"]["sites"][0]["format"] is None


def test_cells_round_to_the_safe_side() -> None:
    third = Fraction(1, 3)
    assert cell(Number(third, P)) == Value("0.33334", P)
    assert cell(cases.limit(third)) == Value("0.33333", P)
    assert cell(None).text == "–"
    assert cell(None, Value("any")).text == "any"


def test_the_sentences_of_an_engineer(full: Budget) -> None:
    sentences = dict(layer_sentences(full))
    assert sentences["f1"] == (
        "activations fp8_e4m3 stochastic; bit flips in activations: at most one in 40 000 steps; "
        "spike in activations: at every step"
    )
    assert sentences["f2"] == "activations fp8_e4m3 stochastic; gradients bf16 stochastic"
    assert sentences["f4"] == (
        "gradients bf16 stochastic; bit flips in gradients: at most one in 1 000 steps"
    )
    assert layer_sentences(cases.bare()) == []


def test_an_event_that_must_not_happen_is_said(full: Budget) -> None:
    never = replace(full.frequencies[0], interval=None)
    assert how_often(never, 120_000) == "not once in 120 000 steps"
    once = replace(full.frequencies[0], interval=2)
    assert how_often(once, 120_000) == "at most one in 2 steps"


def join() -> Budget:
    """A graph whose last operator passes back along two edges."""
    import boundcalc as bc

    text = """
    version: 1
    name: a join
    graph:
      uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
      operators: [{id: f1}, {id: f2}, {id: f3, inputs: [f1, f2]}]
    loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
    training: {step_size: 1/4, horizon: 1000}
    budget: {tolerance: 1/10}
    """
    return cases.bare(bc.build(bc.loads(text)))


def test_edges_are_told_apart_unless_they_agree() -> None:
    found = join()
    formats = cases.formats(found.question.graph)
    same = replace(found, formats=formats)
    assert dict(layer_sentences(same))["f3"] == "gradients bf16 stochastic"
    sites: tuple[SiteFormat, ...] = tuple(
        replace(s, format="fp32", rounding="nearest") if s.label == "f2->f3" else s
        for s in formats.sites
    )
    other = replace(found, formats=replace(formats, sites=sites))
    assert dict(layer_sentences(other))["f3"] == (
        "gradients bf16 stochastic (to f1), fp32 nearest (to f2)"
    )
    event = replace(cases.frequencies(cases.graph())[3], label="f1->f3")
    hit = replace(found, frequencies=(event,))
    assert dict(layer_sentences(hit))["f3"] == (
        "bit flips in gradients (to f1): at most one in 1 000 steps"
    )
    assert layers(found.question.graph)[2].backward == ("f1->f3", "f2->f3")


def test_formats_that_do_not_exist_are_said() -> None:
    found = cases.budget(formats=cases.formats(cases.graph(), failing=True))
    assert layer_parts(found)[0][1] == "none that will do"
    assert layer_parts(found)[1][1] == "left open"
    text = chapter(found)
    assert "Nothing for <code>forward f1</code>: no candidate holds values up to 1e+6." in text
    assert "there is no assignment and no bound." in text


def test_savings_are_rounded_down_and_have_the_worse_status(full: Budget) -> None:
    assert full.allocation is not None
    spread = replace(
        full.allocation, cost=Number(2.0, Status.COMPUTED), uniform_cost=Number(Fraction(3), P)
    )
    assert repr(saving(spread)) == "Number(33.3, computed)"
    assert saving(replace(spread, uniform_cost=None)) is None
    assert saving(replace(spread, uniform_cost=Number(Fraction(0), P))) is None


def test_the_headline_says_what_is_asked(full: Budget) -> None:
    text = headline(full)
    assert "nonconvex, sharp family, γ = 1/4, T = 120 000" in text
    assert "≤ 6.66667e-5 (proved) without perturbations" in text
    assert "may be 7.33333e-5 (proved; tolerance 1/10)" in text
    best = cases.bare(cases.graph(section={"target": "1/100", "step_size": "best"}))
    assert "the best step" in headline(best)
    assert "target 1/100" in headline(best)


def test_the_chapter_names_statement_assumptions_and_caution() -> None:
    text = chapter(cases.budget())
    assert "Theorem 6.1, with the coefficients of docs/theory.md" in text
    assert "A3" in text
    assert "A4" not in text
    assert "Caution" not in text
    section = {"tolerance": "1/10", "family": "published"}
    pl = chapter(cases.bare(cases.graph(section=section, pl="1/100", perturbed=False)))
    assert "A4 (the PL inequality with μ)" in pl
    assert "Caution: its bias bound is false as printed" in pl


def test_every_number_of_the_chapter_has_a_status(full: Budget) -> None:
    blocks = budget_blocks(findings(full), lambda *stems: ())
    values: list[Value] = []

    def look(content: object) -> None:
        if isinstance(content, Value):
            values.append(content)
        for inner in content if isinstance(content, tuple) else ():
            look(inner)
        if hasattr(content, "content"):
            look(content.content)

    for block in blocks:
        if isinstance(block, Table):
            for row in block.rows:
                for entry in row:
                    look(entry)
        else:
            look(getattr(block, "content", ""))
    numbers = [v for v in values if re.search(r"\d", v.text) and not v.text.startswith("[")]
    assert len(numbers) > 80
    assert [v for v in numbers if v.status is None] == []


def test_unlimited_missing_and_noted_allowances_differ(full: Budget) -> None:
    lines = chapter(full).splitlines()
    assert "a remark on all magnitudes." in lines
    row = next(x for x in lines if x.startswith("<code>f4</code> | backward"))
    assert row.split(" | ")[2:] == ["–", "any", "any", "–", "any", "any"]
    assert any("it has no influence" in line and "backward mean" in line for line in lines)
    bare = chapter(cases.bare()).splitlines()
    row = next(x for x in bare if x.startswith("<code>f4</code> | backward"))
    assert row.split(" | ")[2:] == ["–", "any", "–", "–", "any", "–"]
    assert "The spec has no perturbations; each place is looked at alone." in bare


def test_orders_are_written_out(full: Budget) -> None:
    text = chapter(full)
    assert r"backward | any | $`T^{-1/4}`$" in text
    assert r"zero | $`1`$ | $`T`$ | $`\ln T`$ | $`T`$" in text
    assert "This needs γ = c ln T/T with c ≥ 1/μ." in text
    assert r"$`\gamma=\Theta(T^{-1} \ln T)`$" in text
    assert "‖ε‖^2." in text  # the last of the terms: long ones are not cut


def test_common_factors_that_have_no_limit_are_said(full: Budget) -> None:
    free = replace(full, magnitudes=replace(full.magnitudes, scale=None, scaled_bound=None))
    assert "may be enlarged by any common factor" in chapter(free)
    alone = replace(full, magnitudes=replace(full.magnitudes, scaled_bound=None))
    assert "may be multiplied by **3.1428<sub>p</sub>**." in chapter(alone)


def test_parts_that_were_not_asked_for_are_left_out() -> None:
    text = chapter(cases.bare())
    for absent in ("Events:", "number format", "quantiser", "Sensitivity", "Orders", "About these"):
        assert absent not in text, absent
    failed = chapter(None, "the target is not above the bound (budget.tolerance)")
    assert failed == ("There is no budget: the target is not above the bound (budget.tolerance).")


def test_formats_without_events_have_no_column_for_them(full: Budget) -> None:
    def width(found: Budget) -> int:
        blocks = budget_blocks(findings(found), lambda *stems: ())
        return next(
            len(b.columns) for b in blocks if isinstance(b, Table) and "number format" in b.caption
        )

    assert width(full) == 4
    assert width(replace(full, frequencies=())) == 3
    assert "each event alone, not all at once" in chapter(full)
    assert "each event alone" not in chapter(replace(full, frequencies=()))


def test_uniform_bits_that_will_not_do_are_said(full: Budget) -> None:
    assert full.allocation is not None
    text = chapter(full)
    assert "12 bits everywhere would cost 184320<sub>p</sub>: 22.2<sub>p</sub> percent" in text
    assert "(bits per sample)" in text
    # A lower bound is rounded down: 143360 − 1/3.
    assert "No admissible assignment costs less than 143359<sub>p</sub>." in text
    assert "at least 137625<sub>c</sub>." in text
    assert "costs less than 73728<sub>p</sub>." in text
    spread = replace(full.allocation, lower_cost=None)
    assert "No admissible assignment" not in chapter(replace(full, allocation=spread))
    spread = replace(full.allocation, uniform_bits=None, uniform_cost=None)
    assert "No equal number of bits everywhere is admissible." in chapter(
        replace(full, allocation=spread)
    )
    section = {"tolerance": "1/10", "allocation": {"weights": {"forward:f1": 1}}}
    assert "(by the spec's weights)" in chapter(cases.budget(cases.graph(section=section)))


def test_what_was_not_measured_is_left_out(full: Budget) -> None:
    assert full.calibration is not None
    text = chapter(full)
    assert "≥ 1.25<sub>s</sub>" in text
    assert "| 2.5<sub>s</sub>" in text  # the worst direction is known: no ≥
    assert "predict 0.00012<sub>s</sub>; a full simulation gave" in text
    bare = replace(
        full.calibration,
        sites=tuple(
            replace(s, proved=None, ratio=None, measured_bias=None, measured_worst=None)
            for s in full.calibration.sites
        ),
        predicted_error=None,
        simulated_error=None,
        error_interval=None,
        predicted_bias=None,
        scale=None,
        proved_scale=None,
    )
    changed = chapter(replace(full, calibration=bare))
    assert "predict" not in changed
    assert "≥" not in changed.partition("Sensitivity")[2].partition("Ratio")[0]
    assert "Sensitivity of the bias" not in changed
    assert "perturbations is none by the measured sensitivities and none" in changed


def test_figures_are_drawn_where_there_is_something_to_draw(full: Budget) -> None:
    with plots.style():
        for stem, paint in BUDGET_PAINTERS.items():
            figure = paint(findings(full))
            assert figure is not None, stem
            assert any(a.has_data() or a.patches for a in figure.axes), stem
            assert paint(findings(None)) is None
        bare = {stem: paint(findings(cases.bare())) for stem, paint in BUDGET_PAINTERS.items()}
    assert [stem for stem, figure in bare.items() if figure is not None] == ["magnitudes"]
    assert set(BUDGET_PAINTERS) == set(BUDGET_CAPTIONS) == set(described_budget(findings(full)))
    assert set(BUDGET_PAINTERS) < set(writing._OWN_FIGURES)


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
    found = join()
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
        figure = BUDGET_PAINTERS["prices"](findings(full))
        trade = BUDGET_PAINTERS["tradeoff"](findings(full))
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
        figure = BUDGET_PAINTERS["events"](findings(full))
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
    content = findings(replace(found, allocation=spread))
    with plots.style():
        trade = BUDGET_PAINTERS["tradeoff"](content)
        prices = BUDGET_PAINTERS["prices"](content)
    assert trade is not None
    assert prices is not None
    assert trade.axes[0].lines[0].get_ydata()[0] == pytest.approx(400 + math.log10(150_000))
    assert list(prices.axes[1].lines[0].get_ydata()) == [400.0] * 3


def test_hostile_names_are_escaped() -> None:
    found = cases.budget(cases.graph(cases.NASTY))
    text = chapter(found)
    assert "<script>" not in text
    assert not re.search(r"(?<!<span>)\$(?!`|</span>)(?<!`\$)", text)
    blocks = budget_blocks(findings(found), lambda *stems: ())
    for block in blocks:
        for row in block.rows if isinstance(block, Table) else ():
            for entry in row:
                assert r"\input{" not in str(latex(entry))


def test_results_hold_the_budget(full: Budget) -> None:
    graph = full.question.graph
    assert results(graph, {}, None, None, full)["budget"] == budget_results(full)
    assert results(graph, {}, None, None)["budget"] is None


def test_the_chapter_stands_in_the_document_only_where_it_was_asked_for(full: Budget) -> None:
    graph = cases.graph(perturbed=False)
    asked = gather(replace(graph, spec=graph.spec.model_copy(update={"budget": None})))
    assert (asked.budget, asked.no_budget) == (None, "")
    report = document(replace(asked, budget=full, no_budget=""), {"prices": "a caption"})
    headings = [section.heading for section in report.sections]
    assert headings[-4:] == ["Convergence", "Budgets", "Provenance", "References"]
    assert "prices" in report.figures
    assert "## Budgets" in markdown_document(report, folder("templates"))
    without = document(replace(asked, budget=None, no_budget=""), {})
    assert "Budgets" not in [section.heading for section in without.sections]
    reason = document(replace(asked, budget=None, no_budget="too tight"), {})
    chapters: list[Section] = [s for s in reason.sections if s.heading == "Budgets"]
    assert len(chapters) == 1


@NO_ENGINE
@pytest.mark.parametrize("name", ["nasty", "long"])
def test_pages_with_budgets_fit(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tuple(f"block.{k}.attention" for k in range(1, 71))
    names = {"nasty": cases.NASTY, "long": long}[name]
    graph = cases.graph(names, pl="1/1000" if name == "nasty" else None)
    found = cases.budget(graph)
    content = findings(found)
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
