"""``boundcalc reproduce`` on the command line."""

import json

import pytest
import typer
from typer.testing import CliRunner

from boundcalc.cli.reproduce import reproduce
from boundcalc.errors import SpecError, UnsupportedError

APP = typer.Typer()
APP.command()(reproduce)


def call(*arguments):
    return CliRunner().invoke(APP, [str(argument) for argument in arguments])


def test_findings_are_printed_with_their_status(tmp_path):
    done = call("appendix-a1", "appendix-a2", "-o", tmp_path, "--workers", 0)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("appendix-a1: Zero-mean forward noise is biased")
    assert lines[1].startswith("  ✓ δ = ±a: the interval")
    assert ": holds (" in lines[1]
    assert any(line.startswith(f"  {tmp_path / 'appendix-a2' / 'figure.png'}") for line in lines)


def test_json_is_one_object(tmp_path):
    done = call("appendix-a2", "-o", tmp_path, "--json")
    found = json.loads(done.stdout)
    assert [finding["status"] for finding in found["appendix-a2"]] == ["holds", "holds"]


def test_the_page_is_written_on_request(tmp_path):
    done = call("appendix-a2", "-o", tmp_path / "run", "--docs", tmp_path / "docs")
    assert done.exit_code == 0
    assert (tmp_path / "docs" / "section-7.md").is_file()
    assert (tmp_path / "docs" / "images" / "section7" / "appendix-a2.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [(["figure-10"], UnsupportedError), (["appendix-a1", "--engine", "gpu"], SpecError)],
)
def test_what_is_unknown_is_refused(tmp_path, arguments, kind):
    done = call(*arguments, "-o", tmp_path / "run")
    assert isinstance(done.exception, kind)
    assert not (tmp_path / "run").exists()
