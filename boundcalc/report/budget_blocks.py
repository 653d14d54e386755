"""The report's chapter on budgets: what it asks, magnitudes, events, and what else was said."""

from __future__ import annotations

from collections.abc import Callable

from boundcalc.budgets.results import Allowance, Budget, Frequency, Magnitudes
from boundcalc.report.budget_bits_blocks import (
    allocation_blocks,
    calibration_blocks,
    format_blocks,
)
from boundcalc.report.budget_cells import cell, site_column
from boundcalc.report.budget_order_blocks import order_blocks
from boundcalc.report.budget_words import ASSUMPTIONS, MEAN_CASES, PL_ASSUMPTION, spaced
from boundcalc.report.cells import (
    Block,
    Bullets,
    Column,
    Content,
    Maths,
    Paragraph,
    Strong,
    Table,
    Value,
)
from boundcalc.report.gather import Findings
from boundcalc.report.notation import NONCONVEX, PL, joined, place, said, sentence
from boundcalc.report.numbers import NONE
from boundcalc.report.rows import name_width, shortened_rows

#: Figures by their stems, as blocks; those that were not drawn are left out.
Shown = Callable[..., tuple[Block, ...]]

ANY = Value("any")


def budget_blocks(findings: Findings, shown: Shown) -> tuple[Block, ...]:
    """The whole chapter, or why there are no budgets."""
    found = findings.budget
    if found is None:
        return (Paragraph(joined("There is no budget: ", said(findings.no_budget), ".")),)
    notes: tuple[Block, ...] = ()
    if found.notes:
        items = tuple(sentence(note) for note in found.notes)
        notes = (Paragraph("About these budgets:"), Bullets(items))
    return (
        *_question(found),
        *notes,
        *_magnitudes(found),
        *shown("magnitudes"),
        *_frequencies(found),
        *shown("events"),
        *format_blocks(found),
        *allocation_blocks(found),
        *shown("prices", "tradeoff"),
        *calibration_blocks(found),
        *order_blocks(found),
    )


def _question(found: Budget) -> tuple[Block, ...]:
    asked = found.question
    training, section = asked.graph.spec.training, asked.section
    assert training is not None  # noqa: S101 - a question has one
    bounded = Maths(NONCONVEX if asked.regime == "nonconvex" else PL)
    pl = asked.regime == "pl"
    step: Content = (
        "the best step for each level"
        if asked.best
        else (Maths(r"\gamma="), f" {training.step_size.source}")
    )
    wish = section.tolerance if section.tolerance is not None else section.target
    kind = "tolerance" if section.tolerance is not None else "target"
    source = asked.family.descent.pl_source if pl else asked.family.descent.nonconvex_source
    named = (*ASSUMPTIONS, PL_ASSUMPTION) if pl else ASSUMPTIONS
    caution = f" Caution: {asked.family.caution}." if asked.family.caution else ""
    return (
        Paragraph(
            joined(
                f"Which perturbations may there be over T = {spaced(training.horizon)} steps with ",
                step,
                "? Without any, the bound on ",
                bounded,
                " is ",
                cell(asked.baseline),
                "; with them it may be at most ",
                Strong(cell(asked.target)),
                f" ({kind} {wish.source if wish is not None else ''}). Regime: {asked.regime}; "
                f"family: {asked.family.name}.",
            )
        ),
        Paragraph(
            f"Every number of this chapter follows from {source}, with the coefficients of "
            f"{asked.family.source}, under {', '.join(named)}.{caution}"
        ),
    )


def _magnitudes(found: Budget) -> tuple[Block, ...]:
    graph, sizes = found.question.graph, found.magnitudes
    perturbed = bool(graph.perturbations)
    by_site: dict[tuple[str, str], dict[str, Allowance]] = {}
    for entry in sizes.allowances:
        by_site.setdefault((entry.label, entry.direction), {})[entry.quantity] = entry
    rows = tuple(
        (
            place(label),
            direction,
            *(
                part
                for quantity in ("rms", "mean")
                for part in _allowance(entries.get(quantity), perturbed)
            ),
        )
        for (label, direction), entries in by_site.items()
    )
    shown, note = shortened_rows(rows, "sites")
    table = Table(
        caption="The largest admissible magnitude of a perturbation at each place, at every step.",
        columns=(
            site_column(graph),
            Column("pass", 1.5),
            Column("rms now"),
            Column("alone"),
            Column("with others"),
            Column("mean now"),
            Column("alone"),
            Column("with others"),
        ),
        rows=shown,
        remarks=(
            "Alone: everything else is zero. With others: the rest, and the other moments of "
            "this one, are as the spec has them. “any”: the bound does not depend on it.",
            *note,
            *_site_notes(sizes),
            *(sentence(text) for text in sizes.notes),
        ),
    )
    return (Paragraph(_scale(sizes, perturbed)), table)


