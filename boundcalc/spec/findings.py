"""What pydantic found wrong, one finding at a time, said in the spec's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from boundcalc.errors import nearest
from boundcalc.spec.places import Trail
from boundcalc.spec.problems import Problem, found

#: Start of a kind of pydantic's → what is said of a value, and what is said to be expected.
_WORDS = {
    "int": ("not a whole number", "a whole number"),
    "finite": ("not a finite number", "a finite number"),
    "float": ("not a number", "a number"),
    "bool": ("neither true nor false", "true or false"),
    "string": ("not text", "text"),
    "list": ("not a list", "a list"),
    "tuple": ("not a list", "a list"),
    "dict": ("not a section", "a section: `key: value` pairs"),
    "model": ("not a section", "a section: `key: value` pairs"),
}


@dataclass(frozen=True)
class Finding:
    """One entry of ``ValidationError.errors()``, its location matched with the data."""

    path: Trail  # keys and indices that are in the data
    branch: tuple[Trail, Any] | None  # where a union was tried, and which member of it
    kind: str
    location: Trail
    context: Mapping[str, Any]
    message: str
    value: Any

    @classmethod
    def of(cls, entry: Mapping[str, Any], raw: Any) -> Finding:
        """An entry's finding in the data that was validated."""
        location, kind = entry["loc"], entry["type"]
        steps = location[:-1] if kind == "missing" else location
        # A location also holds the names of union members, which are not in the data.
        options = list(_readings(steps, raw, (), None))
        if kind == "missing":
            options = [option for option in options if isinstance(option[2], dict)] or options
        path, branch, value = max(
            options, key=lambda option: (option[0][-1:] == location[-1:], len(option[0]))
        )
        return cls(path, branch, kind, location, entry.get("ctx", {}), entry["msg"], value)

    def problem(self) -> Problem:
        """What it says, in full."""
        if self.kind == "boundcalc":
            return Problem(
                self.path,
                str(self.context["problem"]),
                found(self.value),
                self.context.get("expected"),
                self.context.get("fix"),
            )
        expected = self.expectation()
        value = self.path[-1] if self.of_key else found(self.value)
        fix = None
        if self.path == ("version",):
            fix = "write version: 1, or use a release that reads this version"
        elif self.kind == "literal_error" and isinstance(self.value, str):
            close = nearest(self.value, re.findall(r"'([^']*)'", expected))
            fix = f"did you mean {close!r}?" if close else None
        if self.kind == "string_type" and isinstance(self.value, bool | int | float):
            fix = f'put it in quotes: "{found(self.value)!r}"'
        return Problem(self.path, self.sentence(), value, expected, fix)

    @property
    def of_key(self) -> bool:
        """Whether it is about a key rather than its value."""
        return self.location[-1:] == ("[key]",)

    @property
    def other_kind(self) -> bool:
        """Whether a value of another kind was wanted altogether."""
        if self.kind == "boundcalc":
            return bool(self.context["problem"] == "not a number")
        if self.kind == "literal_error":
            return not isinstance(self.value, str)
        return self.kind.endswith("_type")

    def sentence(self) -> str:
        """What is wrong."""
        if self.of_key:
            return "not a usable name"
        if self.kind == "literal_error":
            return "not one of the known values"
        if self.kind.startswith(("greater_than", "less_than")):
            return "the number is out of range"
        if self.kind.endswith("too_short"):
            return "this is too short"
        if self.kind.endswith("too_long"):
            return "this is too long"
        return self._words()[0]

    def expectation(self) -> str:
        """What would have been right."""
        context = self.context
        match self.kind:
            case "boundcalc":
                return str(context.get("expected"))
            case "literal_error":
                return str(context["expected"])
            case "greater_than_equal":
                return f"a number ≥ {context['ge']}"
            case "greater_than":
                return f"a number > {context['gt']}"
            case "less_than_equal":
                return f"a number ≤ {context['le']}"
            case "less_than":
                return f"a number < {context['lt']}"
            case "string_too_short" | "too_short":
                return f"at least {_counted(self.kind, context['min_length'])}"
            case "string_too_long" | "too_long":
                return f"at most {_counted(self.kind, context['max_length'])}"
            case "string_pattern_mismatch":
                return "a letter, then letters, digits or _, at most 40 in all"
        return self._words()[1]

    def _words(self) -> tuple[str, str]:
        said = self.message[:1].lower() + self.message[1:]  # by pydantic itself
        return next((w for start, w in _WORDS.items() if self.kind.startswith(start)), (said, said))


def _counted(kind: str, count: int) -> str:
    one, many = ("character", "characters") if kind.startswith("string") else ("entry", "entries")
    return f"{count} {one if count == 1 else many}"


def _readings(
    steps: Trail, raw: Any, path: Trail, branch: tuple[Trail, Any] | None
) -> Iterator[tuple[Trail, tuple[Trail, Any] | None, Any]]:
    """Every way to read a location: each step is in the data, or names a union's member."""
    if not steps:
        yield path, branch, raw
        return
    step, rest = steps[0], steps[1:]
    inside = (isinstance(raw, dict) and step in raw) or (
        isinstance(raw, list | tuple) and isinstance(step, int) and 0 <= step < len(raw)
    )
    if inside:
        yield from _readings(rest, raw[step], (*path, step), branch)
    if not inside or isinstance(step, str):
        yield from _readings(rest, raw, path, branch or (path, step))


def without_other_branches(findings: list[Finding]) -> Iterator[Finding]:
    """Of each union, the findings of the member that came closest to fitting."""
    unions: dict[Trail, dict[Any, list[Finding]]] = {}
    for finding in findings:
        if finding.branch is None:
            yield finding
        else:
            place, member = finding.branch
            unions.setdefault(place, {}).setdefault(member, []).append(finding)
    for members in unions.values():
        ranked = sorted(members.values(), key=_closeness, reverse=True)
        closest = ranked[0]
        if all(len(other) == 1 and other[0].other_kind for other in ranked):
            wanted = dict.fromkeys(
                other[0].expectation() for other in ranked if other[0].path == closest[0].path
            )
            context = {"problem": "not of a kind that fits here", "expected": ", or ".join(wanted)}
            if len(wanted) > 1:
                closest = [replace(closest[0], kind="boundcalc", context=context)]
        yield from closest


def _closeness(findings: list[Finding]) -> tuple[int, bool, bool, int]:
    depth = max(len(finding.path) for finding in findings)
    fits = not any(finding.other_kind for finding in findings)
    ours = any(finding.kind == "boundcalc" for finding in findings)
    return depth, fits, ours, -len(findings)
