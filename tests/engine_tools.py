"""The explorer's engine beside the ordinary calculation: settings, references, comparisons."""

from __future__ import annotations

import json
import math
import random
from functools import cache
from typing import Any

from engine_specs import graph_named

import boundcalc as bc
from boundcalc.arithmetic import Number
from boundcalc.arithmetic.combine import added
from boundcalc.errors import BoundcalcError
from boundcalc.explore.model import Explorer, explorer
from boundcalc.graph import OperatorGraph
from boundcalc.rates.bound import statement
from boundcalc.rates.inputs import problem
from boundcalc.rates.rate import refusal
from boundcalc.rates.timeline import Timeline
from boundcalc.theories.perturbed.families import FAMILIES

#: Agreement that is asked of page and Python, relative.
TOLERANCE = 1e-9
#: Longest horizon where the ordinary sums go step by step.
STEPWISE = {"two schedules": 3000, "shared draws": 100_000}


@cache
def made(name: str) -> Explorer:
    return explorer(graph_named(name))


def random_settings(name: str, seed: int, count: int) -> list[dict[str, float]]:
    """Settings over the whole ranges; the first one is the spec's own, some keep a part of it."""
    rng = random.Random(f"{name} {seed}")  # noqa: S311 - settings, no secrets
    found: list[dict[str, float]] = [{}]
    while len(found) < count:
        keep = rng.choice((0.0, 0.3, 0.8))
        controls = [c for c in made(name).model["controls"] if rng.random() >= keep]
        found.append({c["key"]: _drawn(name, c, rng) for c in controls})
    return found


def _drawn(name: str, control: dict[str, Any], rng: random.Random) -> float:
    if "choices" in control:
        return float(rng.choice(control["choices"]))
    low, high = control["min"], control["max"]
    if control["key"] == "horizon":
        high = min(high, STEPWISE.get(name, high))
    if control["scale"] == "linear":
        return rng.uniform(low, high)
    value = math.exp(rng.uniform(math.log(low), math.log(high)))
    return float(round(value)) if control["scale"] == "integer" else value


def exported_graph(name: str, text: str) -> OperatorGraph:
    """What the page exports, as any other spec is read and built."""
    spec = bc.loads(text, name="exported.json")
    spec._folder = graph_named(name).spec.folder
    return bc.build(spec)


def reference(graph: OperatorGraph) -> dict[str, dict[str, Number | None]]:
    """Error, bias and bounds of every family by the ordinary path, without the best steps."""
    p = problem(graph)
    timeline = Timeline(graph, p.horizon)
    found: dict[str, dict[str, Number | None]] = {}
    for name, family in FAMILIES.items():
        if family.refusal(graph) is not None:
            continue
        bounds = [family.best_bounds(graph, pattern.active) for pattern in timeline.patterns]
        everything = family.best_bounds(graph)
        found[name] = {"error": everything.error, "bias": everything.bias}
        refused = refusal(graph, p, family, bounds)
        for regime in ("nonconvex", "pl") if p.mu is not None else ("nonconvex",):
            found[name][regime] = None
            if refused is None:
                terms = statement(graph, p, timeline, family, bounds, regime).numbers()
                found[name][regime] = added(terms.values())
                for term, number in terms.items():
                    found[name][f"{regime} {term}"] = number
    return found


def of_page(result: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    """The same numbers of what the engine evaluated."""
    found: dict[str, dict[str, float | None]] = {}
    for name, moments in result["families"].items():
        found[name] = {"error": moments["error"], "bias": moments["bias"]}
        for regime in ("nonconvex", "pl"):
            rates = result[regime]
            if rates is None:
                continue
            found[name][regime] = rates[name]["bound"]
            if rates[name]["bound"] is not None:
                for term, value in rates[name]["terms"].items():
                    found[name][f"{regime} {term}"] = value
    return found


def disagreements(name: str, row: dict[str, Any]) -> list[str]:
    """Where page and Python differ by more than the tolerance, or only one has a number."""
    page = of_page(row["result"])
    try:
        graph = exported_graph(name, row["spec"])
        python = reference(graph)
    except BoundcalcError as error:
        shown = [v for f in page.values() for k, v in f.items() if k not in ("error", "bias")]
        return [f"refused by Python: {error}"] if any(v is not None for v in shown) else []
    wrong = [] if page.keys() == python.keys() else [f"{page.keys()} against {python.keys()}"]
    for family in page.keys() & python.keys():
        if page[family].keys() != python[family].keys():
            wrong.append(f"{family}: {page[family].keys()} against {python[family].keys()}")
        for what in page[family].keys() & python[family].keys():
            x, y = page[family][what], in_float64(python[family][what])
            if (x is None) != (y is None) or not agree(x, y):
                wrong.append(f"{family} {what}: {x} against {y}")
    return [f"{name} {json.dumps(row['settings'])}: {text}" for text in wrong]


def in_float64(number: Number | None) -> float | None:
    """The number, if float64 has it with all its digits."""
    if number is None:
        return None
    value = float(number)
    fits = 2.2250738585072014e-308 <= abs(value) < math.inf or number.value == 0
    return value if fits else None


def agree(x: float | None, y: float | None) -> bool:
    if x is None or y is None:
        return x is y
    return x == y or abs(x - y) <= TOLERANCE * abs(y)
