"""The evidence as a document: a table, then a section for each erratum."""

from __future__ import annotations

import re
from collections.abc import Sequence

from boundcalc import __version__
from boundcalc.errata.evidence import Evidence, Finding
from boundcalc.report.cells import (
    Block,
    Bullets,
    Column,
    Document,
    Mark,
    Maths,
    Paragraph,
    Piece,
    Section,
    Strong,
    Table,
    Value,
)
from boundcalc.theories.perturbed.families import KZY

_DIGITS = 6
_RELATIONS = {"equal": "", "at most": "at most", "at least": "at least"}

#: Names of the theory that plain text can only approximate.
_NAMES = {
    "C_∇²f": r"C_{\nabla^2 f}",
    "L_∇²f": r"L_{\nabla^2 f}",
    "C_∇f": r"C_{\nabla f}",
    "L_∇f": r"L_{\nabla f}",
    "L_f": r"L_f",
    "C^e_ε": r"C^e_{\varepsilon}",
    "∇²₂₁": r"\nabla^2_{21}",
    "∇²₁₁": r"\nabla^2_{11}",
    "λ_max": r"\lambda_{\max}",
    "α_n²": r"\alpha_n^2",
    "α_j²": r"\alpha_j^2",
    "α_n": r"\alpha_n",
    "a_j": "a_j",
    "Σ_n": r"\sum_n",
    "Σ_j": r"\sum_j",
    "Σ_t": r"\sum_t",
    "f*": r"f^{\ast}",
    "x⁰": "x^0",
    "𝒢₀": r"\mathcal G_0",
    "𝒢₁": r"\mathcal G_1",
    "𝒢₂": r"\mathcal G_2",
    "𝒢": r"\mathcal G",
    "ỹ₁": r"\tilde y_1",
    "ṽ₂": r"\tilde v_2",
    "𝒢_k": r"\mathcal G_k",
    "≲": r"\lesssim",
}
_POWER = r"10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+"
_EXPONENT = r"\^(?:\([^)]*\)|T)"
_SPLIT = re.compile(
    "("
    + "|".join([*map(re.escape, sorted(_NAMES, key=len, reverse=True)), _POWER, _EXPONENT])
    + ")"
)
_RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")

_SOURCES = (
    f"[KZY] {KZY}. Equation numbers without a name are those of this paper.",
    "[XHH] Xu, Huo, Huang, On the Acceleration of Deep Learning Model Parallelism with Staleness.",
    "docs/theory.md and docs/errata.md of boundcalc: the proofs referred to, and a paragraph on "
    "each erratum.",
)


def content(text: str) -> tuple[Piece, ...]:
    r"""Text in which names of the theory are set as mathematics.

    >>> content("prints L_∇²f")
    ('prints ', Maths(latex='L_{\\nabla^2 f}'))
    """
    pieces: list[Piece] = []
    for part in _SPLIT.split(text):
        if part in _NAMES:
            pieces.append(Maths(_NAMES[part]))
        elif re.fullmatch(_POWER, part):
            pieces.append(Maths(f"10^{{{part[2:].translate(_RAISED)}}}"))
        elif re.fullmatch(_EXPONENT, part):
            pieces.append(Maths("^{" + part[1:].strip("()").replace("−", "-") + "}"))
        elif part:
            pieces.append(part)
    return tuple(pieces)


def errata_document(rows: Sequence[Evidence]) -> Document:
    """The document for the templates of :mod:`boundcalc.report`."""
    return Document(
        title="Errata, with evidence",
        summary=_summary(rows),
        sections=(
            Section("Overview", (_table(rows),)),
            *(_section(row) for row in rows),
            Section("References", (Bullets(_SOURCES),)),
        ),
    )


def _summary(rows: Sequence[Evidence]) -> tuple[Block, ...]:
    failed = [row.erratum.id for row in rows if not row.holds]
    verdict = "All evidence was reproduced."
    if failed:
        verdict = "Not reproduced: " + ", ".join(failed) + "."
    numbers = sum(len(row.findings) for row in rows)
    checks = sum(len(row.checks) for row in rows)
    return (
        Paragraph(
            (
                Strong(verdict),
                f" boundcalc {__version__} ran the evidence of {len(rows)} errata when this was "
                f"written: {checks} checks and {numbers} numbers. Every number is proved, in exact "
                "or interval arithmetic (p). What is at most or at least a number is rounded to "
                "the safe side; other long numbers are rounded to the nearest.",
            )
        ),
    )


def _table(rows: Sequence[Evidence]) -> Table:
    columns = (
        ("id", 0.8),
        ("where", 2.2),
        ("what is wrong", 4.0),
        ("status", 2.2),
        ("evidence", 6.6),
    )
    return Table(
        caption="What is wrong in print, and what was found when its evidence was run.",
        columns=tuple(Column(title, width) for title, width in columns),
        rows=tuple(
            (
                row.erratum.id,
                row.erratum.where,
                content(row.erratum.what),
                row.erratum.status,
                (_mark(row.holds, ""), *content(row.line)),
            )
            for row in rows
        ),
    )


def _section(row: Evidence) -> Section:
    erratum = row.erratum
    numbers = Table(
        caption=f"Numbers of {erratum.id}.",
        columns=(Column("what", 11.0), Column("", 1.4), Column("value")),
        rows=tuple((content(f.name), _RELATIONS[f.relation], _value(f)) for f in row.findings),
    )
    return Section(
        f"{erratum.id}: {erratum.where}",
        (
            Paragraph((Strong("What is wrong."), " ", *content(_sentence(erratum.what)))),
            Paragraph((Strong("Status."), " ", _sentence(erratum.status))),
            Paragraph((Strong("Evidence."), " ", *content(erratum.method))),
            Bullets(tuple((_mark(c.holds, ""), *content(c.statement)) for c in row.checks)),
            numbers,
        ),
    )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _mark(holds: bool, word: str) -> Mark:
    return Mark("holds" if holds else "violated", word if holds else "not reproduced: ")


def _value(finding: Finding) -> Value:
    return Value(finding.text(_DIGITS), finding.number.status)
