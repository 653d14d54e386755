"""The first screen, help in sections, completion, versions, citation, colours, links, explain."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cli_specs import HOLDS, ones, write

import boundcalc
from boundcalc.cli.completion import SHELLS, example_names, number_paths, spec_files
from boundcalc.cli.sections import SECTIONS
from boundcalc.errors import PAGES, ExpressionError, SymbolError, page_of
from boundcalc.resources import citation, example, examples

ROOT = Path(boundcalc.__file__).parent.parent
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-7]|9[0-7])m")


def test_alone_it_shows_the_five_commands_people_use(cli):
    done = cli()
    assert (done.code, done.err) == (0, "")
    for command in ("report", "rate", "budget", "verify", "explore"):
        assert re.search(rf"^  boundcalc {command} +my\.yaml", done.out, re.M)
    assert "boundcalc --help" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_help_lists_every_command_once_in_a_section(cli):
    done = cli("--help")
    assert (done.code, done.err) == (0, "")
    listed = [name for names in SECTIONS.values() for name in names]
    assert len(listed) == len(set(listed))
    for heading, names in SECTIONS.items():
        assert f"\n{heading}:\n" in done.out
        for name in names:
            assert len(re.findall(rf"^  {name} +\S", done.out, re.M)) == 1
    assert "More:" not in done.out
    assert max(map(len, done.out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("exlpore", "explore"), ("explian", "explain"), ("varify", "verify"), ("reprot", "report")],
)
def test_of_an_unknown_command_the_nearest_is_named(cli, typed, meant):
    done = cli(typed)
    assert done.code == 2
    assert f"No such command {typed!r}. Did you mean {meant!r}?" in done.err
    assert "Did you mean" not in cli("qqqqqqq").err


def test_versions_of_what_numbers_depend_on(cli):
    done = cli("--version")
    first, python, *packages = done.out.splitlines()
    assert first == f"boundcalc {boundcalc.__version__}"
    assert python.startswith(f"  python {sys.version.split()[0]} (")
    named = [line.split()[0] for line in packages]
    assert {"numpy", "scipy", "sympy", "python-flint", "typer"} <= set(named)
    assert len(named) == len(set(named))


def test_the_citation_is_that_of_the_file(cli):
    done = cli("--cite")
    assert done.code == 0
    kept = yaml.safe_load(citation())
    assert f"title   = {{{kept['title']}}}" in done.out
    assert f"version = {{{boundcalc.__version__}}}" in done.out
    assert "arXiv:2602.20646" in done.out
    assert "Kong, Boao and Zhang, Hengrui and Yuan, Kun" in done.out
    assert done.out.count("{") == done.out.count("}")
    assert re.findall(r"^@(\w+)\{(\w+),$", done.out, re.M) == [
        ("software", "boundcalc2026"),
        ("misc", "kong2026"),
    ]


def asked(words, position, folder=ROOT):
    """What bash offers at a position of a command line."""
    done = subprocess.run(
        [sys.executable, "-m", "boundcalc"],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "_BOUNDCALC_COMPLETE": "complete_bash",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(position),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.stdout.split()


def test_bash_completes_commands_files_options_and_paths(tmp_path):
    assert asked(["boundcalc", "exp"], 1) == ["explore", "explain"] or set(
        asked(["boundcalc", "exp"], 1)
    ) == {"explore", "explain"}
    (tmp_path / "my spec.yaml").touch()
    (tmp_path / "mine.json").touch()
    (tmp_path / "mine.txt").touch()
    assert asked(["boundcalc", "rate", "min"], 2, tmp_path) == ["mine.json"]
    found = asked(["boundcalc", "explain", "rate.nonconvex.sharp.te"], 2)
    assert "rate.nonconvex.sharp.terms" in found
    assert asked(["boundcalc", "compile", "--family", "co"], 3) == ["corrected"]


def test_what_is_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    (tmp_path / "s.yaml").touch()
    assert spec_files("s") == []  # a folder matches too: the shell knows how to go on
    assert spec_files("s.") == ["s.yaml"]
    assert spec_files("nowhere/x") == []
    assert example_names("quartic") == ["quartic-dcsgd", "quartic-dsignsgd-cauchy"]
    assert len(example_names("")) == len(examples())
    assert {"compile", "rate", "budget", "simulate", "verify"} <= set(number_paths(""))
    for path in number_paths("rate."):
        assert path.startswith("rate.")
        assert path.count(".") == 1


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_scripts(cli, shell):
    done = cli("--show-completion", shell)
    assert done.code == 0
    assert "_BOUNDCALC_COMPLETE" in done.out
    assert "boundcalc" in done.out


def test_an_unknown_shell_is_refused(cli):
    done = cli("--show-completion", "tcsh")
    assert done.code == 2
    assert "bash, zsh, fish" in done.err


def test_completion_is_installed_where_bash_looks(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "boundcalc", "--install-completion", "bash"],
        cwd=ROOT,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / ".bash_completions" / "boundcalc.sh").is_file()
    assert "boundcalc" in (tmp_path / ".bashrc").read_text(encoding="utf-8")


def coloured(**variables):
    env = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    done = subprocess.run(
        [sys.executable, "-m", "boundcalc", "errata", "E1"],
        cwd=ROOT,
        env={**env, "TERM": "xterm-256color", **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return COLOUR.search(done.stdout) is not None


def test_colours_are_for_terminals_and_can_be_forbidden_or_forced():
    assert not coloured()
    assert coloured(FORCE_COLOR="1")
    assert not coloured(FORCE_COLOR="1", NO_COLOR="1")


def headings(page):
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.M | re.S)
    found = re.findall(r"^#{1,6} (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower().replace("`", "")).replace(" ", "-") for h in found}


def test_every_page_that_an_error_names_is_there():
    named = {*PAGES.values(), ExpressionError("x").doc, SymbolError("x").doc}
    for reference in named:
        page, _, anchor = reference.partition("#")
        assert anchor in headings(page), reference


@pytest.mark.parametrize(
    ("where", "page"),
    [
        ("a.yaml:3: perturbations[0].rms", "docs/spec-reference.md#perturbations"),
        ("a.yaml: simulation.data.file", "docs/spec-reference.md#data"),
        ("C: a b/a.yaml:1: graph.operators[2].id", "docs/spec-reference.md#graph"),
        ("--set", "docs/spec-reference.md#symbols"),
        ("/home/graph/out", None),
        ("", None),
        (None, None),
    ],
)
def test_an_error_leads_to_the_section_about_its_place(where, page):
    assert page_of(where) == page


def test_the_page_stands_below_the_message(cli, tmp_path):
    done = cli("compile", write(tmp_path, ones(2, at="{at: f.9, pass: forward, rms: 1}")))
    assert done.code == 2
    assert done.err.splitlines()[-1] == "  see:      docs/spec-reference.md#perturbations"


def test_explain_on_the_terminal(cli):
    done = cli("explain", "rate.nonconvex.sharp.terms.sampling", example("logistic-nonconvex"))
    assert (done.code, done.err) == (0, "")
    for text in ("1.5e-06 (proved)", "formula: Lγσ²", "theory.md#theorem-6-1", "γ = 0.5"):
        assert text in done.out
    assert re.search(r"logistic-nonconvex\.yaml:\d+: training\.step_size", done.out)


def test_explain_as_json_and_with_symbols_set(cli, tmp_path):
    done = cli("explain", "rate.pl.sharp.step_size_limit", "--json").json
    assert (done["known"], done["formula"], done["doc"]) == (
        False,
        r"\frac{1}{L}",
        "docs/theory.md#theorem-6-2",
    )
    symbol = HOLDS.replace("graph:", "symbols: {G: 1}\ngraph:", 1)
    symbol = re.sub(r"step_size: [^,}\s]+", "step_size: G", symbol, count=1)
    spec = write(tmp_path, symbol)
    found = cli("explain", "rate.step_size", spec, "--json", "--set", "G=1/8").json
    assert (found["value"], found["status"]) == (0.125, "stated")
    assert found["inputs"][0]["value"] == 0.125


def test_explain_refuses_what_is_not_there(cli):
    done = cli("explain", "rate.nonconvex.shrp.bound")
    assert done.code == 2
    assert "did you mean 'rate.nonconvex.sharp.bound'?" in done.err
    assert "docs/command-line.md#where-a-number-comes-from" in done.err
    assert cli("explain", "rate.horizon", ROOT / "nowhere.yaml").code == 2


def test_explain_keeps_brackets_and_marks_of_names(cli, tmp_path):
    name = "[bold]a[0].b</script>"
    operators = f"[{{id: {json.dumps(name)}}}, {{id: loss}}]"
    text = re.sub(r"operators: \[.*\]", lambda _: f"operators: {operators}", ones(2))
    text = re.sub(r"perturbations: .*", "", text)
    path = f"compile.coefficients.error.forward['{name}']"
    done = cli("explain", path, write(tmp_path, text))
    assert done.code == 0, done.err
    assert f"a perturbation at {name} enters" in done.out
