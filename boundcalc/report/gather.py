"""Run every stage that a spec allows, and remember why the others were left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from boundcalc.budgets.results import Budget
from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph
from boundcalc.rates import Rates, rates
from boundcalc.theories.perturbed.coefficients import Coefficients, coefficients
from boundcalc.theories.perturbed.families import FAMILIES
from boundcalc.verify import Verdicts, verify

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Findings:
    """Everything that a report is about.

    Attributes
    ----------
    graph
        The compiled spec.
    coefficients
        Family name → coefficients, in the order of the families.
    rates, no_rates
        Convergence bounds, or why there are none.
    verdicts, no_verdicts
        Bounds held against a simulation, or why there is none.
    budget, no_budget
        What is admissible, or why nothing can be said; None and empty where the spec has no
        ``budget`` section.
    """

    graph: OperatorGraph
    coefficients: Mapping[str, Coefficients]
    rates: Rates | None
    no_rates: str
    verdicts: Verdicts | None
    no_verdicts: str
    budget: Budget | None = None
    no_budget: str = ""


def gather(graph: OperatorGraph, *, progress: Progress | None = None) -> Findings:
    """Coefficients of all families; rates, verdicts and budget where the spec allows them.

    Examples
    --------
    >>> import boundcalc as bc
    >>> found = gather(bc.build(bc.loads('''
    ... version: 1
    ... name: two operators
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... ''')))
    >>> list(found.coefficients), found.no_verdicts
    (['published', 'corrected', 'sharp'], 'the spec has no `simulation` section')
    """
    compiled = {name: coefficients(graph, name) for name in FAMILIES}
    found_rates, no_rates = None, ""
    try:
        found_rates = rates(graph)
    except BoundcalcError as error:
        no_rates = _reason(error)
    found_verdicts, no_verdicts = None, ""
    if graph.spec.simulation is None:
        no_verdicts = "the spec has no `simulation` section"
    else:
        try:
            found_verdicts = verify(graph, progress=progress)
        except BoundcalcError as error:
            no_verdicts = _reason(error)
    found_budget, no_budget = _budget(graph, progress)
    return Findings(
        graph,
        compiled,
        found_rates,
        no_rates,
        found_verdicts,
        no_verdicts,
        found_budget,
        no_budget,
    )


def _budget(graph: OperatorGraph, progress: Progress | None) -> tuple[Budget | None, str]:
    """The budget with bits and formats where ranges are known, measured where that is asked for."""
    section = graph.spec.budget
    if section is None:
        return None, ""
    from boundcalc.budgets.budget import budget

    try:
        found = budget(
            graph,
            allocate=True,
            formats=True,
            calibrate=section.calibration is not None,
            lenient=True,
            progress=progress,
        )
    except BoundcalcError as error:
        return None, _reason(error)
    return found, ""


def _reason(error: BoundcalcError) -> str:
    return error.problem if error.where is None else f"{error.problem} ({error.where})"
