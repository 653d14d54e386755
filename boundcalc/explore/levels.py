"""Perturbations of a template: one entry for each perturbed site, its level times factors."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING
from typing import Any

from boundcalc.arithmetic import WIDE
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.number import format_number
from boundcalc.errors import ExpressionError
from boundcalc.explore.controls import Control, Names
from boundcalc.explore.draft import Draft, is_zero
from boundcalc.explore.moments import by_moments
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Perturbation
from boundcalc.perturbations import DISTRIBUTIONS
from boundcalc.spec.expressions import Expression
from boundcalc.spec.grammar import parse

#: Most perturbed sites with a control of their own.
MAX_SITES = 150

#: Letters of an expression that is written out once more, with factors.
_LONGEST = 800


def scale_levels(made: Draft, labels: Sequence[str]) -> None:
    """Every level times a factor for all of its pass, and one of its own if there is room.

    One entry for each site where it has a factor of its own, or moments of its own.
    """
    graph = made.source
    raw = made.data.get("perturbations", [])
    several = made.detail.sites and 1 < len(graph.perturbations) <= MAX_SITES
    entries: list[dict[str, Any]] = []
    made.sections = raw
    before = -1
    for p in graph.perturbations:
        section = _section(p)
        label = graph.edge_label(p.edge) if p.direction == "backward" else graph.ids[p.site - 1]
        key = None
        if p.direction in made.detail.directions:
            made.add(_common(p.direction, made.names))
            if several:
                key = f"site:{labels[section]}:{label}"
                made.add(_own(key, label, p, made.names(key)))
        made.sites.append(key)
        if several or p.transform is not None or _cancels(graph, raw[section], p):
            entries.append({**_entry(made, raw[section], p, key), "at": label})
        elif section != before:
            entries.append(_entry(made, raw[section], p, key))
        before = section
    if entries:
        made.data["perturbations"] = entries
    else:
        made.data.pop("perturbations", None)


def _factors(made: Draft, p: Perturbation, key: str | None) -> str:
    common = made.names(p.direction)
    return common if key is None else f"{made.names(key)} * {common}"


def _common(direction: str, names: Names) -> Control:
    words = f"all {direction} perturbations, times"
    return Control(
        direction, "levels", words, None, 1.0, 1e-3, 1e3, "log", names(direction), text="1"
    )


def _own(key: str, label: str, p: Perturbation, symbol: str) -> Control:
    words = f"{label}, {p.direction}: times"
    return Control(key, "sites", words, None, 1.0, 1e-3, 1e3, "log", symbol, text="1")


def _entry(made: Draft, raw: dict[str, Any], p: Perturbation, key: str | None) -> dict[str, Any]:
    """The section of one site with its level times its factors."""
    if p.direction not in made.detail.directions:
        return raw
    factors = _factors(made, p, key)
    if p.transform is not None:
        made.notes.append(
            f"{p.where}: `{raw['model']}` has no level of its own; here it stands by its "
            "moments at the spec's setting, whatever else moves"
        )
        return _by_moments(made.source, raw, p, factors)
    if _cancels(made.source, raw, p):
        return _by_moments(made.source, raw, p, factors)
    law = raw.get("model")
    lengths = DISTRIBUTIONS[law].lengths if law is not None else ("rms", "mean", "fourth")
    return {
        name: f"({value}) * {factors}" if name in lengths and not is_zero(value) else value
        for name, value in raw.items()
    }


def _cancels(graph: OperatorGraph, raw: dict[str, Any], p: Perturbation) -> bool:
    """Whether parameters cancel in a mean of 0, which an enclosure of them would not see.

    As in low: −1/10, high: 1/10 times one factor.
    """
    if p.moments is None or p.distribution is None or raw.keys().isdisjoint(("low", "center")):
        return False
    return bool(p.moments.mean_squared.evaluate(WIDE, graph.values(WIDE)) == 0)


def _section(p: Perturbation) -> int:
    """The number of the spec's section that a perturbation comes from."""
    return int(p.where.partition("[")[2].rstrip("]"))


def _by_moments(
    graph: OperatorGraph, raw: dict[str, Any], p: Perturbation, factors: str
) -> dict[str, Any]:
    """Root mean square, mean and fourth moment in place of a model.

    As the expressions that they are, or, where these have no text, as numbers rounded up.
    """
    kept = ("pass", "every", "steps", "first", "last", "draw")
    found = {key: raw[key] for key in kept if key in raw}
    stated = by_moments(p)
    cancels = _cancels(graph, raw, p)
    for key in ("rms", "mean", "fourth"):
        size = getattr(stated, key)
        if size is None:
            continue
        # A mean that cancels is 0 at these values of its symbols alone: all become numbers.
        text = _value(graph, size) if cancels else _text(graph, size)
        vanishes = text == "0" or (cancels and key == "mean")
        found[key] = 0 if vanishes else f"({text}) * {factors}"
    if p.direction == "forward":
        found["dependence"] = p.dependence.spelled
    return found


def _text(graph: OperatorGraph, size: Expression) -> str:
    """Text of a size in the spec's symbols, or its value rounded up to 17 digits."""
    if size.symbols and len(size.source) < _LONGEST:
        try:
            if parse(size.source).node == size.node:
                return size.source
        except ExpressionError:
            pass  # a text for people, such as a rounded number
    return _value(graph, size)


def _value(graph: OperatorGraph, size: Expression) -> str:
    """A size as a number of 17 digits, rounded up."""
    (value,), _ = in_best_kind(lambda kind: (size.evaluate(kind, graph.values(kind)),), 1)
    return format_number(value, 17, rounding=ROUND_CEILING)


def moments_of(made: Draft) -> Draft:
    """The template with forward perturbations by their moments, one entry for each site."""
    graph = made.source
    found = []
    for p, key in zip(graph.perturbations, made.sites, strict=True):
        raw = made.sections[_section(p)]
        label = graph.edge_label(p.edge) if p.direction == "backward" else graph.ids[p.site - 1]
        if p.direction == "forward" and p.distribution is not None:
            entry = _by_moments(graph, raw, p, _factors(made, p, key))
        else:
            entry = _entry(made, raw, p, key)
        found.append({**entry, "at": label})
    made.data["perturbations"] = found
    return made
