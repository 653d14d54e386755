"""Perturbation sections become perturbations at sites of the graph."""

from __future__ import annotations

from collections.abc import Mapping

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SpecError, nearest
from boundcalc.graph.model import OperatorGraph, Perturbation
from boundcalc.perturbations.base import Distribution
from boundcalc.perturbations.schedules import Schedule, from_keys
from boundcalc.perturbations.vector import vector_moments
from boundcalc.spec.expressions import Expression, root
from boundcalc.spec.loading import library_object
from boundcalc.spec.model import PerturbationSection, Spec


def make_perturbations(
    spec: Spec, graph: OperatorGraph, distributions: Mapping[str, type[Distribution]]
) -> tuple[tuple[Perturbation, ...], list[str]]:
    """All perturbations, one per site, and remarks on how they were read.

    Raises
    ------
    SpecError
        For an unknown operator or model, or moments and a model at once.
    """
    made: list[Perturbation] = []
    notes: list[str] = []
    positions = {name: index + 1 for index, name in enumerate(graph.ids)}
    for index, section in enumerate(spec.perturbations):
        where = f"perturbations[{index}]"
        distribution = _distribution(section, where, distributions, spec)
        if distribution is not None:
            try:
                distribution.check(graph.values(FLOATS))
            except SpecError as error:
                raise error.located(where) from None
        schedule = _schedule(section, where)
        for name in section.sites:
            site = _site(name, section, graph, positions, where)
            perturbation = _at_site(section, graph, site, distribution, schedule, where, notes)
            made.append(perturbation)
            if _idle(perturbation, graph):
                notes.append(
                    f"{where}: a {section.pass_} perturbation at {graph.ids[site - 1]} never "
                    "reaches the gradient"
                )
    return tuple(made), list(dict.fromkeys(notes))


def _idle(perturbation: Perturbation, graph: OperatorGraph) -> bool:
    if perturbation.direction == "forward":
        return perturbation.site == graph.size
    return perturbation.site == 1


def _schedule(section: PerturbationSection, where: str) -> Schedule:
    keys = {name: getattr(section, name) for name in ("every", "steps", "first", "last")}
    try:
        return from_keys({name: value for name, value in keys.items() if value is not None})
    except SpecError as error:
        raise error.located(where) from None


def _check(distribution: Distribution, graph: OperatorGraph, where: str) -> None:
    try:
        distribution.check(graph.values(FLOATS))
    except SpecError as error:
        raise error.located(where) from None


def _distribution(
    section: PerturbationSection,
    where: str,
    distributions: Mapping[str, type[Distribution]],
    spec: Spec,
) -> Distribution | None:
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


def _site(
    name: str,
    section: PerturbationSection,
    graph: OperatorGraph,
    positions: Mapping[str, int],
    where: str,
) -> int:
    if name in positions:
        return positions[name]
    source, arrow, target = (part.strip() for part in name.partition("->"))
    if arrow and graph.edges.has_edge(source, target):
        if section.pass_ == "backward":  # noqa: S105 - a pass of the chain, not a password
            return positions[target]
        raise SpecError(
            "a forward perturbation on an edge",
            where=f"{where}.at",
            value=name,
            expected=f"an operator, such as {source!r}",
            fix="a forward perturbation is added to an operator's output",
        )
    close = nearest(name, graph.ids)
    raise SpecError(
        "a perturbation at an unknown operator",
        where=f"{where}.at",
        value=name,
        expected="the id of an operator; a repeated one is called id.1, id.2, …",
        fix=f"did you mean {close!r}?" if close else "the ids are " + ", ".join(graph.ids[:12]),
    )


def _at_site(
    section: PerturbationSection,
    graph: OperatorGraph,
    site: int,
    distribution: Distribution | None,
    schedule: Schedule,
    where: str,
    notes: list[str],
) -> Perturbation:
    node = graph.nodes[site - 1]
    size = node.outputs if section.pass_ == "forward" else node.inputs  # noqa: S105 - as above
    rms, mean, fourth = section.rms, section.mean, section.fourth
    moments = None
    if distribution is not None:
        try:
            moments = vector_moments(distribution.moments(), size, section.probability)
        except SpecError as error:
            raise error.located(f"{where}.probability") from None
        if node.operator is None:
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
        schedule=schedule,
        where=where,
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
