from __future__ import annotations

import re
from typing import Any

import html_cases
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from boundcalc.arithmetic import Status
from boundcalc.errors import BoundcalcError
from boundcalc.report.cells import (
    Bullets,
    Code,
    Column,
    Equation,
    Figure,
    Mark,
    Maths,
    Paragraph,
    Strong,
    Table,
    Theorem,
    Value,
)
from boundcalc.report.html import escaped, html, text
from boundcalc.report.html_blocks import block_html, heads, sort_key

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!--",
    "]]>",
    "&lt;b&gt; &amp; &#60;",
    "\\input{/etc/passwd} $x$ %",
    "\u202egnp.exe",
    "\u05e9\u05dc\u05d5\u05dd < abc",
    "a\x00b\x1bc\ufeffd\u200be",
    "\ud800",
    "x" * 10_000,
)
PLACES = ("piece", "code", "strong", "mark", "value", "caption", "title", "cell", "theorem", "item")


def put(place: str, name: str) -> Any:
    """A name from a spec at one of the places where a report prints it."""
    cell = (Code(name), " → ", name)
    table = Table((name,), (Column(name, 3.0), Column("n")), ((cell, Value("1")),), (name,))
    return {
        "piece": name,
        "code": Code(name),
        "strong": Strong((name, Code(name))),
        "mark": Mark("holds", name),
        "value": Value(name, Status.PROVED, name),
        "caption": table,
        "title": Table("t", (Column((name, Code(name)), 3.0),), (("a",),)),
        "cell": Table("t", (Column("a", 3.0),), ((cell,),)),
        "theorem": Theorem(name, (Paragraph(name),), proved=False),
        "item": Bullets((name, (Strong(name), name))),
    }[place]


def shown(place: str, name: str) -> str:
    content = put(place, name)
    return str(block_html(content) if hasattr(content, "kind") else html(content))


def skeleton(page: str) -> list[tuple[str, tuple[str, ...]]]:
    """Elements and attributes, less those that a harmless name may have as well."""
    allowed = {"code": {"title"}, "th": {"data-sort"}, "td": {"data-sort"}}
    return [
        (tag, tuple(name for name in names if name not in allowed.get(tag, ())))
        for tag, names in html_cases.tags(page)
        if tag not in ("bdi", "wbr")
    ]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_element_from_a_name(place: str, name: str) -> None:
    assert skeleton(shown(place, "harmless")) == skeleton(shown(place, name))


@given(st.text(min_size=1, max_size=200), st.sampled_from(PLACES))
@example("<p title=\"'", "code")
def test_any_text_adds_nothing(name: str, place: str) -> None:
    assert skeleton(shown(place, "a")) == skeleton(shown(place, name))


@given(st.text(st.characters(blacklist_categories=("C", "Z")), max_size=300))
def test_visible_text_survives(name: str) -> None:
    assert html_cases.tree(text(name)).text == name
    assert html_cases.tree(str(html(Strong(name)))).text == name


@given(st.text(st.characters(blacklist_categories=("C", "Z")), max_size=60))
@example("block.12_a--b")
def test_places_to_break_do_not_change_a_name(name: str) -> None:
    assert html_cases.tree(str(html(Code(name)))).text == name
    runs = re.split("<wbr>|[._:+*),-]", str(html(Code("x" * 50 + ".y-z"))))
    assert max(map(len, runs)) <= 24 + len("<code><bdi>")


@given(st.text(max_size=100))
def test_attributes_hold_one_text(name: str) -> None:
    element = html_cases.one(html_cases.tree(f'<p title="{escaped(name)}"></p>'), "p")
    assert list(element.attributes) == ["title"]
    found = element.attributes["title"] or ""
    assert all(c.isprintable() or c == "\u00a0" for c in found)
    assert [c for c in found if c in "<>&\"'"] == [c for c in name if c in "<>&\"'"]


def test_no_sign_that_turns_the_line() -> None:
    for sign in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f":
        assert sign not in html(("a", Code(f"b{sign}c"), f"d{sign}e"))
        assert f"[U+{ord(sign):04X}]" in html(f"d{sign}e")


def test_what_runs_from_the_right_is_by_itself() -> None:
    assert html("\u05e9\u05dc") == "<bdi>\u05e9\u05dc</bdi>"
    assert html("abc") == "abc"


@pytest.mark.parametrize("status", list(Status))
def test_statuses_are_words(status: Status) -> None:
    found = html_cases.one(html_cases.tree(str(html(Value("1", status)))), "abbr")
    assert found.attributes["title"] == str(status)
    assert found.text == str(status)[0]


def test_a_number_without_status_has_no_letter() -> None:
    assert html_cases.tree(str(html(Value("1/3")))).text == "1/3"
    assert html_cases.tree(str(html(Value("0.3", Status.PROVED, "1/3")))).text == "0.3 (1/3)p"


def test_marks_are_sign_and_word() -> None:
    texts = {o: html_cases.tree(str(html(Mark(o, "word")))).text for o in ("holds", "violated")}
    assert texts == {"holds": "✓ word", "violated": "✗ word"}
    assert html_cases.tree(str(html(Mark("undetermined", "word")))).text == "? word"


def test_templates_print_nothing_else() -> None:
    for thing in (1, None, {"a": 1}, [], object()):
        with pytest.raises(BoundcalcError, match="not content"):
            html(thing)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (Value("0.5"), "5e-1"),
        (Value("1e-9", Status.PROVED), "1e-9"),
        (Value("-2.50"), "-2.5e0"),
        (Value("1.76e+6"), "1.76e6"),
        (Value("1.3e+1088"), "1.3e1088"),
        (Value("∞"), "Infinity"),
        (Value("−∞"), "-Infinity"),
        (Value("0"), "0e0"),
        (Value("–"), ""),
        (Value("not a number"), ""),
        ((Value("[0.1234,"), " ", Value("0.2]", Status.SAMPLED)), "1.234e-1"),
        (Strong(Value("12")), "1.2e1"),
        (Strong((Value("12"), "x")), "1.2e1"),
        ("3000", "3e3"),
        ("3 000", "3e3"),
        ("99.9%", "9.99e1"),
        ("3 00", ""),
        ("T = 5", ""),
        ("1.2.3", ""),
        (Maths("16"), "1.6e1"),
        (Maths("x_1"), ""),
        (Code("17"), ""),
        ("", ""),
        ((), ""),
    ],
)
def test_sort_keys(content: Any, key: str) -> None:
    assert key == sort_key(content)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_sort_keys_are_the_numbers(x: float) -> None:
    assert float(sort_key(Value(repr(x)))) == x


def test_empty_first_cells_repeat_the_name_above() -> None:
    rows = (("a", "1"), ("", "2"), ("", "3"), (Code("b"), "4"), ("", "5"))
    table = Table("t", (Column("x", 2.0), Column("y")), rows)
    assert heads(table) == ("", "a", "a", "", Code("b"))
    root = html_cases.tree(block_html(table))
    names = [e.text for e in root.all("th") if e.attributes.get("scope") == "row"]
    assert names == ["a", "a", "a", "b", "b"]


def test_a_block_by_itself_has_no_name_and_no_button() -> None:
    blocks = (
        Table("t", (Column("a", 2.0), Column("b")), (("x", Value("1")),), ("r",)),
        Equation((r"a &= b", r"&\le c")),
        Theorem("n", (Equation((r"a &= b",)),), proved=True),
    )
    for block in blocks:
        found = html_cases.tree(block_html(block))
        assert not [e for e in found.all() if "id" in e.attributes or e.tag == "button"]
    assert block_html(Figure("graph", "caption")) == ""
