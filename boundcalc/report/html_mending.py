"""What latex2mathml's result needs so that a browser sets it as TeX would.

MathML Core knows an operator's form by its place alone, and its spaces by its form.  Bars
have two forms, a minus after ``=`` is a sign, ``max`` is a word, ``/`` stands close, and
fences grow only around what is tall.
"""

from __future__ import annotations

import re
from html import unescape
from xml.etree import ElementTree as ET

#: Fences of LaTeX → a character of private use that stands for it during the conversion.
_HELD = {
    r"\lVert": "\ue000",
    r"\rVert": "\ue001",
    r"\lvert": "\ue002",
    r"\rvert": "\ue003",
}
_FENCES = {
    "\ue000": ("‖", "prefix"),
    "\ue001": ("‖", "postfix"),
    "\ue002": ("|", "prefix"),
    "\ue003": ("|", "postfix"),
}
_FENCE = re.compile(r"\\[lr][Vv]ert(?![A-Za-z])")
_ALPHABET = re.compile(r"(\\math(?:bb|bf|cal|it|rm|sf|tt|frak))\s+([A-Za-z0-9])")
_ESCAPED = re.compile(r"\\([%_#&${}|])")
_MEANT = {"|": "‖"}
_CAPITALS = frozenset("ΓΔΘΛΞΠΣΥΦΨΩ")
_CLOSE = frozenset("/|‖")  # no space on either side
_SIGNS = frozenset("+−±∓")
_LETTERS = frozenset("∂∇∞ℓ")  # no operators, whatever the converter says
_CLOSING = frozenset(")]}⟩⌉⌋")
_OPENING = frozenset("([{⟨⌈⌊")
_TALL = frozenset(["mfrac", "munder", "mover", "munderover", "msqrt", "mtable"])
_LIMITED = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
_SCRIPTED = frozenset(["msup", "msub", "msubsup"])
_BAR = "―"
_THIN = "0.167em"


def held(latex: str) -> str:
    """The formula with fences as characters, and alphabets in braces, for the conversion."""
    latex = _ALPHABET.sub(r"\1{\2}", latex)
    return _FENCE.sub(lambda found: _HELD[found[0]] + " ", latex)


def mended(row: ET.Element) -> ET.Element:
    """The same tree, changed in place."""
    for element in row.iter():
        _by_itself(element)
    for element in list(row.iter()):
        _limited(element)
        _primed(element)
        _overlined(element)
    for element in list(row.iter()):
        _fenced(element)
        _signed(element)
        _worded(element)
    for element in list(row.iter()):
        _grouped(element)
    return row


def _by_itself(element: ET.Element) -> None:
    if element.text is None:
        return
    text = unescape(element.text)  # the converter writes signs as entities
    if text.startswith("\\") or element.tag == "mtext":
        text = _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), text)
    if text in _FENCES:
        sign, form = _FENCES[text]
        _become(element, "mo", sign, form=form, fence="true", stretchy="false")
        return
    element.text = text
    if element.tag == "mi" and text in _CAPITALS:
        element.set("mathvariant", "normal")  # upright, as LaTeX has them
    elif element.tag == "mo" and text in _LETTERS:
        _become(element, "mi", text, mathvariant="normal")
    elif element.tag == "mo" and text in _CLOSE and "minsize" not in element.attrib:
        _become(element, "mo", text, lspace="0", rspace="0", stretchy="false")
    elif element.tag in ("mi", "mo") and len(text) > 1 and text.isalpha():
        if element.tag == "mo":
            _become(element, "mo", text, lspace="0", rspace="0")
        element.set("class", "word")


def _become(element: ET.Element, tag: str, text: str, **attributes: str) -> None:
    element.attrib.clear()
    element.tag, element.text = tag, text
    element.attrib.update(attributes)


def _limited(element: ET.Element) -> None:
    """What a sum runs over: beside or below it, as the browser knows from the style."""
    if element.tag in _LIMITED and len(element) and element[0].text in ("∑", "∏"):
        element.tag = _LIMITED[element.tag]


