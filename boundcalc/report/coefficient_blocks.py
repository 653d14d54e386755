"""Coefficient tables of every family, and the Gram matrix of short chains."""

from __future__ import annotations

from boundcalc.arithmetic import Number
from boundcalc.graph import OperatorGraph, Site
from boundcalc.report.cells import Block, Code, Column, Content, Maths, Paragraph, Table
from boundcalc.report.gather import Findings
from boundcalc.report.notation import joined, place, said
from boundcalc.report.numbers import NONE, value
from boundcalc.report.rows import name_width, shortened_rows
from boundcalc.report.site_rows import SiteRow, site_rows
from boundcalc.theories.perturbed.coefficients import Coefficients
from boundcalc.theories.perturbed.families import COLUMNS

GRAM_SITES = 8

_TITLES = {
    "error_forward": r"C^e_{\delta_j}",
    "error_backward": r"C^e_{\varepsilon_j}",
    "bias_forward_mean": r"C^b_{\delta_j}",
    "bias_forward_fourth": r"\tilde C^b_{\delta_j}",
    "bias_backward_mean": r"C^b_{\varepsilon_j}",
}


def coefficient_blocks(findings: Findings) -> tuple[Block, ...]:
    """One table for each family, then the Gram matrix."""
    blocks: list[Block] = []
    found = findings.coefficients
    missing = {c.missing for c in found.values() if c.missing and not c.refused}
    if missing:
        return (Paragraph(_symbolic(findings, sorted(missing)[0])),)
    if any(c.refused for c in found.values()):
        blocks.append(
            Paragraph("Only the sharp family has coefficients here; Statements says why.")
        )
    blocks += [
        coefficient_table(coefficients)
        for coefficients in found.values()
        if not coefficients.refused
    ]
    matrix = gram_table(findings.coefficients["sharp"])
    if matrix is not None:
        blocks.append(matrix)
    return tuple(blocks)


def _symbolic(findings: Findings, missing: str) -> Content:
    free = [name for name, value in findings.graph.spec.symbols.items() if value is None]
    rest = "The formulas below hold for every value."
    if not free:
        return joined("The coefficients have no numbers: ", said(missing), ". ", rest)
    names = [piece for name in free for piece in (", ", Code(name))][1:]
    verb = "has" if len(free) == 1 else "have"
    return joined("The coefficients have no numbers, because ", *names, f" {verb} no value. ", rest)


def coefficient_table(coefficients: Coefficients) -> Table:
    """One family, operator by operator."""
    family = coefficients.family
    found = site_rows(coefficients)
    rows: tuple[tuple[Content, ...], ...] = tuple(
        ("" if row.number is None else str(row.number), place(row.label), *_cells(row))
        for row in found
    )
    joins = any(row.number is None for row in found)
    shown, note = shortened_rows(rows, "rows" if joins else "operators")
    where = "at the j-th operator" + (", or along one edge into it." if joins else ".")
    return Table(
        caption=(f"Coefficients of the {family.name} family {where}",),
        columns=(
            Column(Maths("j")),
            Column("operator", name_width((row.label for row in found), 3.9 if joins else 3.2)),
            *(Column(Maths(_TITLES[name])) for name in COLUMNS),
        ),
        rows=shown,
        remarks=(_multiplied(family.name), *_notes(found, joins=joins), *note),
    )


def _cells(row: SiteRow) -> list[Content]:
    return [_cell(row.numbers[name]) if name in row.numbers else NONE for name in COLUMNS]


def _notes(rows: list[SiteRow], *, joins: bool) -> list[Content]:
    notes: list[Content] = []
    if joins:
        notes.append(
            (
                "An operator with several inputs passes back along each edge by itself: u → v "
                "stands for ",
                Maths(r"\varepsilon_{v,u}"),
                ", what v passes back to u.",
            )
        )
    if any(row.kinked for row in rows):
        notes.append(
            "None: the perturbation reaches a kink, so that what it does is bounded, but by no "
            "multiple of its square."
        )
    return notes


def _index(graph: OperatorGraph, site: Site) -> str:
    """j for the output of operator j, and for the only edge into it; else u→v."""
    if site.direction == "forward" or "->" not in site.label:
        return str(graph.operator_of(site))
    u, v = graph.ends[site.index]
    return rf"{v}\to {u}"


def _cell(number: Number | None) -> Content:
    return "none" if number is None else value(number, 5)


def _multiplied(family: str) -> Content:
    """What each column multiplies."""
    last = ""
    if family == "sharp":
        fourth = r"(\mathbb{E}\lVert\delta_j\rVert^2)^2"
        last = (
            " These are coefficients of one perturbed operator at a time; several together "
            "are bounded by the recurrences, not by a sum."
        )
    else:
        fourth = r"\mathbb{E}\lVert\delta_j\rVert^4"
    return (
        "In order, the columns multiply ",
        Maths(r"\mathbb{E}\lVert\delta_j\rVert^2"),
        " and ",
        Maths(r"\mathbb{E}\lVert\varepsilon_j\rVert^2"),
        " in the error, ",
        Maths(r"\lVert\mathbb{E}[\delta_j|\cdot]\rVert^2"),
        ", ",
        Maths(fourth),
        " and ",
        Maths(r"\lVert\mathbb{E}[\varepsilon_j|\cdot]\rVert^2"),
        " in the bias." + last,
    )


def gram_table(coefficients: Coefficients) -> Table | None:
    """The Gram matrix of up to 8 sites; None where there is none, or it is larger."""
    labels = coefficients.gram_labels
    if not 0 < len(labels) <= GRAM_SITES:
        return None
    matrix = coefficients.gram()
    if matrix is None:
        return None
    letters = {"forward": r"\delta", "backward": r"\varepsilon"}
    names = [
        Maths(rf"{letters[site.direction]}_{{{_index(coefficients.graph, site)}}}")
        for site in coefficients.graph.sites
    ]
    return Table(
        caption=(
            "Gram matrix of the sharp family: ",
            Maths(r"\zeta^2=z^{\top}Gz"),
            " bounds the error, ",
            Maths(r"z"),
            " the root mean squares of all sites.",
        ),
        columns=(Column(""), *(Column(name) for name in names)),
        rows=tuple(
            (name, *(value(entry, 3) for entry in row))
            for name, row in zip(names, matrix, strict=True)
        ),
    )
