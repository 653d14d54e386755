from __future__ import annotations

import re
from pathlib import Path

import pytest

from boundcalc.report.engine import find_engine, typeset
from boundcalc.report.equations import LINE, arrange, join, split_sum
from boundcalc.report.numbers import latex_number
from boundcalc.report.width import tokens, width
from boundcalc.theories.perturbed.formulas import (
    GRAPH_RECURRENCES,
    RECURRENCES,
    SYMBOL_OF,
    closed_latex,
)

FAMILIES = ("published", "corrected", "sharp")
CLOSED = [latex for family in FAMILIES for latex in closed_latex(family).values()]


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("a", ["a"]),
        ("a + b - c", ["a", "+ b", "- c"]),
        ("- a + b", ["- a", "+ b"]),
        (r"a^{b + c} + d", ["a^{b + c}", "+ d"]),
        (r"\left(a + b\right) c", [r"\left(a + b\right)c"]),
        (r"\frac{a + b}{c - d} - e", [r"\frac{a + b}{c - d}", "- e"]),
        (r"2 (a + b) + 3\cdot -c", [r"2(a + b)", r"+ 3\cdot -c"]),
        (r"x = - a", [r"x= -a"]),
    ],
)
def test_split_sum(latex: str, expected: list[str]) -> None:
    found = split_sum(latex)
    assert [tokens(term) for term in expected] == [tokens(term) for term in found]


@pytest.mark.parametrize("latex", CLOSED)
def test_splitting_loses_nothing(latex: str) -> None:
    assert tokens(latex) == [token for term in split_sum(latex) for token in tokens(term)]
    assert tokens(latex) == tokens(join(tokens(latex)))


@pytest.mark.parametrize("line", [25.0, 30.0, LINE])
@pytest.mark.parametrize("latex", CLOSED)
def test_arranged_lines_fit(latex: str, line: float) -> None:
    lines = arrange("C", latex, line)
    assert lines is None or all(width(text) <= line + 2 for text in lines)
    if line == LINE:
        assert lines is not None


def test_too_long_a_formula_is_refused() -> None:
    assert arrange("x", "+".join("abcdefgh" * 5 for _ in range(40))) is None
    assert arrange("x", "a" * 200) is None


def test_equal_brackets_get_one_name() -> None:
    names: dict[str, str] = {}
    bracket = r"\left(aaaaaaaa + bbbbbbbb\right)"
    first = arrange("x", f"2 {bracket}", 11, names=names)
    second = arrange("y", f"3 {bracket}", 11, names=names)
    assert first is not None
    assert len(first) == 3
    assert second == (r"y &= 3\mathsf{X}_{1}",)


def test_latex_numbers() -> None:
    assert latex_number("[-3.5e-34,") == r"[-3.5\times10^{-34},"
    assert latex_number("−∞") == r"-\infty"
    assert latex_number("0.25") == "0.25"


@pytest.mark.skipif(find_engine() is None, reason="no TeX engine is installed")
def test_estimated_widths_are_close_to_the_true_ones(tmp_path: Path) -> None:
    written = [*(RECURRENCES[family] for family in FAMILIES), *GRAPH_RECURRENCES.values()]
    recurrences = [line.replace("&", "") for lines in written for line in lines]
    assert all(width(line) <= LINE for line in recurrences)
    symbols = [symbol % "i+1" for symbol, _ in SYMBOL_OF.values()]
    formulas = [*CLOSED, *recurrences, *symbols, r"1.2345\times10^{1088} + 0.25"]
    lines = [
        rf"\setbox0\hbox{{$\displaystyle {formula}$}}\typeout{{WIDTH \the\wd0}}"
        for formula in formulas
    ]
    text = (
        r"\documentclass{article}\usepackage{lmodern,amsmath,amssymb}\begin{document}"
        + "\n".join(lines)
        + r"x\end{document}"
    )
    (tmp_path / "widths.tex").write_text(text, encoding="utf-8")
    assert typeset(tmp_path, "widths", find_engine()).made
    log = (tmp_path / "widths.log").read_text(encoding="utf-8", errors="replace")
    true = [float(points) / 10.0 for points in re.findall(r"WIDTH ([0-9.]+)pt", log)]
    assert len(formulas) == len(true)
    for formula, em in zip(formulas, true, strict=True):
        assert 0.97 * em <= width(formula) <= 1.45 * em + 0.6, formula
