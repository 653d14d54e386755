"""A report's findings with one result only: what a notebook shows of that result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from boundcalc.report.gather import Findings

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph


def alone(graph: OperatorGraph | None, **found: Any) -> Findings:
    """Findings that hold nothing but what is given.

    Parameters
    ----------
    graph
        None where a result does not know its graph; then only what needs none may be asked.
    found
        ``coefficients``, ``rates``, ``verdicts`` or ``budget``.
    """
    empty: dict[str, Any] = {
        "coefficients": {},
        "rates": None,
        "no_rates": "",
        "verdicts": None,
        "no_verdicts": "",
        "budget": None,
    }
    return Findings(graph, **(empty | found))  # type: ignore[arg-type]  # see above


def every_family(graph: OperatorGraph) -> dict[str, Any]:
    """The coefficients of every family."""
    from boundcalc.theories.perturbed.coefficients import coefficients
    from boundcalc.theories.perturbed.families import FAMILIES

    return {name: coefficients(graph, name) for name in FAMILIES}
