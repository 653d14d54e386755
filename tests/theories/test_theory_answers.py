"""What all theories share: answers as JSON, tables, files, documents and verdicts."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from toy_theory import TEXT, Toy, proved, registry

import boundcalc as bc
from boundcalc.arithmetic import Number, Status
from boundcalc.cli.show_blocks import show_blocks
from boundcalc.cli.tables import new_console
from boundcalc.errors import BoundcalcError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import NoConstants
from boundcalc.report.cells import Figure, Paragraph, Table
from boundcalc.simulate.statistics import Metric, mean_interval
from boundcalc.theories.ask import ask, write_report
from boundcalc.theories.base import Options
from boundcalc.theories.document import arrange, gather
from boundcalc.theories.plain import jsonable
from boundcalc.theories.runs import TheoryRun, write_theory_run
from boundcalc.theories.values import Answer
from boundcalc.theories.verdicts import Claim, judged, verdict_answer

OUTSIDE = 1e-6


def graph(text: str = TEXT, toy: Toy | None = None) -> OperatorGraph:
    known = registry(toy)
    return bc.build(bc.loads(text, name="toy.yaml", theories=known), theories=known)


def run_of(metric: Metric, confidence: float = 0.99) -> TheoryRun:
    return TheoryRun({"m": metric}, 1, 3, 10, 0.0, confidence)


def test_a_lenient_graph_says_what_it_lacks_when_it_is_read() -> None:
    node = graph().nodes[1]
    assert isinstance(node.constants, NoConstants)
    with pytest.raises(SpecError, match="jac_input"):
        _ = node.constants.jac_input
    with pytest.raises(SpecError, match="constant"):
        bc.build(bc.loads(TEXT.replace("theory: toy\ntoy: {size: 1/2}\n", "")))


def test_numbers_of_all_kinds_become_json() -> None:
    data = {
        "proved": proved(Fraction(1, 3)),
        "metric": Metric(1.0, -math.inf, 2.0, effective=3.0),
        "array": np.array([1.0, np.nan]),
        "integer": np.int64(3),
        "fraction": Fraction(1, 3),
        "status": Status.PROVED,
        "nested": [{"none": None, "flag": True, 3: "text"}],
    }
    found = json.loads(json.dumps(jsonable(data), allow_nan=False))
    assert found["proved"] >= 1 / 3
    assert found["metric"]["ci"] == ["-inf", 2.0]
    assert found["metric"]["effective_samples"] == 3.0
    assert found["array"] == [1.0, "nan"]
    assert found["integer"] == 3
    assert found["fraction"] == "1/3"
    assert found["status"] == "proved"
    assert found["nested"] == [{"none": None, "flag": True, "3": "text"}]


def test_a_statement_as_json() -> None:
    data = jsonable(ask("rate", graph(), theories=registry()).data)["toy"]["toys"]
    assert (data["bound"], data["c0"], data["c1"], data["refused"]) == (2, 48, None, None)
    assert data["step_size_limit"] < Fraction(1, 3)
    assert data["exact"] == {"bound": "2", "step_size_limit": "1/3", "c0": "48"}
    assert data["conditions"] == ["the $x$ is real"]
    refused = ask("rate", graph(), theories=registry(Toy(bound=None))).data["toy"]["toys"]
    assert refused["bound"] is None
    assert refused["status"] is None
    assert refused["refused"] == "there is `no` toy"


@pytest.mark.parametrize(
    ("bound", "lo", "hi", "status"),
    [(2.0, 0.5, 1.5, "holds"), (1.0, 0.5, 1.5, "undetermined"), (0.4, 0.5, 1.5, "violated")],
)
def test_an_upper_bound_is_judged(bound: float, lo: float, hi: float, status: str) -> None:
    metric = Metric((lo + hi) / 2, lo, hi)
    claim = Claim("m", "toys", Number(bound, Status.COMPUTED), metric)
    found = judged([claim], run_of(metric))
    assert found.verdicts[0].status == status
    assert found.exit_code == {"holds": 0, "violated": 1, "undetermined": 3}[status]
    assert verdict_answer(found).exit_code == found.exit_code


@pytest.mark.parametrize(
    ("exact", "lo", "hi", "status"),
    [
        (1.0, 0.95, 1.05, "holds"),
        (1.0, 0.95, 0.99, "violated"),
        (1.0, 1.01, 1.05, "violated"),
        (1.0, 0.5, 1.5, "undetermined"),
        (1.0, -math.inf, math.inf, "undetermined"),
        (0.0, 0.0, 0.0, "holds"),
        (0.0, OUTSIDE, 2 * OUTSIDE, "violated"),
    ],
)
def test_an_equality_needs_a_narrow_interval(
    exact: float, lo: float, hi: float, status: str
) -> None:
    metric = Metric((lo + hi) / 2, lo, hi, "batch means")
    claim = Claim("m", "toys", Number(exact, Status.COMPUTED), metric, "equals")
    assert judged([claim], run_of(metric)).verdicts[0].status == status


def test_a_reason_makes_every_claim_undetermined() -> None:
    metric = Metric(1.0, 1.0, 1.0)
    for relation in ("at most", "equals"):
        claim = Claim("m", "toys", proved(1), metric, relation, why="a replica diverged")
        verdict = judged([claim], run_of(metric)).verdicts[0]
        assert verdict.status == "undetermined"
        assert verdict.detail.endswith("a replica diverged")


def test_several_claims_share_the_confidence() -> None:
    metric = mean_interval(np.array([1.0, 2.0, 3.0]), 0.99)
    claim = Claim("m", "toys", proved(100), metric)
    one, two = (judged([claim] * count, run_of(metric)).verdicts[0].ci for count in (1, 2))
    assert one == pytest.approx((metric.lo, metric.hi))
    assert two[0] < one[0]
    assert one[1] < two[1]


def test_no_claim_is_not_ok() -> None:
    found = judged([], run_of(Metric(1.0, 1.0, 1.0)))
    assert not found.ok
    assert found.exit_code == 3


def test_a_run_as_files(tmp_path: Path) -> None:
    write_theory_run(ask("simulate", graph(), theories=registry()), tmp_path)
    assert (tmp_path / "series.csv").read_text(encoding="utf-8").splitlines() == [
        "step,norm_mean,norm_min,norm_max",
        "0,2.0,1.0,3.0",
        "2,inf,2.0,inf",
    ]
    found = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert found["metrics"]["norm"]["mean"] == 1.0
    assert found["seed"] == 7


def test_the_report_has_the_sections_of_the_family() -> None:
    toy = Toy()
    answers, reasons = gather(toy, graph(), Options())
    assert not reasons
    drawn = toy.figures(graph(), answers, Path())[:0]
    found = arrange(toy, graph(), answers, reasons, drawn)
    assert [section.heading for section in found.sections] == [
        "The setting",
        "Verdicts",
        "Statements",
        "Assumptions",
        "Coefficients",
        "Convergence",
        "Simulation",
        "Budgets",
        "Provenance",
        "References",
    ]


@pytest.mark.parametrize("verb", ["compile", "rate", "simulate", "verify", "budget"])
def test_the_report_says_what_is_missing(verb: str, tmp_path: Path) -> None:
    toy = Toy(broken=verb)  # type: ignore[arg-type]
    written = write_report(graph(), tmp_path / "out", theories=registry(toy), engine=None)
    text = (written.folder / "report.md").read_text(encoding="utf-8")
    assert f"{verb} lacks a number" in text.replace("Verify", "verify").lower()
    results = json.loads((written.folder / "results.json").read_text(encoding="utf-8"))
    assert results[verb] is None
    assert (results["verify"] is None) == (verb in ("simulate", "verify"))


def test_a_spec_without_simulation_and_budget(tmp_path: Path) -> None:
    text = TEXT.split("simulation:", maxsplit=1)[0]
    written = write_report(graph(text), tmp_path / "out", theories=registry(), engine=None)
    page = (written.folder / "report.md").read_text(encoding="utf-8")
    assert "has no <code>simulation</code> section" in page
    assert "Budgets" not in page


def test_the_report_holds_figures_and_escapes_names(tmp_path: Path) -> None:
    written = write_report(graph(), tmp_path / "out", theories=registry(), engine=None)
    tex = (written.folder / "report.tex").read_text(encoding="utf-8")
    assert r"a toy \& its" in tex
    assert "figures/toy" in tex
    results = json.loads((written.folder / "results.json").read_text(encoding="utf-8"))
    assert results["figures"] == ["graph", "toy"]
    assert results["theory"] == "toy"
    assert results["compile"] == {"size": 1}


def test_answers_are_made_when_they_are_asked_for() -> None:
    made: list[str] = []

    def data() -> dict[str, int]:
        made.append("data")
        return {"a": 1}

    answer = Answer(0, data, (Paragraph("text"),))
    assert not made
    assert (answer.data, answer.data) == ({"a": 1}, {"a": 1})
    assert made == ["data"]


def test_blocks_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    console = new_console(100)
    for verb in ("compile", "rate", "budget", "simulate", "verify"):
        show_blocks(console, ask(verb, graph(), theories=registry()).blocks)
    text = capsys.readouterr().out
    for line in (
        "step-size limit  0.333333",
        "Sources: toys: [T], Theorem 2.",
        "It is small.",
        "✓ holds",
        "other, toys: nobody asked.",
    ):
        assert line in text, line
    show_blocks(console, (Figure("toy", "caption"), Table("[b]x[/b].", (), ())))
    assert "[b]x[/b]" in capsys.readouterr().out


def test_an_unknown_command() -> None:
    with pytest.raises(BoundcalcError, match="unknown command"):
        ask("explain", graph(), theories=registry())  # type: ignore[arg-type]


def test_an_error_has_file_and_line() -> None:
    with pytest.raises(SpecError) as error:
        ask("rate", graph(), theories=registry(Toy(broken="rate")))
    assert error.value.where == "toy.yaml:5: toy.size"
    text = TEXT.replace("{id: g}", "{id: g, inputs: []}, {id: h, inputs: [f, g]}")
    with pytest.raises(SpecError, match="not a chain") as error:
        graph(text)
    assert error.value.where == "toy.yaml:6: graph.operators"
