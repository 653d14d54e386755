"""The report's sections, in order."""

from __future__ import annotations

from collections.abc import Mapping

from boundcalc.report.budget_blocks import Shown, budget_blocks
from boundcalc.report.budget_figures import described_budget
from boundcalc.report.cells import Block, Content, Document, Figure, Section
from boundcalc.report.coefficient_blocks import coefficient_blocks
from boundcalc.report.derivations import formula_blocks
from boundcalc.report.fitting import fitted
from boundcalc.report.gather import Findings
from boundcalc.report.ledger import ledger_blocks
from boundcalc.report.network import described, network_blocks
from boundcalc.report.plain_words import plain_blocks
from boundcalc.report.provenance import provenance_blocks, reference_blocks
from boundcalc.report.rate_blocks import rate_blocks
from boundcalc.report.statements import statement_blocks
from boundcalc.report.verdict_blocks import summary, verdict_blocks

#: What figures show, for those who do not see them.
_ALT = {
    "bounds": "Two panels, error on the left and bias on the right, by iterate: a line for the "
    "bound of each family, and what the simulation observed with its interval.",
    "depth": "Two panels of coefficients by operator on a logarithmic axis, forward on the left "
    "and backward on the right, with points for each family.",
    "rates": "The terms of the bounds and their sum on a logarithmic axis, in a row for each "
    "family.",
    "trajectory": "The mean of the simulated runs against the step on logarithmic axes, with a "
    "line for the bound of each family.",
}


def document(findings: Findings, figures: Mapping[str, Content]) -> Document:
    """Arrange what was found.

    Parameters
    ----------
    figures
        Stem of each figure that was drawn → its caption.
    """
    alt = _ALT | {"graph": described(findings.graph)} | described_budget(findings)

    def shown(*stems: str) -> tuple[Block, ...]:
        return tuple(Figure(s, figures[s], alt.get(s, "")) for s in stems if s in figures)

    # The summary has the verdict; then what it is about, what it rests on, and how to
    # reproduce it.
    sections = (
        Section("The network", (*network_blocks(findings), *shown("graph"))),
        Section("In plain words", plain_blocks(findings)),
        Section("Verdicts", (*verdict_blocks(findings), *shown("bounds"))),
        Section("Statements", statement_blocks(findings)),
        Section("Assumptions", ledger_blocks(findings)),
        Section("Coefficients", (*coefficient_blocks(findings), *shown("depth"))),
        Section("Formulas", formula_blocks(findings)),
        Section("Convergence", (*rate_blocks(findings), *shown("rates", "trajectory"))),
        *_budgets(findings, shown),
        Section("Provenance", provenance_blocks(findings)),
        Section("References", reference_blocks()),
    )
    return Document(
        findings.graph.name,
        summary(findings),
        tuple(Section(s.heading, _fitting(s.blocks)) for s in sections),
    )


def _budgets(findings: Findings, shown: Shown) -> tuple[Section, ...]:
    """The chapter on budgets, where the spec asks for one."""
    if findings.budget is None and not findings.no_budget:
        return ()
    return (Section("Budgets", budget_blocks(findings, shown)),)


def _fitting(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    return tuple(part for block in blocks for part in fitted(block))
