"""The numbers of the spec's own setting, as every other command computes them."""

from __future__ import annotations

import math
from typing import Any

from boundcalc.arithmetic import Number
from boundcalc.arithmetic.combine import added
from boundcalc.graph import OperatorGraph
from boundcalc.rates.bound import statement
from boundcalc.rates.inputs import problem
from boundcalc.rates.rate import refusal
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed.families import FAMILIES


def exact_numbers(graph: OperatorGraph, template: OperatorGraph) -> dict[str, Any]:
    """Error, bias and bounds of every family, with what each may claim.

    Parameters
    ----------
    graph
        Of the spec as it is.
    template
        Of its template: where the spec gives no objective or training, rates are those of what
        the page begins with.
    """
    complete = graph.spec.training is not None and all(
        getattr(graph.spec.loss, key) is not None
        for key in ("smoothness", "initial_gap", "gradient_noise")
    )
    rated = graph if complete else template
    p = problem(rated)
    timeline = Timeline(rated, p.horizon)
    everything = tuple(range(len(graph.perturbations)))
    found: dict[str, Any] = {}
    for name, family in FAMILIES.items():
        bounds = [family.best_bounds(rated, pattern.active) for pattern in timeline.patterns]
        acting = [pattern.active for pattern in timeline.patterns]
        always = rated is graph and everything in acting
        own = bounds[acting.index(everything)] if always else family.best_bounds(graph)
        found[name] = {"error": _number(own.error), "bias": _number(own.bias)}
        for regime in ("nonconvex", "pl"):
            covered = regime == "nonconvex" or p.mu is not None
            if covered and refusal(rated, p, family, bounds) is None:
                terms = statement(rated, p, timeline, family, bounds, regime).numbers()
                found[name][regime] = _number(added(terms.values()))
            else:
                found[name][regime] = None
    return found


def _number(number: Number | None) -> dict[str, Any] | None:
    if number is None:
        return None
    value = float(number)
    shown = value if math.isfinite(value) and (value or number.value == 0) else None
    return {"text": str(number), "status": str(number.status), "value": shown}
