"""How wide a LaTeX formula will be, estimated without TeX, a little on the high side.

Widths are in em of the surrounding type, from the metrics of the Latin Modern fonts.
"""

from __future__ import annotations

import re

Tokens = list[str]

_TOKEN = re.compile(r"\\[A-Za-z]+|\\.|[^\s\\]")

_SPACES = {
    r"\qquad": 2.0,
    r"\quad": 1.0,
    r"\,": 0.17,
    r"\;": 0.28,
    r"\:": 0.23,
    r"\!": -0.17,
    r"\ ": 0.34,
}
_RELATIONS = {"=", r"\le", r"\ge", r"\approx", "<", ">", r"\to"}
_BINARY = {"+", "-", r"\times", r"\pm"}
_WIDE = {r"\sum": 1.62, r"\prod": 1.5, r"\max": 2.0, r"\min": 1.9, r"\log": 1.5, r"\exp": 1.7}
_TRANSPARENT = {
    r"\mathrm", r"\mathsf", r"\mathbb", r"\mathcal", r"\mathbf", r"\boldsymbol", r"\text",
    r"\textstyle", r"\displaystyle", r"\operatorname", r"\ensuremath",
}  # fmt: skip
_ACCENTED = {r"\tilde", r"\hat", r"\bar", r"\overline", r"\dot", r"\ddot", r"\vec", r"\check"}
_NARROW = {
    ",": 0.45,
    ".": 0.28,
    ";": 0.45,
    "'": 0.3,
    "|": 0.28,
    "!": 0.28,
    ":": 0.3,
    "[": 0.3,
    "]": 0.3,
}
_FENCES = {r"\lVert": 0.5, r"\rVert": 0.5, r"\lvert": 0.28, r"\rvert": 0.28, r"\{": 0.5, r"\}": 0.5}
_BIG = {r"\big", r"\Big", r"\bigl", r"\bigr", r"\Bigl", r"\Bigr", r"\limits", "&"}
_GREEK_WIDE = 0.85
_SCRIPT = 0.74  # scripts are set at 70 to 75 per cent


def tokens(latex: str) -> Tokens:
    r"""The formula as commands and single characters.

    >>> tokens(r"\frac{a}{b} + 1")
    ['\\frac', '{', 'a', '}', '{', 'b', '}', '+', '1']
    """
    return _TOKEN.findall(latex)


def closing(found: Tokens, start: int) -> int:
    r"""Position of the ``}`` or ``\right`` that closes the one at ``start``."""
    opening = found[start]
    pair = {"{": "}", r"\left": r"\right"}[opening]
    depth = 0
    for position in range(start, len(found)):
        depth += (found[position] == opening) - (found[position] == pair)
        if depth == 0:
            return position
    return len(found) - 1


def width(latex: str) -> float:
    r"""The estimated width in em, displayed.

    >>> width(r"a + b") < width(r"a + b + c") < width(r"\left(a + b + c\right)^{2}")
    True
    >>> width(r"\frac{a + b}{c}") < width("a + b") + 0.5
    True
    """
    return _width(tokens(latex))


def _width(found: Tokens) -> float:
    # A sign at the beginning is no binary one, so TeX puts no space around it.
    total = -0.45 if found and found[0] in ("+", "-") else 0.0
    position = 0
    while position < len(found):
        step, position = _atom(found, position)
        total += step
    return total


def _argument(found: Tokens, position: int) -> tuple[float, int]:
    """Width of the group or single piece at ``position``, and where it ends."""
    if position >= len(found):
        return 0.0, position
    if found[position] == "{":
        end = closing(found, position)
        return _width(found[position + 1 : end]), end + 1
    return _atom(found, position)


def _atom(found: Tokens, position: int) -> tuple[float, int]:
    piece = found[position]
    if piece == "{":
        return _argument(found, position)
    if piece in ("^", "_"):
        return _scripts(found, position)
    if piece in (r"\frac", r"\tfrac", r"\dfrac"):
        top, after = _argument(found, position + 1)
        bottom, after = _argument(found, after)
        return max(top, bottom) * (0.75 if piece == r"\tfrac" else 1.0) + 0.26, after
    if piece == r"\sqrt":
        inside, after = _argument(found, position + 1)
        return inside + 1.0, after
    if piece in (r"\left", r"\right"):
        # Delimiters grow with what they hold: 0.46 em plain, 0.8 em around a fraction.
        return 0.8, position + 2
    if piece in _ACCENTED or piece in _TRANSPARENT:
        inside, after = _argument(found, position + 1)
        return inside * 1.05, after
    return _single(piece), position + 1


def _scripts(found: Tokens, position: int) -> tuple[float, int]:
    """A superscript and a subscript of one letter stand above each other."""
    widths: list[float] = []
    while position < len(found) and found[position] in ("^", "_") and len(widths) < 2:
        inside, position = _argument(found, position + 1)
        widths.append(inside * _SCRIPT)
    return max(widths) + 0.06, position


def _single(piece: str) -> float:
    for table in (_SPACES, _WIDE, _NARROW, _FENCES):
        if piece in table:
            return table[piece]
    if piece in _BIG:
        return 0.2
    if piece in _RELATIONS:
        return 1.34
    if piece in _BINARY:
        return 1.23
    if piece == r"\cdot":
        return 0.73
    if piece.startswith("\\"):
        return _GREEK_WIDE if piece[1:2].isupper() or piece == r"\nabla" else 0.66
    if piece.isdigit():
        return 0.5
    if piece in "()":
        return 0.39
    if piece in "mwMW":
        return 1.0
    return 0.82 if piece.isupper() else 0.58
