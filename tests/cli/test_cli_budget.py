"""``boundcalc budget``: options, errors, and what people see of budgets written by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import budget_cases as cases
import pytest
from cli_specs import ones, write

import boundcalc.api
from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.question import question
from boundcalc.report.budget_results import budget_results

RATES = """\
loss: {smoothness: 1, initial_gap: C, gradient_noise: 0}
training: {step_size: 1/4, horizon: 120000}
symbols: {C: 1, free: }
"""
SECTION = RATES + "budget: {tolerance: 1/10, family: published}\n"


@pytest.fixture
def asked(monkeypatch):
    """Answer with a budget written by hand; returns what was asked for."""
    calls = []

    def budget(graph, *, progress=None, **options):
        found = cases.bare(graph)
        calls.append((found.question, options))
        return found

    monkeypatch.setattr(boundcalc.api, "budget", budget)
    return calls


def answer(monkeypatch, found):
    monkeypatch.setattr(boundcalc.api, "budget", lambda graph, **options: found)


def test_options_reach_the_library(cli, tmp_path, asked):
    spec = write(tmp_path, ones(2, rest=SECTION))
    assert cli("budget", spec, "--formats", "--calibrate").code == 0
    assert cli("budget", spec, "--allocate", "--json").code == 0
    assert [options for _, options in asked] == [
        {"allocate": False, "formats": True, "calibrate": True},
        {"allocate": True, "formats": False, "calibrate": False},
    ]


def test_the_command_line_overrides_the_section_and_nothing_else_in_it(cli, tmp_path, asked):
    spec = write(tmp_path, ones(2, rest=SECTION))
    cli("budget", spec, "--tolerance", "C/4", "--set", "C=2")
    cli("budget", spec, "--target", "1/100")
    (first, _), (second, _) = asked
    assert (first.section.tolerance.source, first.section.target) == ("C/4", None)
    assert first.target.value == first.baseline.value * Fraction(3, 2)
    assert (second.section.tolerance, second.section.target.source) == (None, "1/100")
    assert second.target.value == Fraction(1, 100)
    assert first.family.name == second.family.name == "published"


def test_a_section_is_not_needed(cli, tmp_path, asked):
    done = cli("budget", write(tmp_path, ones(2, rest=RATES)), "--tolerance", "0.1", "--json")
    assert done.json["question"]["target"] == pytest.approx(2 * 4 / 120_000 * 1.1)
    assert asked[0][0].family.name == "sharp"


def test_json_is_the_object_of_the_library(cli, tmp_path, monkeypatch):
    found = cases.budget()
    answer(monkeypatch, found)
    done = cli("budget", write(tmp_path, ones(2, rest=SECTION)), "--json")
    assert done.json == json.loads(json.dumps(budget_results(found)))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tolerance", "0"], ["budget.tolerance", "zero", "> 0"]),
        (["--tolerance", "-1"], ["budget.tolerance", "negative"]),
        (["--tolerance", "inf"], ["budget.tolerance", "inf"]),
        (["--tolerance", "nan"], ["budget.tolerance", "nan"]),
        (["--target", "x+1"], ["budget.target", "x"]),
        (["--target", "("], ["budget.target"]),
        (["--tolerance", "1/10", "--target", "1"], ["--tolerance and --target", "remove one"]),
        (["--set", "C"], ["--set", "NAME=VALUE"]),
    ],
)
def test_bad_options_end_in_one_message(cli, tmp_path, asked, arguments, words):
    done = cli("budget", write(tmp_path, ones(2, rest=SECTION)), *arguments)
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
    for word in words:
        assert word in done.err
    assert asked == []


@pytest.mark.parametrize(
    ("rest", "arguments", "words"),
    [
        (RATES, [], ["budget", "tolerance: 1/10", "add a `budget` section"]),
        (
            SECTION,
            ["--target", "1/1000000"],
            ["budget.target", "below the bound without any perturbation"],
        ),
    ],
)
def test_what_the_library_refuses_is_bad_input(cli, tmp_path, monkeypatch, rest, arguments, words):
    monkeypatch.setattr(boundcalc.api, "budget", lambda graph, **options: question(graph))
    done = cli("budget", write(tmp_path, ones(2, rest=rest)), *arguments)
    assert (done.code, done.out) == (2, "")
    for word in words:
        assert word in done.err


def test_everything_is_shown(cli, tmp_path, monkeypatch, golden):
    answer(monkeypatch, cases.budget())
    done = cli("budget", write(tmp_path, ones(2, rest=SECTION)))
    assert (done.code, done.err) == (0, "")
    golden("budget-everything.txt", done.out)


def shown_of(cli, tmp_path, monkeypatch, found):
    answer(monkeypatch, found)
    return cli("budget", write(tmp_path, ones(2, rest=SECTION))).out


def test_hostile_names_are_shown_as_they_are(cli, tmp_path, monkeypatch):
    answer(monkeypatch, cases.budget(cases.graph(cases.NASTY)))
    shown = cli("budget", write(tmp_path, ones(2, rest=SECTION))).out
    assert cases.NASTY[0] in shown
    assert cases.NASTY[1] in shown
    assert "[b]f4[/b]" in shown  # not taken for markup
    graph = cases.graph(("[b]f1[/b]", "[i]f2[/i]", "f3"))
    for line in shown_of(cli, tmp_path, monkeypatch, cases.budget(graph)).splitlines():
        assert not line.startswith(("f1 ", "f2 ")), line
    numbers = [line for line in shown.splitlines() if line.startswith(cases.NASTY[0])]
    assert numbers[0].split()[-4:] == ["0.666666", "p", "0.222222", "p"]


def test_what_there_is_not_is_said(cli, tmp_path, monkeypatch):
    shown = shown_of(cli, tmp_path, monkeypatch, cases.bare())
    assert "the spec has no perturbations, so there is no common factor" in shown
    for absent in ("events", "orders", "bits of", "number formats", "sensitivities", "note:"):
        assert absent not in shown, absent
    row = next(x for x in shown.splitlines() if x.startswith("f4"))
    assert row.split() == ["f4", "backward", "–", "any", "–", "–", "any", "–"]
    found = cases.budget()
    free = replace(found, magnitudes=replace(found.magnitudes, scale=None))
    assert "any common factor is admissible" in shown_of(cli, tmp_path, monkeypatch, free)


def test_allocations_and_formats_that_fail_are_said(cli, tmp_path, monkeypatch):
    graph = cases.graph()
    spread = replace(cases.allocation(graph), uniform_bits=None, uniform_cost=None)
    found = cases.budget(
        graph, allocation=spread, formats=cases.formats(graph, failing=True), calibration=None
    )
    shown = shown_of(cli, tmp_path, monkeypatch, found)
    assert "no equal number of bits everywhere is admissible" in shown
    assert "  f1: activations none that will do\n" in shown
    assert "forward f1: no candidate holds values up to 1e+6" in shown
    assert "f2: activations left open; gradients left open" in shown
    assert "bound with these formats" not in shown
    assert "no admissible assignment costs less than 143359 p; with real bits" in shown
    assert "no bits for f4: the region of its values is unbounded" in shown


def test_proved_and_measured_factors_stand_side_by_side(cli, tmp_path, monkeypatch):
    found = cases.budget()
    shown = shown_of(cli, tmp_path, monkeypatch, found)
    # 31.4 / (22/7) = 9.9909…
    assert "measured 31.4 s, proved 3.14285 p, ratio 9.991 s" in shown
    measured = replace(
        found.calibration,
        scale=None,
        predicted_error=None,
        simulated_error=None,
        error_interval=None,
        sites=(replace(found.calibration.sites[0], proved=None, ratio=None),),
    )
    shown = shown_of(cli, tmp_path, monkeypatch, replace(found, calibration=measured))
    assert "measured none, proved 3.14285 p\n" in shown
    assert "E‖ũ−u‖²: predicted –, simulated – –" in shown
    zero = replace(found.calibration, proved_scale=Number(Fraction(0), Status.PROVED, limit=True))
    shown = shown_of(cli, tmp_path, monkeypatch, replace(found, calibration=zero))
    assert "proved 0 p\n" in shown


def test_long_networks_are_cut_in_the_middle(cli, tmp_path, monkeypatch):
    graph = cases.graph(tuple(f"f{k}" for k in range(60)))
    shown = shown_of(cli, tmp_path, monkeypatch, cases.budget(graph))
    table = shown.partition("largest magnitudes")[2].partition("alone:")[0].splitlines()
    assert len(table) < 50
    assert sum(line.startswith("…") for line in table) == 1
    assert "f59: gradients bf16" in shown  # the answer itself is never cut
