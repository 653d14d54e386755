"""Coefficients row by row: operators in order, each followed by the edges into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boundcalc.arithmetic import Number
from boundcalc.theories.perturbed.coefficients import Coefficients
from boundcalc.theories.perturbed.families import COLUMNS


@dataclass(frozen=True)
class SiteRow:
    """One operator's output, together with its only edge; or one edge of several.

    Attributes
    ----------
    number
        Of the operator; None for an edge.
    label
        The operator's id, or ``f1->f3``.
    numbers
        Column → coefficient; None where it does not exist because of a kink.  A column is
        missing where no perturbation reaches the gradient.
    """

    number: int | None
    label: str
    numbers: Mapping[str, Number | None]

    @property
    def kinked(self) -> bool:
        """Whether a coefficient does not exist."""
        return any(number is None for number in self.numbers.values())


def site_rows(coefficients: Coefficients) -> list[SiteRow]:
    """All rows of a coefficient table; O(N + edges).

    On a graph operators that cannot be perturbed with effect have none.

    Examples
    --------
    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: a join
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}, {id: f3, inputs: [f1, f2]}]
    ... '''))
    >>> [row.label for row in site_rows(bc.coefficients(graph))]
    ['f1', 'f2', 'f1->f3', 'f2->f3']
    """
    graph = coefficients.graph
    columns = {name: coefficients.by_id(name) for name in COLUMNS}

    def numbers(label: str) -> dict[str, Number | None]:
        return {name: column[label] for name, column in columns.items() if label in column}

    rows: list[SiteRow] = []
    for v, node in enumerate(graph.nodes, 1):
        own = SiteRow(v, node.id, numbers(node.id))
        if own.numbers or graph.is_chain:
            rows.append(own)
        labels = [graph.edge_label(e) for e in dict.fromkeys(node.edges) if graph.ends[e][0]]
        rows += [SiteRow(None, label, numbers(label)) for label in labels if label != node.id]
    return rows
