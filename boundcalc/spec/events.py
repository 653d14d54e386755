"""From text to events, of YAML or of JSON: one at a time, and never recursively."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from boundcalc.errors import SpecError

MAX_DEPTH = 32


class Event(NamedTuple):
    """``{`` ``[`` open, ``.`` closes, ``=`` is a value, ``*`` an alias of an earlier one."""

    kind: str
    line: int
    text: str = ""
    plain: bool = False  # not in quotes
    anchor: str | None = None


def too_deep(where: str) -> SpecError:
    """The error of a section inside too many others."""
    return SpecError(
        "the spec is nested too deeply",
        where=where,
        expected=f"at most {MAX_DEPTH} levels",
        fix="flatten it",
    )


_OPENING = {yaml.MappingStartEvent: "{", yaml.SequenceStartEvent: "["}
_CLOSING = (yaml.MappingEndEvent, yaml.SequenceEndEvent)


def yaml_events(text: str, name: str) -> Iterator[Event]:
    """The events of one YAML document, without tags."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = 0
    event: Any
    try:
        for event in yaml.parse(text, Loader=loader):
            kind = type(event)
            if kind in _CLOSING:
                yield Event(".", 0)
                continue
            line = event.start_mark.line + 1
            if getattr(event, "tag", None) is not None:
                raise SpecError(
                    "tags are not allowed",
                    where=f"{name}:{line}",
                    value=event.tag,
                    expected="plain values",
                    fix="remove it",
                )
            if kind is yaml.ScalarEvent:
                yield Event("=", line, event.value, event.implicit[0], event.anchor)
            elif kind in _OPENING:
                yield Event(_OPENING[kind], line, anchor=event.anchor)
            elif kind is yaml.AliasEvent:
                yield Event("*", line, anchor=event.anchor)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise SpecError(
                        "a second document begins",
                        where=f"{name}:{line}",
                        value="---",
                        expected="one spec",
                        fix="split the file",
                    )
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        column = "" if mark is None else f" (column {mark.column + 1})"
        raise SpecError(
            f"this is not YAML: {reason}{column}",
            where=name if mark is None else f"{name}:{mark.line + 1}",
            expected="`key: value` lines, indented with spaces",
            fix="look at this line and the one above; put text with : # { [ * & in quotes",
        ) from None


_STRING = r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)'
_BRACKET = re.compile(_STRING + r"|[{}\[\]]", re.DOTALL)
_TOKEN = re.compile(_STRING + r'|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


def json_events(text: str, name: str) -> Iterator[Event]:
    """The events of JSON: quoted values lose their escapes, others stay text."""
    depth = 0
    for match in _BRACKET.finditer(text):  # first, as json.loads calls itself for each level
        depth += (match[0] in "{[") - (match[0] in "}]")
        if depth > MAX_DEPTH:
            raise too_deep(f"{name}:{text.count(chr(10), 0, match.start()) + 1}")
    try:
        # For its judgement alone: numbers stay text, and lines are lost in it.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise SpecError(
            f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]} (column {error.colno})",
            where=f"{name}:{error.lineno}",
            expected="JSON: names and text in double quotes, no comments, no comma at an end",
            fix="look at this line and the one above",
        ) from None
    line, seen = 1, 0
    for match in _TOKEN.finditer(text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        word = match[0]
        if word in "{[":
            yield Event(word, line)
        elif word in "}]":
            yield Event(".", line)
        elif word in ("NaN", "Infinity", "-Infinity"):
            raise SpecError(
                "not a finite number",
                where=f"{name}:{line}",
                value=word,
                expected="a finite number",
            )
        elif word[0] == '"':
            yield Event("=", line, json.loads(word))
        elif word not in ",:":
            yield Event("=", line, word, plain=True)