def _primed(element: ET.Element) -> None:
    """A prime beside its letter: as a superscript it would be raised and shrunk twice."""
    if element.tag not in ("msup", "msubsup") or not set(element[-1].text or "x") <= {"′", "″"}:
        return
    base, prime = element[0], element[-1]
    _become(prime, "mo", prime.text or "", lspace="0", rspace="0")
    element.remove(base)
    element.remove(prime)
    letter = ET.Element("mrow")
    letter.extend([base, prime])
    if element.tag == "msup":
        element.tag = "mrow"
        element.extend([base, prime])
    else:
        element.tag = "msub"
        element.insert(0, letter)


def _overlined(element: ET.Element) -> None:
    """A line above a whole term: no sign of a font grows to its width."""
    if element.tag == "mover" and len(element) == 2 and element[1].text == _BAR:
        element.remove(element[1])
        element.tag = "mrow"
        element.attrib.clear()
        element.set("class", "overline")


def _grouped(element: ET.Element) -> None:
    """An exponent on what stands between sized brackets, not on the closing one.

    Browsers do not make an operator larger that carries an exponent.
    """
    opened: list[int] = []  # where brackets that are still open stand
    place = 0
    while place < len(element):
        child = element[place]
        last = child[0] if child.tag in _SCRIPTED and len(child) else child
        if _sized(child, _OPENING):
            opened.append(place)
        elif _sized(last, _CLOSING) and opened:
            start = opened.pop()
            if last is not child:
                inside = ET.Element("mrow")
                inside.extend([*element[start:place], last])
                for part in element[start:place]:
                    element.remove(part)
                child.remove(last)
                child.insert(0, inside)
                place = start
        place += 1


def _sized(element: ET.Element, signs: frozenset[str]) -> bool:
    return element.tag == "mo" and element.text in signs and "minsize" in element.attrib


def _fenced(element: ET.Element) -> None:
    fences = [child for child in element if child.get("fence") == "true"]
    if fences and not any(part.tag in _TALL for part in element.iter()):
        for fence in fences:
            if fence.get("stretchy") == "true" and "minsize" not in fence.attrib:
                fence.set("stretchy", "false")


def _signed(element: ET.Element) -> None:
    """A plus or minus after an operator, or first, belongs to what follows it."""
    before: ET.Element | None = None
    for child in element:
        if child.tag == "mo" and child.text in _SIGNS and _opens(before):
            child.set("form", "prefix")
        if child.tag != "mspace":
            before = child


def _opens(before: ET.Element | None) -> bool:
    if before is None:
        return True
    closed = before.get("form") == "postfix" or before.text in _CLOSING or before.text in _CLOSE
    word = before.get("class") == "word"
    return before.tag == "mo" and not closed and not word and before.text not in ("′", "!")


def _worded(element: ET.Element) -> None:
    """A thin space on each side of a word such as max, none before a fence."""
    if element.tag not in ("mrow", "mtd", "msqrt", "math"):
        return
    for child in list(element):
        if not _is_word(child):
            continue
        place = list(element).index(child)
        after = element[place + 1] if place + 1 < len(element) else None
        before = element[place - 1] if place else None
        if after is not None and after.tag != "mspace" and not _begins_fence(after):
            element.insert(place + 1, ET.Element("mspace", {"width": _THIN}))
        if before is not None and before.tag not in ("mo", "mspace"):
            element.insert(place, ET.Element("mspace", {"width": _THIN}))


def _is_word(element: ET.Element) -> bool:
    if element.tag in ("msup", "msub", "msubsup", "munder") and len(element):
        return _is_word(element[0])
    return element.get("class") == "word"


def _begins_fence(element: ET.Element) -> bool:
    if element.tag == "mrow" and len(element):
        return _begins_fence(element[0])
    return element.tag == "mo" and element.text in (_OPENING | _CLOSING | _CLOSE | {",", "."})
