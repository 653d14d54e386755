"""The same spec with another number of repeats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from boundcalc.arithmetic import RATIONALS
from boundcalc.explore.usage import symbols_of
from boundcalc.graph import OperatorGraph
from boundcalc.graph.build import build
from boundcalc.graph.expand import Entry, expand
from boundcalc.spec.loading import loads
from boundcalc.spec.model import Spec
from boundcalc.spec.plain import json_text, plain

#: Depths that a reader may choose, besides the spec's own.
DEPTHS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 75, 100)


@dataclass(frozen=True)
class Repeat:
    """What is repeated: the first section of the spec that is.

    Attributes
    ----------
    position
        In ``graph.operators``.
    name
        Its id.
    count
        How often the spec repeats it.
    symbol
        The symbol that says so, or None for a number.
    """

    position: int
    name: str
    count: int
    symbol: str | None


def repeated(spec: Spec) -> Repeat | None:
    """The repeated section whose depth moves; None where nothing is repeated.

    >>> from boundcalc import load
    >>> from boundcalc.resources import example
    >>> repeated(load(example("resnet-blocks")))
    Repeat(position=1, name='res', count=3, symbol='blocks')
    """
    for position, section in enumerate(spec.graph.operators):
        if isinstance(section.repeat, str):
            value = spec.symbol_values[section.repeat].evaluate(RATIONALS)
            return Repeat(position, section.id, int(value), section.repeat)
        if section.repeat is not None and section.repeat > 1:
            return Repeat(position, section.id, section.repeat, None)
    return None


def choices(repeat: Repeat, operators: int, most: int) -> list[int]:
    """Depths around the spec's own, up to twice as deep, as long as they are few operators.

    Parameters
    ----------
    operators
        Of the spec.
    most
        Operators of all depths together.

    Examples
    --------
    >>> choices(Repeat(0, "block", 50, None), 50, 350)
    [1, 3, 6, 10, 15, 20, 30, 40, 50, 75, 100]
    >>> choices(Repeat(0, "block", 3, "n"), 18, 100)
    [1, 2, 3, 4, 6]
    """
    each = max(1.0, operators / repeat.count)
    found = [repeat.count]
    near = [depth for depth in DEPTHS if depth <= 2 * repeat.count and depth != repeat.count]

    def gap(depth: int) -> float:
        return min(abs(math.sqrt(depth) - math.sqrt(other)) for other in found)

    while near:
        best = max(near, key=gap)
        near.remove(best)
        if (sum(found) + best) * each <= most:
            found.append(best)
    return sorted(found)


def at_depth(graph: OperatorGraph, repeat: Repeat, depth: int) -> tuple[OperatorGraph, list[int]]:
    """The graph at another depth, and which perturbation sections are left in it.

    Sites that a smaller depth lacks are left out, and sections without any.

    Raises
    ------
    BoundcalcError
        If the spec makes no graph at this depth.
    """
    spec = graph.spec
    if depth == repeat.count:
        return graph, list(range(len(spec.perturbations)))
    data = plain(spec)
    if repeat.symbol is None:
        data["graph"]["operators"][repeat.position]["repeat"] = depth
    else:
        data["symbols"][repeat.symbol] = depth
    perturbations = data.pop("perturbations", [])
    entries = expand(_loaded(data, spec))
    kept, left = [], []
    for index, section in enumerate(perturbations):
        sites = section["at"] if isinstance(section["at"], list) else [section["at"]]
        found = [site for site in sites if _exists(site, entries)]
        if found:
            kept.append(index)
            left.append({**section, "at": found})
    if left:
        data["perturbations"] = left
    made = build(_loaded(data, spec))
    return made, kept


def depth_note(spec: Spec, repeat: Repeat) -> str:
    """Which of the objective's constants follow the depth, and which do not.

    >>> from boundcalc import load
    >>> from boundcalc.resources import example
    >>> depth_note(load(example("deep-uniform")), Repeat(0, "block", 50, None))
    "at every depth the objective's constants and the step size are those of the spec's own depth"
    """
    names = {"smoothness": "smoothness", "pl": "PL constant", "initial_gap": "initial gap",
             "gradient_noise": "gradient noise"}  # fmt: skip
    uses = {key: symbols_of(getattr(spec.loss, key)) for key in names}
    moved = [words for key, words in names.items() if repeat.symbol in uses[key]]
    if not moved:
        return (
            "at every depth the objective's constants and the step size are those of the spec's "
            "own depth"
        )
    return (
        f"with the depth change, as the spec has them in {repeat.symbol}: {', '.join(moved)}; the "
        "objective's other constants and the step size are those of the spec's own depth"
    )


def _loaded(data: dict[str, Any], spec: Spec) -> Spec:
    made = loads(json_text(data), name="variant", format="json")
    made._folder = spec.folder
    return made


def _exists(site: str, entries: Sequence[Entry]) -> bool:
    source, arrow, target = (part.strip() for part in site.partition("->"))
    if arrow:
        return any(entry.id == target and source in entry.inputs for entry in entries)
    return any(entry.id == site or fnmatchcase(entry.id, site) for entry in entries)
