"""Results as plain data: the objects that ``--json`` prints and results.json holds.

Numbers are written as in :mod:`boundcalc.report.json_numbers`.  Those that may be exact stand
again under ``exact`` as "p/q", and ``status`` says how far each group can be trusted.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import boundcalc
from boundcalc.arithmetic import Number
from boundcalc.budgets.results import Budget
from boundcalc.graph import OperatorGraph
from boundcalc.rates import Rate, Rates
from boundcalc.report.graph_results import MOST_OPERATORS, graph_results
from boundcalc.report.json_numbers import nearest, number
from boundcalc.report.reading import contributions
from boundcalc.report.simulation_results import simulate_results, verify_results
from boundcalc.theories.perturbed.coefficients import GRAM_SITES, Coefficients
from boundcalc.theories.perturbed.families import COLUMNS
from boundcalc.verify import Verdicts

MEASURED = (
    "regions were measured on the data (regions: visited), so that every bound is sampled, not "
    "proved"
)
KINKED = (
    "no coefficient where a perturbation reaches a kink: what it does is bounded, but by no "
    "multiple of its square"
)

#: Column → its place in the ``coefficients`` object.
_PLACES = {
    "error_forward": ("error", "forward"),
    "error_backward": ("error", "backward"),
    "bias_forward_mean": ("bias", "forward_mean"),
    "bias_forward_fourth": ("bias", "forward_fourth"),
    "bias_backward_mean": ("bias", "backward_mean"),
}


def compile_results(
    coefficients: Coefficients,
    *,
    gram: bool | None = None,
    formulas: bool = False,
    graph: bool = False,
) -> dict[str, Any]:
    """The object of ``boundcalc compile --json``.

    Parameters
    ----------
    gram
        Write the Gram matrix; by default only up to 128 sites.
    formulas
        Add LaTeX under ``formula``.
    graph
        Add the operators under ``graph``, up to 10 000 of them.
    """
    model, bounds = coefficients.graph, coefficients.bounds
    tree: dict[str, Any] = {}
    exact: dict[str, Any] = {}
    for column in COLUMNS:
        group, name = _PLACES[column]
        if coefficients.missing:
            values: dict[str, Any] = {site.label: None for site in coefficients.sites(column)}
            fractions = {}
        else:
            numbers = coefficients.by_id(column)
            values = {key: number(value) for key, value in numbers.items()}
            written = ((key, _exact(value)) for key, value in numbers.items())
            fractions = {key: text for key, text in written if text is not None}
        tree.setdefault(group, {})[name] = values
        exact.setdefault(group, {})[name] = fractions
    result: dict[str, Any] = {
        "name": model.name,
        "family": coefficients.family.name,
        "operators": list(model.ids),
        "coefficients": tree,
        "error_bound": number(coefficients.error_bound()),
        "bias_bound": number(coefficients.bias_bound()),
        "exact": {
            **exact,
            "error_bound": _exact(coefficients.error_bound()),
            "bias_bound": _exact(coefficients.bias_bound()),
        },
        "status": {
            "coefficients": _status(coefficients),
            "error_bound": _number_status(coefficients.error_bound()),
            "bias_bound": _number_status(coefficients.bias_bound()),
        },
        "form": None if bounds is None else bounds.form,
        "refinements": [] if bounds is None else list(bounds.refinements),
        "error_bound_plain": None if bounds is None else number(bounds.error_plain),
        "bias_bound_plain": None if bounds is None else number(bounds.bias_plain),
        "source": coefficients.family.source,
        "caution": coefficients.family.caution,
        "notes": _notes(coefficients),
    }
    if bounds is not None:
        result["exact"]["error_bound_plain"] = _exact(bounds.error_plain)
        result["exact"]["bias_bound_plain"] = _exact(bounds.bias_plain)
    if coefficients.family.name == "sharp":
        result |= _sharp_only(coefficients, gram, result["notes"])
    if formulas:
        found = coefficients.formulas()
        if found is None:
            result["notes"].append("formulas are written out for chains of up to 8 operators")
        else:
            result["formula"] = {}
            for column, entries in found.items():
                group, name = _PLACES[column]
                result["formula"].setdefault(group, {})[name] = entries
        result |= _general_formulas(coefficients)
        if coefficients.family.name == "sharp":
            from boundcalc.theories.perturbed.repeated import repeated_forms

            repeated = repeated_forms(coefficients.graph)
            result["repeated"] = None if repeated is None else repeated.json()
    if graph and model.size <= MOST_OPERATORS:
        result["graph"] = graph_results(model)
    elif graph:
        result["notes"].append(
            f"the graph of {model.size} operators is left out here; a report has it in results.json"
        )
    return result


def _general_formulas(coefficients: Coefficients) -> dict[str, Any]:
    """Recurrences of the family, and closed forms in N and i where the chain is uniform."""
    from boundcalc.theories.perturbed.formulas import CONVENTIONS, closed_latex, recurrences

    family, graph = coefficients.family.name, coefficients.graph
    if coefficients.refused:
        return {"recurrence": [], "closed_form": None}
    closed = None
    if graph.is_uniform:
        closed = {"where": CONVENTIONS[family], **closed_latex(family)}
    return {"recurrence": list(recurrences(graph, family)), "closed_form": closed}


def _sharp_only(coefficients: Coefficients, gram: bool | None, notes: list[str]) -> dict[str, Any]:
    labels = coefficients.gram_labels
    matrix = None
    if gram or (gram is None and len(labels) <= GRAM_SITES):
        found = coefficients.gram()
        matrix = None if found is None else [[number(value) for value in row] for row in found]
    elif gram is None:
        notes.append(f"the Gram matrix of {len(labels)} sites is left out; --gram writes it")
    return {
        "gram": matrix,
        "gram_labels": list(labels),
        "separable": _by_label(coefficients.separable()),
        "separable_minimax": _by_label(
            coefficients.separable("minimax") if len(labels) <= GRAM_SITES else None
        ),
        "contributions": {
            name: number(value) for name, value in contributions(coefficients).items()
        },
    }


def _by_label(found: Mapping[str, Number] | None) -> dict[str, float | str | None] | None:
    return None if found is None else {label: number(value) for label, value in found.items()}


def rate_results(rates: Rates) -> dict[str, Any]:
    """The object of ``boundcalc rate --json``."""
    return {
        "horizon": rates.horizon,
        "step_size": nearest(rates.step_size),
        "nonconvex": {name: _rate(rate) for name, rate in rates.nonconvex.items()},
        "pl": {name: _rate(rate) for name, rate in rates.pl.items()},
        "notes": list(rates.notes),
    }


def _rate(rate: Rate) -> dict[str, Any]:
    best = rate.best_step
    return {
        "bound": number(rate.bound),
        "terms": {name: number(value) for name, value in rate.terms.items()},
        "split": {name: number(value) for name, value in rate.split().items()},
        "step_size_limit": number(rate.step_size_limit),
        "best_step_size": None if best is None else number(best[0]),
        "best_bound": None if best is None else number(best[1]),
        "refused": rate.refused,
        "status": _number_status(rate.bound),
        "term_status": {name: str(value.status) for name, value in rate.terms.items()},
        "best_status": None if best is None else str(best[1].status),
        "source": rate.source,
    }


def results(
    graph: OperatorGraph,
    coefficients: Mapping[str, Coefficients],
    rates: Rates | None,
    verdicts: Verdicts | None,
    budget: Budget | None = None,
) -> dict[str, Any]:
    """Everything that a report says, as one object: the content of results.json."""
    from boundcalc.report.budget_results import budget_results

    return {
        "name": graph.name,
        "operators": list(graph.ids),
        "versions": versions(),
        "graph": graph_results(graph),
        "compile": {name: compile_results(found) for name, found in coefficients.items()},
        "rate": None if rates is None else rate_results(rates),
        "simulate": None if verdicts is None else simulate_results(verdicts.run),
        "verify": None if verdicts is None else verify_results(verdicts),
        "budget": None if budget is None else budget_results(budget),
    }


def versions() -> dict[str, str]:
    """Versions of boundcalc, Python and the packages that numbers depend on."""
    found = {"boundcalc": boundcalc.__version__, "python": platform.python_version()}
    for package in ("numpy", "scipy", "sympy", "mpmath", "python-flint", "networkx", "pydantic"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "unknown"
    return found


def _exact(value: Number | None) -> str | None:
    return None if value is None else value.exact


def _number_status(value: Number | None) -> str | None:
    return None if value is None else str(value.status)


def _status(coefficients: Coefficients) -> dict[str, str | None]:
    """One status for each column: all its numbers come from one computation."""
    found: dict[str, str | None] = {}
    for column in COLUMNS:
        numbers = [n for n in coefficients.columns.get(column, ()) if n is not None]
        found[column] = str(numbers[-1].status) if numbers else None
    return found


def _notes(coefficients: Coefficients) -> list[str]:
    notes = list(coefficients.graph.notes)
    if coefficients.graph.sampled:
        notes.append(MEASURED)
    if any(None in column for column in coefficients.columns.values()):
        notes.append(KINKED)
    if coefficients.missing:
        notes.append(coefficients.missing)
    bounds = coefficients.bounds
    if bounds is not None and bounds.reason:
        notes.append(bounds.reason)
    return notes
