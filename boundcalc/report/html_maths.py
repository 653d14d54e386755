r"""LaTeX mathematics as MathML, with the LaTeX kept inside as its annotation.

The conversion is :mod:`latex2mathml`'s; :mod:`boundcalc.report.html_mending` sets it as
TeX would.  Here stand lines aligned at ``&``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from xml.etree import ElementTree as ET

from boundcalc.report.html_mending import held, mended

_TEX = "application/x-tex"
_ALIGN = re.compile(r"(?<!\\)&")


def mathml(latex: str, *, display: bool = False) -> str:
    r"""A formula on one line.

    >>> print(mathml("x_1"))  # doctest: +NORMALIZE_WHITESPACE
    <math><semantics><mrow><msub><mi>x</mi><mn>1</mn></msub></mrow><annotation
    encoding="application/x-tex">x_1</annotation></semantics></math>
    """
    return _math(_row(latex, display), latex, display)


def mathml_lines(lines: tuple[str, ...]) -> str:
    r"""Displayed lines, aligned where each has its ``&``.

    >>> mathml_lines(("a &= b", "&= c")).count("<mtr>")
    2
    """
    latex = aligned(lines)
    if len(lines) == 1:
        return mathml(latex, display=True)
    table = ET.Element("mtable", {"displaystyle": "true", "class": "aligned"})
    for line in lines:
        row = ET.SubElement(table, "mtr")
        for number, part in enumerate(_ALIGN.split(line)):
            # As in TeX, a plus at the beginning of the right side has a left side.
            ET.SubElement(row, "mtd").append(_row("{}" * (number > 0) + part, True))
    return _math(table, latex, True)


def aligned(lines: tuple[str, ...]) -> str:
    r"""Lines as one piece of LaTeX for a display.

    >>> print(aligned(("a &= b",)), aligned(("a &= b", "&= c")), sep="|")
    a = b|\begin{aligned}
    a &= b \\
    &= c
    \end{aligned}
    """
    if len(lines) == 1:
        return " ".join(part.strip() for part in _ALIGN.split(lines[0])).strip()
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


def _math(body: ET.Element, latex: str, display: bool) -> str:
    math = ET.Element("math", {"display": "block"} if display else {})
    semantics = ET.SubElement(math, "semantics")
    semantics.append(body)
    ET.SubElement(semantics, "annotation", {"encoding": _TEX}).text = latex
    return ET.tostring(math, encoding="unicode")


def _row(latex: str, display: bool) -> ET.Element:
    return ET.fromstring(_converted(latex.strip(), display))  # noqa: S314 - written just below


@lru_cache(maxsize=4096)
def _converted(latex: str, display: bool) -> str:
    """The ``mrow`` of a formula as text: whoever holds an element may change it."""
    from latex2mathml.converter import convert_to_element

    if not latex:
        return "<mrow />"
    try:
        row = convert_to_element(held(latex), display="block" if display else "inline")[0]
    except Exception:
        # A formula that it cannot read is no reason to be without a page.
        row = ET.Element("mrow")
        ET.SubElement(row, "mtext").text = latex
        return ET.tostring(row, encoding="unicode")
    return ET.tostring(mended(row), encoding="unicode")
