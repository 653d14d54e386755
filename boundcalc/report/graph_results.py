"""The compiled graph as plain data: operators with shapes, weights, regions and constants."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from boundcalc.arithmetic import FLOATS, WIDE, Number, Scalar, Status
from boundcalc.errors import ExpressionError, SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES, Node
from boundcalc.operators.base import Constants, Domain, Slot
from boundcalc.report.constants import constant_sources
from boundcalc.report.regions import input_domain, region_sources
from boundcalc.simulate.reach import sections_of
from boundcalc.spec.expressions import Expression
from boundcalc.spec.sections import OperatorSection

#: Largest graph that ``compile --json`` writes out.
MOST_OPERATORS = 10_000

_SLOT_NAMES = ("jac_input", "lip_input", "hess_mixed", "third_input")

_SMALL, _LARGE = 1e-290, 1e290  # floats between them have not left their range on the way

_Json = float | str | None


def graph_results(graph: OperatorGraph) -> dict[str, Any]:
    """The object ``graph`` of results.json and of ``boundcalc compile --json``; O(N + slot pairs).

    A constant is a number, null where none exists, and the text of its expression where a
    symbol has no value.
    """
    write = _writer(graph)
    return {
        "chain": graph.is_chain,
        "sampled": graph.sampled,
        "operators": [
            _operator(graph, number, section, write)
            for number, section in enumerate(sections_of(graph), 1)
        ],
        "merged": [
            {
                "operators": [graph.ids[v - 1] for v in run.nodes],
                "norm": write(run.norm),
                "product": run.product,
            }
            for run in graph.merged
        ],
    }


_Write = Callable[[Expression | None], _Json]


def _writer(graph: OperatorGraph) -> _Write:
    """Expressions as JSON; those that operators share are evaluated once."""
    known: dict[int, _Json] = {}
    values, floats = graph.values(WIDE), graph.values(FLOATS)

    def write(expression: Expression | None) -> _Json:
        if expression is None:
            return None
        key = id(expression)
        if key not in known:
            known[key] = _json(expression, floats, values)
        return known[key]

    return write


def _json(
    expression: Expression, floats: Mapping[str, Scalar], values: Mapping[str, Scalar]
) -> _Json:
    """A float where that holds it, else the text of a larger number or of the expression."""
    try:
        number = float(expression.evaluate(FLOATS, floats))
        if _SMALL < abs(number) < _LARGE:
            return number
    except SymbolError:
        return str(expression)
    except ExpressionError:
        pass  # too large or too small for floats on the way
    return Number(expression.evaluate(WIDE, values), Status.COMPUTED).json()


def _operator(
    graph: OperatorGraph,
    number: int,
    section: OperatorSection,
    write: _Write,
) -> dict[str, Any]:
    node = graph.nodes[number - 1]
    return {
        "id": node.id,
        "type": None if node.operator is None else node.operator.type,
        "inputs": [graph.ids[u - 1] if u else "data" for u in node.reads],
        "shape": list(node.shape),
        "weights": node.weights,
        "shared_with": graph.ids[node.group - 1] if node.group != number else None,
        "trainable": node.trainable,
        "region": {
            **_domain(input_domain(node), write),
            "weight": write(node.region.weight),
            "weight_change": write(node.region.change),
            "from": list(region_sources(graph, node, section)),
            "parts": [_domain(part, write) for part in node.region.parts],
        },
        "constants": {
            **_constants(node.constants, write),
            "from": dict(constant_sources(graph, node, section)),
            "slots": [_slot(slot, node, write) for slot in node.constants.slots],
        },
    }


def _domain(domain: Domain, write: _Write) -> dict[str, Any]:
    return {
        "input": write(domain.radius),
        "low": domain.low if math.isfinite(domain.low) else None,
        "high": domain.high if math.isfinite(domain.high) else None,
    }


def _constants(constants: Constants, write: _Write) -> dict[str, Any]:
    names = (*CONSTANT_NAMES, "jac_change", "mixed_change")
    return {name: write(getattr(constants, name)) for name in names}


def _slot(slot: Slot, node: Node, write: _Write) -> dict[str, Any]:
    row = [write(value) for value in slot.hess_input] or [0.0] * len(node.reads)
    return {**{name: write(getattr(slot, name)) for name in _SLOT_NAMES}, "hess_input": row}
