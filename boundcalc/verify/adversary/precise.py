"""The value of an instance once more, in 50 digits, from the operators' symbolic forms.

Nothing is shared with the floating-point passes but the graph and the law of the noise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.simulate.noise import shift_key
from boundcalc.simulate.program import make_program
from boundcalc.simulate.start import initial_weights
from boundcalc.verify.adversary.moments import law_of

_DIGITS = 50
_OUTCOMES = 1024  # joint outcomes of all perturbations
_NUMBERS = 60  # inputs and weights of one operator


@dataclass(frozen=True)
class _Maps:
    """f, ∇_y f and ∇_w f of one operator, for mpmath."""

    value: Callable[..., Any]
    input: Callable[..., Any]
    weight: Callable[..., Any]


def precise_moments(instance: OperatorGraph) -> tuple[Any, Any] | None:
    """E‖ũ − u‖² and ‖E[ũ − u]‖² as mpmath numbers, at the initial weights and first sample.

    None where that would take too long: many outcomes or weights.
    """
    import mpmath

    law = law_of(instance)
    if law is None or any(node.inputs + node.weights > _NUMBERS for node in instance.nodes):
        return None
    sites = [
        (
            p,
            [
                ((c.high, 1.0),) if c.fixed and c.p == 1.0 else ((c.low, 1 - c.p), (c.high, c.p))
                for c in own
            ],
        )
        for p, own in zip(instance.perturbations, law, strict=True)
    ]
    components = [values for _, own in sites for values in own]
    total = 1
    for values in components:
        total *= len(values)
    if total > _OUTCOMES:
        return None
    program = make_program(instance)
    w = initial_weights(instance, program)[0]
    maps = [_maps(node.operator, node.inputs) for node in instance.nodes]
    with mpmath.workdps(_DIGITS):
        clean = _gradient(instance, program.slices, maps, w, {})
        error, mean = mpmath.mpf(0), [mpmath.mpf(0)] * len(clean)
        for outcome in product(*components):
            p, left = mpmath.mpf(1), iter(outcome)
            shifts: dict[tuple[str, int], list[Any]] = {}
            for site, own in sites:
                drawn = [next(left) for _ in own]
                for _, share in drawn:
                    p *= mpmath.mpf(share)
                key = (str(site.direction), shift_key(site))
                known = shifts.get(key, [mpmath.mpf(0)] * len(drawn))
                shifts[key] = [k + mpmath.mpf(x) for k, (x, _) in zip(known, drawn, strict=True)]
            moved = _gradient(instance, program.slices, maps, w, shifts)
            off = [x - y for x, y in zip(moved, clean, strict=True)]
            error += p * sum(x**2 for x in off)
            mean = [m + p * x for m, x in zip(mean, off, strict=True)]
        return error, sum(m**2 for m in mean)


def _maps(operator: Any, inputs: int) -> _Maps:
    import sympy

    form = operator.symbolic(inputs)
    arguments = (*form.inputs, *form.weights, form.label)

    def made(expressions: list[Any]) -> Callable[..., Any]:
        made: Callable[..., Any] = sympy.lambdify(arguments, expressions, "mpmath")
        return made

    outputs = list(form.outputs)
    return _Maps(
        made(outputs),
        made([[sympy.diff(f, y) for y in form.inputs] for f in outputs]),
        made([[sympy.diff(f, x) for x in form.weights] for f in outputs]),
    )


def _gradient(
    graph: OperatorGraph,
    slices: Any,
    maps: list[_Maps],
    w: Array,
    shifts: dict[tuple[str, int], list[Any]],
) -> list[Any]:
    """ũ of the first sample: docs/theory.md, section 1, one number at a time."""
    import mpmath

    data = graph.data
    assert data is not None  # noqa: S101 - instances have data
    label = mpmath.mpf(float(data.labels[0]))
    y = {0: [mpmath.mpf(float(x)) for x in data.features[0]]}
    arguments = {}
    for v, node in enumerate(graph.nodes, 1):
        own = w[slices[node.group]] if node.group in slices and node.trainable else node.values
        weights = [mpmath.mpf(float(x)) for x in (() if own is None or not node.weights else own)]
        inputs = [x for u in node.reads for x in y[u]]
        arguments[v] = (*inputs, *weights, label)
        shift = shifts.get(("forward", v)) if v < graph.size else None
        out = maps[v - 1].value(*arguments[v])
        y[v] = out if shift is None else [x + d for x, d in zip(out, shift, strict=True)]
    back: dict[int, list[Any]] = {graph.size: [mpmath.mpf(1)]}
    gradient = [mpmath.mpf(0)] * len(w)
    for v in range(graph.size, 0, -1):
        node = graph.nodes[v - 1]
        ahead = back.get(v, [mpmath.mpf(0)] * node.outputs)
        pulled = _pulled(maps[v - 1].input(*arguments[v]), ahead, node.inputs)
        if node.group in slices and node.trainable and node.weights:
            part = _pulled(maps[v - 1].weight(*arguments[v]), ahead, node.weights)
            for place, value in zip(range(*slices[node.group].indices(len(w))), part, strict=True):
                gradient[place] += value
        at, used = 0, set()
        for u, edge in zip(node.reads, node.edges, strict=True):
            size = len(y[u])
            piece = pulled[at : at + size]
            at += size
            if u == 0:
                continue
            shift = shifts.get(("backward", edge)) if edge not in used else None
            used.add(edge)
            if shift is not None:
                piece = [x + e for x, e in zip(piece, shift, strict=True)]
            known = back.get(u, [mpmath.mpf(0)] * size)
            back[u] = [x + z for x, z in zip(known, piece, strict=True)]
    return gradient


def _pulled(jacobian: list[list[Any]], ahead: list[Any], count: int) -> list[Any]:
    return [sum(row[k] * v for row, v in zip(jacobian, ahead, strict=True)) for k in range(count)]
