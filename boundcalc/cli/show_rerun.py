"""What ``boundcalc rerun`` says."""

from __future__ import annotations

from rich.markup import escape

from boundcalc.cli.tables import make_table, new_console, print_line, print_table
from boundcalc.simulate.rerun import Rerun


def show_rerun(found: Rerun) -> None:
    """Whether a run was reproduced, where it differs, and what was different about it."""
    console, run = new_console(), found.run
    said, style = _verdict(found)
    print_line(console, f"{found.recorded.name}: {said}", style)
    if found.differences:
        table = make_table(
            "largest differences by quantity (sampled)",
            "quantity", "where", "recorded", "found", "relative",
            left=2,
        )  # fmt: skip
        for difference in found.differences:
            table.add_row(
                difference.quantity,
                escape(difference.where),
                f"{difference.recorded:.17g}",
                f"{difference.found:.17g}",
                f"{difference.relative:.2g}",
            )
        print_table(console, table)
    print_line(
        console,
        f"  {run.steps} steps, {run.replicas} replicas, seed {run.seed}, engine {run.engine} "
        f"(recorded: {found.recorded.engine}), {run.seconds:.1f} s "
        f"(recorded: {found.recorded.seconds:.1f} s)",
    )
    for name, (before, now) in found.changed.items():
        print_line(console, f"  {name}: {before} in the file, {now} here")
    if found.recorded.precision != "float64":
        print_line(console, f"  {found.recorded.precision}: {_rounding(found)}")


def _verdict(found: Rerun) -> tuple[str, str]:
    if found.identical:
        return "✓ reproduced to the last bit", "green"
    size = f"largest relative difference {found.largest:.2g}"
    if found.reproduced:
        return f"✓ reproduced up to rounding: {size}, at most {found.tolerance:g} allowed", "green"
    return f"✗ not reproduced: {size}, at most {found.tolerance:g} allowed", "bold red"


def _rounding(found: Rerun) -> str:
    if not found.rounding:
        return "the file does not say what rounding error was measured"
    errors = ", ".join(f"{name} {error:.2g}" for name, error in found.rounding.items())
    return f"measured rounding error of {errors}"
