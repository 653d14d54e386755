"""One variant of a graph, as a depth makes it: its programs, and where a model finds what.

In order: the objective's constants, then for each family the bounds at every set of
perturbations that may act together and what a batch shares, then coefficients by operator.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar
from boundcalc.arithmetic.doubles import DOUBLES
from boundcalc.arithmetic.outputs import Outputs, RangeError
from boundcalc.errors import BoundcalcError
from boundcalc.explore.recording import Entry, Recorder, guards, problem_numbers
from boundcalc.graph import OperatorGraph
from boundcalc.rates.plain_sgd import not_plain_sgd
from boundcalc.rates.shared import drawn_anew
from boundcalc.theories.perturbed.coefficients import too_many_sites
from boundcalc.theories.perturbed.families import COLUMNS, FAMILIES, Family
from boundcalc.theories.perturbed.graph_sites import TOGETHER

#: Most distinct schedules of which every combination is bounded.
MAX_SCHEDULES = 3

#: Numbers below it may have lost digits on the way.
_TINY = 1e-250

#: Most groups of operators in a profile, and most operators that have one.
MAX_BINS = 200
MAX_COLUMNS = 20_000

TOO_MANY = f"the page follows at most {MAX_SCHEDULES} different schedules"
OUT_OF_RANGE = "its numbers leave the range of float64, which the page computes in"


@dataclass
class Variant:
    """Programs by name, and the layout of their results.

    Attributes
    ----------
    programs
        Name → program.
    layout
        Plain data: which result of which program is what.
    refused
        Family → why it is not there.
    """

    programs: dict[str, Outputs] = field(default_factory=dict)
    layout: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, program: Outputs | None) -> None:
        """A program, if there is anything to compute."""
        if program is not None:
            self.programs[name] = program


def variant(graph: OperatorGraph, live: Sequence[str], name: str) -> Variant:
    """Record everything that a page shows of a template's graph.

    O(N) instructions on a chain for each set of perturbations that act together.

    Parameters
    ----------
    graph
        A template's graph.
    live
        Its symbols that are inputs.
    name
        Distinguishes the variants' programs.
    """
    made = Variant()
    recorder = Recorder(graph, live)
    found = schedules(graph)
    made.layout = {
        "name": name,
        "problem": problem_numbers(recorder),
        "guards": guards(recorder),
        "unrated": not_plain_sgd(graph) or (TOO_MANY if found is None else None),
        "schedules": found or [],
        "bins": bins(graph.size),
        "families": {},
    }
    made.add(f"{name}_problem", recorder.finished())
    for family in FAMILIES.values():
        refusal = family.refusal(graph)
        if refusal is None:
            try:
                _family(made, recorder, family)
            except (RangeError, OverflowError):
                # Where a bound is missing anyway, the reason is that of every other command.
                refusal = family.best_bounds(graph).reason
                refusal = refusal or f"the {family.name} bounds are left out: {OUT_OF_RANGE}"
                recorder.results.clear()
        if refusal is not None:
            made.refused[family.name] = refusal
    return made


def _family(made: Variant, recorder: Recorder, family: Family) -> None:
    """One family's bounds and coefficients, each as a program."""
    active = _active(recorder.graph, made.layout)
    levels = [_level(recorder, family, acting) for acting in active]
    bounds = recorder.finished()
    columns = _columns(recorder, family, made.layout["bins"])
    name = f"{made.layout['name']}_{family.name}"
    made.add(f"{name}_profile", recorder.finished())
    made.add(name, bounds)
    made.layout["families"][family.name] = {"levels": levels, "columns": columns}


def schedules(graph: OperatorGraph) -> list[dict[str, Any]] | None:
    """The distinct schedules that are not "always"; None where there are too many."""
    distinct = {repr(p.schedule): p.schedule for p in graph.perturbations if not p.schedule.always}
    if len(distinct) > MAX_SCHEDULES:
        return None
    return [schedule.model_dump() for schedule in distinct.values()]


def _active(graph: OperatorGraph, layout: dict[str, Any]) -> Iterator[tuple[int, ...]]:
    """Positions of the perturbations that act, by combination of schedules; all of them last."""
    changing = (repr(p.schedule) for p in graph.perturbations if not p.schedule.always)
    keys = list(dict.fromkeys(changing)) if layout["schedules"] else []
    for row in product((False, True), repeat=len(keys)):
        off = {key for key, acts in zip(keys, row, strict=True) if not acts}
        yield tuple(i for i, p in enumerate(graph.perturbations) if repr(p.schedule) not in off)