def _allowance(entry: Allowance | None, perturbed: bool) -> tuple[Value, Value, Value]:
    if entry is None:
        return NONE, NONE, NONE
    return (
        cell(entry.current, digits=4),
        cell(entry.alone, ANY, digits=4),
        cell(entry.given, ANY if perturbed else NONE, digits=4),
    )


def _scale(sizes: Magnitudes, perturbed: bool) -> Content:
    if sizes.scale is None:
        if not perturbed:
            return "The spec has no perturbations; each place is looked at alone."
        return "All perturbations of the spec may be enlarged by any common factor."
    lead = (
        "All perturbations of the spec together may be multiplied by ",
        Strong(cell(sizes.scale)),
    )
    if sizes.scaled_bound is None:
        return (*lead, ".")
    return (*lead, "; the bound is then ", cell(sizes.scaled_bound), ".")


def _site_notes(sizes: Magnitudes) -> tuple[Content, ...]:
    """Each note once, with the first sites that it is about."""
    about: dict[str, list[Content]] = {}
    for entry in sizes.allowances:
        if entry.note is not None:
            first = not about.get(entry.note)
            direction = entry.direction.capitalize() if first else entry.direction
            named = joined(f"{direction} {entry.quantity} at ", place(entry.label))
            about.setdefault(entry.note, []).append(named)
    notes = []
    for note, places in about.items():
        shown = [part for name in places[:3] for part in (", ", name)][1:]
        more = f" and {len(places) - 3} more" if len(places) > 3 else ""
        notes.append(joined(*shown, f"{more}: ", said(note), "."))
    return tuple(notes)


def _frequencies(found: Budget) -> tuple[Block, ...]:
    if not found.frequencies:
        return ()
    training = found.question.graph.spec.training
    assert training is not None  # noqa: S101 - a question has one
    rows = tuple(_frequency(row) for row in found.frequencies)
    shown, note = shortened_rows(rows, "rows")
    sizes = {f.name: (f.rms, f.mean) for f in found.frequencies if f.mean_case == "given"}
    return (
        Table(
            caption=f"Events: how often each may happen, alone, among {spaced(training.horizon)} "
            "steps.",
            columns=(
                Column("event", name_width(sizes, 2.2)),
                site_column(found.question.graph, 2.3),
                Column("pass", 1.4),
                Column("mean", 1.0),
                Column("anywhere"),
                Column("evenly"),
                Column("one in"),
                Column("rate"),
                Column("prob."),
                Column("share"),
            ),
            rows=shown,
            remarks=(
                "Mean: that of the spec, zero, or as large as the rms. Anywhere: most events "
                "wherever they fall; one in: the smallest number of steps from one to the "
                "next; evenly: how many that makes. Rate: largest probability per step that "
                "all samples are hit; prob.: the largest per step and sample. Share: how much of "
                "the allowed excess over the unperturbed bound one event takes, at the worst "
                "step, rounded up.",
                joined(
                    "Magnitudes: ",
                    *(
                        part
                        for k, (name, (rms, mean)) in enumerate(sizes.items())
                        for part in (
                            "; " if k else "",
                            f"{name}, rms ",
                            cell(rms),
                            ", mean ",
                            cell(mean),
                        )
                    ),
                    ".",
                ),
                *note,
            ),
        ),
    )


def _frequency(row: Frequency) -> tuple[Content, ...]:
    return (
        row.name,
        place(row.label),
        row.direction,
        MEAN_CASES[row.mean_case],
        spaced(row.count_worst),
        spaced(row.count_even),
        "not one" if row.interval is None else spaced(row.interval),
        cell(row.rate, digits=3),
        cell(row.probability, digits=3),
        cell(row.spare, digits=3),
    )
