"""What a page needs to know of a graph, as plain data, and the programs that go with it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from boundcalc.arithmetic.outputs import Outputs
from boundcalc.errors import BoundcalcError
from boundcalc.explore.controls import Control, Fixed, Names
from boundcalc.explore.depth import Repeat, at_depth, choices, depth_note, repeated
from boundcalc.explore.draft import Detail
from boundcalc.explore.exact import exact_numbers
from boundcalc.explore.parts import Part, part, part_data
from boundcalc.explore.safety import safe_controls
from boundcalc.explore.script import programs_text
from boundcalc.graph import OperatorGraph
from boundcalc.graph.build import build
from boundcalc.spec.loading import with_values
from boundcalc.spec.only import only_passes
from boundcalc.spec.plain import json_text
from boundcalc.theories.perturbed.families import FAMILIES

#: Letters of all programs and of the template.
MAX_TEXT = 850_000
#: Most operators with levels and constants that move, and with levels alone.
MAX_MOVING, MAX_LEVELS = 600, 1_500

#: What moves, from everything to nothing but the objective and the training.
DETAILS = (
    (MAX_MOVING, Detail()),
    (MAX_MOVING, Detail(sites=False)),
    (MAX_LEVELS, Detail(sites=False, constants=False)),
    (10**9, Detail(directions=frozenset(), sites=False, constants=False)),
)

_LEFT_OUT = (
    "",
    "single sites have no level of their own, to keep the page small",
    "constants are fixed and single sites have no level of their own, to keep the page small",
    "error and bias are those of the spec's own levels and constants, to keep the page small",
)


@dataclass(frozen=True)
class Explorer:
    """A model and its programs.

    Attributes
    ----------
    model
        Plain data, as :func:`model` gives them.
    programs
        Name → program.
    """

    model: dict[str, Any]
    programs: dict[str, Outputs]


def model(graph: OperatorGraph) -> dict[str, Any]:
    """What a page needs to know of a graph, as plain data that JSON holds.

    Raises
    ------
    SpecError
        If the spec is of another theory than that of perturbed passes.
    """
    return explorer(graph).model


def explorer(graph: OperatorGraph) -> Explorer:
    """The model of a graph and its programs.

    O(N) instructions for each depth of a chain: about 80 with all constants moving, less where
    these are numbers.  Of a long graph fewer things move (:data:`DETAILS`).

    Raises
    ------
    SpecError
        If the spec is of another theory than that of perturbed passes.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> made = explorer(bc.build(bc.load(example("logistic-nonconvex"))))
    >>> [control["key"] for control in made.model["controls"]][:3]
    ['symbol:sigma_f', 'symbol:sigma_b', 'forward']
    >>> made.model["families"]
    ['published', 'corrected', 'sharp']
    """
    only_passes(graph.spec, "an explorer is there")
    graph, notes = _valued(graph)
    names = Names([*graph.spec.symbols, *FAMILIES])
    own, note = _own(graph, names)
    parts, repeat = _depths(graph, names, own)
    controls = _controls(own, [found for _, found in parts], repeat)
    controls, more = safe_controls(controls, [found.variant for _, found in parts])
    data = _data(graph, own, parts, controls, repeat)
    data["notes"] = list(dict.fromkeys([*note, *notes, *more, *data["notes"]]))
    programs = {k: v for _, found in parts for k, v in found.variant.programs.items()}
    return Explorer(data, programs)


def _valued(graph: OperatorGraph) -> tuple[OperatorGraph, list[str]]:
    """The graph with 1 for every symbol that has no value."""
    free = [name for name, value in graph.spec.symbols.items() if value is None]
    if not free:
        return graph, []
    spec = with_values(graph.spec, dict.fromkeys(free, 1))
    spec._folder = graph.spec.folder
    notes = [f"the spec gives {name} no value: the page begins with 1" for name in free]
    return build(spec), notes


def _own(graph: OperatorGraph, names: Names) -> tuple[Part, list[str]]:
    """The graph as the spec has it, with as much moving as there is room for."""
    labels = [str(index) for index in range(len(graph.spec.perturbations))]
    last = len(DETAILS) - 1
    for step, ((most, detail), words) in enumerate(zip(DETAILS, _LEFT_OUT, strict=True)):
        if graph.size <= most:
            found = part(graph, names, labels, detail, "d0")
            size = text_size([found]) + len(json_text(found.draft.data))
            if step == last or size <= MAX_TEXT:
                return found, [words] if words else []
    raise AssertionError("the last one has room for any graph")


def text_size(parts: Iterable[Part]) -> int:
    """Letters of the programs of some parts."""
    return sum(len(programs_text(found.variant.programs)) for found in parts)


def _depths(
    graph: OperatorGraph, names: Names, own: Part
) -> tuple[list[tuple[int | None, Part]], Repeat | None]:
    """Every depth that may be chosen, in increasing order."""
    repeat = repeated(graph.spec)
    if repeat is None or not own.draft.detail.constants:
        return [(None, own)], None
    size = text_size([own])
    most = graph.size * MAX_TEXT / max(size, 1) * 0.85
    found: list[tuple[int | None, Part]] = []
    for depth in choices(repeat, graph.size, int(min(most, 1000))):
        if depth == repeat.count:
            found.append((depth, own))
            continue
        try:
            other, kept = at_depth(graph, repeat, depth)
            if other.size < 2:
                continue
            labels = [str(index) for index in kept]
            made = part(other, names, labels, own.draft.detail, f"d{depth}", pin=own.pinned)
        except BoundcalcError:
            continue  # the spec says something that only its own depth can
        if made.variant.refused == own.variant.refused and made.moves_like(own):
            found.append((depth, made))
    return (found, repeat) if len(found) > 1 else ([(None, own)], None)


def _controls(own: Part, parts: list[Part], repeat: Repeat | None) -> list[Control]:
    """All controls of all depths that some number depends on, the spec's own depth first."""
    found: dict[str, Control] = {}
    for some in (own, *parts):
        used = {name for made in some.variant.programs.values() for name in made.names}
        for key, control in some.draft.controls.items():
            if control.symbol in used or not isinstance(control.symbol, str):
                found[key] = found[key].within(control) if key in found else control
    order = ["symbols", "levels", "sites", "constants", "objective", "training"]
    controls = sorted(found.values(), key=lambda control: order.index(control.group))
    if repeat is None:
        return controls
    depths = tuple(float(depth) for depth in _depth_values(parts, repeat))
    control = Control(
        "depth", "depth", f"depth: repeats of {repeat.name}", None, repeat.count, depths[0],
        depths[-1], "choice", None, choices=depths,
    )  # fmt: skip
    return [*controls, control]


