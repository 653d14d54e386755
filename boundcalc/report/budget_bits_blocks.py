"""Number formats, bits and measured sensitivities, as tables of the report."""

from __future__ import annotations

from collections.abc import Mapping

from boundcalc.budgets.calibration.results import Calibration, SiteSensitivity
from boundcalc.budgets.results import Allocation, Budget, Formats, SiteBits
from boundcalc.report.budget_cells import cell, site_column
from boundcalc.report.budget_words import (
    EVENTS_ON_TOP,
    cost_unit,
    from_below,
    layer_parts,
    saving,
    spaced,
)
from boundcalc.report.cells import Block, Code, Column, Content, Paragraph, Strong, Table, Value
from boundcalc.report.notation import joined, place, said, sentence
from boundcalc.report.numbers import NONE, interval
from boundcalc.report.rows import name_width, shortened_rows

_NAMED = 3  # sites without bits or formats that are named with the reason


def format_blocks(found: Budget) -> tuple[Block, ...]:
    """The format of each operator's values, with how often events may hit them."""
    if found.formats is None:
        return ()
    graph, formats = found.question.graph, found.formats
    width = 4 if formats.frequencies else 3
    rows: tuple[tuple[Content, ...], ...] = tuple(
        (Code(name), first or "–", second or "–", events or "–")[:width]
        for name, first, second, events in layer_parts(found)
    )
    shown, note = shortened_rows(rows, "operators")
    remarks = [
        "Activations are what an operator puts out, gradients what it passes back.",
        *((EVENTS_ON_TOP[0].upper() + EVENTS_ON_TOP[1:] + ".",) if formats.frequencies else ()),
        *note,
        *_reasons({f"{s.direction} {s.label}": s.note for s in formats.sites if s.note}),
    ]
    return (
        Table(
            caption="The cheapest admissible number format of every activation and gradient, with "
            "its rounding.",
            columns=(
                Column("operator", name_width(graph.ids, 3.2)),
                Column("activations", 3.6),
                Column("gradients", 3.6),
                Column("events", 5.4),
            )[:width],
            rows=shown,
            remarks=tuple(remarks),
        ),
        Paragraph(_format_totals(formats)),
    )


def _format_totals(formats: Formats) -> Content:
    if formats.bound is None or formats.cost is None:
        return "As long as a place has no format, there is no assignment and no bound."
    pieces = joined(
        "With these formats the bound is ",
        Strong(cell(formats.bound)),
        ", at ",
        cell(formats.cost),
        " bits per sample",
    )
    if formats.target is not None and formats.frequencies:
        room = ", of ", cell(formats.target), " that leave room for events"
        pieces = joined(pieces, *room)
    if formats.lower_cost is None:
        return joined(pieces, ".")
    least = cell(from_below(formats.lower_cost))
    return joined(pieces, "; no admissible choice costs less than ", least, ".")


def allocation_blocks(found: Budget) -> tuple[Block, ...]:
    """Bits by site, with their prices and totals."""
    spread = found.allocation
    if spread is None:
        return ()
    shown, note = shortened_rows(tuple(_bits(site) for site in spread.sites), "sites")
    return (
        Table(
            caption="Bits of a uniform quantiser at every place, at least cost.",
            columns=(
                site_column(found.question.graph),
                Column("pass", 1.5),
                Column("components"),
                Column("bits"),
                Column("real bits"),
                Column("price"),
                Column("bound with one more"),
            ),
            rows=shown,
            remarks=(
                "Real bits: the optimum before rounding. Price: how much of the allowed excess "
                "over the unperturbed bound one more bit there gives back, at that optimum.",
                *note,
                *_reasons(spread.left_out),
            ),
        ),
        Paragraph(_allocation_totals(found, spread)),
    )


def _bits(site: SiteBits) -> tuple[Content, ...]:
    return (
        place(site.label),
        site.direction,
        spaced(site.size),
        str(site.bits),
        cell(site.continuous, digits=4),
        cell(site.price, digits=3),
        cell(site.saving, digits=6),
    )


def _allocation_totals(found: Budget, spread: Allocation) -> Content:
    pieces = joined(
        "These bits cost ",
        Strong(cell(spread.cost, digits=6)),
        f" ({cost_unit(found)}) and give the bound ",
        cell(spread.bound),
        ". ",
    )
    if spread.lower_cost is not None:
        least = cell(from_below(spread.lower_cost), digits=6)
        pieces = joined(pieces, "No admissible assignment costs less than ", least, ". ")
    relaxed = cell(from_below(spread.relaxed_cost), digits=6)
    pieces = joined(pieces, "With real-valued bits the cost is at least ", relaxed, ". ")
    if spread.uniform_bits is None or spread.uniform_cost is None:
        return joined(pieces, "No equal number of bits everywhere is admissible.")
    pieces = joined(
        pieces,
        f"{spread.uniform_bits} bits everywhere would cost ",
        cell(spread.uniform_cost, digits=6),
    )
    part = saving(spread)
    return joined(pieces, "." if part is None else (": ", cell(part), " percent are saved."))


