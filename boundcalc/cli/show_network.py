"""The network and a plain reading of its bounds, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from boundcalc.arithmetic import Number
from boundcalc.arithmetic.number import format_bound, format_limit, format_number
from boundcalc.cli.tables import make_table, new_console, print_line, print_table, shortened
from boundcalc.graph import OperatorGraph
from boundcalc.report.layers import Line, lines, totals
from boundcalc.report.network import counted
from boundcalc.report.reading import Reading, Tolerance, reading
from boundcalc.theories.perturbed.coefficients import Coefficients

_DIGITS = 3
_WIDEST = 44  # characters of what an operator reads


def show_network(graph: OperatorGraph) -> None:
    """One line for each operator; nothing for a chain that is given by constants only."""
    if graph.is_chain and all(node.operator is None for node in graph.nodes):
        return
    console = new_console()
    table = make_table(
        f"{escape(graph.name)}: the network",
        "operator", "no.", "type", "reads", "output", "weights",
        left=5,
    )  # fmt: skip
    for line in shortened(lines(graph)):
        table.add_row(*("…" for _ in range(6)) if line is None else _row(graph, line))
    print_table(console, table)
    print_line(console, f"  {counted(totals(graph))}")
    console.print()


def _row(graph: OperatorGraph, line: Line) -> tuple[str, ...]:
    name = line.ids[0] if line.first == line.last else f"{line.ids[0]} … {line.ids[1]}"
    if line.repeats:
        return escape(name), line.numbers, line.type, "likewise", "", ""
    weights = "–" if line.weights is None else str(line.weights)
    if line.owner is not None:
        weights += f" of {line.owner}"
    if line.remark == "frozen":
        weights += ", frozen"
    return (
        escape(name),
        line.numbers,
        line.type,
        escape(_reads(graph, line)),
        line.shape or "–",
        escape(weights),
    )


def _reads(graph: OperatorGraph, line: Line) -> str:
    if not line.reads:
        return "the one before"
    text = ", ".join(graph.ids[u - 1] if u else "data" for u in line.reads)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def show_reading(console: Console, coefficients: Coefficients) -> None:
    """How large the sharp bounds are, and where they come from, in three lines."""
    if coefficients.family.name != "sharp":
        return
    facts = reading(coefficients)
    if facts is None:
        return
    for text in (_sizes(facts), _shares(facts), _least(coefficients.graph, facts)):
        if text:
            print_line(console, f"  {text}")


def _sizes(facts: Reading) -> str:
    if facts.error is None or facts.bias is None:
        return ""
    text = f"‖u‖ ≤ {_up(facts.largest)} by the same constants"
    if facts.error_ratio is not None and facts.bias_ratio is not None:
        text += (
            f"; relative to that, root mean square error ≤ {_up(facts.error_ratio)}, "
            f"bias ≤ {_up(facts.bias_ratio)}"
        )
    return f"{text} ({facts.largest.status})"


def _shares(facts: Reading) -> str:
    if facts.sharing < 2:
        return ""
    named = [f"{name} {format_number(s.value, _DIGITS)}" for name, s in facts.shares]
    left_out = facts.sharing - len(facts.shares)
    named += [f"{left_out} more"] if left_out > 0 else []
    return f"shares of the error by weights: {', '.join(named)} ({facts.largest.status})"


def _least(graph: OperatorGraph, facts: Reading) -> str:
    found = [f for f in (facts.forward, facts.backward) if f is not None]
    if not found:
        return ""
    places = ", ".join(f"{_letter(f)} at {f.site.label} ({_up(f.coefficient)})" for f in found)
    text = f"largest coefficients: {places} ({found[0].coefficient.status})"
    if facts.relative is not None and facts.relative.site != found[0].site:
        text += (
            f"; relative to the size of the output {facts.relative.site.label} tolerates least "
            f"({_down(facts.relative.alone)})"
        )
    return text


def _letter(found: Tolerance) -> str:
    return "δ" if found.site.direction == "forward" else "ε"


def _up(number: Number) -> str:
    return format_bound(number.value, _DIGITS)


def _down(number: Number) -> str:
    return format_limit(number.value, _DIGITS)
