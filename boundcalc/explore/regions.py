"""Levels that enlarge regions: a template on which the constants stay those of the spec.

Where an operator's constants are derived on the region that its input may reach, a larger
bounded perturbation before it makes the region, and with it the constants, larger.  A page
whose levels move keeps the regions of the spec's own levels: the template states them, operator
by operator, and gives forward perturbations by their moments, as `boundcalc budget` does too.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import ROUND_CEILING
from fractions import Fraction
from typing import Any

from boundcalc.arithmetic import FLOATS
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.arithmetic.number import format_number
from boundcalc.errors import BoundcalcError
from boundcalc.explore.controls import Fixed
from boundcalc.explore.draft import Draft
from boundcalc.explore.levels import moments_of
from boundcalc.explore.usage import symbols_of
from boundcalc.graph import OperatorGraph
from boundcalc.graph.expand import expand
from boundcalc.graph.numbers import Run
from boundcalc.graph.parts import CONSTANT_NAMES, Node, Perturbation
from boundcalc.operators.base import ZERO
from boundcalc.spec.expressions import Expression
from boundcalc.spec.sections import OperatorSection

#: Relative difference of constants that is rounding: texts have 17 digits.
_ROUNDING = 1e-15

#: Letters of a fraction that is written out.
_LONGEST = 120

_FIELDS = ("inputs", "edges", "a", "l", "A", "J", "A3", "b", "B", "K", "B3", "groups", "runs")

#: A multiple of the spec's own levels far above all that controls can reach together.
_FAR = 1e60

NOTE = (
    "the constants are those on the regions of the spec's own levels: forward levels may be "
    "lowered, and not raised, which would leave these regions; at lower levels the bounds hold, "
    "and smaller regions might give smaller ones"
)
CAPPED = "at most the spec's own level, whose regions the constants hold on"
LEAVES = "it is in a forward level, which may leave the regions on which constants hold"


def steady(made: Draft) -> OperatorGraph | None:
    """The template's graph, if no level changes its constants; else None.

    Two builds: at the spec's levels, and with forward levels far above all ranges.  Regions grow
    with the levels, so that constants which are the same at both are the same between them.
    """
    try:
        built = made.graph()
        if not _same(built, made.source):
            return None
        far = _far(made)
        if far is not None and not _same(far.graph(), made.source):
            return None
    except BoundcalcError:
        return None
    return built


def pinned(made: Draft) -> tuple[Draft, OperatorGraph] | None:
    """The template with regions stated, and constants where these do not say enough.

    None where that does not give the constants of the spec, for its regions have no exact text
    or its kinks no other form than that of their types.  The regions hold for levels up to the
    spec's own, and forward levels are capped there.
    """
    data = copy.deepcopy(made.data)
    try:
        data["graph"]["operators"] = list(_operators(made, data))
        found = moments_of(_with_data(made, data))
        built = found.graph()
        if not _same(built, made.source):
            _state_constants(found, built)
            built = found.graph()
        if not _same(built, made.source):
            return None
    except BoundcalcError:
        return None
    _cap(found)
    found.notes.append(NOTE)
    return found, built


def _cap(found: Draft) -> None:
    """No control raises a forward level above the one that regions were derived at."""
    forward = [
        (p, key)
        for p, key in zip(found.source.perturbations, found.sites, strict=True)
        if p.direction == "forward"
    ]
    capped = {"forward", *(key for _, key in forward)}
    inside = frozenset().union(*(_sizes(p) for p, _ in forward))
    for key, control in list(found.controls.items()):
        if key in capped:
            found.controls[key] = replace(control, high=control.value, note=CAPPED)
        elif control.group == "symbols" and control.symbol in inside:
            del found.controls[key]
            found.fixed.append(Fixed(control.label, str(found.data["symbols"][key[7:]]), LEAVES))


def _sizes(p: Perturbation) -> frozenset[str]:
    """Symbols in the size of a perturbation."""
    moments = vars(p.moments).values() if p.moments else ()
    return symbols_of([p.rms, p.mean, p.fourth, *moments])


def _state_constants(found: Draft, built: OperatorGraph) -> None:
    """All constants of the operators that do not have those of the spec."""
    raw = {section["id"]: section for section in found.data["graph"]["operators"]}
    ours, theirs = (g.graph_constants(FLOATS) for g in (built, found.source))
    for v, node in enumerate(found.source.nodes, 1):
        names = ("a", "l", "A", "J", "A3", "b", "B", "K", "B3")
        if any(getattr(ours, name)[v] != getattr(theirs, name)[v] for name in names):
            raw[node.id]["constants"] = _constants_of(node, raw[node.id]["inputs"])


def _constants_of(node: Node, inputs: list[str]) -> dict[str, Any]:
    """Constants as a spec states them, by input where there are several."""
    c = node.constants
    if not c.slots:
        return {name: _bound(getattr(c, name)) for name in CONSTANT_NAMES}
    if len(set(inputs)) != len(inputs):
        raise BoundcalcError("an input is read twice, so that constants cannot name it")
    found: dict[str, Any] = {
        name: _bound(getattr(c, name)) for name in ("jac_weight", "third_mixed")
    }
    for name in ("jac_input", "lip_input", "hess_mixed", "third_input"):
        values = (getattr(slot, name) for slot in c.slots)
        found[name] = {u: _bound(value) for u, value in zip(inputs, values, strict=True)}
    found["hess_input"] = {
        u: {
            w: _bound(x)
            for w, x in zip(inputs, slot.hess_input or (ZERO,) * len(inputs), strict=True)
        }
        for u, slot in zip(inputs, c.slots, strict=True)
    }
    return found


def _bound(constant: Expression | None) -> str:
    """The exact text of a constant; or its float64, rounded up."""
    if constant is None:
        raise BoundcalcError("a kink has no Lipschitz constant to state")
    (value,), _ = in_best_kind(lambda kind: (constant.evaluate(kind),), 1)
    if isinstance(value, Fraction) and len(str(value)) < _LONGEST:
        return str(value)
    return format_number(value, 17, rounding=ROUND_CEILING)


def _with_data(made: Draft, data: dict[str, Any]) -> Draft:
    """A copy with other data."""
    return replace(
        made,
        data=data,
        controls=dict(made.controls),
        fixed=list(made.fixed),
        notes=list(made.notes),
        sites=list(made.sites),
    )


def _same(one: OperatorGraph, other: OperatorGraph) -> bool:
    """Whether all constants agree, up to the rounding of their texts."""
    x, y = one.graph_constants(FLOATS), other.graph_constants(FLOATS)
    if not (x == y or _close(vars(x), vars(y))):
        return False
    if not (one.is_smooth_chain and other.is_smooth_chain):
        return True
    return all(
        _near(getattr(a, name), getattr(b, name))
        for corrected in (False, True)
        for a, b in [[g.uniform_constants(FLOATS, corrected=corrected) for g in (one, other)]]
        for name in ("jac", "lip", "hess", "hess_op", "third")
    )


def _near(x: float, y: float) -> bool:
    return math.isclose(x, y, rel_tol=_ROUNDING, abs_tol=0.0)


def _close(x: Any, y: Any) -> bool:
    if isinstance(x, float) and isinstance(y, float):
        return _near(x, y)
    if isinstance(x, Run) and isinstance(y, Run):
        return x.nodes == y.nodes and x.affine == y.affine and _close(x.norm, y.norm)
    if isinstance(x, tuple) and isinstance(y, tuple):
        return len(x) == len(y) and all(map(_close, x, y))
    if isinstance(x, dict) and isinstance(y, dict):
        return all(_close(x[key], y[key]) for key in _FIELDS)
    return bool(x == y)


def _far(made: Draft) -> Draft | None:
    """The template with all forward levels far above their ranges; None where none moves."""
    common = made.controls.get("forward")
    if common is None:
        return None
    data = copy.deepcopy(made.data)
    data["symbols"][common.symbol] = _FAR
    return _with_data(made, data)


def _operators(made: Draft, data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operator written out, with its region."""
    spec = made.source.spec
    raw = dict(_raw_sections(spec.graph.operators, data["graph"]["operators"]))
    nodes = {node.id: node for node in made.source.nodes}
    for entry in expand(spec):
        found = {k: v for k, v in raw[id(entry.section)].items() if k not in ("repeat", "block")}
        found |= {"id": entry.id, "inputs": list(entry.inputs)}
        region = _region(nodes[entry.id])
        if region:
            found["region"] = {**found.get("region", {}), **region}
        yield found


def _raw_sections(
    sections: list[OperatorSection], raw: list[dict[str, Any]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for section, data in zip(sections, raw, strict=True):
        yield id(section), data
        yield from _raw_sections(section.block or [], data.get("block", []))


def _region(node: Node) -> dict[str, str]:
    if node.operator is None:
        return {}
    found = {}
    if node.region.input is not None:
        found["input"] = _text(node.region.input)
    for name, end in (("low", node.region.low), ("high", node.region.high)):
        if math.isfinite(end):
            found[name] = str(Fraction(end))
    return found


def _text(radius: Expression) -> str:
    match radius.node:
        case ("bounded", float() as value):
            return str(Fraction(value))
        case ("number", Fraction() as value):
            return str(value)
    raise BoundcalcError("a radius has no exact text", value=radius.source)
