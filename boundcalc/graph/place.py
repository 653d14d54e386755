"""Perturbation sections with their models made and their places found, before sizes are known."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from boundcalc.errors import SpecError, nearest
from boundcalc.graph.connect import Links
from boundcalc.graph.ranges import UNBOUNDED, Range, stated_range
from boundcalc.graph.substitute import with_symbols
from boundcalc.operators.base import ZERO
from boundcalc.perturbations.base import Distribution
from boundcalc.perturbations.schedules import Schedule, from_keys
from boundcalc.perturbations.transform import Transform
from boundcalc.spec.expressions import Expression
from boundcalc.spec.loading import library_object
from boundcalc.spec.model import PerturbationSection, Spec


@dataclass(frozen=True)
class Placed:
    """A perturbation section with its model and its places.

    Attributes
    ----------
    distribution, transform
        The model: noise that looks at nothing, or a change of the value; None of both
        where the section gives moments.
    forward
        Numbers of the operators after which it acts.
    backward
        Numbers of the edges along which it acts.
    largest
        The largest size of a component of what is added; infinite if that is unbounded or
        unknown.  That of a transform depends on the site.
    stated
        Where the section says that the value lies which a transform is given.
    """

    section: PerturbationSection
    where: str
    distribution: Distribution | None
    schedule: Schedule
    forward: tuple[int, ...] = ()
    backward: tuple[int, ...] = ()
    largest: float = math.inf
    transform: Transform | None = None
    stated: Range = UNBOUNDED


def place(
    spec: Spec,
    links: Links,
    distributions: Mapping[str, type[Distribution]],
    transforms: Mapping[str, type[Transform]],
    values: Mapping[str, float],
) -> list[Placed]:
    """Every perturbation section, its model and places.

    Raises
    ------
    SpecError
        For an unknown operator or model, moments and a model at once, or keys that nothing
        would use.
    """
    sites = Sites(links)
    placed = []
    for index, section in enumerate(spec.perturbations):
        where = f"perturbations[{index}]"
        _check_keys(section, where, [*distributions, *transforms])
        item = Placed(section, where, None, _schedule(section, where))
        try:
            if section.model is not None and section.model in transforms:
                item = _transforming(item, transforms[section.model], spec)
            else:
                _check_transform_keys(section, where, transforms)
                item = _adding(item, distributions, spec, values)
        except SpecError as error:
            raise _within(error, where) from None
        forward, backward = sites.of(section, where)
        placed.append(replace(item, forward=forward, backward=backward))
    return placed


def at_sites(
    placed: Sequence[Placed], direction: str, last: int
) -> dict[int, list[tuple[int, Placed]]]:
    """By operator or edge: position and section of everything that acts there, in order.

    Parameters
    ----------
    direction
        ``forward`` or ``backward``.
    last
        The loss, whose output is perturbed to no effect: it is left out.
    """
    found: dict[int, list[tuple[int, Placed]]] = {}
    for position, item in enumerate(placed):
        numbers = item.forward if direction == "forward" else item.backward
        for number in numbers:
            if direction == "backward" or number != last:
                found.setdefault(number, []).append((position, item))
    return found


def _within(error: SpecError, where: str) -> SpecError:
    """The error at its place in the section, unless it names that already."""
    if error.where is not None and error.where.startswith(where):
        return error
    located = error.located(where)
    assert isinstance(located, SpecError)  # noqa: S101 - located() keeps the class
    return located


def _adding(
    item: Placed,
    distributions: Mapping[str, type[Distribution]],
    spec: Spec,
    values: Mapping[str, float],
) -> Placed:
    """With its law, if it has one, and what that adds at most."""
    section = item.section
    if section.model is None:
        nothing = section.rms is not None and section.rms.node == ZERO.node
        return replace(item, largest=0.0 if nothing else math.inf)
    law = library_object(distributions[section.model], section.parameters, item.where, spec.symbols)
    law.check(values)
    return replace(item, distribution=law, largest=law.largest(values))


def _transforming(item: Placed, chosen: type[Transform], spec: Spec) -> Placed:
    """With its transform, on numbers instead of symbols, and where its value is said to lie."""
    transform = library_object(chosen, item.section.parameters, item.where, spec.symbols)
    transform = with_symbols(transform, spec.symbol_values)
    for name, value in transform:
        entries = value if isinstance(value, tuple) else (value,)
        for entry in entries:
            if isinstance(entry, Expression) and entry.symbols:
                raise SpecError(
                    "a model that transforms the value needs numbers",
                    where=f"{item.where}.{chosen.model_fields[name].alias or name}",
                    value=entry.source,
                    expected="a value for " + ", ".join(sorted(entry.symbols)),
                    fix="give the symbol a value under `symbols`",
                )
    transform.check()
    stated = stated_range(item.section.reach, spec.symbol_values, f"{item.where}.reach")
    return replace(item, transform=transform, stated=stated)


def _schedule(section: PerturbationSection, where: str) -> Schedule:
    keys = {name: getattr(section, name) for name in ("every", "steps", "first", "last")}
    try:
        return from_keys({name: value for name, value in keys.items() if value is not None})
    except SpecError as error:
        raise error.located(where) from None


def _check_keys(section: PerturbationSection, where: str, models: Sequence[str]) -> None:
    """Refuse a section that says too little, or two things at once."""
    _check_dependence(section, where)
    moments = {name: getattr(section, name) for name in ("rms", "mean", "fourth")}
    given = [name for name, value in moments.items() if value is not None]
    if section.model is None:
        if section.rms is None:
            raise SpecError(
                "a perturbation without a size",
                where=where,
                value=", ".join(given) or "neither `rms` nor `model`",
                expected="`rms` (with `mean` and `fourth`), or a `model`",
                fix="add rms: NUMBER, or model: " + " | ".join(sorted(models)),
            )
    elif given:
        raise SpecError(
            "a perturbation is given by moments and by a model at once",
            where=where,
            value=", ".join([*given, "model"]),
            expected="one or the other",
            fix="remove `" + "`, `".join(given) + "`: the model's moments are computed exactly",
        )
    elif section.model not in models:
        close = nearest(section.model, models)
        raise SpecError(
            "unknown perturbation model",
            where=f"{where}.model",
            value=section.model,
            expected="one of " + ", ".join(sorted(models)),
            fix=f"did you mean {close!r}?" if close else "leave `model` out and give `rms`",
        )


def _check_dependence(section: PerturbationSection, where: str) -> None:
    """Refuse a statement that nothing would use."""
    if section.dependence is None:
        return
    backward = section.pass_ == "backward"  # noqa: S105 - a pass of the chain
    if backward or section.model is not None:
        raise SpecError(
            "`dependence` of a backward perturbation"
            if backward
            else "`dependence` of a perturbation with a model",
            where=f"{where}.dependence",
            value=section.dependence,
            expected="no such key: only how forward perturbations depend on each other matters"
            if backward
            else "no such key: the model knows it",
            fix="remove `dependence`",
        )


def _check_transform_keys(
    section: PerturbationSection, where: str, transforms: Mapping[str, type[Transform]]
) -> None:
    """Refuse what only a model that transforms the value would read."""
    for key in ("reach", "memory"):
        if getattr(section, key) is not None:
            known = " | ".join(sorted(transforms))
            raise SpecError(
                f"`{key}` of a perturbation that is added without looking at the value",
                where=f"{where}.{key}",
                value=section.model or "moments",
                expected=f"`{key}` only with a model that transforms the value",
                fix=f"remove `{key}`" + (f", or use model: {known}" if known else ""),
            )


class Sites:
    """Operators and edges of a graph by what ``at`` calls them."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._numbers = {entry.id: v for v, entry in enumerate(links.entries, 1)}

    def of(
        self, section: PerturbationSection, where: str
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The operators or the edges that a section names, in its order."""
        forward: list[int] = []
        backward: list[int] = []
        for name in section.sites:
            numbers = self._named(name)
            if numbers and section.pass_ == "forward":  # noqa: S105 - a pass of the chain
                forward.extend(numbers)
            elif numbers:
                for v in numbers:
                    backward.extend(dict.fromkeys(self._links.slots[v]))
            else:
                backward.append(self._edge(name, section, where))
        return tuple(dict.fromkeys(forward)), tuple(dict.fromkeys(backward))

    def _named(self, name: str) -> list[int]:
        """The operator of this id, or all whose ids match the pattern, as ``block.*``."""
        if name in self._numbers:
            return [self._numbers[name]]
        if "*" in name and "->" not in name:
            return [v for known, v in self._numbers.items() if fnmatchcase(known, name)]
        return []

    def _edge(self, name: str, section: PerturbationSection, where: str) -> int:
        source, arrow, target = (part.strip() for part in name.partition("->"))
        u, v = self._numbers.get(source), self._numbers.get(target)
        reads = self._links.reads[v] if v is not None else ()
        if arrow and u in reads and v is not None and u is not None:
            if section.pass_ == "backward":  # noqa: S105 - as above
                return self._links.slots[v][reads.index(u)]
            raise SpecError(
                "a forward perturbation on an edge",
                where=f"{where}.at",
                value=name,
                expected=f"an operator, such as {source!r}",
                fix="a forward perturbation is added to an operator's output",
            )
        ids = [entry.id for entry in self._links.entries[:10_000]]
        close = nearest(name, ids)
        raise SpecError(
            "a perturbation at an unknown operator",
            where=f"{where}.at",
            value=name,
            expected="the id of an operator; a repeated one is called id.1, id.2, …",
            fix=f"did you mean {close!r}?" if close else "the ids are " + ", ".join(ids[:12]),
        )