def _level(recorder: Recorder, family: Family, active: Sequence[int]) -> dict[str, Any]:
    """Error, bias, and what the samples of a batch share (docs/theory.md, Lemma 6.7)."""
    error, bias = recorder.moments(family, active)
    kept: Entry = recorder.keep(bias)
    return {
        "error": recorder.keep(error),
        "bias": kept,
        # Where the recurrences leave an exact 0 the error has mean zero given the sample.
        "unbiased": kept == 0,
        "shared": _shared(recorder, family, active),
    }


def _shared(recorder: Recorder, family: Family, active: Sequence[int]) -> dict[str, Any] | None:
    """As :func:`boundcalc.rates.shared.shared_draws` has it."""
    given = recorder.graph.perturbations
    shared = [i for i in active if given[i].shared]
    own = [i for i in active if not given[i].shared]
    if not shared:
        return None
    if not own or recorder.graph.sampled or not all(drawn_anew(given[i]) for i in active):
        return {"all": True}
    mean = recorder.moments(family, own)[1]
    if mean is None:
        return {"all": True}
    found: dict[str, Any] = {"all": False, "own": recorder.keep(mean)}
    for direction in ("forward", "backward"):
        some = [i for i in shared if given[i].direction == direction]
        found[direction] = (
            [recorder.keep(x) for x in recorder.moments(family, some)] if some else None
        )
    found["correlated"] = any(
        given[i].transform is not None and given[i].direction == "backward" for i in own
    )
    return found


def bins(size: int) -> list[list[int]]:
    """The operators 1 to N in at most :data:`MAX_BINS` groups, by first and last.

    >>> bins(3), bins(1000)[:2], len(bins(1000))
    ([[1, 1], [2, 2], [3, 3]], [[1, 5], [6, 10]], 200)
    """
    width = -(-size // MAX_BINS)
    return [[a, min(a + width - 1, size)] for a in range(1, size + 1, width)]


def _columns(
    recorder: Recorder, family: Family, groups: list[list[int]]
) -> dict[str, list[Entry]] | None:
    """Coefficients by operator, or the largest of a group; None where there are too many."""
    graph = recorder.graph
    if too_many_sites(graph) is not None or graph.size > MAX_COLUMNS:
        return None
    if not recorder.constants_move:
        columns = _numbers(graph, family)
    elif graph.is_smooth_chain or graph.size <= TOGETHER:
        columns = family.columns(graph, recorder.tape)
    else:
        return None
    found: dict[str, list[Entry]] = {}
    for name in COLUMNS:
        column = _by_operator(graph, columns[name], name, recorder.tape)
        largest = (_largest(column[a - 1 : b], recorder.tape) for a, b in groups)
        found[name] = [_kept(recorder, x) for x in largest]
    return found


def _numbers(graph: OperatorGraph, family: Family) -> dict[str, tuple[Scalar | None, ...]]:
    """Columns of numbers: in floats, or, where these are too small or too large for one, wide."""
    try:
        columns = family.columns(graph, DOUBLES)
    except (ArithmeticError, BoundcalcError):
        return family.columns(graph, WIDE)
    every = (x for column in columns.values() for x in column if x is not None)
    # As where the columns of all sites of a large graph are made at once.
    safe = all(x == 0 or _TINY < x < math.inf for x in every)
    return columns if safe else family.columns(graph, WIDE)


def _kept(recorder: Recorder, x: Scalar | None) -> Entry:
    try:
        return recorder.keep(x)
    except RangeError:
        return None


def _largest(values: Sequence[Scalar | None], kind: Arithmetic) -> Scalar | None:
    found = None
    for value in values:
        if value is not None:
            found = value if found is None else kind.maximum(found, value)
    return found


def _by_operator(
    graph: OperatorGraph, column: Sequence[Scalar | None], name: str, kind: Arithmetic
) -> list[Scalar | None]:
    """A column by operator, 1 to N: of several edges into one the largest coefficient."""
    direction = "backward" if "backward" in name else "forward"
    found: list[list[Scalar | None]] = [[] for _ in graph.nodes]
    places = [graph.operator_of(site) for site in graph.sites if site.direction == direction]
    for v, value in zip(places, column, strict=True):
        found[v - 1].append(value)
    return [_largest(values, kind) for values in found]
