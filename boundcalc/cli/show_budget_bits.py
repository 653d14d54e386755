"""Bits, number formats and measured sensitivities of a budget, on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from boundcalc.arithmetic import Number
from boundcalc.arithmetic.number import format_number
from boundcalc.budgets.calibration.results import Calibration, SiteSensitivity
from boundcalc.budgets.results import Allocation, Budget
from boundcalc.cli.tables import make_table, print_line, print_table, shortened
from boundcalc.report.budget_words import (
    EVENTS_ON_TOP,
    basis,
    cost_unit,
    from_below,
    layer_sentences,
    saving,
    spaced,
)
from boundcalc.report.numbers import LETTERS, interval


def lettered(value: Number | None, missing: str = "–") -> str:
    """A bound or limit with the letter of its status."""
    return missing if value is None else f"{value} {LETTERS[value.status]}"


def show_allocation(console: Console, found: Budget) -> None:
    """Bits of every site, what one more buys, and what all cost."""
    spread = found.allocation
    if spread is None:
        return
    table = make_table(
        "bits of uniform quantisers",
        "site",
        "pass",
        "components",
        "bits",
        "real bits",
        "price of a bit",
        "bound with one more",
        left=2,
    )
    for row in shortened(spread.sites):
        if row is None:
            table.add_row(*("…" for _ in range(7)))
            continue
        table.add_row(
            escape(row.label),
            row.direction,
            spaced(row.size),
            str(row.bits),
            lettered(row.continuous),
            lettered(row.price),
            lettered(row.saving),
        )
    print_table(console, table)
    for line in _totals(found, spread):
        print_line(console, f"  {line}")
    print_line(console, f"  bound with these bits: {lettered(spread.bound)}")
    print_line(
        console,
        "  real bits: the optimum before rounding; price: by how much of the allowed excess one "
        "more bit there lowers the bound",
    )
    for label, reason in spread.left_out.items():
        print_line(console, f"  no bits for {label}: {reason}")
    console.print()


def _totals(found: Budget, spread: Allocation) -> list[str]:
    """What an allocation costs, against the best possible and against equal bits."""
    text = f"cost {lettered(spread.cost)} {cost_unit(found)}"
    if spread.lower_cost is not None:
        text += f"; no admissible assignment costs less than {_lower(spread.lower_cost)}"
    lines = [f"{text}; with real bits at least {_lower(spread.relaxed_cost)}"]
    if spread.uniform_bits is None or spread.uniform_cost is None:
        return [*lines, "no equal number of bits everywhere is admissible"]
    text = f"{spread.uniform_bits} bits everywhere cost {lettered(spread.uniform_cost)}"
    part = saving(spread)
    return [*lines, text if part is None else f"{text}: {lettered(part)} percent saved"]


def _lower(value: Number) -> str:
    return lettered(from_below(value))


def show_formats(console: Console, found: Budget) -> None:
    """One sentence for each operator, and what all cost."""
    chosen = found.formats
    if chosen is None:
        return
    print_line(console, "number formats", "bold")
    for name, sentence in layer_sentences(found):
        print_line(console, f"  {name}: {sentence}")
    print_line(
        console,
        "  activations: the operator's output; gradients: what it passes back",
    )
    if chosen.frequencies:
        print_line(console, f"  {EVENTS_ON_TOP}")
    print_line(console, f"  {basis(found)[0]}")
    if chosen.bound is not None:
        line = f"  bound with these formats: {lettered(chosen.bound)}"
        if chosen.target is not None and chosen.frequencies:
            line += f", of {lettered(chosen.target)} that leave room for events"
        print_line(console, line)
    if chosen.cost is not None:
        text = f"cost {lettered(chosen.cost)} bits per sample"
        if chosen.lower_cost is not None:
            text += f"; no admissible choice costs less than {_lower(chosen.lower_cost)}"
        print_line(console, f"  {text}")
    for site in chosen.sites:
        if site.note is not None:
            print_line(console, f"  {site.direction} {site.label}: {site.note}")
    console.print()


def show_calibration(console: Console, found: Budget) -> None:
    """Sensitivities proved and measured, with their ratio, and how the prediction fared."""
    measured = found.calibration
    if measured is None:
        return
    table = make_table(
        f"sensitivities, {100 * measured.confidence:g} % intervals",
        "site",
        "pass",
        "proved",
        "measured",
        "interval",
        "ratio",
        "worst way",
        "bias, proved",
        "measured",
        "ratio",
        left=2,
    )
    for row in shortened(measured.sites):
        table.add_row(*(("…",) * 10 if row is None else _sensitivity(row)))
    print_table(console, table)
    for line in _fared(measured):
        print_line(console, f"  {line}")
    console.print()


def _sensitivity(row: SiteSensitivity) -> tuple[str, ...]:
    return (
        escape(row.label),
        row.direction,
        lettered(row.proved),
        lettered(row.measured),
        _interval(row.interval),
        lettered(row.ratio),
        ("" if row.worst_exact or row.measured_worst is None else "≥ ")
        + lettered(row.measured_worst),
        lettered(row.proved_bias),
        lettered(row.measured_bias),
        lettered(row.bias_ratio),
    )


def _interval(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return "–"
    low, space, high = interval(*ends)
    return f"{low.text}{space}{high.text}"


def _fared(found: Calibration) -> list[str]:
    steps = ", ".join(str(step) for step in found.iterates)
    lines = [
        f"sensitivity: E‖ũ−u‖² over E‖δ‖² or E‖ε‖², and ‖E[ũ−u]‖² over (E‖δ‖²)²; measured at "
        f"steps {steps}, the largest over samples, for perturbations without a preferred "
        "direction; worst way: along the worst direction that was probed",
        f"E‖ũ−u‖²: predicted {lettered(found.predicted_error)}, simulated "
        f"{lettered(found.simulated_error)} {_interval(found.error_interval)}",
        f"‖E[ũ−u]‖²: predicted {lettered(found.predicted_bias)}, simulated "
        f"{lettered(found.simulated_bias)} {_interval(found.bias_interval)}",
    ]
    lines.append(
        f"largest common factor: measured {lettered(found.scale, 'none')}, "
        f"proved {lettered(found.proved_scale, 'none')}{_ratio(found)}"
    )
    lines += _measured_bits(found)
    return lines + [f"note: {note}" for note in found.notes]


def _measured_bits(found: Calibration) -> list[str]:
    """Bits by measured sensitivities; the proved ones stand in their own table."""
    chosen = found.bits
    if chosen is None:
        return []
    sites = ", ".join(
        f"{label} {direction} {bits}" for (direction, label), bits in chosen.bits.items()
    )
    return [
        f"bits by measured sensitivities: {sites}",
        f"they cost {lettered(chosen.cost)} bits per sample; predicted bound "
        f"{lettered(chosen.bound)}, simulated {lettered(chosen.simulated)} "
        f"{_interval(chosen.interval)}",
    ]


def _ratio(found: Calibration) -> str:
    """How many times larger the measured factor is than the proved one."""
    if found.scale is None or found.proved_scale is None or not float(found.proved_scale) > 0:
        return ""
    return f", ratio {format_number(float(found.scale) / float(found.proved_scale), 4)} s"
