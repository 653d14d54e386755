"""A template while it is made: the spec as plain data, and what moves in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from boundcalc.explore.controls import Control, Fixed, Names
from boundcalc.graph import OperatorGraph
from boundcalc.graph.build import build
from boundcalc.spec.expressions import Expression, rational
from boundcalc.spec.grammar import parse
from boundcalc.spec.loading import loads
from boundcalc.spec.plain import json_text


@dataclass(frozen=True)
class Detail:
    """How much of a spec may move; less where a page would get too large.

    Attributes
    ----------
    directions
        The passes whose levels move.
    sites
        Whether every perturbed site has a level of its own.
    constants
        Whether constants move.
    """

    directions: frozenset[str] = frozenset({"forward", "backward"})
    sites: bool = True
    constants: bool = True


@dataclass
class Draft:
    """A graph's template spec, being made.

    Attributes
    ----------
    source
        The graph of the spec as it is.
    data
        The template, plain data in the spec's format.
    controls, fixed, notes
        What moves, what does not and why, and remarks.
    sites
        By perturbation of the graph: the key of its control, or None.
    sections
        The perturbations as the spec has them, plain data.
    detail
        What moves.
    """

    source: OperatorGraph
    names: Names
    data: dict[str, Any]
    detail: Detail
    controls: dict[str, Control] = field(default_factory=dict)
    fixed: list[Fixed] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sites: list[str | None] = field(default_factory=list)
    sections: list[dict[str, Any]] = field(default_factory=list)

    def graph(self) -> OperatorGraph:
        """The template as a graph, its symbols at their values."""
        spec = loads(json_text(self.data), name="template", format="json")
        spec._folder = self.source.spec.folder
        return build(spec)

    def add(self, control: Control, text: float | str | None = None) -> str:
        """A control with a symbol, which has the value that ``text`` says."""
        assert isinstance(control.symbol, str)  # noqa: S101 - the others are paths
        self.data.setdefault("symbols", {})[control.symbol] = text or control.value
        self.controls.setdefault(control.key, control)
        return control.symbol


def rational_text(expression: Expression) -> str | None:
    """The exact value as text, where it is rational and needs no symbol."""
    value = None if expression.symbols else rational(expression, {})
    return None if value is None else str(value)


def is_zero(value: Any) -> bool:
    """Whether what a spec says is the number 0."""
    expression = parse(value)
    return not expression.symbols and rational(expression, {}) == 0
