"""The theorems that a theory states at a graph, by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from boundcalc.theories.values import Statement

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph


def stated(graph: OperatorGraph | None) -> Mapping[str, Statement]:
    """The statements behind ``rate``; none without a graph, or where there is no rate."""
    if graph is None:
        return {}
    from boundcalc.errors import BoundcalcError
    from boundcalc.theories.ask import ask

    try:
        found = ask("rate", graph).statements
    except BoundcalcError:
        return {}
    return {statement.key: statement for statement in found}
