"""Field types that the spec's models share, and what they say when a value does not fit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Tag,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import ExpressionError, InexactError, nearest
from boundcalc.spec.expressions import DecimalLiteral, Expression, parse

MAX_PROBLEMS = 1_000  # of one spec that are looked at

#: Keys and indices that lead from the top of a spec to a value.
Trail: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True)
class Places:
    """Where the values of a spec stand in its file.

    Two of them always compare equal: a spec is the same wherever it was read from.

    Attributes
    ----------
    name
        The file's name.
    tree
        ``(line, {key or index: tree})`` for a section or list, else the line; None if
        the spec was not read from text.
    """

    name: str | None = field(default=None, compare=False)
    tree: Any = field(default=None, compare=False, repr=False)

    def where(self, path: Trail | str = ()) -> str | None:
        """``file:line: path``, as much of it as is known.

        >>> Places("my.yaml", (1, {"graph": (3, {})})).where("graph.operators[2].id")
        'my.yaml:3: graph.operators[2].id'
        """
        line = self.line(path)
        file = self.name if line is None else f"{self.name}:{line}"
        text = path if isinstance(path, str) else dotted(path)
        parts = [part for part in (file, text) if part]
        return ": ".join(parts) or None

    def line(self, path: Trail | str = ()) -> int | None:
        """The line of the innermost part of the path that stands in the file."""
        if isinstance(path, str):
            path = tuple(
                int(index) if index else key
                for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path)
            )
        line, below = None, self.tree
        for key in (None, *path):
            if key is not None:
                below = below[1].get(key) if isinstance(below, tuple) else None
            if below is None:
                break
            line = below[0] if isinstance(below, tuple) else below
        return line


def dotted(path: Sequence[str | int]) -> str:
    """A path as text.

    >>> dotted(("graph", "operators", 2, "constants", "jac input"))
    "graph.operators[2].constants['jac input']"
    """
    text = ""
    for key in path:
        plain = isinstance(key, str) and re.fullmatch(r"[\w.]+", key)
        text += f".{key}" if plain else f"[{key!r}]"
    return text.removeprefix(".")


class Frozen(BaseModel):
    """A model that cannot be changed, refuses unknown keys, and takes no value for another kind."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _same_kind(cls, value: Any, info: ValidationInfo) -> Any:
        # pydantic would read true as 1, "8" as 8 and "yes" as true.
        if not isinstance(value, bool | str | float | list):
            return value
        kinds = _plain_kinds(cls, info.field_name or "")
        if kinds and not kinds & {bool, str}:
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, bool | str):
                    raise custom_error("not a number", _EXPECTED[max(kinds, key=_width)])
        if kinds == {bool} and not isinstance(value, bool):
            raise custom_error("neither true nor false", "true or false")
        if kinds and isinstance(value, DecimalLiteral):
            exact_value = value.expression.evaluate(RATIONALS)
            whole = float not in kinds and exact_value.denominator == 1
            return int(exact_value) if whole else float(value)
        return value


_EXPECTED = {int: "a whole number", float: "a number"}


def _width(kind: type) -> int:
    return (int, float).index(kind)


@cache
def _plain_kinds(model: type[BaseModel], name: str) -> frozenset[type]:
    """Which of bool, int, float and str a field takes; none if it takes anything else too."""
    found: set[Any] = set()
    stack: list[Any] = [model.model_fields[name].annotation]
    while stack:
        annotation = stack.pop()
        if get_origin(annotation) is Annotated:
            stack.append(get_args(annotation)[0])
        elif get_origin(annotation) is Literal:
            found.update(type(value) for value in get_args(annotation))
        elif get_args(annotation):
            stack.extend(get_args(annotation))
        elif annotation not in (type(None), ...):
            found.add(annotation)
    return frozenset(found) if found <= {bool, int, float, str} else frozenset()


def custom_error(
    problem: str, expected: str | None = None, fix: str | None = None
) -> PydanticCustomError:
    """An error of ours in the form that carries pydantic's location."""
    context = {"problem": problem, "expected": expected, "fix": fix}
    return PydanticCustomError("boundcalc", "{problem}", context)


