"""Certificates: the sharp bounds of a spec as steps that a small checker can verify."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from boundcalc import __version__
from boundcalc.errors import UnsupportedError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.numbers import GraphConstants
from boundcalc.verify.certificate import inputs
from boundcalc.verify.certificate.derive import Derivation, slopes
from boundcalc.verify.certificate.ledger import CLAIMS, ledger
from boundcalc.verify.certificate.numbers import Given, text_of
from boundcalc.verify.certificate.pull import adjoint_norms
from boundcalc.verify.certificate.run import NotCoveredError, Run, nonconvex, pl, run_of
from boundcalc.verify.certificate.steps import Step, numbered
from boundcalc.verify.certificate.superposition import gradient_to_go

FORMAT = "boundcalc certificate"
VERSION = 1

#: Longest graph that a certificate may describe.
OPERATORS = 200_000


def certificate(graph: OperatorGraph) -> dict[str, Any]:
    """The certificate of a graph's bounds, as JSON data.

    It claims bounds on E‖ũ−u‖² and ‖E[ũ−u]‖² with all perturbations acting (docs/theory.md,
    section 4) and, where the spec has a loss and a run, the bounds of Theorems 6.1 and 6.2.
    O(N + slot pairs) per set of perturbations that act together.

    Raises
    ------
    UnsupportedError
        If the graph is too long or a number leaves the format's range.
    SymbolError
        If a symbol has no value.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> found = certificate(bc.build(bc.load(example("bilinear-erratum"))))
    >>> [(claim["quantity"], claim["bound"]) for claim in found["claims"]]
    [('error', '1/16'), ('bias', '1/16')]
    """
    if graph.size > OPERATORS:
        raise UnsupportedError(
            "the graph is too long for a certificate",
            value=f"{graph.size} operators",
            expected=f"at most {OPERATORS}",
        )
    kind, replaced = Given(), inputs.Replaced()
    g = inputs.constants(graph, kind, replaced)
    everything = tuple(range(len(graph.perturbations)))
    left_out = [
        "the families published and corrected; best step sizes; coefficients of sites",
    ]
    run = None
    try:
        run = run_of(graph, kind)
    except NotCoveredError as error:
        left_out.append(error.problem)
    acting = _levels_of(graph, run, everything)
    V = adjoint_norms(g)
    # Regions that were visited hold the states of whole passes only: no restarts, no single sites.
    rest: list[Step | None] = [None] * (g.size + 1) if graph.sampled else slopes(g, V)
    to_go = None if graph.sampled else gradient_to_go(g, V)
    found = []
    described = []
    for number, active in enumerate(acting):
        levels = inputs.levels(graph, kind, replaced, active)
        found.append(Derivation(g, levels, number, V, rest, to_go))
        described.append(inputs.levels_json(g, levels))
    if not graph.sampled:
        if any(entry.dependence[1] for entry in found) and None in rest[2:]:
            left_out.append("refinements by dependence where the graph is no chain")
        if to_go is None:
            left_out.append("the refinement by superposition: the graph is no chain without runs")
    ends: dict[str, Step] = {"error": found[0].error, "bias": found[0].bias}
    if run is not None:
        left_out += _rates(run, acting, found, ends)
    data = _inputs(graph, g, described, run, acting, replaced)
    return _document(graph.name, data, ends, left_out)


def certificate_text(graph: OperatorGraph) -> str:
    """The certificate as text: one line for each step, so that it can be read and compared."""
    return layout(certificate(graph))


def _levels_of(
    graph: OperatorGraph, run: Run | None, everything: tuple[int, ...]
) -> list[tuple[int, ...]]:
    """All perturbations, then what acts together in the run."""
    del graph
    patterns = () if run is None else run.patterns
    return list(dict.fromkeys([everything, *(pattern.active for pattern in patterns)]))


def _rates(
    run: Run, acting: list[tuple[int, ...]], found: list[Derivation], ends: dict[str, Step]
) -> list[str]:
    """Add the rates to the claims; what could not be added is returned, in words."""
    numbers = [acting.index(pattern.active) for pattern in run.patterns]
    levels = [(number, found[number]) for number in numbers]
    ends["nonconvex"], variances = nonconvex(run, levels)
    if run.mu is None:
        return []
    try:
        ends["pl"] = pl(run, levels, variances)
    except NotCoveredError as error:
        return [error.problem]
    return []


def _inputs(
    graph: OperatorGraph,
    g: GraphConstants,
    described: list[dict[str, Any]],
    run: Run | None,
    acting: list[tuple[int, ...]],
    replaced: inputs.Replaced,
) -> dict[str, Any]:
    return {
        **inputs.graph_json(graph, g),
        "levels": described,
        "loss": None if run is None else run.json(lambda p: acting.index(p.active)),
        "measured": inputs.is_measured(graph),
        "replaced": replaced.entries(),
    }


def _document(
    name: str, data: dict[str, Any], ends: dict[str, Step], left_out: list[str]
) -> dict[str, Any]:
    steps, numbers = numbered(ends.values())
    assumptions = ledger(data, {entry["rule"] for entry in steps})
    given = digest(__version__, name, assumptions, data, left_out)
    claims = [
        {
            "quantity": quantity,
            "statement": f"{CLAIMS[quantity]} <= {text_of(end.value)}",
            "bound": text_of(end.value),
            "step": numbers[id(end)],
            "given": given,
        }
        for quantity, end in ends.items()
    ]
    body = {
        "format": FORMAT,
        "version": VERSION,
        "boundcalc": __version__,
        "spec": name,
        "assumptions": assumptions,
        "inputs": data,
        "steps": steps,
        "claims": claims,
        "not_covered": left_out,
    }
    return {**body, "digest": digest(body)}


def digest(*parts: Any) -> str:
    """SHA-256 of the JSON of the parts, keys sorted, no spaces, ASCII only."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def layout(document: dict[str, Any]) -> str:
    """JSON with one line for each operator, level, step and claim."""
    lines = []
    for key, value in document.items():
        if key == "inputs":
            inner = ",\n".join(
                f"    {json.dumps(name)}: {_rows(part, 6)}" for name, part in value.items()
            )
            lines.append(f'  "inputs": {{\n{inner}\n  }}')
        else:
            lines.append(f"  {json.dumps(key)}: {_rows(value, 4)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _rows(value: Any, indent: int) -> str:
    if not isinstance(value, list) or not value:
        return json.dumps(value, separators=(",", ":"))
    space = " " * indent
    rows = f",\n{space}".join(json.dumps(row, separators=(",", ":")) for row in value)
    return f"[\n{space}{rows}\n{space[2:]}]"
