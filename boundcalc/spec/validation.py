"""From a validation error of pydantic's to the problems of a spec, one for each place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel, Tag, ValidationError

from boundcalc.errors import nearest
from boundcalc.spec.findings import Finding, without_other_branches
from boundcalc.spec.places import Trail
from boundcalc.spec.problems import Problem, missing_keys, unknown_key

MAX_PROBLEMS = 1_000  # of one spec that are looked at


def problems_in(error: ValidationError, raw: Any, model: type[BaseModel]) -> list[Problem]:
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
    kept = list(without_other_branches([Finding.of(entry, raw) for entry in entries]))
    result = [_unknown_key(f, model) for f in kept if f.kind == "extra_forbidden"]
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
            result.append(missing_keys(path, keys))
    return list({problem.path: problem for problem in reversed(result)}.values())[::-1]


def _unknown_key(finding: Finding, model: type[BaseModel]) -> Problem:
    models = _models_at(model, finding)
    known = list(dict.fromkeys(key for m in models for key in keys_of(m)))
    hint = next((m.key_hint for m in models if hasattr(m, "key_hint")), None)
    return unknown_key(finding.path, known, hint)


def keys_of(model: type[BaseModel]) -> list[str]:
    """The keys that a section knows, in the order in which it lists them."""
    return [
        info.alias or name
        for name, info in model.model_fields.items()
        if name not in ("parameters", "own")
    ]


def _models_at(model: type[BaseModel], finding: Finding) -> list[type[BaseModel]]:
    """The models that the section of a finding may be of: several in a union without tags."""
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
    """The models in an annotation, each with its tag in a union that has tags."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation, tag
        return
    for extra in getattr(annotation, "__metadata__", ()):
        tag = extra.tag if isinstance(extra, Tag) else tag
    for argument in get_args(annotation):
        yield from _members(argument, tag)