def _depth_values(parts: list[Part], repeat: Repeat) -> list[int]:
    own = repeat.count
    names = [found.variant.layout["name"] for found in parts]
    return [own if name == "d0" else int(name[1:]) for name in names]


def _data(
    graph: OperatorGraph,
    own: Part,
    parts: list[tuple[int | None, Part]],
    controls: list[Control],
    repeat: Repeat | None,
) -> dict[str, Any]:
    from boundcalc import __version__

    known = {control.key for control in controls}
    notes = [*own.draft.notes, *graph.notes]
    if repeat is not None:
        notes.append(depth_note(graph.spec, repeat))
    variants = []
    for depth, found in parts:
        data = part_data(found, depth)
        if len(parts) == 1:
            del data["template"]  # which is the model's own
        data["sites"] = [
            {**site, "key": site["key"] if site["key"] in known else None} for site in data["sites"]
        ]
        variants.append(data)
    return {
        "format": 1,
        "name": graph.name,
        "theory": graph.spec.theory,
        "boundcalc": __version__,
        "families": [name for name in FAMILIES if name not in own.variant.refused],
        "refused": own.variant.refused,
        "controls": [control.json() for control in controls],
        "fixed": [vars(fixed) for fixed in _fixed(own, known, repeat)],
        "variants": variants,
        "descents": {name: _descent(name) for name in FAMILIES},
        "exactSteps": _exact_steps(controls),
        "exact": exact_numbers(graph, own.graph),
        "template": own.draft.data,
        "symbolKeys": {control.key: control.symbol for control in controls},
        "capped": any(some.pinned and "forward" in some.draft.controls for _, some in parts),
        "notes": notes,
    }


def _fixed(own: Part, known: set[str], repeat: Repeat | None) -> list[Fixed]:
    """What does not move; symbols that move nothing are among it."""
    symbol = None if repeat is None else repeat.symbol
    found = [fixed for fixed in own.draft.fixed if fixed.label != symbol]
    for key, control in own.draft.controls.items():
        if control.group == "symbols" and key not in known:
            found.append(Fixed(control.label, str(control.value), "no bound depends on it"))
    return found


def _exact_steps(controls: list[Control]) -> bool:
    """Whether step size and smoothness are numbers of their own, compared exactly."""
    smoothness = next(control for control in controls if control.key == "smoothness")
    return "times" not in smoothness.label


def _descent(name: str) -> dict[str, Any]:
    descent = vars(FAMILIES[name].descent)
    words = ("nonconvex_source", "pl_source")
    return {key: value for key, value in descent.items() if key not in words}
