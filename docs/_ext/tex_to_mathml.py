"""TeX to MathML Core: latex2mathml, and what browsers need besides.

latex2mathml writes MathML 3.  Browsers read MathML Core, which knows no named spaces and no
``columnalign``, and takes the form of ``‖`` from its place in the row; so the tree is changed
where these matter.  A command that latex2mathml does not know is an error.

>>> mathml("2")  # doctest: +ELLIPSIS
'<math><semantics><mrow><mn>2</mn></mrow><annotation encoding="application/x-tex">2</a...'
"""

from __future__ import annotations

import html
import re
import unicodedata
from functools import cache
from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement, tostring

#: Delimiters that open or close: the stand-in that passes through latex2mathml, and the sign.
_FENCES = {
    "lVert": ("\ue000", "‖", "prefix"),
    "rVert": ("\ue001", "‖", "postfix"),
    "lvert": ("\ue002", "|", "prefix"),
    "rvert": ("\ue003", "|", "postfix"),
    "lbrace": ("\ue004", "{", "prefix"),
    "rbrace": ("\ue005", "}", "postfix"),
    "lfloor": ("\ue006", "⌊", "prefix"),
    "rfloor": ("\ue007", "⌋", "postfix"),
    "lceil": ("\ue008", "⌈", "prefix"),
    "rceil": ("\ue009", "⌉", "postfix"),
    "langle": ("\ue00a", "⟨", "prefix"),
    "rangle": ("\ue00b", "⟩", "postfix"),
}
_SIGNS = {stand_in: (sign, form) for stand_in, sign, form in _FENCES.values()}
_FENCE = re.compile(r"(?<!\\left)(?<!\\right)\\(" + "|".join(_FENCES) + r")(?![a-zA-Z])")
_TAG = re.compile(r"\\tag\{([^{}]*)\}")
_SPACES = {
    "thinmathspace": "0.1667em",
    "mediummathspace": "0.2222em",
    "thickmathspace": "0.2778em",
    "verythickmathspace": "0.3333em",
}


class UnknownTeXError(ValueError):
    """A formula that would not be shown as it is meant."""


@cache
def mathml(tex: str, *, display: bool = False) -> str:
    """A formula as one ``math`` element with its TeX as annotation, without its number."""
    from latex2mathml.converter import convert_to_element

    from boundcalc.report.html_mending import mended

    if len(_TAG.findall(tex)) > 1:
        raise UnknownTeXError(f"more than one \\tag: {tex}")
    braces = re.findall(r"(?<!\\)[{}]", tex)
    if braces.count("{") != braces.count("}"):
        raise UnknownTeXError(f"braces that do not match: {tex}")
    try:
        math = convert_to_element(_prepared(tex), display="block" if display else "inline")
    except Exception as error:
        raise UnknownTeXError(f"{type(error).__name__}: {tex}") from error
    mended(math[0])
    for element in math.iter():
        _repair(element, tex)
    for element in math.iter():
        _join_upright(element)
        _join_definition(element)
        _hold_accent(element)
    row = math[0]
    math.clear()
    if display:
        math.set("display", "block")
    semantics = SubElement(math, "semantics")
    semantics.append(row)
    SubElement(semantics, "annotation", encoding="application/x-tex").text = tex.strip()
    return tostring(math, encoding="unicode")


def number_of(tex: str) -> str:
    r"""What ``\\tag`` says, or nothing.

    >>> number_of("x \\\\tag{4a}")
    '4a'
    """
    found = _TAG.search(tex)
    return html.escape(found[1]) if found else ""


def _prepared(tex: str) -> str:
    """With environments that latex2mathml knows and stand-ins for delimiters."""
    tex = _TAG.sub("", tex).replace("{aligned}", "{align*}").replace(r"\enspace", r"\;\;")
    tex = tex.replace(r"\{", r"\lbrace ").replace(r"\}", r"\rbrace ")
    return _FENCE.sub(lambda match: _FENCES[match[1]][0], tex).strip()


def _repair(element: Element, tex: str) -> None:
    """One element as MathML Core wants it."""
    text = html.unescape(element.text or "")
    if text.startswith("\\"):
        raise UnknownTeXError(f"{text} is not known: {tex}")
    if text in _SIGNS:
        element.tag = "mo"
        text, form = _SIGNS[text]
        element.set("form", form)
        if "minsize" not in element.attrib:
            element.set("stretchy", "false")
    element.text = text or None
    if element.tag == "mspace" and "width" in element.attrib:
        element.set("width", _SPACES.get(element.attrib["width"], element.attrib["width"]))
    if align := element.attrib.pop("columnalign", None):
        element.set("class", f"cell-{align}")
    if element.attrib.pop("columnspacing", None):
        element.set("class", "equations")
        element.set("displaystyle", "true")
    element.attrib.pop("rowspacing", None)
    if variant := element.attrib.get("mathvariant"):
        _letter(element, variant)


def _letter(element: Element, variant: str) -> None:
    """A script or bold letter as the character that it is; Core has upright letters only."""
    if variant == "normal":
        return
    del element.attrib["mathvariant"]
    name = variant.upper()
    element.text = "".join(_in_alphabet(character, name) for character in element.text or "")


def _in_alphabet(character: str, alphabet: str) -> str:
    """A letter or digit of a mathematical alphabet; some script ones are older characters."""
    if not (character.isascii() and character.isalnum()):
        return character
    kind = "DIGIT" if character.isdigit() else "CAPITAL" if character.isupper() else "SMALL"
    name = unicodedata.name(character).split()[-1]
    for pattern in ("MATHEMATICAL {} {} {}", "{} {} {}"):
        try:
            return unicodedata.lookup(pattern.format(alphabet, kind, name))
        except KeyError:
            continue
    raise UnknownTeXError(f"{character} has no {alphabet.lower()} form")


def _join_definition(element: Element) -> None:
    """``:=`` is one sign."""
    for first, second in pairwise(list(element)):
        if first.text == ":" and second.text == "=" and len(first) == len(second) == 0:
            element.remove(first)
            second.text = ":="


def _hold_accent(element: Element) -> None:
    """A hat of the size of its letter."""
    if element.tag == "mover" and element[-1].text in ("~", "^", "¯"):
        element.set("accent", "true")
        element[-1].set("stretchy", "false")


def _join_upright(element: Element) -> None:
    """``r m s`` set upright is one name, ``rms``."""
    letters = list(element)
    if len(letters) < 2 or element.tag != "mrow":
        return
    if all(e.tag == "mi" and e.get("mathvariant") == "normal" for e in letters):
        name = "".join(e.text or "" for e in letters)
        for letter in letters:
            element.remove(letter)
        SubElement(element, "mi").text = name
