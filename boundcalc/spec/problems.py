"""What is wrong with a spec: one plain message, at one place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from boundcalc.errors import SpecError, nearest
from boundcalc.spec.places import Places, Trail


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a spec, at one place."""

    path: Trail
    problem: str
    value: object = None
    expected: str | None = None
    fix: str | None = None


@dataclass(frozen=True)
class Described:
    """What stands in a message for a value that is too long, or not worth, to repeat."""

    text: str

    def __repr__(self) -> str:
        return self.text


def found(value: Any) -> object:
    """A value as a message repeats it."""
    if isinstance(value, dict):
        return Described("a section" if value else "an empty section")
    if isinstance(value, list | tuple):
        return Described(f"a list of {len(value)}")
    if value is None:
        return Described("nothing")
    return Described(str(value).lower()) if isinstance(value, bool) else value


def unknown_key(path: Trail, known: Sequence[str], hint: str | None = None) -> Problem:
    """The problem of a key that is not one of those known."""
    key = str(path[-1])
    close = nearest(key, known)
    listed = "one of " + ", ".join(known) if known else "no keys here"
    fix = f"did you mean {close!r}?" if close else hint
    return Problem(path, f"unknown key {key!r}", None, listed, fix or "remove it")


def missing_keys(path: Trail, keys: Sequence[str]) -> Problem:
    """The problem of keys that a section must have."""
    plural = len(keys) > 1
    return Problem(
        path,
        f"missing key{'s' if plural else ''} {_listed([repr(key) for key in keys])}",
        None,
        f"{_listed([f'`{key}:`' for key in keys])}, which {'have' if plural else 'has'} no default",
        "add " + ", ".join(f"`{key}: …`" for key in keys),
    )


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def as_error(wrong: Sequence[Problem], where: Places | Callable[[Trail], str]) -> SpecError:
    """The first problem in the order of the file, and how many more there are."""
    if isinstance(where, Places):
        first = min(wrong, key=lambda problem: where.line(problem.path) or 0)
        place = where.where(first.path)
    else:
        first = wrong[0]
        place = where(first.path)
    more = len(wrong) - 1
    number = "over 100" if more > 100 else more
    tail = f" (and {number} more problem{'s' if more > 1 else ''})" if more else ""
    return SpecError(
        first.problem + tail,
        where=place,
        value=first.value,
        expected=first.expected,
        fix=first.fix,
    )
