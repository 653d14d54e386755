"""The assumptions: what is stated, where from, and what the simulation met."""

from __future__ import annotations

from boundcalc.arithmetic import Status
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import (
    Block,
    Code,
    Column,
    Content,
    Mark,
    Maths,
    Paragraph,
    Table,
    Value,
)
from boundcalc.report.constants import operator_table
from boundcalc.report.gather import Findings
from boundcalc.report.levels import perturbation_table
from boundcalc.report.merging import merged_blocks
from boundcalc.report.notation import joined, stated
from boundcalc.report.numbers import DOWN, UP, sampled, text_of
from boundcalc.report.refusals import refused_families
from boundcalc.report.regions import region_table
from boundcalc.report.remarks import measured_regions, operator_remarks
from boundcalc.report.uniform import uniform_table
from boundcalc.spec.expressions import Expression
from boundcalc.theories.perturbed.refinements import CONDITIONAL, INDEPENDENCE
from boundcalc.verify import Premise

_OBJECTIVE: tuple[tuple[str, str, str, Content], ...] = (
    ("A1", "smoothness", UP, (Maths(r"\nabla\ell"), " is ", Maths("L"), "-Lipschitz")),
    (
        "A2",
        "gradient_noise",
        UP,
        (Maths(r"\mathbb{E}\lVert u+\nabla\mathcal R-\nabla\ell\rVert^2\le\sigma^2")),
    ),
    ("Δ₀", "initial_gap", UP, (Maths(r"\ell(w^{(0)})-\ell^{\ast}\le\Delta_0"))),
    ("A4", "pl", DOWN, (Maths(r"\lVert\nabla\ell\rVert^2\ge2\mu(\ell-\ell^{\ast})"))),
)

_SYMBOLS = {"A1": "L", "A2": r"\sigma", "Δ₀": r"\Delta_0", "A4": r"\mu"}


def ledger_blocks(findings: Findings) -> tuple[Block, ...]:
    """Objective, operators, perturbations, dependence, and what the simulation met."""
    graph = findings.graph
    blocks: list[Block] = [
        *measured_regions(graph),
        Paragraph(
            "Every bound is a statement under assumptions. Stated numbers are the spec's; a "
            "simulation can refute them but never prove them."
        ),
        _objective(findings),
    ]
    blocks.extend(_symbols(graph))
    blocks.append(operator_table(graph))
    regions = region_table(findings)
    blocks += [] if regions is None else [regions]
    blocks += operator_remarks(graph)
    blocks += merged_blocks(graph)
    if not refused_families(findings):
        blocks.append(uniform_table(graph))
    if graph.perturbations:
        blocks.append(perturbation_table(graph))
    else:
        blocks.append(Paragraph("The spec has no perturbations: all levels are zero."))
    blocks.append(Paragraph(_dependence(findings)))
    if findings.verdicts is not None:
        checks = [p for p in findings.verdicts.premises if p.assumption == "A3"]
        if checks:
            blocks.append(_checks(checks))
    return tuple(blocks)


def _objective(findings: Findings) -> Table:
    graph = findings.graph
    loss, training = graph.spec.loss, graph.spec.training
    premises = findings.verdicts.premises if findings.verdicts else ()
    checks = {p.assumption: p for p in premises}
    rows: list[tuple[Content, ...]] = []
    for name, key, rounding, meaning in _OBJECTIVE:
        expression: Expression | None = getattr(loss, key)
        rows.append(
            (
                name,
                joined(Maths(_SYMBOLS[name]), ": ", meaning),
                "–" if expression is None else Code(expression.source),
                stated(graph, expression, rounding=rounding),
                *_met(checks.get(name), expression is not None),
            )
        )
    own = not any(p.shared for p in graph.perturbations)
    batch = (Maths("M"), ": samples averaged per step" + (", each with its own draws" * own))
    met = _met(checks.get("batch"), True)
    rows.append(("batch", batch, Code(str(loss.batch)), str(loss.batch), *met))
    if training is not None:
        step = (Maths(r"\gamma"), ": step size")
        horizon = (Maths("T"), ": steps")
        written = Code(training.step_size.source)
        rows.append(("run", step, written, stated(graph, training.step_size), "–", "chosen"))
        count = str(training.horizon)
        rows.append(("run", horizon, Code(count), count, "–", "chosen"))
    return Table(
        caption="The objective and the run.",
        columns=(
            Column("which", 1.0),
            Column("meaning", 5.2),
            Column("as written", 2.6),
            Column("value"),
            Column("met"),
            Column("status", 2.8),
        ),
        rows=tuple(rows),
        remarks=(
            "“Met” is what the stated number must not fall below (for the PL constant: not "
            "exceed), as far as the simulated run shows it.",
        ),
    )


def _met(premise: Premise | None, given: bool) -> tuple[Content, Content]:
    if premise is None:
        return "–", "assumed, not checked" if given else "not stated"
    if premise.assumption == "batch":
        return str(int(premise.met)), _judged(premise)
    return sampled(float(premise.met)), _judged(premise)


def _judged(premise: Premise) -> Mark:
    if premise.consistent:
        return Mark("holds", "assumed, met")
    return Mark("violated", "refuted")


def _symbols(graph: OperatorGraph) -> list[Block]:
    if not graph.spec.symbols:
        return []
    rows: list[tuple[Content, ...]] = []
    for name, expression in graph.spec.symbols.items():
        free = expression is None
        rows.append(
            (
                Code(name),
                "–" if expression is None else Code(expression.source),
                "no value" if free else stated(graph, expression),
            )
        )
    return [
        Table(
            caption="Symbols of the spec.",
            columns=(Column("symbol", 5.0), Column("as written", 5.0), Column("value")),
            rows=tuple(rows),
        )
    ]


def _dependence(findings: Findings) -> Content:
    sharp = findings.coefficients["sharp"].bounds
    used = {INDEPENDENCE, CONDITIONAL}.intersection(sharp.refinements if sharp else ())
    known: Content = (
        (
            "The sharp bias bound uses what is known of how forward perturbations depend on each "
            "other: draws of the models are independent, and moments are what ",
            Code("dependence"),
            " says. The other bounds on one sample's error and bias assume no independence. Means "
            "are conditional ones. ",
        )
        if used
        else "The bounds on one sample's error and bias assume no independence: perturbations may "
        "depend on each other and on the past, and their means are conditional ones. "
    )
    batch = findings.graph.spec.loss.batch
    if batch == 1:
        return joined(known, "A step uses one sample.")
    if any(p.shared for p in findings.graph.perturbations):
        return joined(
            known,
            f"A step averages {batch} samples, which share some of the draws; given these, the "
            "weights and the samples, the other draws of different samples are taken to be "
            "independent (docs/theory.md, Lemma 6.7).",
        )
    return joined(
        known,
        f"A step averages {batch} samples; given the weights and the samples, the draws of "
        "different samples are taken to be independent (docs/theory.md, Lemma 6.4).",
    )


def _checks(premises: list[Premise]) -> Table:
    rows = tuple(
        (
            p.claim,
            Value(text_of(float(p.stated))),
            Value(text_of(float(p.met)), Status.SAMPLED if "region" in p.claim else None),
            _judged(p),
        )
        for p in premises
    )
    return Table(
        caption="A3 against what the operators’ types prove and how far the run went: for each "
        "constant, the operator where it is tightest.",
        columns=(Column("constant", 8.0), Column("stated"), Column("met"), Column("status", 2.8)),
        rows=rows,
    )
