"""The report of a theory: the same sections in the same order for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph
from boundcalc.report import plots
from boundcalc.report.cells import (
    Block,
    Bullets,
    Code,
    Column,
    Content,
    Document,
    Figure,
    Paragraph,
    Section,
    Strong,
    Table,
    Theorem,
)
from boundcalc.report.drawing import graph_figure
from boundcalc.report.fitting import fitted
from boundcalc.report.network import described
from boundcalc.report.notation import joined, plural, said, sentence
from boundcalc.report.numbers import value
from boundcalc.report.results import versions
from boundcalc.report.verdict_blocks import LEGEND
from boundcalc.theories.base import Options, Theory, Verb
from boundcalc.theories.plain import jsonable
from boundcalc.theories.runs import TheoryRun
from boundcalc.theories.statements import ledger_table, statement_theorems
from boundcalc.theories.values import Answer, Drawn
from boundcalc.theories.verdicts import TheoryVerdicts, headline

_DRAWN = 2  # operators from which there is something to draw

#: Heading of each command's section.
HEADINGS: Mapping[Verb, str] = {
    "verify": "Verdicts",
    "compile": "Coefficients",
    "rate": "Convergence",
    "simulate": "Simulation",
    "budget": "Budgets",
}


def compose(
    theory: Theory, graph: OperatorGraph, folder: Path, options: Options
) -> tuple[Document, dict[str, Any]]:
    """Ask everything that the spec allows, draw, and arrange.

    Parameters
    ----------
    folder
        Where figures go; it exists.

    Returns
    -------
    The document, and results.json as plain data.
    """
    answers, reasons = gather(theory, graph, options)
    with plots.style():
        drawn = (*network(graph, folder), *theory.figures(graph, answers, folder))
    document = arrange(theory, graph, answers, reasons, drawn)
    found: dict[str, Any] = {
        "name": graph.name,
        "theory": theory.name,
        "operators": list(graph.ids),
        "versions": versions(),
        "assumptions": [
            {"key": a.key, "written": a.written, "value": jsonable(a.value), "status": a.status}
            for a in theory.assumptions(graph)
        ],
    }
    for verb in ("compile", "rate", "simulate", "verify", "budget"):
        answer = answers.get(verb)
        found[verb] = None if answer is None else jsonable(answer.data)
    return document, json.loads(json.dumps(found, allow_nan=False))


def gather(
    theory: Theory, graph: OperatorGraph, options: Options
) -> tuple[dict[Verb, Answer], dict[Verb, str]]:
    """The answer to each command, or why there is none."""
    answers: dict[Verb, Answer] = {}
    reasons: dict[Verb, str] = {}
    asked: dict[Verb, Callable[[], Answer]] = {
        "compile": lambda: theory.compile(graph),
        "rate": lambda: theory.rate(graph),
    }
    if graph.spec.simulation is None:
        for verb in ("simulate", "verify"):
            reasons[verb] = "the spec has no `simulation` section"
    else:
        asked["simulate"] = lambda: theory.simulate(graph, options)
        asked["verify"] = lambda: theory.verify(graph, options, answers.get("simulate"))
    if graph.spec.budget is not None:
        asked["budget"] = lambda: theory.budget(graph)
    for verb, ask in asked.items():
        if verb == "verify" and "simulate" in reasons:
            reasons[verb] = reasons["simulate"]
            continue
        try:
            answers[verb] = ask()
        except BoundcalcError as error:
            reasons[verb] = _reason(error)
    return answers, reasons


def arrange(
    theory: Theory,
    graph: OperatorGraph,
    answers: Mapping[Verb, Answer],
    reasons: Mapping[Verb, str],
    drawn: tuple[Drawn, ...],
) -> Document:
    """Summary first; then setting, verdicts, statements, what they rest on, and the rest."""

    def section(heading: str, blocks: tuple[Block, ...]) -> Section:
        figures = tuple(Figure(d.stem, d.caption, d.alt) for d in drawn if d.section == heading)
        return Section(heading, (*blocks, *figures))

    def answered(verb: Verb) -> list[Section]:
        heading = HEADINGS[verb]
        if verb in answers:
            # Theorems have a section of their own.
            blocks = (b for b in answers[verb].blocks if not isinstance(b, Theorem))
            return [section(heading, tuple(blocks))]
        if verb in reasons:
            return [section(heading, (Paragraph(sentence(reasons[verb])),))]
        return []

    rate = answers.get("rate")
    statements = (
        []
        if rate is None or not rate.statements
        else [section("Statements", statement_theorems(rate.statements))]
    )
    sections = (
        section("The setting", setting_blocks(theory, graph)),
        *answered("verify"),
        *statements,
        section("Assumptions", (ledger_table(theory.assumptions(graph)), *_compositions(theory))),
        *answered("compile"),
        *answered("rate"),
        *answered("simulate"),
        *answered("budget"),
        section("Provenance", _provenance(graph, answers)),
        section("References", (Bullets(tuple(f"[{c.key}] {c.text}." for c in theory.citations)),)),
    )
    return Document(
        graph.name,
        _summary(theory, answers, reasons),
        tuple(
            Section(s.heading, tuple(part for block in s.blocks for part in fitted(block)))
            for s in sections
            if s.blocks
        ),
    )


def network(graph: OperatorGraph, folder: Path) -> tuple[Drawn, ...]:
    """The graph as a drawing; none where it is too large or a single operator."""
    figure = None if graph.size < _DRAWN else graph_figure(graph)
    if figure is None:
        return ()
    plots.save(figure, folder / "graph")
    caption: Content = (
        "The network: operators with number, name and type. The number at an edge, where constants "
        "are known, is the bound on the norm of its Jacobian."
    )
    return (Drawn("graph", "The setting", caption, described(graph)),)


def setting_blocks(theory: Theory, graph: OperatorGraph) -> tuple[Block, ...]:
    """What the theory is about, and the spec's own words for it."""
    kind = "chain" if graph.is_chain else "graph"
    blocks: list[Block] = [
        Paragraph((Strong(theory.title), ". ", theory.summary)),
        Paragraph(f"The spec is a {kind} of {plural(graph.size, 'operator')}."),
    ]
    own = graph.spec.own
    if isinstance(own, dict):
        rows = tuple((Code(str(key)), Code(_shown(item))) for key, item in own.items())
        blocks.append(
            Table(
                caption=("The section ", Code(theory.name), " of the spec."),
                columns=(Column("key", 4.0), Column("as written", 10.0)),
                rows=rows,
            )
        )
    return tuple(blocks)


