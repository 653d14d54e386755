"""How far symbols may move: as far as every size that depends on them stays a positive number."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from boundcalc.errors import ExpressionError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES, NoConstants
from boundcalc.spec.expressions import Expression
from boundcalc.spec.nodes import Node

#: Factors up to which a symbol moves from its value, tried in this order.
FACTORS = (100.0, 30.0, 10.0, 4.0, 2.0, 1.5, 1.2)

Interval = tuple[float, float]


def enclosure(node: Node, box: Mapping[str, Interval]) -> Interval:
    """An interval around the values of an expression while its symbols move in a box.

    It may be too wide where a symbol occurs more than once, and is not rounded outward: it
    decides how far a control goes, and no number rests on it.

    Raises
    ------
    ExpressionError
        If the expression may have no value there.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> enclosure(parse("2*a - b/4").node, {"a": (1.0, 2.0), "b": (0.0, 4.0)})
    (1.0, 4.0)
    """
    match node:
        case ("number", value) | ("bounded", value) | ("measured", value):
            return float(value), float(value)
        case ("symbol", name):
            return box[name]
        case ("pi", _):
            return math.pi, math.pi
        case ("neg", inner):
            low, high = enclosure(inner, box)
            return -high, -low
        case ("**", base, ("number", power)):
            return _power(enclosure(base, box), int(power))
        case (name, inner):
            return _function(name, enclosure(inner, box))
        case (operation, left, right):
            return _operate(operation, enclosure(left, box), enclosure(right, box))
    raise AssertionError(f"no rule for {node!r}")


def _power(base: Interval, power: int) -> Interval:
    if power < 0:
        return _operate("/", (1.0, 1.0), _power(base, -power))
    ends = sorted(_to(x, power) for x in base)
    if base[0] < 0 < base[1] and power % 2 == 0:
        return 0.0, ends[1]
    return ends[0], ends[1]


def _to(x: float, power: int) -> float:
    try:
        return x**power
    except OverflowError:
        return math.inf


def _function(name: str, inner: Interval) -> Interval:
    low, high = inner
    if low < 0 if name == "sqrt" else name == "log" and low <= 0:
        raise ExpressionError(f"{name} may have no value", value=low)
    if name == "exp" and high > 690:
        raise ExpressionError("the value may be too large", value=high)
    function = {"sqrt": math.sqrt, "log": math.log, "exp": math.exp}[name]
    return function(low), function(high)


def _operate(operation: str, x: Interval, y: Interval) -> Interval:
    if operation == "+":
        return x[0] + y[0], x[1] + y[1]
    if operation == "-":
        return x[0] - y[1], x[1] - y[0]
    if operation in ("min", "max"):
        chosen = min if operation == "min" else max
        return chosen(x[0], y[0]), chosen(x[1], y[1])
    if operation == "/":
        if y[0] <= 0 <= y[1]:
            raise ExpressionError("a division by zero may occur", value=y[0])
        y = (1 / y[1], 1 / y[0])
    ends = [p * q for p in x for q in y]
    return min(ends), max(ends)


def sizes(graph: OperatorGraph) -> Iterator[tuple[str, Expression]]:
    """Every expression of a graph that must be positive if it is not 0 throughout."""
    for key, expression in (graph.uniform or {}).items():
        yield f"graph.uniform.{key}", expression
    seen: set[int] = set()
    for node in graph.nodes:
        if id(node.constants) in seen or isinstance(node.constants, NoConstants):
            continue
        seen.add(id(node.constants))
        for name in CONSTANT_NAMES:
            yield f"{name} of {node.id}", getattr(node.constants, name)
        for slot in node.constants.slots:
            for value in (slot.jac_input, slot.lip_input, *slot.hess_input, slot.hess_mixed):
                yield f"a constant of {node.id}", value
    for p in graph.perturbations:
        for name in ("rms", "mean", "fourth"):
            yield f"{name} of {p.where}", getattr(p, name)
    loss, training = graph.spec.loss, graph.spec.training
    for name in ("smoothness", "pl", "initial_gap", "gradient_noise"):
        yield f"loss.{name}", getattr(loss, name)
    if training is not None:
        yield "training.step_size", training.step_size


def factors(
    graph: OperatorGraph, symbols: Mapping[str, float], others: Mapping[str, float]
) -> dict[str, float | str]:
    """How far each symbol may move, as a factor; or why it may not.

    Parameters
    ----------
    graph
        With perturbations given by moments.
    symbols
        The spec's own symbols that may move, with their values.
    others
        All other symbols, with values.
    """
    step = dict.fromkeys(symbols, 0)
    found: dict[str, float | str] = {}
    checked = [
        (where, expression)
        for where, expression in sizes(graph)
        if expression is not None and expression.symbols & symbols.keys()
    ]
    changed = True
    while changed:
        changed = False
        for where, expression in checked:
            moving = expression.symbols & step.keys()
            if not moving or _positive(expression, _box(symbols, step, others)):
                continue
            changed = True
            for name in sorted(moving):
                step[name] += 1
                if step[name] == len(FACTORS):
                    del step[name]
                    found[name] = f"{where} does not stay positive around its value"
    return found | {name: FACTORS[k] for name, k in step.items()}


def _box(
    symbols: Mapping[str, float], step: Mapping[str, int], others: Mapping[str, float]
) -> dict[str, Interval]:
    box = {name: (value, value) for name, value in (others | symbols).items()}  # type: ignore[operator]
    for name, k in step.items():
        box[name] = (symbols[name] / FACTORS[k], symbols[name] * FACTORS[k])
    return box


def _positive(expression: Expression, box: Mapping[str, Interval]) -> bool:
    try:
        low, high = enclosure(expression.node, box)
    except ExpressionError:
        return False
    return bool(low > 0 and high < math.inf)
