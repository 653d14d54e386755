"""The chapter on budgets: words, numbers with their statuses, tables."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import budget_cases as cases
import pytest

from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.results import Budget, SiteFormat
from boundcalc.report.budget_blocks import budget_blocks
from boundcalc.report.budget_cells import cell
from boundcalc.report.budget_words import (
    headline,
    how_often,
    layer_parts,
    layer_sentences,
    layers,
    saving,
)
from boundcalc.report.cells import Figure, Section, Table, Value
from boundcalc.report.content import document
from boundcalc.report.gather import gather
from boundcalc.report.render import latex, markdown, markdown_document
from boundcalc.resources import folder

P = Status.PROVED


def chapter(found: Budget | None, no_budget: str = "") -> str:
    """The chapter as Markdown, with a line for each figure."""

    def shown(*stems: str) -> tuple[Figure, ...]:
        return tuple(Figure(stem, "caption") for stem in stems)

    blocks = budget_blocks(cases.findings(found, no_budget), shown)
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


def test_edges_are_told_apart_unless_they_agree() -> None:
    found = cases.join()
    formats = replace(cases.formats(found.question.graph), frequencies=())
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
    hit = replace(found, formats=replace(formats, frequencies=(event,)))
    assert dict(layer_sentences(hit))["f3"] == (
        "gradients bf16 stochastic; bit flips in gradients (to f1): at most one in 1 000 steps"
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
    blocks = budget_blocks(cases.findings(full), lambda *stems: ())
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
    assert "A remark on all magnitudes." in lines
    row = next(x for x in lines if x.startswith("<code>f4</code> | backward"))
    assert row.split(" | ")[2:] == ["–", "any", "any", "–", "any", "any"]
    assert any("it has no influence" in line and "Backward mean" in line for line in lines)
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
        blocks = budget_blocks(cases.findings(found), lambda *stems: ())
        return next(
            len(b.columns) for b in blocks if isinstance(b, Table) and "number format" in b.caption
        )

    assert width(full) == 4
    assert full.formats is not None
    without = replace(full, formats=replace(full.formats, frequencies=()))
    assert width(without) == 3
    for words in ("each event by itself, not all at once", "that leave room for events"):
        assert words in chapter(full)
        assert words not in chapter(without)


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


def test_hostile_names_are_escaped() -> None:
    found = cases.budget(cases.graph(cases.NASTY))
    text = chapter(found)
    assert "<script>" not in text
    assert not re.search(r"(?<!<span>)\$(?!`|</span>)(?<!`\$)", text)
    blocks = budget_blocks(cases.findings(found), lambda *stems: ())
    for block in blocks:
        for row in block.rows if isinstance(block, Table) else ():
            for entry in row:
                assert r"\input{" not in str(latex(entry))


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
