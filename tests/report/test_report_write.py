from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
import report_specs

import boundcalc as bc
from boundcalc.errors import OutputError
from boundcalc.graph import OperatorGraph
from boundcalc.report import engine as engines
from boundcalc.report import figures as drawing
from boundcalc.report import write as writing
from boundcalc.report import write_report
from boundcalc.report.cells import Content
from boundcalc.report.content import document
from boundcalc.report.gather import Findings, gather
from boundcalc.report.render import markdown_document
from boundcalc.resources import folder

NO_ENGINE = pytest.mark.skipif(engines.find_engine() is None, reason="no TeX engine is installed")
FILES = {"report.tex", "report.md", "report.html", "results.json"}


def graph(text: str) -> OperatorGraph:
    return bc.build(bc.loads(text))


@pytest.fixture(scope="module")
def tiny() -> OperatorGraph:
    return graph(report_specs.TINY)


@pytest.fixture(scope="module")
def findings(tiny: OperatorGraph) -> Findings:
    return gather(tiny)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, findings: Findings) -> Findings:
    """Reports of the tiny spec without simulating it again."""
    monkeypatch.setattr(writing, "gather", lambda graph, progress=None: findings)
    return findings


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the TeX engine logs, which a finished report does not keep."""
    kept: list[str] = []

    def typeset(place: Path, stem: str, engine: str | None) -> engines.Typeset:
        outcome = engines.typeset(place, stem, engine)
        kept.append((place / f"{stem}.log").read_text(encoding="utf-8", errors="replace"))
        return outcome

    monkeypatch.setattr(writing, "typeset", typeset)
    return kept


def check(log: list[str]) -> None:
    for trouble in ("Overfull", "Missing character", "undefined", "LaTeX Warning", "Rerun to"):
        assert trouble not in log[-1], [x for x in log[-1].splitlines() if trouble in x]


@NO_ENGINE
def test_full_report(tiny: OperatorGraph, quick: Findings, log: list[str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert out == write_report(tiny, out)
    stems = ("graph", "bounds", "depth", "rates", "trajectory")
    drawn = {f"figures/{stem}.{suffix}" for stem in stems for suffix in ("pdf", "png")}
    found = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    assert FILES | {"report.pdf"} | drawn == found
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert {"graph", "compile", "rate", "simulate", "verify", "versions"} <= set(results)
    assert not any("graph" in found for found in results["compile"].values())
    tex = (out / "report.tex").read_text(encoding="utf-8")
    assert tex.index("claims checked") < tex.index(r"\section{Verdicts}")
    headings = re.findall(r"\\section\{([\w ]+)\}", tex)
    assert headings == [
        "The network", "In plain words", "Verdicts", "Statements", "Assumptions", "Coefficients",
        "Formulas", "Convergence", "Provenance", "References",
    ]  # fmt: skip
    check(log)


@NO_ENGINE
@pytest.mark.parametrize("name", ["SYMBOLIC", "DEEP", "nasty", "nasty_graph", "BLOCKS"])
def test_reports_without_simulation_fit_their_pages(
    name: str, log: list[str], tmp_path: Path
) -> None:
    text = getattr(report_specs, name)
    written = writing.write(graph(text() if callable(text) else text), tmp_path / "out")
    assert written.pdf, written.message
    check(log)
    tex = (tmp_path / "out/report.tex").read_text(encoding="utf-8")
    assert "\\input{/etc" not in tex
    if name == "DEEP":
        assert r"\times10^{5" in tex
        assert "inf" not in (tmp_path / "out/results.json").read_text(encoding="utf-8")


@NO_ENGINE
@pytest.mark.parametrize("name", ["NETWORK", "VISITED"])
def test_reports_of_networks_fit_their_pages(name: str, log: list[str], tmp_path: Path) -> None:
    written = writing.write(graph(getattr(report_specs, name)), tmp_path / "out")
    assert written.pdf, written.message
    check(log)
    out = tmp_path / "out"
    assert {path.name for path in (out / "figures").iterdir()} >= {"graph.png", "graph.pdf"}
    tex = (out / "report.tex").read_text(encoding="utf-8")
    assert re.search(r"includegraphics\[width=\\linewidth,alt=\{Graph of \d+ operators", tex)
    md = (out / "report.md").read_text(encoding="utf-8")
    assert re.search(r"!\[Graph of \d+ operators .*?\]\(figures/graph.png\)", md)
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert results["graph"]["chain"] == (name == "VISITED")
    if name == "VISITED":
        statuses = [found["status"] for found in results["compile"].values()]
        assert {value for found in statuses for value in found["coefficients"].values()} == {
            "sampled"
        }
    else:
        # The published families have one paragraph, not statements, tables and columns.
        assert md.count("make no statement here.") == 1
        assert "Claim 2" not in md
        assert "family published" not in md.lower()


def test_markdown_tables_have_one_shape(findings: Findings) -> None:
    figures = {"bounds": "caption", "rates": "caption"}
    texts = (report_specs.nasty(), report_specs.nasty_graph())
    for found in (findings, *(gather(graph(text)) for text in texts)):
        text = markdown_document(document(found, figures), folder("templates"))
        assert re.search(r"!\[Two panels, error [\w ,:]+\.\]\(figures/bounds\.png\)", text)
        for block in re.findall(r"(?:^\|.*\|$\n)+", text, flags=re.MULTILINE):
            bars = {len(re.findall(r"\|", line)) for line in block.splitlines()}
            assert len(bars) == 1, block
        assert not re.search(r"<(?!/?(sub|code|span)>)", text)
        assert text.count("```") % 2 == 0


def test_verdicts_come_first(findings: Findings) -> None:
    text = markdown_document(document(findings, {}), folder("templates"))
    assert findings.verdicts is not None
    total = len(findings.verdicts.verdicts)
    assert text.splitlines()[2].startswith(f"**{total} claims checked:")


def test_refuted_assumptions_are_said() -> None:
    found = gather(graph(report_specs.REFUTED))
    text = markdown_document(document(found, {}), folder("templates"))
    assert "✗ refuted" in text
    assert "? undetermined" in text


def test_what_is_left_out_is_said() -> None:
    found = gather(graph(report_specs.SYMBOLIC))
    assert found.rates is None
    assert found.verdicts is None
    text = markdown_document(document(found, {}), folder("templates"))
    assert "No claim was checked by simulation" in text
    assert "a rate needs a step size and a horizon" in text
    assert r"<code>C</code>, <code>L\_1</code> have no value" in text


def test_published_bias_is_a_claim_not_a_theorem(findings: Findings) -> None:
    text = markdown_document(document(findings, {}), folder("templates"))
    assert "**Theorem 1** (sharp)" in text
    assert "**Claim 2**" in text
    assert "false as printed" in text


def test_same_findings_same_bytes(tiny: OperatorGraph, quick: Findings, tmp_path: Path) -> None:
    for copy in ("one", "two"):
        writing.write(tiny, tmp_path / copy, engine=None)
    names = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    for name in names:
        if (tmp_path / "one" / name).is_file():
            one, two = (tmp_path / copy / name for copy in ("one", "two"))
            assert one.read_bytes() == two.read_bytes(), name


def test_no_engine(
    tiny: OperatorGraph,
    quick: Findings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(writing, "find_engine", lambda: None)
    monkeypatch.setattr(drawing, "draw", lambda findings, folder: {})
    with caplog.at_level(logging.WARNING, logger="boundcalc.report"):
        write_report(tiny, tmp_path / "out")
    assert {p.name for p in (tmp_path / "out").iterdir()} == FILES
    assert "no TeX engine" in caplog.text


def test_failing_engine_leaves_report_and_log(
    tiny: OperatorGraph, quick: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(place: Path, stem: str, engine: str | None) -> engines.Typeset:
        (place / "report.log").write_text("! Emergency stop.", encoding="utf-8")
        return engines.Typeset(engine, made=False, problem="pdflatex ended with exit code 1")

    monkeypatch.setattr(writing, "typeset", fail)
    monkeypatch.setattr(drawing, "draw", lambda findings, folder: {})
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.pdf").write_text("of an earlier run", encoding="utf-8")
    written = writing.write(tiny, out, engine="pdflatex")
    assert not written.pdf
    assert str(out / "report.log") in written.message
    assert FILES | {"report.log"} == {p.name for p in out.iterdir()}


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("existing", [True, False])
def test_an_interruption_leaves_nothing(
    error: type[BaseException],
    existing: bool,
    tiny: OperatorGraph,
    quick: Findings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupt(*args: object) -> None:
        raise error

    out = tmp_path / "deep" / "out"
    if existing:
        out.mkdir(parents=True)
        (out / "mine.txt").write_text("mine", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr(drawing, "draw", lambda findings, folder: {})
    monkeypatch.setattr(writing, "typeset", interrupt)
    with pytest.raises(error):
        write_report(tiny, out)
    assert before == sorted(tmp_path.rglob("*"))


def test_other_files_in_the_folder_stay(
    tiny: OperatorGraph, quick: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "draw", lambda findings, folder: {})
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "report.md").write_text("old", encoding="utf-8")
    writing.write(tiny, tmp_path, engine=None)
    assert FILES | {"mine.txt"} == {p.name for p in tmp_path.iterdir()}
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("# Tiny logistic")


def test_figures_of_an_earlier_report_go_and_others_stay(
    tiny: OperatorGraph, quick: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(findings: Findings, folder: Path) -> dict[str, Content]:
        for end in ("pdf", "png"):
            (folder / f"graph.{end}").write_text("new", encoding="utf-8")
        return {"graph": "the network"}

    monkeypatch.setattr(drawing, "draw", draw)
    figures = tmp_path / "figures"
    figures.mkdir()
    for name in ("rates.png", "graph.png", "mine.png"):
        (figures / name).write_text("old", encoding="utf-8")
    (tmp_path / "secret.png").write_text("mine", encoding="utf-8")
    earlier = {"figures": ["rates", "graph", "../secret", 5]}
    (tmp_path / "results.json").write_text(json.dumps(earlier), encoding="utf-8")
    writing.write(tiny, tmp_path, engine=None)
    assert {p.name for p in figures.iterdir()} == {"graph.pdf", "graph.png", "mine.png"}
    assert (figures / "graph.png").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "secret.png").exists()
    assert json.loads((tmp_path / "results.json").read_text())["figures"] == ["graph"]


@pytest.mark.parametrize("text", ["", "[", '{"figures": {}}', "[1]", "[" * 100_000])
def test_damaged_results_of_an_earlier_report_are_replaced(
    text: str, tiny: OperatorGraph, quick: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "draw", lambda findings, folder: {})
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    writing.write(tiny, tmp_path, engine=None)
    assert json.loads((tmp_path / "results.json").read_text())["name"] == "Tiny logistic"


def test_a_file_in_the_way(tiny: OperatorGraph, quick: Findings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "inside"):
        with pytest.raises(OutputError, match="choose another folder"):
            write_report(tiny, out)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_an_unwritable_folder(
    tiny: OperatorGraph, quick: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Permissions do not stop root, so the refusal is played.
    def refuse(self: Path, *args: object, **more: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(OutputError, match="Permission denied"):
        write_report(tiny, tmp_path / "out")


def test_shell_escape_is_refused() -> None:
    for options in engines.ENGINES.values():
        assert any("-no-shell-escape" in option for option in options)