def _shown(item: Any) -> str:
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False, default=repr)
    return text if len(text) <= 200 else text[:199] + "…"


def _summary(
    theory: Theory, answers: Mapping[Verb, Answer], reasons: Mapping[Verb, str]
) -> tuple[Block, ...]:
    verified = answers.get("verify")
    first: Content
    if verified is not None and isinstance(verified.value, TheoryVerdicts):
        first = Strong(headline(verified.value))
    else:
        reason = reasons.get("verify", "nothing was simulated")
        first = joined("No claim was checked by simulation: ", said(reason), ".")
    blocks: list[Block] = [Paragraph(first)]
    rate = answers.get("rate")
    if rate is not None:
        items = []
        for s in rate.statements:
            said_: Content = (
                joined(said(s.refused), ".") if s.bound is None else ("bound ", value(s.bound), ".")
            )
            items.append(joined(Strong(s.title), ": ", said_))
        if items:
            blocks.append(Bullets(tuple(items)))
    elif "rate" in reasons:
        blocks.append(Paragraph(joined("There is no bound: ", said(reasons["rate"]), ".")))
    cautions = dict.fromkeys(c for answer in answers.values() for c in answer.cautions)
    if cautions:
        blocks += [Paragraph(Strong("Cautions")), Bullets(tuple(sentence(c) for c in cautions))]
    return (*blocks, Paragraph(LEGEND))


def _compositions(theory: Theory) -> tuple[Block, ...]:
    if not theory.compositions:
        return ()
    items = tuple(joined(said(c.says), f" ({c.source})") for c in theory.compositions)
    return (Paragraph("What may be combined with it in one spec:"), Bullets(items))


def _provenance(graph: OperatorGraph, answers: Mapping[Verb, Answer]) -> tuple[Block, ...]:
    rows: list[tuple[Content, ...]] = []
    run = answers["simulate"].value if "simulate" in answers else None
    if isinstance(run, TheoryRun):
        rows += [
            ("seed", str(run.seed)),
            ("replicas", str(run.replicas)),
            ("steps", str(run.steps)),
            ("engine", run.engine),
            ("seconds", f"{run.seconds:.1f}"),
        ]
    found = versions()
    rows += [(name, found[name]) for name in ("boundcalc", "python", "numpy", "scipy", "sympy")]
    blocks: list[Block] = [
        Table(
            caption="Settings of the run, and versions.",
            columns=(Column("setting", 5.0), Column("value", 6.0)),
            rows=tuple(rows),
        )
    ]
    if graph.notes:
        notes = tuple(sentence(note) for note in graph.notes)
        blocks += [Paragraph("How the spec was read:"), Bullets(notes)]
    return tuple(blocks)


def _reason(error: BoundcalcError) -> str:
    return error.problem if error.where is None else f"{error.problem} ({error.where})"
