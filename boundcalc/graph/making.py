"""What is known of the nodes while they are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boundcalc.graph.changes import ForwardSites
from boundcalc.graph.connect import Links
from boundcalc.graph.expand import Entry
from boundcalc.graph.parts import Node
from boundcalc.operators.base import Array, Data, Domain, Operator, Shape
from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import Spec


@dataclass
class Making:
    """What the passes share, and what they have found so far, by operator number; 0 is the data."""

    spec: Spec
    links: Links
    objects: list[Operator | None]
    data: Data | None
    shifted: ForwardSites
    folder: Path
    numbers: Mapping[str, float]
    symbols: Mapping[str, Expression]
    lenient: bool = False
    notes: list[str] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    regions: list[Domain] = field(default_factory=list)
    outputs: list[Array | None] = field(default_factory=list)
    groups: dict[str, Node] = field(default_factory=dict)
    shaped: dict[Any, Operator] = field(default_factory=dict)
    constants: dict[Any, Any] = field(default_factory=dict)
    templates: dict[Any, Node] = field(default_factory=dict)

    def append(self, node: Node, output: Array | None) -> None:
        """One node more, with its unperturbed outputs on the data where these are measured."""
        self.nodes.append(node)
        self.shapes.append(node.shape)
        self.regions.append(node.domain)
        self.outputs.append(output)


def again(first: Node, entry: Entry, v: int, links: Links) -> Node:
    """The next repeat of an operator without a type, of which only its place is its own."""
    fields = dict(vars(first))
    fields.update(id=entry.id, reads=links.reads[v], edges=links.slots[v], group=v)
    return Node(**fields)
