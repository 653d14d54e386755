"""The formulas behind the numbers: recurrences, closed forms, expanded coefficients."""

from __future__ import annotations

from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES
from boundcalc.report.cells import Block, Equation, Maths, Paragraph, Piece, Strong
from boundcalc.report.equations import arrange
from boundcalc.report.gather import Findings
from boundcalc.report.graph_formulas import RUNS, graph_formulas
from boundcalc.report.notation import plural
from boundcalc.theories.perturbed.coefficients import Coefficients
from boundcalc.theories.perturbed.families import Family
from boundcalc.theories.perturbed.formulas import (
    CONVENTIONS,
    EXPANDED_OPERATORS,
    RECURRENCES,
    SYMBOL_OF,
    closed_latex,
    generic,
)


def formula_blocks(findings: Findings) -> tuple[Block, ...]:
    """For each family its recurrences and, where they exist, forms without recursion."""
    graph = findings.graph
    plain = graph.is_chain and graph.smooth
    blocks: list[Block] = []
    for name, coefficients in findings.coefficients.items():
        if coefficients.refused:
            continue
        if name == "sharp" and not plain:
            blocks += graph_formulas(graph)
            continue
        blocks += [
            Paragraph((Strong(f"Family {name}."), " ", "Recurrences:")),
            Equation(RECURRENCES[name]),
        ]
        if name == "sharp" and graph.merged:
            blocks.append(Paragraph(RUNS))
        if is_uniform(graph):
            blocks.extend(_closed(name))
        if graph.size <= EXPANDED_OPERATORS:
            blocks.extend(_expanded(coefficients))
    return tuple(blocks)


def is_uniform(graph: OperatorGraph) -> bool:
    """Whether all operators that are ever perturbed have the same constants."""
    if not graph.is_smooth_chain:
        return False
    # The first operator's input constants are never used.
    rows = {
        tuple(getattr(node.constants, name).node for name in CONSTANT_NAMES)
        for node in graph.nodes[1:]
    }
    weights = {
        tuple(getattr(node.constants, name).node for name in ("jac_weight",))
        for node in graph.nodes
    }
    return len(rows) == 1 and len(weights) == 1


def _closed(family: str) -> list[Block]:
    lead = "Closed forms, since all operators have the same constants:"
    shown: list[str] = []
    named: dict[str, str] = {}
    left_out = 0
    for column, right in closed_latex(family).items():
        symbol, shift = SYMBOL_OF[column]
        left = symbol % ("i+1" if shift else "i")
        lines = arrange(left, right, names=named)
        if lines is None:
            left_out += 1
        else:
            shown.extend(lines)
    conventions = Paragraph(_prose(CONVENTIONS[family]))
    return [*_display(lead, shown, left_out), conventions]


def _expanded(coefficients: Coefficients) -> list[Block]:
    graph, family = coefficients.graph, coefficients.family
    symbolic = coefficients.missing is not None
    found = coefficients.formulas() if symbolic else _letters(graph, family)
    if found is None:
        return []
    lead = "in the symbols of the spec" if symbolic else "in the letters of the theory"
    shown: list[str] = []
    named: dict[str, str] = {}
    left_out = 0
    positions = {name: k for k, name in enumerate(graph.ids, 1)}
    for column, entries in found.items():
        for name, right in entries.items():
            lines = arrange(SYMBOL_OF[column][0] % positions[name], right, names=named)
            if lines is None:
                left_out += 1
            else:
                shown.extend(lines)
    return _display(f"Operator by operator, {lead}:", shown, left_out)


def _display(lead: str, lines: list[str], left_out: int) -> list[Block]:
    blocks: list[Block] = []
    if lines:
        blocks += [Paragraph(lead), Equation(tuple(lines))]
    if left_out:
        blocks.append(_too_long(left_out))
    return blocks


def _letters(graph: OperatorGraph, family: Family) -> dict[str, dict[str, str]]:
    """Every coefficient of a chain of this length in a, b, ℓ, … or in [KZY]'s constants."""
    import sympy

    found: dict[str, dict[str, str]] = {}
    for column, entries in generic(graph.size, family).items():
        sites = range(2, graph.size + 1) if "backward" in column else range(1, graph.size)
        found[column] = {graph.ids[k - 1]: sympy.latex(entries[k], order="none") for k in sites}
    return found


def _too_long(count: int) -> Paragraph:
    return Paragraph(
        f"{plural(count, 'coefficient')} {'is' if count == 1 else 'are'} too long to print in "
        "full; the recurrences above define them."
    )


def _prose(text: str) -> tuple[Piece, ...]:
    """A sentence with ``$…$`` in it, as pieces."""
    parts = text.split("$")
    return tuple(
        Maths(part) if position % 2 else part for position, part in enumerate(parts) if part
    )
