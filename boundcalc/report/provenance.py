"""How the numbers were made, and what they rest on."""

from __future__ import annotations

from boundcalc.report.cells import Block, Bullets, Column, Content, Paragraph, Table
from boundcalc.report.gather import Findings
from boundcalc.report.notation import joined, plural, said
from boundcalc.report.results import versions
from boundcalc.theories.perturbed.families import KZY

_VERSIONS = ("boundcalc", "python", "numpy", "scipy", "sympy")

REFERENCES: tuple[Content, ...] = (
    f"[KZY] {KZY}.",
    "docs/theory.md of boundcalc: all statements with proofs, the errata E1 to E13 with "
    "evidence, and the sharp family (Theorems 4.1 to 4.20, 6.1 and 6.2).",
)


def provenance_blocks(findings: Findings) -> tuple[Block, ...]:
    """Run settings and versions, remarks on the spec, references."""
    rows: list[tuple[Content, ...]] = []
    verdicts = findings.verdicts
    if verdicts is not None:
        run = verdicts.run
        rows += [
            ("seed", str(run.seed)),
            ("replicas", str(run.replicas)),
            ("steps", str(run.steps)),
            ("samples in the data", _data(findings)),
            ("confidence of each interval", f"{100 * run.confidence:.6g}%"),
        ]
        for check in run.checks:
            text = f"{plural(len(check.samples), 'sample')}, {check.draws} draws each"
            rows.append((f"iterate {check.step}", text))
        if run.trajectory.diverged_at is not None:
            rows.append(("diverged at step", str(run.trajectory.diverged_at)))
        rows.append(("seconds", f"{run.seconds:.1f}"))
    found = versions()
    rows += [(name, found[name]) for name in _VERSIONS if name in found]
    blocks: list[Block] = [
        Table(
            caption="Settings of the run, and versions.",
            columns=(Column("setting", 5.0), Column("value", 6.0)),
            rows=tuple(rows),
        )
    ]
    notes = _notes(findings)
    if notes:
        blocks += [Paragraph("How the spec was read:"), Bullets(notes)]
    return tuple(blocks)


def _data(findings: Findings) -> str:
    data = findings.graph.data
    if data is None:
        return "–"
    return f"{data.features.shape[0]}, each of {plural(data.features.shape[1], 'number')}"


def _notes(findings: Findings) -> tuple[Content, ...]:
    notes = [*findings.graph.notes, *(findings.rates.notes if findings.rates else ())]
    for coefficients in findings.coefficients.values():
        reason = coefficients.bounds.reason if coefficients.bounds else None
        if reason and not coefficients.refused:
            notes.append(f"{coefficients.family.name}: {reason}")
    return tuple(joined(said(note), ".") for note in dict.fromkeys(notes))


def reference_blocks() -> tuple[Block, ...]:
    """What is cited."""
    return (Bullets(REFERENCES),)
