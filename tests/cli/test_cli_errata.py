"""``boundcalc errata``: the table, exit codes, JSON and files."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

import boundcalc
from boundcalc.cli.show_errata import show_errata
from boundcalc.errata import ERRATA, Evidence, run
from boundcalc.errata.document import content
from boundcalc.errata.evidence import Check, Erratum
from boundcalc.errata.write import write_errata
from boundcalc.report.cells import Maths

CHEAP = ("E1", "E2", "E11")


@pytest.fixture(scope="module")
def rows() -> list[Evidence]:
    """Every row, as if it had taken no time."""
    return [replace(run(erratum), seconds=0.0) for erratum in ERRATA.values()]


def failing(row: Evidence) -> Evidence:
    return replace(row, checks=(*row.checks, Check("water runs uphill", False)))


def shown(rows: list[Evidence]) -> str:
    out = io.StringIO()
    with redirect_stdout(out), mock.patch.dict(os.environ, {"COLUMNS": "100", "NO_COLOR": "1"}):
        show_errata(rows, None, "")
    return out.getvalue()


def test_table(rows, golden):
    assert all(row.holds for row in rows)
    golden("errata.txt", shown(rows))


def test_the_page_shows_the_numbers_that_the_command_finds(rows):
    page = (Path(boundcalc.__file__).parent.parent / "docs" / "errata.md").read_text("utf-8")
    paragraphs = dict(re.findall(r"^## (E\d+): .*?\n(.*?)(?=^## |\Z)", page, re.M | re.S))
    assert list(paragraphs) == list(ERRATA)
    for row in rows:
        paragraph = paragraphs[row.erratum.id].replace("\n", " ")
        assert row.erratum.status.split(",")[0] in paragraph.replace("**", "").lower()
        for mantissa in re.findall(r"\d+\.\d+", row.line):
            # 0.0009211 is 9.211 · 10⁻⁴ on the page
            assert mantissa in paragraph or mantissa.lstrip("0.") in paragraph.replace(".", "")


def test_a_row_that_fails_says_what_was_not_reproduced(rows):
    text = shown([failing(rows[0]), rows[1]])
    assert "✗ N = 2" in text
    assert "not reproduced: water runs uphill" in text
    assert "1 of 2 reproduced" in text


def test_rows_are_chosen_by_number(cli):
    done = cli("errata", "e11", "E1")
    assert done.code == 0
    assert re.findall(r"^E\d+", done.out, re.MULTILINE) == ["E1", "E11"]


def test_an_unknown_number_is_refused_with_the_nearest(cli):
    done = cli("errata", "E99")
    assert done.code == 2
    assert "no such erratum" in done.err
    assert "did you mean E9?" in done.err


def test_json_has_every_number_with_its_status(cli):
    done = cli("errata", *CHEAP, "--json")
    found = done.json
    assert (done.code, found["ok"]) == (0, True)
    keys = {"id", "where", "what", "status", "method", "evidence", "holds", "numbers", "checks"}
    for row in found["errata"]:
        assert keys <= set(row)
        assert row["holds"] is True
        assert all(check["holds"] for check in row["checks"])
        for number in row["numbers"]:
            assert set(number) == {"name", "value", "exact", "relation", "status"}
            assert number["status"] == "proved"
    bias = found["errata"][0]["numbers"][2]
    assert (bias["exact"], bias["relation"]) == ("1/16", "equal")


def test_evidence_that_fails_gives_exit_code_one(cli, tmp_path):
    # The row as it would be if (33a) were printed with C_∇²f.
    from boundcalc.errata.bias_coefficients import leading_coefficient

    def repaired():
        return leading_coefficient(corrected=True)

    broken: dict[str, Erratum] = {"E1": replace(ERRATA["E1"], gather=repaired)}
    with mock.patch("boundcalc.errata.select.chosen", return_value=tuple(broken.values())):
        done = cli("errata", "--json", "-o", tmp_path)
        assert cli("errata").code == 1
    assert done.code == 1
    assert done.json["ok"] is False
    assert "✗ not reproduced" in (tmp_path / "errata.md").read_text(encoding="utf-8")
    assert "Not reproduced: E1." in (tmp_path / "errata.tex").read_text(encoding="utf-8")


def test_files_are_written_and_nothing_else(rows, tmp_path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "errata.pdf").write_text("of an earlier run", encoding="utf-8")
    folder, missing = write_errata(rows, tmp_path, engine=None)
    assert folder == tmp_path
    assert "no TeX engine" in missing
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "errata.json",
        "errata.md",
        "errata.tex",
        "mine.txt",
    ]
    found = json.loads((tmp_path / "errata.json").read_text(encoding="utf-8"))
    assert [row["id"] for row in found["errata"]] == list(ERRATA)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdfLaTeX")
def test_the_latex_can_be_set(rows, tmp_path):
    _, missing = write_errata(rows, tmp_path, engine="pdflatex")
    assert missing == ""
    assert (tmp_path / "errata.pdf").stat().st_size > 50_000


def test_latex_is_ascii_and_every_sign_is_known(rows, tmp_path):
    write_errata(rows, tmp_path, engine=None)
    text = (tmp_path / "errata.tex").read_text(encoding="utf-8")
    assert text.isascii()
    assert "[U+" not in text
    assert "{[}U+" not in text
    assert r"$L_{\nabla^2 f}$" in text


def test_what_a_row_says_cannot_reach_latex_or_markdown_unescaped(rows, tmp_path):
    evil = r"100% of \input{x} & $y$ #1 <b>|"
    row = replace(
        rows[0],
        line=evil,
        erratum=replace(rows[0].erratum, where=evil, what=evil, status=evil, method=evil),
        checks=(Check(evil, True),),
        findings=(replace(rows[0].findings[0], name=evil),),
    )
    write_errata([row], tmp_path, engine=None)
    tex = (tmp_path / "errata.tex").read_text(encoding="utf-8")
    assert r"\input{x}" not in tex
    assert tex.count(r"100\% of \textbackslash{}input\{x\} \& \$y\$ \#1") >= 6
    assert "<b>" not in (tmp_path / "errata.md").read_text(encoding="utf-8")


def test_names_of_the_theory_are_mathematics():
    assert content("C_∇²f at 10⁻⁸, T^(−1/8) ≲ x") == (
        Maths(r"C_{\nabla^2 f}"),
        " at ",
        Maths("10^{-8}"),
        ", T",
        Maths("^{-1/8}"),
        " ",
        Maths(r"\lesssim"),
        " x",
    )


def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs(cli, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with mock.patch("boundcalc.errata.run", side_effect=AssertionError("it ran")):
        done = cli("errata", "-o", tmp_path / "file")
    assert done.code == 2
    assert "cannot write here" in done.err
