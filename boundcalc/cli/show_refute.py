"""What is known of a claim, for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from boundcalc.arithmetic.number import format_bound, format_limit
from boundcalc.cli.tables import make_table, new_console, print_line, print_table
from boundcalc.verify.claims.outcome import Outcome, Part

_QUANTITY = {"error": "E‖ũ − u‖²", "bias": "‖E[ũ − u]‖²"}


def show_refute(outcome: Outcome, written: Mapping[int, Path]) -> None:
    """The verdict for every length, where the claim fails, and what attains how much."""
    console = new_console()
    table = make_table(
        f"{outcome.name}: a bound on {_QUANTITY[outcome.statement]}",
        "N",
        "verdict",
        "status",
        "boxes",
        "proved share",
        "√(attained/claim)",
        left=3,
    )
    for part in outcome.parts:
        table.add_row(
            str(part.size),
            part.verdict,
            str(part.status),
            str(part.boxes),
            f"{format_limit(100 * part.share, 4)} %",
            "" if not part.assaults else _number(part.assaults[0].fraction),
        )
    print_table(console, table)
    for part in outcome.parts:
        for line in _lines(part):
            print_line(console, line)
        if part.size in written:
            print_line(console, f"  instance: {written[part.size]}")
    for note in outcome.notes:
        print_line(console, f"  note: {note}")
    if outcome.assumption:
        print_line(console, f"  assuming {outcome.assumption}")
    style = {0: "green", 1: "red"}.get(outcome.exit_code, "yellow")
    print_line(console, f"  {outcome.verdict} ({outcome.status})", style)


def _lines(part: Part) -> list[str]:
    """What a row of the table cannot hold."""
    lines = []
    if part.point is not None:
        at = ", ".join(f"{name} = {value}" for name, value in part.point.items()) or "the constants"
        lines.append(
            f"  N = {part.size}: at {at} the sharp bound is {_number(part.ratio or 0.0)} times "
            "the claim, for the worst levels found"
        )
    for assault in part.assaults[:1]:
        attained = _number(assault.attack.attained)
        word = "above" if assault.refutes else "not above"
        lines.append(
            f"  N = {part.size}: an instance attains {attained} ({assault.status}), {word} the "
            f"claimed {format_bound(assault.claimed)}"
        )
    if part.stopped:
        lines.append(
            f"  N = {part.size}: {part.boxes} boxes did not suffice; try more with --boxes"
        )
    lines += [f"  {note}" for note in part.notes]
    if part.interrupted:
        lines.append(f"  N = {part.size}: interrupted")
    return lines


def _number(value: float) -> str:
    return "∞" if math.isinf(value) else format_limit(value, 5)
