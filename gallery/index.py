"""The gallery's index: thumbnails by topic, and all entries by kind."""

from __future__ import annotations

import re
from collections.abc import Mapping

from gallery.base import Entry
from gallery.page import KINDS, cell
from gallery.registry import TOPICS, Found


def index(entries: Mapping[str, tuple[Found, Entry]], checks: int) -> str:
    """The page ``index.md``.

    Parameters
    ----------
    entries
        Slug → entry, in the order of the topics.
    checks
        How many numbers are compared in all.
    """
    parts = [
        "# Gallery",
        f"{len(entries)} statements, each with its setting, its spec and the numbers that it "
        f"states: {checks} numbers, computed by boundcalc and compared with what the statement "
        "says when this page was made. Every entry is one short file, which is also a test. "
        "`python -m gallery` in a checkout lists and runs them.",
        _kinds(entries),
    ]
    entries = dict(sorted(entries.items(), key=lambda item: place(item[1][1])))
    order: list[str] = []
    for topic, (heading, text) in TOPICS.items():
        own = [(found, entry) for found, entry in entries.values() if found.topic == topic]
        if own:
            parts += [f"## {heading}", text, _grid(own)]
        order += [found.slug for found, _ in own]
    parts += ["## By kind", *_lists(entries), _contents(order)]
    return "\n\n".join(parts) + "\n"


def place(entry: Entry) -> tuple[int, ...]:
    """By the number of the statement: those of other papers first.

    >>> from gallery.theorems import independence, published_error
    >>> place(independence.ENTRY), place(published_error.ENTRY)
    ((4, 13), ())
    """
    kinds = "Theorem|Lemma|Proposition|Corollary"
    number = re.search(rf"(?:{kinds})s? (\d+)\.(\d+)", entry.theorem)
    return tuple(map(int, number.groups())) if number else ()


def _kinds(entries: Mapping[str, tuple[Found, Entry]]) -> str:
    rows = ["| kind | what it says | entries |", "|---|---|---:|"]
    for kind, meaning in KINDS.items():
        count = sum(entry.kind == kind for _, entry in entries.values())
        rows.append(f"| [{kind}](#{kind}) | {meaning} | {count} |" if count else "")
    return "\n".join(row for row in rows if row)


def _grid(entries: list[tuple[Found, Entry]]) -> str:
    cards = "\n".join(
        "\n".join(
            (
                f"````{{grid-item-card}} {entry.title}",
                f":link: {found.slug}",
                ":link-type: doc",
                f":img-top: images/{found.slug}-small.png",
                ":img-alt:",
                "",
                f"{entry.theorem} · *{entry.kind}*",
                "````",
            )
        )
        for found, entry in entries
    )
    return f"`````{{grid}} 1 2 3 3\n:gutter: 3\n\n{cards}\n`````"


def _lists(entries: Mapping[str, tuple[Found, Entry]]) -> list[str]:
    lists = []
    for kind, meaning in KINDS.items():
        own = [(slug, entry) for slug, (_, entry) in entries.items() if entry.kind == kind]
        if own:
            rows = [f"| [{cell(e.title)}]({slug}.md) | {cell(e.theorem)} |" for slug, e in own]
            head = ["| entry | statement |", "|---|---|"]
            lists += [f"### {kind}", f"{meaning[0].upper()}{meaning[1:]}.", "\n".join(head + rows)]
    return lists


def _contents(slugs: list[str]) -> str:
    return "\n".join(("```{toctree}", ":hidden:", "", *slugs, "```"))