def refusal(error: ExpressionError) -> PydanticCustomError:
    """An expression's error in the form that carries pydantic's location."""
    return custom_error(error.problem, error.expected, error.fix)


def _number(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    try:
        return parse(value)
    except ExpressionError as error:
        raise refusal(error) from None


def _nonnegative(value: Expression) -> Expression:
    # Expressions over symbols are checked when the symbols have values.
    operation, operand = value.node[0], value.node[1]
    if operation == "number":
        negative = operand < 0
    else:
        negative = operation == "neg" and operand[0] == "symbol"  # symbols stand for sizes
        try:
            negative = negative or (not value.symbols and value.evaluate(RATIONALS) < 0)
        except InexactError:
            pass
        except ExpressionError as error:
            raise refusal(error) from None
    if negative:
        raise custom_error("a negative number", "a number ≥ 0")
    return value


_SCHEMA = WithJsonSchema(
    {
        "anyOf": [{"type": "number"}, {"type": "string", "maxLength": 1000}],
        "description": 'a number, a fraction "1/3", a symbol, or an expression over '
        "symbols, + - * / **, sqrt, exp, log, pi, min, max",
    }
)

#: Any real number or expression.
Real = Annotated[Expression, BeforeValidator(_number), _SCHEMA]

#: A number or expression that must not be negative.
Size = Annotated[Expression, BeforeValidator(_number), AfterValidator(_nonnegative), _SCHEMA]


# What pydantic found, said in the spec's own words.


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a spec, at one place."""

    path: Trail
    problem: str
    value: object = None
    expected: str | None = None
    fix: str | None = None


def problems(error: ValidationError, raw: Any, model: type[BaseModel]) -> list[Problem]:
    """What a validation error says: at most one problem for each place.

    Parameters
    ----------
    error
        What pydantic raised.
    raw
        The data it was given.
    model
        The model it was asked for.
    """
    entries = error.errors(include_url=False, include_input=False)[:MAX_PROBLEMS]
    kept = list(_without_other_branches([_Finding.of(entry, raw) for entry in entries]))
    unknown = [f for f in kept if f.kind == "extra_forbidden"]
    result = [_unknown_key(f, model, raw) for f in unknown]
    absent: dict[Trail, list[str]] = {}
    for finding in kept:
        if finding.kind == "missing":
            absent.setdefault(finding.path, []).append(str(finding.location[-1]))
        elif finding.kind != "extra_forbidden":
            result.append(finding.problem())
    misspelt = {
        (p.path[:-1], nearest(str(p.path[-1]), absent.get(p.path[:-1], [])))
        for p in result
        if p.path
    }
    for path, keys in absent.items():
        keys = [key for key in keys if (path, key) not in misspelt]
        if keys:
            result.append(_missing_keys(path, keys))
    return list({problem.path: problem for problem in reversed(result)}.values())[::-1]


def unknown_key(path: Trail, known: Sequence[str], hint: str | None = None) -> Problem:
    """The problem of a key that is not one of those known."""
    key = str(path[-1])
    close = nearest(key, known)
    listed = "one of " + ", ".join(known) if known else "no keys here"
    fix = f"did you mean {close!r}?" if close else hint
    return Problem(path, f"unknown key {key!r}", None, listed, fix or "remove it")


@dataclass(frozen=True)
class _Finding:
    """One entry of ``ValidationError.errors()``, its location matched with the data."""

    path: Trail  # keys and indices that are in the data
    branch: tuple[Trail, Any] | None  # where a union was tried, and which member of it
    kind: str
    location: Trail
    context: Mapping[str, Any]
    message: str
    value: Any

    @classmethod
    def of(cls, entry: Mapping[str, Any], raw: Any) -> _Finding:
        location, kind = entry["loc"], entry["type"]
        steps = location[:-1] if kind == "missing" else location
        # A location also holds the names of union members, which are not in the data.
        options = list(_readings(steps, raw, (), None))
        if kind == "missing":
            options = [option for option in options if isinstance(option[2], dict)] or options
        if kind == "extra_forbidden":
            options = [o for o in options if o[0][-1:] == location[-1:]] or options
        path, branch, value = max(
            options, key=lambda option: (option[0][-1:] == location[-1:], len(option[0]))
        )
        return cls(path, branch, kind, location, entry.get("ctx", {}), entry["msg"], value)

    def problem(self) -> Problem:
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
        for start, sentence in _SENTENCES.items():
            if self.kind.startswith(start):
                return sentence
        return self.message[:1].lower() + self.message[1:]

    def expectation(self) -> str:
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
                return (
                    f"at least {context['min_length']} {_plural(self.kind, context['min_length'])}"
                )
            case "string_too_long" | "too_long":
                return (
                    f"at most {context['max_length']} {_plural(self.kind, context['max_length'])}"
                )
            case "string_pattern_mismatch":
                return "a letter, then letters, digits or _, at most 40 in all"
        for start, expected in _EXPECTATIONS.items():
            if self.kind.startswith(start):
                return expected
        return self.message[:1].lower() + self.message[1:]


_EXPECTATIONS = {
    "int": "a whole number",
    "finite": "a finite number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "list": "a list",
    "tuple": "a list",
    "dict": "a section: `key: value` pairs",
    "model": "a section: `key: value` pairs",
}
_SENTENCES = {
    "int": "not a whole number",
    "finite": "not a finite number",
    "float": "not a number",
    "bool": "neither true nor false",
    "string": "not text",
    "list": "not a list",
    "tuple": "not a list",
    "dict": "not a section",
    "model": "not a section",
}


def _plural(kind: str, count: int) -> str:
    noun = "character" if kind.startswith("string") else "entr"
    if noun == "entr":
        return "entry" if count == 1 else "entries"
    return noun if count == 1 else noun + "s"


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


def _without_other_branches(findings: list[_Finding]) -> Iterator[_Finding]:
    """Of each union, the findings of the member that came closest to fitting."""
    unions: dict[Trail, dict[Any, list[_Finding]]] = {}
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


def _closeness(findings: list[_Finding]) -> tuple[int, bool, bool, int]:
    depth = max(len(finding.path) for finding in findings)
    fits = not any(finding.other_kind for finding in findings)
    ours = any(finding.kind == "boundcalc" for finding in findings)
    return depth, fits, ours, -len(findings)


def _unknown_key(finding: _Finding, model: type[BaseModel], raw: Any) -> Problem:
    section = model
    models = _models_at(section, finding)
    known = list(dict.fromkeys(key for m in models for key in keys_of(m)))
    hint = next((m.key_hint for m in models if hasattr(m, "key_hint")), None)
    return unknown_key(finding.path, known, hint)


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a section knows, in the order in which it lists them."""
    return [info.alias or name for name, info in model.model_fields.items() if name != "parameters"]


def _models_at(model: type[BaseModel], finding: _Finding) -> list[type[BaseModel]]:
    models = [model]
    for key in finding.path[:-1]:
        if isinstance(key, int):
            continue
        members = [
            member
            for m in models
            for name, info in m.model_fields.items()
            if (info.alias or name) == key
            for member in _members(info.annotation, None)
        ]
        tagged = [m for m, tag in members if tag is not None and tag in finding.location]
        models = tagged or [m for m, _ in members]
    return models


def _members(annotation: Any, tag: str | None) -> Iterator[tuple[type[BaseModel], str | None]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, tag
        return
    for extra in getattr(annotation, "__metadata__", ()):
        tag = extra.tag if isinstance(extra, Tag) else tag
    for argument in get_args(annotation):
        yield from _members(argument, tag)


def _missing_keys(path: Trail, keys: list[str]) -> Problem:
    def listed(names: list[str]) -> str:
        return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))

    plural = len(keys) > 1
    return Problem(
        path,
        f"missing key{'s' if plural else ''} {listed([repr(key) for key in keys])}",
        None,
        f"{listed([f'`{key}:`' for key in keys])}, which {'have' if plural else 'has'} no default",
        "add " + ", ".join(f"`{key}: …`" for key in keys),
    )
