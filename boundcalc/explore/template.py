"""A spec in which everything that may move is a symbol.

At any values of these symbols it is a spec that ``boundcalc rate`` runs, so that whatever a page
shows can be exported and held against the ordinary calculation.
"""

from __future__ import annotations

from collections.abc import Sequence

from boundcalc.arithmetic import FLOATS
from boundcalc.explore.controls import Control, Fixed, Names
from boundcalc.explore.draft import Detail, Draft, rational_text
from boundcalc.explore.levels import scale_levels
from boundcalc.explore.stated import free_objective, free_training, scale_constants
from boundcalc.explore.usage import fixed_symbols, symbols_of
from boundcalc.graph import OperatorGraph
from boundcalc.spec.grammar import DecimalLiteral, parse
from boundcalc.spec.plain import plain


def template(graph: OperatorGraph, names: Names, labels: Sequence[str], detail: Detail) -> Draft:
    """The template of a graph; O(spec + perturbed sites).

    Parameters
    ----------
    names
        Gives symbols, the same in all variants of a spec.
    labels
        What tells the perturbation sections of a spec apart in keys, by section.
    detail
        What moves.
    """
    data = plain(graph.spec, literal=_literal)
    made = Draft(graph, names, data, detail)
    _symbols(made)
    scale_levels(made, labels)
    if detail.constants:
        scale_constants(made)
    free_objective(made)
    free_training(made)
    return made


def _literal(value: DecimalLiteral) -> float | str:
    exact = parse(value) == parse(float(value))
    return float(value) if exact else repr(value)


def _symbols(made: Draft) -> None:
    """The spec's own symbols."""
    spec = made.source.spec
    fixed = {**_still(made), **fixed_symbols(spec)}
    for name, expression in spec.symbols.items():
        value = None if expression is None else float(expression.evaluate(FLOATS))
        if name in fixed or not value:
            reason = fixed.get(name, "it is 0, where bounds take another form")
            made.fixed.append(Fixed(name, str(expression), reason))
            continue
        assert expression is not None  # noqa: S101 - it has a value
        key = f"symbol:{name}"
        made.controls[key] = Control(
            key,
            "symbols",
            name,
            None,
            value,
            value / 100,
            value * 100,
            "log",
            name,
            text=rational_text(expression),
        )


def _still(made: Draft) -> dict[str, str]:
    """Symbols of what does not move at this detail."""
    graph, detail = made.source, made.detail
    found: dict[str, str] = {}
    for p in graph.perturbations:
        if p.direction not in detail.directions:
            reason = f"it is in a {p.direction} level, with which constants move"
            found |= dict.fromkeys(
                symbols_of([p.rms, p.mean, p.fourth, vars(p.moments or p)]), reason
            )
    if not detail.constants:
        reason = "it is in constants, which are fixed to keep the page small"
        for node in graph.nodes:
            found |= dict.fromkeys(symbols_of(vars(node.constants)), reason)
        found |= dict.fromkeys(symbols_of(dict(graph.uniform or {})), reason)
    return found
