"""What people see: tables, compared with tests/golden (see conftest.py to write them again)."""

import re

import pytest
from cli_specs import (
    BLOCKS,
    GRAPH,
    HOLDS,
    NAMES,
    RATES,
    SYMBOLS,
    UNDETERMINED,
    named,
    ones,
    write,
)

import boundcalc
from boundcalc.resources import example

FORWARD = "{at: [f.1, f.2], pass: forward, rms: 1/3, mean: 1/10}"
REFUSED = RATES.replace("step_size: 1/4", "step_size: 1/2")


@pytest.mark.parametrize(
    ("name", "text", "arguments"),
    [
        ("compile-ones", ones(3), ["compile"]),
        ("compile-no-fourth", ones(2, at=FORWARD), ["compile"]),
        ("compile-symbols", SYMBOLS, ["compile", "--formulas"]),
        ("compile-sharp", SYMBOLS, ["compile", "--family", "sharp", "--set", "C=1/3"]),
        ("compile-names", named(), ["compile", "--family", "published"]),
        ("compile-thousand", ones(1000), ["compile", "--family", "published"]),
        ("compile-graph", GRAPH, ["compile"]),
        ("compile-blocks", BLOCKS, ["compile", "--family", "sharp"]),
        ("rate-ones", ones(2, rest=RATES), ["rate"]),
        ("rate-refused", ones(2, at=FORWARD, rest=REFUSED), ["rate"]),
        ("verify-holds", HOLDS, ["verify"]),
        ("verify-undetermined", UNDETERMINED, ["verify"]),
    ],
)
def test_terminal_output_is_the_golden_text(cli, golden, tmp_path, name, text, arguments):
    done = cli(arguments[0], write(tmp_path, text), *arguments[1:])
    assert done.err == ""
    golden(f"{name}.txt", done.out)


def test_a_violated_bound_is_the_golden_text(cli, golden):
    done = cli("verify", example("bilinear-erratum"))
    assert (done.code, done.err) == (1, "")
    golden("verify-violated.txt", done.out)


def test_measured_regions_are_said(cli, tmp_path):
    text = HOLDS.replace("graph:\n", "graph:\n  regions: visited\n")
    text = text.replace("{id: f2, type: sine", "{id: f2, type: tanh")
    done = cli("compile", write(tmp_path, text))
    assert "(sampled)" in done.out
    assert "(proved)" not in done.out
    assert "regions were measured on the data" in done.out


def test_formulas_of_a_graph(cli, tmp_path):
    shown = cli("compile", write(tmp_path, GRAPH), "--formulas", "--family", "sharp").out
    assert r"\sum_{u\to v}\ell_{v,u}s_u" in shown
    assert r"\kappa_i" not in shown


def test_there_are_no_colours_when_piped(cli):
    assert "\x1b" not in cli("verify", example("bilinear-erratum")).out


def test_bounds_are_printed_rounded_up_and_limits_down(cli, tmp_path):
    text = ones(3, at="{at: [f.1, f.2], pass: forward, rms: 1/2, mean: 0}")
    shown = cli("compile", write(tmp_path, text), "--family", "sharp").out
    # 2 + √2 = 3.4142135…
    assert "≤ 3.41422 (proved)" in shown
    rated = cli("rate", write(tmp_path, ones(2, rest=RATES))).out
    limits = re.search(r"step-size limit +(\S+)", rated)[1]
    assert limits == "0.333333"


def test_names_are_shown_literally(cli, tmp_path):
    path = write(tmp_path, named())
    for command in ("compile", "rate"):
        shown = cli(command, path).out
        assert f"{NAMES[0]} {NAMES[1]}: " in shown
    compiled = cli("compile", path).out
    for name in NAMES:
        assert name in compiled


def test_names_are_shown_literally_in_messages(cli, tmp_path):
    text = ones(2, at='{at: "[bold]f[/bold] :bug:", pass: forward, rms: 1}')
    assert "'[bold]f[/bold] :bug:'" in cli("compile", write(tmp_path, text)).err


def test_a_thousand_operators_are_scientific_and_shortened(cli, tmp_path):
    shown = cli("compile", write(tmp_path, ones(1000)), "--family", "published").out
    assert re.search(r"f\.1 +\d\.\d+e\+777", shown)
    assert not re.search(r"\b(inf|nan)\b", shown, re.IGNORECASE)
    assert len(shown.splitlines()) < 60


def test_version_and_help(cli):
    first, *rest = cli("--version").out.splitlines()
    assert first == f"boundcalc {boundcalc.__version__}"
    assert any(re.fullmatch(r"  numpy \d\S+", line) for line in rest)
    shown = cli("--help").out
    for command in ("compile", "rate", "simulate", "verify", "report", "errata", "schema"):
        assert command in shown


def test_simulate_says_where_it_wrote(cli, tmp_path):
    done = cli("simulate", write(tmp_path, HOLDS), "-o", tmp_path / "out")
    assert f"written to {tmp_path / 'out'}".replace("\n", "") in done.out.replace("\n", "")
    assert "20 steps, 2 replicas, seed 0, 99.9% intervals" in done.out
