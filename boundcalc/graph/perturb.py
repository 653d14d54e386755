"""Perturbation sections become perturbations at sites of the graph."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from boundcalc.errors import SpecError, nearest
from boundcalc.graph.connect import Links
from boundcalc.graph.model import OperatorGraph
from boundcalc.graph.parts import Node, Perturbation
from boundcalc.operators.base import ZERO
from boundcalc.perturbations.base import Distribution
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.schedules import Schedule, from_keys
from boundcalc.perturbations.vector import vector_moments
from boundcalc.spec.expressions import Expression, root
from boundcalc.spec.loading import library_object
from boundcalc.spec.model import PerturbationSection, Spec


@dataclass(frozen=True)
class Placed:
    """A perturbation section with its model made and its places found, before sizes are known.

    Attributes
    ----------
    forward
        Numbers of the operators after which it acts.
    backward
        Numbers of the edges along which it acts.
    largest
        The largest size of a component; infinite if that is unbounded or unknown.
    """

    section: PerturbationSection
    where: str
    distribution: Distribution | None
    schedule: Schedule
    forward: tuple[int, ...]
    backward: tuple[int, ...]
    largest: float


def place(
    spec: Spec,
    links: Links,
    distributions: Mapping[str, type[Distribution]],
    values: Mapping[str, float],
) -> list[Placed]:
    """Every perturbation section, its model and places.

    Raises
    ------
    SpecError
        For an unknown operator or model, or moments and a model at once.
    """
    sites = Sites(links)
    placed = []
    for index, section in enumerate(spec.perturbations):
        where = f"perturbations[{index}]"
        distribution = _distribution(section, where, distributions, spec)
        largest = math.inf
        if distribution is not None:
            try:
                distribution.check(values)
                largest = distribution.largest(values)
            except SpecError as error:
                raise error.located(where) from None
        elif section.rms is not None and section.rms.node == ZERO.node:
            largest = 0.0
        schedule = _schedule(section, where)
        forward, backward = sites.of(section, where)
        placed.append(Placed(section, where, distribution, schedule, forward, backward, largest))
    return placed


def amplitudes(placed: Sequence[Placed]) -> dict[int, float]:
    """By operator: the largest size of a component of everything added to its output."""
    found: dict[int, float] = {}
    for item in placed:
        for number in item.forward:
            found[number] = found.get(number, 0.0) + item.largest
    return found


def make_perturbations(
    placed: Sequence[Placed], graph: OperatorGraph
) -> tuple[tuple[Perturbation, ...], list[str]]:
    """All perturbations, one per site, and remarks on how they were read."""
    made: list[Perturbation] = []
    notes: list[str] = []
    for item in placed:
        for number in item.forward:
            node = graph.nodes[number - 1]
            made.append(_at_site(item, number, 0, node.outputs, node.operator is None, node, notes))
            if number == graph.size:
                notes.append(
                    f"{item.where}: a forward perturbation at {node.id} never reaches the gradient"
                )
        for edge in item.backward:
            u, v = graph.ends[edge]
            node = graph.nodes[v - 1]
            size = graph.nodes[u - 1].outputs if u else node.inputs
            made.append(_at_site(item, v, edge, size, node.operator is None, node, notes))
            if not u:
                notes.append(
                    f"{item.where}: a backward perturbation at {node.id} never reaches the gradient"
                )
    return tuple(made), list(dict.fromkeys(notes))


def _schedule(section: PerturbationSection, where: str) -> Schedule:
    keys = {name: getattr(section, name) for name in ("every", "steps", "first", "last")}
    try:
        return from_keys({name: value for name, value in keys.items() if value is not None})
    except SpecError as error:
        raise error.located(where) from None


def _distribution(
    section: PerturbationSection,
    where: str,
    distributions: Mapping[str, type[Distribution]],
    spec: Spec,
) -> Distribution | None:
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
                fix="add rms: NUMBER, or model: " + " | ".join(sorted(distributions)),
            )
        return None
    if given:
        raise SpecError(
            "a perturbation is given by moments and by a model at once",
            where=where,
            value=", ".join([*given, "model"]),
            expected="one or the other",
            fix="remove `" + "`, `".join(given) + "`: the model's moments are computed exactly",
        )
    if section.model not in distributions:
        close = nearest(section.model, distributions)
        raise SpecError(
            "unknown perturbation model",
            where=f"{where}.model",
            value=section.model,
            expected="one of " + ", ".join(sorted(distributions)),
            fix=f"did you mean {close!r}?" if close else "leave `model` out and give `rms`",
        )
    return library_object(distributions[section.model], section.parameters, where, spec.symbols)


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


def _at_site(
    item: Placed,
    site: int,
    edge: int,
    size: int,
    sized_by_us: bool,
    node: Node,
    notes: list[str],
) -> Perturbation:
    section, distribution, where = item.section, item.distribution, item.where
    rms, mean, fourth = section.rms, section.mean, section.fourth
    moments = None
    if distribution is not None:
        try:
            moments = vector_moments(distribution.moments(), size, section.probability)
        except SpecError as error:
            raise error.located(f"{where}.probability") from None
        if sized_by_us:
            notes.append(f"{where}: read as a perturbation of {size} component(s) at {node.id}")
    else:
        if mean is None:
            mean = rms
            notes.append(f"{where}: no mean given, so it is taken as large as the rms allows")
        if section.probability is not None:
            rms, mean, fourth = _thinned(rms, mean, fourth, section.probability)
    return Perturbation(
        site=site,
        direction=section.pass_,
        size=size,
        rms=rms,
        mean=mean,
        fourth=fourth,
        moments=moments,
        distribution=distribution,
        probability=section.probability,
        schedule=item.schedule,
        where=where,
        edge=edge,
        dependence=_dependence(item),
    )


def _dependence(item: Placed) -> Dependence:
    """That of the model, or as stated; of backward perturbations nothing is asked."""
    if item.section.pass_ == "backward":  # noqa: S105 - a pass of the chain
        return Dependence.ANY
    if item.distribution is not None:
        return item.distribution.dependence
    return Dependence.of(item.section.dependence or "any")


def _check_dependence(section: PerturbationSection, where: str) -> None:
    """Refuse a statement that nothing would use."""
    if section.dependence is None:
        return
    backward = section.pass_ == "backward"  # noqa: S105 - as above
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


def _thinned(
    rms: Expression | None, mean: Expression | None, fourth: Expression | None, p: Expression
) -> tuple[Expression | None, Expression | None, Expression | None]:
    """Moments of a perturbation that is added with probability p, independently of its value.

    E‖bδ‖² = p E‖δ‖², E[bδ] = p E[δ], E‖bδ‖⁴ = p E‖δ‖⁴.
    """
    return (
        None if rms is None else rms * root(p),
        None if mean is None else mean * p,
        None if fourth is None else fourth * root(root(p)),
    )
