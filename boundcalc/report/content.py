"""The report's sections, in order."""

from __future__ import annotations

from collections.abc import Mapping

from boundcalc.report.cells import Block, Content, Document, Figure, Section
from boundcalc.report.coefficient_blocks import coefficient_blocks
from boundcalc.report.derivations import formula_blocks
from boundcalc.report.fitting import fitted
from boundcalc.report.gather import Findings
from boundcalc.report.ledger import ledger_blocks
from boundcalc.report.provenance import provenance_blocks, reference_blocks
from boundcalc.report.rate_blocks import rate_blocks
from boundcalc.report.statements import statement_blocks
from boundcalc.report.verdict_blocks import summary, verdict_blocks


def document(findings: Findings, figures: Mapping[str, Content]) -> Document:
    """Arrange what was found.

    Parameters
    ----------
    figures
        Stem of each figure that was drawn → its caption.
    """

    def shown(*stems: str) -> tuple[Block, ...]:
        return tuple(Figure(stem, figures[stem]) for stem in stems if stem in figures)

    # The verdict comes first; what it rests on follows; how to reproduce it is last.
    sections = (
        Section("Verdicts", (*verdict_blocks(findings), *shown("bounds"))),
        Section("Statements", statement_blocks(findings)),
        Section("Assumptions", ledger_blocks(findings)),
        Section("Coefficients", (*coefficient_blocks(findings), *shown("depth"))),
        Section("Formulas", formula_blocks(findings)),
        Section("Convergence", (*rate_blocks(findings), *shown("rates", "trajectory"))),
        Section("Provenance", provenance_blocks(findings)),
        Section("References", reference_blocks()),
    )
    return Document(
        findings.graph.name,
        summary(findings),
        tuple(Section(s.heading, _fitting(s.blocks)) for s in sections),
    )


def _fitting(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    return tuple(part for block in blocks for part in fitted(block))
