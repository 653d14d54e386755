from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from boundcalc.arithmetic import WIDE, Number, Status
from boundcalc.errors import BoundcalcError
from boundcalc.report import figures, plots
from boundcalc.report.cells import (
    Code,
    Column,
    Document,
    Figure,
    Mark,
    Maths,
    Paragraph,
    Section,
    Strong,
    Table,
    Value,
)
from boundcalc.report.numbers import log10, sampled, value
from boundcalc.report.render import latex, latex_document, markdown, markdown_document
from boundcalc.resources import folder

BIG = Number(WIDE.number(13) * WIDE.number(10) ** 1087, Status.COMPUTED)


@pytest.mark.parametrize(
    ("piece", "tex", "md"),
    [
        (value(BIG), r"$1.3\times10^{1088}$\status{c}", "1.3e+1088<sub>c</sub>"),
        (Value("0.3"), "$0.3$", "0.3"),
        (
            Value("0.334", Status.PROVED, "1/3"),
            r"$0.334$ ($1/3$)\status{p}",
            "0.334 (1/3)<sub>p</sub>",
        ),
        (sampled(float("nan")), r"not a number\status{s}", "not a number<sub>s</sub>"),
        (sampled(float("inf")), r"$\infty$\status{s}", "∞<sub>s</sub>"),
        (Maths("a|b"), "$a|b$", r"$`a\vert b`$"),
        (Code("a_b"), r"\code{a\_\hspace{0pt}b}", r"<code>a\_b</code>"),
        (Strong(("50%", Maths("x"))), r"\textbf{50\%$x$}", "**50%$`x`$**"),
        (Mark("violated", "violated"), r"\markviolated{violated}", "✗ violated"),
        (Mark("holds", "holds"), r"\markholds{holds}", "✓ holds"),
        (("a ", Code("b"), " c"), r"a \code{b} c", "a <code>b</code> c"),
    ],
)
def test_pieces(piece: object, tex: str, md: str) -> None:
    assert tex == str(latex(piece))
    assert md == str(markdown(piece))


@pytest.mark.parametrize("foreign", [3, 2.5, None, object(), ["a"]])
def test_nothing_but_content_is_printed(foreign: object) -> None:
    for render in (latex, markdown):
        with pytest.raises(BoundcalcError, match="not content"):
            render(foreign)


def test_logarithms_of_any_size() -> None:
    assert 1088 < (log10(BIG) or 0) < 1089
    assert log10(Number(0, Status.PROVED)) is None


def test_marks_differ_without_colour() -> None:
    marks = [str(markdown(Mark(o, "x"))) for o in ("holds", "violated", "undetermined")]
    assert len(set(marks)) == 3
    looks = plots.LOOKS.values()
    assert len(looks) == len({look.marker for look in looks}) == len({look.line for look in looks})
    assert len(figures._TERMS) == len({marker for marker, _ in figures._TERMS.values()})


def _document() -> Document:
    table = Table("a | b", (Column("x|", 2.0), Column(Maths("y"))), (("1|2", Value("3")),) * 2)
    return Document("T & <t>", (Paragraph("first"),), (Section("One", (table,)),))


def test_markdown_golden() -> None:
    expected = """# T &amp; &lt;t&gt;

first

## One

**Table 1.** a &#124; b

| x&#124; | $`y`$ |
|:---|---:|
| 1&#124;2 | 3 |
| 1&#124;2 | 3 |
"""
    assert expected == markdown_document(_document(), folder("templates"))


def test_latex_golden() -> None:
    text = latex_document(_document(), folder("templates"))
    body = text[text.index(r"\toprule") : text.index(r"\end{longtable}")]
    expected = r"""\toprule
x\textbar{} & \multicolumn{1}{r@{}}{$y$} \\
\midrule
\endfirsthead
\multicolumn{2}{@{}l}{\emph{continued}}\\
\toprule
x\textbar{} & \multicolumn{1}{r@{}}{$y$} \\
\midrule
\endhead
\bottomrule
\endfoot
1\textbar{}2 & $3$ \\
1\textbar{}2 & $3$ \\
"""
    assert expected == body
    assert "T \\& \\textless{}t\\textgreater{}" in text
    assert "pdftitle={boundcalc report: T t}" in text


def test_figures_have_a_description_where_one_is_given() -> None:
    figures = (Figure("one", "first"), Figure("two", "second", "two boxes, one arrow"))
    document = Document("T", (), (Section("One", figures),))
    md = markdown_document(document, folder("templates"))
    assert "![Figure 1](figures/one.png)" in md
    assert "![two boxes, one arrow](figures/two.png)" in md
    tex = latex_document(document, folder("templates"))
    assert r"\includegraphics[width=\linewidth]{figures/one.pdf}" in tex
    assert r"[width=\linewidth,alt={two boxes, one arrow}]{figures/two.pdf}" in tex


def test_templates_are_strict() -> None:
    class Empty:
        pass

    with pytest.raises(UndefinedError):
        latex_document(Empty(), folder("templates"))  # type: ignore[arg-type]