def calibration_blocks(found: Budget) -> tuple[Block, ...]:
    """Proved and measured sensitivities side by side, and how their prediction fared."""
    measured = found.calibration
    if measured is None:
        return ()
    steps = ", ".join(spaced(step) for step in measured.iterates)
    lead = (
        Strong("Proved and measured."),
        " Proved sensitivities hold for all inputs and weights of the regions; measured ones are "
        f"the largest over samples at steps {steps} of a run, for perturbations without a "
        f"preferred direction, with {100 * measured.confidence:g}% intervals. ",
    )
    notes = tuple(joined(" ", sentence(note)) for note in measured.notes)
    blocks: list[Block] = [Paragraph(joined(lead, _fared(measured), *notes))]
    blocks.append(_error_table(found, measured))
    biases = [row for row in measured.sites if row.measured_bias is not None]
    return (
        *blocks,
        *((_bias_table(found, biases),) if biases else ()),
        *_measured_bits(measured),
    )


def _measured_bits(found: Calibration) -> tuple[Block, ...]:
    """Bits by measured sensitivities, in words."""
    chosen = found.bits
    if chosen is None:
        return ()
    named = [
        part
        for (direction, label), bits in chosen.bits.items()
        for part in (", ", place(label), f" {direction} {bits}")
    ]
    text = joined(
        Strong("Bits by measured sensitivities."),
        " With the measured sensitivities in place of the proved ones the cheapest bits are ",
        *named[1:],
        ". They cost ",
        cell(chosen.cost),
        " bits per sample; the predicted bound is ",
        cell(chosen.bound),
        ", and a simulated run with these quantisers gave ",
        cell(chosen.simulated),
        ". This is a prediction for runs like the one that was measured, not a bound.",
    )
    return (Paragraph(text),)


def _error_table(found: Budget, measured: Calibration) -> Table:
    rows = tuple(_error(row) for row in measured.sites)
    shown, note = shortened_rows(rows, "places")
    return Table(
        caption="Sensitivity of the error: its mean square over that of a perturbation.",
        columns=(
            site_column(found.question.graph),
            Column("pass", 1.5),
            Column("proved"),
            Column("measured"),
            Column("interval", 2.7),
            Column("ratio"),
            Column("worst way"),
        ),
        rows=shown,
        remarks=(
            "Ratio: proved over measured. Worst way: measured along the worst direction; a lower "
            "bound, over the directions that were probed, where “≥” stands before it.",
            *note,
        ),
    )


def _error(row: SiteSensitivity) -> tuple[Content, ...]:
    worst: Content = cell(row.measured_worst, digits=4)
    if row.measured_worst is not None and not row.worst_exact:
        worst = joined("≥ ", worst)
    return (
        place(row.label),
        row.direction,
        cell(row.proved),
        cell(row.measured),
        interval(*row.interval, digits=3),
        cell(row.ratio, digits=3),
        worst,
    )


def _bias_table(found: Budget, biases: list[SiteSensitivity]) -> Table:
    rows = tuple(
        (
            place(row.label),
            row.direction,
            cell(row.proved_bias),
            cell(row.measured_bias),
            NONE if row.bias_interval is None else interval(*row.bias_interval, digits=3),
            cell(row.bias_ratio, digits=3),
        )
        for row in biases
    )
    shown, note = shortened_rows(rows, "places")
    return Table(
        caption="Sensitivity of the bias: the squared mean of the error over the squared mean "
        "square of a zero-mean perturbation.",
        columns=(
            site_column(found.question.graph),
            Column("pass", 1.5),
            Column("proved"),
            Column("measured"),
            Column("interval", 2.7),
            Column("ratio"),
        ),
        rows=shown,
        remarks=note,
    )


def _fared(found: Calibration) -> Content:
    none = Value("none")
    pieces = joined(
        "The largest common factor of the spec's perturbations is ",
        cell(found.scale, none),
        " by the measured sensitivities and ",
        cell(found.proved_scale, none),
        " by the proved ones.",
    )
    for name, predicted, simulated, ends in (
        ("error", found.predicted_error, found.simulated_error, found.error_interval),
        ("bias", found.predicted_bias, found.simulated_bias, found.bias_interval),
    ):
        if predicted is None or simulated is None or ends is None:
            continue
        pieces = joined(
            pieces,
            f" For the whole {name} they predict ",
            cell(predicted, digits=4),
            "; a full simulation gave ",
            cell(simulated, digits=4),
            ", interval ",
            interval(*ends, digits=4),
            ".",
        )
    return pieces


def _reasons(reasons: Mapping[str, str]) -> tuple[Content, ...]:
    """Why some sites get nothing: each reason once, with the first sites that it is about."""
    about: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        about.setdefault(reason, []).append(name)
    remarks = []
    for reason, found in about.items():
        named = [part for name in found[:_NAMED] for part in (", ", Code(name))][1:]
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        remarks.append(joined("Nothing for ", *named, f"{more}: ", said(reason), "."))
    return tuple(remarks)
