"""Any text, made safe for LaTeX and for Markdown.

What pdfLaTeX cannot set becomes its code point, as ``[U+2603]``.  The output for LaTeX is
plain ASCII in which every special character belongs to a command written here.
"""

from __future__ import annotations

import re
import unicodedata

from boundcalc.report.characters import (
    ACCENTS,
    GREEK,
    GREEK_CAPITALS,
    SCRIPTS,
    SIGNS,
    SPECIAL,
    SUBSCRIPTS,
    SUPERSCRIPTS,
)

_SHOWN = 60  # characters of a name that a table shows
_STRETCH = 6  # characters of a name without a place to break
_HYPHENATED = 24  # characters of a word in running text that is left alone
_BREAKS = "._-/:+*),"  # characters after which a name may be broken


def latex_text(text: str) -> str:
    r"""Any text as LaTeX that sets it, character by character.

    >>> print(latex_text("50% of x_1 & \\input{a}"))
    50\% of x\_1 \& \textbackslash{}input\{a\}
    >>> print(latex_text("Erdős–Rényi, λ₂ ≤ ∯"))
    Erd\H{o}s\textendash{}R\'{e}nyi, \ensuremath{\lambda}\textsubscript{2} \ensuremath{\le} [U+222F]
    """
    words = unicodedata.normalize("NFC", _one_line(text)).split(" ")
    return " ".join(_word(word, _HYPHENATED) for word in words)


def _word(word: str, longest: int) -> str:
    """A word; one that is longer than TeX can hyphenate may be broken every few characters."""
    pieces, run = [], 0
    for character in word:
        if run >= _STRETCH and len(word) > longest:
            pieces.append(r"\hspace{0pt}")
            run = 0
        pieces.append(_latex_character(character))
        # A placeholder such as [U+6570] is as wide as many characters.
        wide = pieces[-1].startswith("[U+")
        ended = (character in _BREAKS or wide) and len(word) > longest
        run = 0 if ended else run + 1
        if run == 0:
            pieces.append(r"\hspace{0pt}")
    if pieces and pieces[-1] == r"\hspace{0pt}":
        pieces.pop()
    # Two hyphens or commas in a row would become one sign.
    return re.sub(r"([-,])(?=\1)", r"\1{}", "".join(pieces))


def latex_code(text: str) -> str:
    r"""A name for a narrow column: cut at 60 characters, breakable every few.

    >>> print(latex_code("block.12"))
    block.\hspace{0pt}12
    """
    words = unicodedata.normalize("NFC", shortened(text)).split(" ")
    return " ".join(_word(word, 0) for word in words)


def shortened(text: str) -> str:
    """The text on one line, cut at 60 characters.

    >>> len(shortened("x" * 200))
    60
    """
    text = _one_line(text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def markdown_text(text: str) -> str:
    r"""Any text as Markdown that shows it, also inside a table.

    >>> print(markdown_text("a|b <i> *c* [d](e) `f` $x$"))
    a&#124;b &lt;i&gt; \*c\* \[d\](e) \`f\` <span>$</span>x<span>$</span>
    """
    text = _one_line(text)
    safe = "".join(_markdown_character(c) for c in text)
    # A list, a heading or a link must not begin where text begins.
    safe = re.sub(r"^([-+])(?=\s)", r"\\\1", safe)
    safe = re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", safe)
    return re.sub(r"(?i)(www)\.|(\w):(?=//)", _unlinked, safe)


_MARKDOWN = {
    **{c: "\\" + c for c in "\\`*_[]#~!"},
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    "|": "&#124;",
    "$": "<span>$</span>",
}


def _markdown_character(character: str) -> str:
    if character in _MARKDOWN:
        return _MARKDOWN[character]
    return character if character.isprintable() else rf"\[U+{ord(character):04X}\]"


def _unlinked(match: re.Match[str]) -> str:
    return f"{match[1]}&#46;" if match[1] else f"{match[2]}&#58;"


def markdown_code(text: str) -> str:
    r"""A name in a table cell: cut at 60 characters, in code type.

    >>> print(markdown_code("a|b<c>"))
    <code>a&#124;b&lt;c&gt;</code>
    """
    return f"<code>{markdown_text(shortened(text))}</code>"


def plain_text(text: str) -> str:
    """ASCII letters, digits and spaces alone, for the properties of a PDF.

    >>> plain_text("Erdős & <Rényi>")
    'Erdos Renyi'
    """
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return " ".join(re.findall(r"[A-Za-z0-9.]+", bare))[:100]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _placeholder(character: str) -> str:
    return f"[U+{ord(character):04X}]"


def _latex_character(character: str) -> str:
    if character in SPECIAL:
        return SPECIAL[character]
    if " " <= character <= "~":
        return character
    if character in SIGNS:
        return rf"\ensuremath{{{SIGNS[character]}}}"
    if character in SUPERSCRIPTS:
        return rf"\textsuperscript{{{character.translate(SCRIPTS)}}}"
    if character in SUBSCRIPTS:
        return rf"\textsubscript{{{character.translate(SCRIPTS)}}}"
    if "α" <= character <= "ω":
        return rf"\ensuremath{{{_greek(character)}}}"
    if character in GREEK_CAPITALS:
        return rf"\ensuremath{{\{GREEK_CAPITALS[character]}}}"
    parts = unicodedata.normalize("NFD", character)
    if len(parts) == 2 and "α" <= parts[0] <= "ω" and parts[1] == "\u0301":
        return rf"\ensuremath{{\acute{{{_greek(parts[0])}}}}}"
    if len(parts) == 2 and parts[0].isascii() and parts[0].isalpha() and parts[1] in ACCENTS:
        return f"{ACCENTS[parts[1]]}{{{parts[0]}}}"
    return _placeholder(character)


def _greek(character: str) -> str:
    name = GREEK[ord(character) - ord("α")]
    return name if name == "o" else "\\" + name
