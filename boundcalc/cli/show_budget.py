"""A budget on the terminal: what it is for, magnitudes, frequencies, orders."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from boundcalc.arithmetic import Status
from boundcalc.budgets.orders.results import IntermittentOrders, RegimeOrders
from boundcalc.budgets.results import Allowance, Budget, Frequency, Magnitudes
from boundcalc.cli.show_budget_bits import (
    lettered,
    show_allocation,
    show_calibration,
    show_formats,
)
from boundcalc.cli.tables import make_table, new_console, print_line, print_table, shortened
from boundcalc.report.budget_words import MEAN_CASES, basis, headline, spaced
from boundcalc.report.numbers import LETTERS

if TYPE_CHECKING:
    from boundcalc.budgets.orders.order import Order


def show_budget(found: Budget) -> None:
    """Everything that was asked for, each part with how far it can be trusted."""
    console = new_console()
    print_line(console, f"{found.question.graph.name}: budget", "bold")
    print_line(console, f"  {headline(found)}")
    for line in basis(found):
        print_line(console, f"  {line}")
    console.print()
    _show_magnitudes(console, found)
    _show_frequencies(console, found)
    for regime, orders in found.orders.items():
        _show_orders(console, regime, orders)
    show_allocation(console, found)
    show_formats(console, found)
    show_calibration(console, found)
    print_line(console, f"  {_LEGEND}")
    for note in found.notes:
        print_line(console, f"  note: {note}")


_LEGEND = "; ".join(
    (
        ", ".join(f"{x} {name}" for name, x in LETTERS.items() if name != Status.UNDETERMINED),
        "bounds are rounded up, limits down",
    )
)


def _show_magnitudes(console: Console, found: Budget) -> None:
    sizes = found.magnitudes
    table = make_table(
        "largest magnitudes that keep the bound below its target",
        "site",
        "pass",
        "rms now",
        "alone",
        "with the others",
        "mean now",
        "alone",
        "with the others",
        left=2,
    )
    by_site: dict[tuple[str, str], dict[str, Allowance]] = {}
    for entry in sizes.allowances:
        by_site.setdefault((entry.label, entry.direction), {})[entry.quantity] = entry
    perturbed = bool(found.question.graph.perturbations)
    for row in shortened(list(by_site.items())):
        if row is None:
            table.add_row(*("…" for _ in range(8)))
            continue
        (label, direction), entries = row
        cells = [
            cell
            for quantity in ("rms", "mean")
            for cell in _allowance(entries.get(quantity), perturbed)
        ]
        table.add_row(escape(label), direction, *cells)
    print_table(console, table)
    print_line(
        console,
        "  alone: everything else zero; with the others: as the spec has them; any: no limit",
    )
    print_line(console, f"  {_scale(sizes, perturbed)}")
    _show_site_notes(console, sizes.allowances)
    for note in sizes.notes:
        print_line(console, f"  {note}")
    console.print()


def _allowance(entry: Allowance | None, perturbed: bool) -> tuple[str, str, str]:
    if entry is None:
        return "–", "–", "–"
    return (
        lettered(entry.current),
        lettered(entry.alone, "any"),
        lettered(entry.given, "any" if perturbed else "–"),
    )


def _scale(sizes: Magnitudes, perturbed: bool) -> str:
    if sizes.scale is None:
        if not perturbed:
            return "the spec has no perturbations, so there is no common factor"
        return "all perturbations together: any common factor is admissible"
    text = f"all perturbations together: times {lettered(sizes.scale)}"
    if sizes.scaled_bound is None:
        return text
    return f"{text}, where the bound is {lettered(sizes.scaled_bound)}"


def _show_site_notes(console: Console, entries: Iterable[Allowance]) -> None:
    """Each note once, with the sites that it is about."""
    sites: dict[str, list[str]] = {}
    for entry in entries:
        if entry.note is not None:
            sites.setdefault(entry.note, []).append(
                f"{entry.direction} {entry.quantity} of {entry.label}"
            )
    for note, about in sites.items():
        more = f" and {len(about) - 3} more" if len(about) > 3 else ""
        print_line(console, f"  {', '.join(about[:3])}{more}: {note}")


def _show_frequencies(console: Console, found: Budget) -> None:
    if not found.frequencies:
        return
    training = found.question.graph.spec.training
    assert training is not None  # noqa: S101 - a question has one
    table = make_table(
        f"events: how often among T = {spaced(training.horizon)} steps",
        "event at site",
        "pass",
        "mean",
        "anywhere",
        "evenly",
        "one in … steps",
        "rate",
        "probability",
        "one takes",
        left=3,
    )
    for row in shortened(found.frequencies):
        table.add_row(*(("…",) * 9 if row is None else _frequency(row)))
    print_table(console, table)
    sizes = {f.name: (f.rms, f.mean) for f in found.frequencies if f.mean_case == "given"}
    for name, (rms, mean) in sizes.items():
        print_line(console, f"  {name}: rms {lettered(rms)}, mean {lettered(mean)}")
    print_line(
        console,
        "  anywhere: most events wherever they fall; evenly: most that are so many steps apart; "
        "rate: largest probability per step that all samples are hit; probability: per step and "
        "sample; "
        "one takes: the share of the allowed excess that one event takes, at the worst step",
    )
    console.print()


def _frequency(row: Frequency) -> tuple[str, ...]:
    return (
        escape(f"{row.name} at {row.label}"),
        row.direction,
        MEAN_CASES[row.mean_case],
        spaced(row.count_worst),
        spaced(row.count_even),
        "not one" if row.interval is None else spaced(row.interval),
        lettered(row.rate),
        lettered(row.probability),
        lettered(row.spare),
    )


def order_text(order: Order | None) -> str:
    """An order, or that none is asked for."""
    return "any" if order is None else str(order)


def _show_orders(console: Console, regime: str, found: RegimeOrders) -> None:
    title = f"orders in T, {regime}: γ ~ {found.step}, bound ≲ {found.rate}"
    print_line(console, title, "bold")
    for condition in found.conditions:
        print_line(console, f"  where {condition}")
    frequent = found.frequent
    table = make_table("", "at every step", "rms", "mean")
    table.add_row("forward", order_text(frequent.forward_rms), order_text(frequent.forward_mean))
    table.add_row("backward", order_text(frequent.backward_rms), order_text(frequent.backward_mean))
    counts = make_table(
        "", "O(1) events among T steps", "forward", "backward", "forward, even", "backward, even"
    )
    for name, orders in (("zero mean", found.zero_mean), ("any mean", found.general)):
        counts.add_row(name, *_counts(orders))
    for part in (table, counts):
        part.title = None
        print_table(console, part)
    for term, text in found.terms.items():
        print_line(console, f"  {term}: {text}")
    console.print()


def _counts(orders: IntermittentOrders) -> tuple[str, ...]:
    found = (orders.forward, orders.backward, orders.forward_even, orders.backward_even)
    return tuple(order_text(order) for order in found)
