"""A graph at one depth: its template, and everything recorded of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from boundcalc.arithmetic import FLOATS
from boundcalc.explore.controls import Fixed, Names
from boundcalc.explore.draft import Detail, Draft
from boundcalc.explore.moments import by_moments
from boundcalc.explore.ranges import factors
from boundcalc.explore.regions import pinned, steady
from boundcalc.explore.template import template
from boundcalc.explore.variant import Variant, variant
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Perturbation

#: Most operators whose edges are written out, and most points of a profile.
MAX_SHOWN = 200

STILL = "forward levels are fixed: the regions on which constants were derived move with them"


@dataclass(frozen=True)
class Part:
    """A template and its programs.

    Attributes
    ----------
    draft
        The template.
    graph
        What it builds.
    variant
        Programs and layout.
    pinned
        Whether its regions are those of the spec's own levels.
    """

    draft: Draft
    graph: OperatorGraph
    variant: Variant
    pinned: bool

    @property
    def live(self) -> list[str]:
        """Symbols that are inputs."""
        return live_symbols(self.draft)

    def moves_like(self, other: Part) -> bool:
        """Whether the same symbols of the spec move, and levels that both have equally far."""
        one, two = self.draft.controls, other.draft.controls
        symbols = [{key for key in some if key.startswith("symbol:")} for some in (one, two)]
        levels = ("forward", "backward")
        both = [key for key in levels if key in one and key in two]
        return symbols[0] == symbols[1] and all(one[key].high == two[key].high for key in both)


def live_symbols(draft: Draft) -> list[str]:
    """Symbols of a template that have a control."""
    return [c.symbol for c in draft.controls.values() if isinstance(c.symbol, str)]


def part(
    graph: OperatorGraph,
    names: Names,
    labels: Sequence[str],
    detail: Detail,
    name: str,
    *,
    pin: bool = False,
) -> Part:
    """Record a graph at one depth.

    In order: the template; the regions, which decide whether forward levels may move; how far
    the spec's symbols may; the programs.

    Parameters
    ----------
    pin
        Whether regions are known to move with levels.
    """
    made = template(graph, names, labels, detail)
    built = None if pin else steady(made)
    fixed = built is None
    if built is None:
        found = pinned(made)
        if found is None:
            still = replace(detail, directions=detail.directions - {"forward"})
            made = template(graph, names, labels, still)
            made.notes.append(STILL)
            built = made.graph()
        else:
            made, built = found
    _settle(made, built)
    return Part(made, built, variant(built, live_symbols(made), name), fixed)


def _settle(made: Draft, built: OperatorGraph) -> None:
    """Limit the spec's symbols to where every size stays positive."""
    own = {c.symbol: c for c in made.controls.values() if c.group == "symbols"}
    if not own:
        return
    moments = replace(built, perturbations=tuple(by_moments(p) for p in built.perturbations))
    values = {name: float(x) for name, x in built.values(FLOATS).items()}
    moving = {name: value for name, value in values.items() if name in own}
    others = {name: value for name, value in values.items() if name not in own}
    for name, factor in factors(moments, moving, others).items():
        control = own[name]
        if isinstance(factor, str):
            del made.controls[control.key]
            made.fixed.append(Fixed(control.label, str(made.data["symbols"][name]), factor))
        else:
            low, high = control.value / factor, control.value * factor
            made.controls[control.key] = replace(control, low=low, high=high)


def part_data(found: Part, depth: int | None) -> dict[str, Any]:
    """What a model says of a variant."""
    graph, layout = found.graph, found.variant.layout
    shown = graph.size <= MAX_SHOWN
    data: dict[str, Any] = {
        "depth": depth,
        "size": graph.size,
        "operators": list(graph.ids),
        "types": [None if n.operator is None else n.operator.type for n in graph.nodes],
        "edges": [[u, v] for u, v in graph.ends[1:]] if shown else None,
        "sites": [
            {"key": key, "label": _label(graph, p), "operator": p.site, "pass": p.direction}
            for p, key in zip(graph.perturbations, found.draft.sites, strict=True)
        ],
        "layout": layout,
        "template": found.draft.data,
    }
    if not shown:
        bins = layout["bins"]
        ids = graph.ids
        data["operators"] = [
            ids[a - 1] if a == b else f"{ids[a - 1]} … {ids[b - 1]}" for a, b in bins
        ]
        data["types"] = [None] * len(bins)
        data["places"] = [a for a, _ in bins]
        data["sites"] = data["sites"][:MAX_SHOWN]
    return data


def _label(graph: OperatorGraph, p: Perturbation) -> str:
    return graph.edge_label(p.edge) if p.direction == "backward" else graph.ids[p.site - 1]
