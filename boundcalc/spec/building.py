"""From events to plain data with the line of every value, its size bounded as it grows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from boundcalc.errors import SpecError
from boundcalc.spec.events import MAX_DEPTH, Event, too_deep
from boundcalc.spec.places import dotted
from boundcalc.spec.problems import Described
from boundcalc.spec.scalars import check_length, scalar

MAX_VALUES = 200_000  # after aliases are written out


def built(events: Iterable[Event], name: str) -> tuple[Any, Any]:
    """Plain data, and the same tree of lines; see :class:`~boundcalc.spec.places.Places`."""
    builder = _Builder(name)
    for event in events:
        builder.take(event)
    return builder.result.value, builder.result.lines


class _Ended(NamedTuple):
    """A value that has ended: what an anchor stands for."""

    value: Any
    lines: Any
    values: int = 1  # that it consists of
    height: int = 0


class _Open:
    """A section or list whose end has not come yet."""

    __slots__ = ("anchor", "before", "height", "items", "key", "line", "lines")

    def __init__(self, items: Any, line: int, anchor: str | None, before: int) -> None:
        self.items = items  # a dict or a list
        self.line = line
        self.anchor = anchor
        self.before = before  # how many values came before it
        self.lines: dict[Any, Any] = {}
        self.key: tuple[str, int] | None = None  # of the value that comes next, and its line
        self.height = 1

    def put(self, value: _Ended) -> None:
        lines = value.lines
        if self.key is None:
            self.lines[len(self.items)] = lines
            self.items.append(value.value)
        else:
            key, line = self.key
            self.lines[key] = (line, lines[1]) if isinstance(lines, tuple) else line
            self.items[key] = value.value
            self.key = None
        self.height = max(self.height, value.height + 1)


class _Builder:
    """What has been read so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.open: list[_Open] = []  # the innermost last
        self.anchors: dict[str, _Ended | None] = {}
        self.count = 0
        self.result = _Ended(None, None)

    def take(self, event: Event) -> None:
        top = self.open[-1] if self.open else None
        if event.kind == ".":
            self._end(self.open.pop())
        elif top is not None and top.key is None and isinstance(top.items, dict):
            self._check_key(event, top)
            top.key = (event.text, event.line)
            if event.anchor is not None:
                self.anchors[event.anchor] = _Ended(event.text, event.line)
        elif event.kind == "=":
            self.count += 1
            self._put(self._scalar(event), event.line, event.anchor)
        elif event.kind == "*":
            value = self._alias(event)
            self.count += value.values
            self._put(value, event.line)
        else:
            self._begin(event)

    def _begin(self, event: Event) -> None:
        self._check_depth(1, event.line)
        if event.anchor is not None:
            self.anchors[event.anchor] = None  # until it ends, an alias of it would hold itself
        items: Any = {} if event.kind == "{" else []
        self.open.append(_Open(items, event.line, event.anchor, self.count))
        self.count += 1

    def _end(self, ended: _Open) -> None:
        lines = (ended.line, ended.lines)
        value = _Ended(ended.items, lines, self.count - ended.before, ended.height)
        self._put(value, ended.line, ended.anchor)

    def _put(self, value: _Ended, line: int, anchor: str | None = None) -> None:
        if self.count > MAX_VALUES:
            raise SpecError(
                "the spec has too many values",
                where=self._where(line),
                expected=f"at most {MAX_VALUES} once aliases are written out",
                fix="use `repeat`",
            )
        if anchor is not None:
            self.anchors[anchor] = value
        if self.open:
            self.open[-1].put(value)
        else:
            self.result = value

    def _scalar(self, event: Event) -> _Ended:
        try:
            return _Ended(scalar(event.text, event.plain), event.line)
        except SpecError as error:
            raise error.located(self._where(event.line)) from None

    def _alias(self, event: Event) -> _Ended:
        anchor = event.anchor or ""
        value = self.anchors.get(anchor)
        if value is None:
            inside = anchor in self.anchors
            raise SpecError(
                "an alias inside itself" if inside else "an alias of nothing",
                where=self._where(event.line),
                value=f"*{anchor}",
                expected="the alias of a value that has ended",
                fix="write it out" if inside else f"put &{anchor} before an earlier value",
            )
        self._check_depth(value.height, event.line)
        return value

    def _check_key(self, event: Event, top: _Open) -> None:
        text = event.text
        if event.kind != "=":
            raise SpecError(
                "a key is not text",
                where=self._where(event.line),
                expected="`key: value`",
                fix="put the key in quotes",
            )
        if event.plain and text == "<<":
            raise SpecError(
                "merge keys are not allowed",
                where=self._where(event.line),
                value="<<",
                expected="`key: value`",
                fix="write the keys out, or give the whole section as an alias",
            )
        if text in top.items:
            first = top.lines[text]
            first = first[0] if isinstance(first, tuple) else first
            raise SpecError(
                f"the key {text!r} occurs twice",
                where=self._where(event.line),
                value=Described(f"on lines {first} and {event.line}"),
                expected="every key once",
                fix="remove one of the two, or rename it",
            )
        try:
            check_length(text)
        except SpecError as error:
            raise error.located(self._where(event.line)) from None

    def _check_depth(self, height: int, line: int) -> None:
        if len(self.open) + height > MAX_DEPTH:
            raise too_deep(f"{self.name}:{line}")

    def _where(self, line: int) -> str:
        path = [
            o.key[0] if o.key else len(o.items)
            for o in self.open
            if o.key or isinstance(o.items, list)
        ]
        return ": ".join(part for part in (f"{self.name}:{line}", dotted(path)) if part)
