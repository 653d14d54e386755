from __future__ import annotations

import re
import string
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.report import escape
from boundcalc.report.characters import ACCENTS, GREEK_CAPITALS, SIGNS, SPECIAL
from boundcalc.report.engine import find_engine, typeset

# Every command that the escaper may write, with its argument where it has one.
_COMMANDS = re.compile(
    r"\\ensuremath\{\^\{\\top\}\}"
    r"|\\ensuremath\{\\acute\{\\?[a-z]+\}\}"
    r"|\\ensuremath\{(\\[A-Za-z]+|[-'o])\}"
    r"|\\text(super|sub)script\{[0-9]\}"
    r"|\\hspace\{0pt\}"
    r"|\\[\"'`^~=.uHvckr]\{[A-Za-z]\}"
    r"|\\[A-Za-z]+\{\}"
    r"|\\[{}$&#%_]"
    r"|\{[\[\]]\}"
    r"|(?<=[-,])\{\}(?=[-,])"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("a_b^c", r"a\_b\textasciicircum{}c"),
        (r"\end{document}", r"\textbackslash{}end\{document\}"),
        ("-- and ---", "-{}- and -{}-{}-"),
        ("[x]", "{[}x{]}"),
        ("α ≤ Δ₀", r"\ensuremath{\alpha} \ensuremath{\le} \ensuremath{\Delta}\textsubscript{0}"),
        ("‖δ‖⁴", r"\ensuremath{\Vert}\ensuremath{\delta}\ensuremath{\Vert}\textsuperscript{4}"),
        ("数", "[U+6570]"),
        ("two\nlines", "two lines"),
        ("null\x00byte", "null[U+0000]byte"),
    ],
)
def test_latex_text(text: str, expected: str) -> None:
    assert expected == escape.latex_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain words", "plain words"),
        ("a|b", "a&#124;b"),
        ("`x` *y* [z]", r"\`x\` \*y\* \[z\]"),
        ("<b> & $x$", "&lt;b&gt; &amp; <span>$</span>x<span>$</span>"),
        ("- item", r"\- item"),
        ("1. item", r"1\. item"),
        ("0.5", "0.5"),
        ("# heading", r"\# heading"),
        ("https://e.org", "https&#58;//e.org"),
        ("www.e.org", "www&#46;e.org"),
        ("zero\u200bwidth", r"zero\[U+200B\]width"),
        ("\u202e(http:x)", r"\[U+202E\](http:x)"),
    ],
)
def test_markdown_text(text: str, expected: str) -> None:
    assert expected == escape.markdown_text(text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_latex_has_no_raw_specials(text: str) -> None:
    for rendered in (escape.latex_text(text), escape.latex_code(text)):
        assert rendered.isascii()
        left = _COMMANDS.sub("", rendered)
        left = re.sub(r"\[U\+[0-9A-F]{4,6}\]", "", left)
        assert not set(left) & set("\\{}$&#%_^~<>|\"'`")


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=string.printable + "αé数😀\u202e", max_size=60))
def test_markdown_has_no_raw_structure(text: str) -> None:
    left = escape.markdown_text(text).replace("<span>$</span>", "")
    left = re.sub(r"\\[\\`*_\[\]#~!.+)-]|&(amp|lt|gt|#124|#58|#46);", "", left)
    assert not set(left) & set("|<>`*_[]$\\\n")


def test_long_names_are_cut_and_breakable() -> None:
    rendered = escape.latex_code("x" * 200)
    assert rendered.count("x") == 59
    assert rendered.endswith(r"\ldots{}")
    runs = re.split(r"\\hspace\{0pt\}", rendered.removesuffix(r"\ldots{}"))
    assert max(len(run) for run in runs) <= 6


@pytest.mark.skipif(find_engine() is None, reason="no TeX engine is installed")
def test_everything_that_is_escaped_compiles(tmp_path: Path) -> None:
    known = "".join([*SPECIAL, *SIGNS, *GREEK_CAPITALS])
    latin = "".join(chr(c) for c in range(0xA0, 0x180))
    greek = "".join(chr(c) for c in range(0x386, 0x3CF))
    combined = " ".join(f"e{mark} o{mark} Z{mark}" for mark in ACCENTS)
    samples = [string.printable, known, latin, greek, combined, "\\" * 30, "{" * 30, "x" * 300]
    body = "\n\n".join(
        f"{escape.latex_text(s)}\n\n\\texttt{{{escape.latex_code(s[k : k + 50])}}}"
        for s in samples
        for k in range(0, len(s), 50)
    )
    preamble = (
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}"
        r"\usepackage{lmodern,amsmath,amssymb}\begin{document}\raggedright"
    )
    text = f"{preamble}\n{body}\n\\end{{document}}\n"
    (tmp_path / "all.tex").write_text(text, encoding="utf-8")
    outcome = typeset(tmp_path, "all", find_engine())
    log = (tmp_path / "all.log").read_text(encoding="utf-8", errors="replace")
    assert outcome.made, log[-2000:]
    assert "Missing character" not in log
    assert "Overfull" not in log
