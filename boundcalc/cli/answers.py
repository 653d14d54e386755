"""The commands for theories whose answers are shown in the common form."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from boundcalc.cli.common import print_json

if TYPE_CHECKING:
    from boundcalc.theories.base import Verb


def own_form(graph: Any) -> bool:
    """Whether the terminal has a form of its own for the graph's theory: perturbed passes."""
    return bool(graph.spec.theory == "perturbed")


def answer(
    verb: Verb,
    graph: Any,
    *,
    as_json: bool,
    engine: Any = "auto",
    threads: int | None = None,
    folder: Path | None = None,
) -> None:
    """Ask the graph's theory, print what it says, and leave with its exit code.

    Parameters
    ----------
    folder
        Where a simulated run is written, besides; it exists.
    """
    from boundcalc.cli.progress import progress
    from boundcalc.theories.ask import ask
    from boundcalc.theories.base import Options
    from boundcalc.theories.plain import jsonable

    with progress("simulating", quiet=as_json) as report:
        found = ask(verb, graph, Options(engine, threads, report))
        if folder is not None:
            from boundcalc.theories.runs import write_theory_run

            write_theory_run(found, folder)
    if as_json:
        print_json(jsonable(found.data))
    else:
        from boundcalc.cli.show_blocks import show_blocks
        from boundcalc.cli.tables import new_console, print_line

        console = new_console()
        print_line(console, f"{graph.name}: {verb}", style="bold")
        for caution in found.cautions:
            print_line(console, f"caution: {caution}", style="yellow")
        console.print()
        show_blocks(console, found.blocks)
        if folder is not None:
            print_line(console, f"written to {folder}")
    if found.exit_code:
        raise typer.Exit(found.exit_code)


def only_for_passes(graph: Any, **options: object) -> None:
    """Refuse options that mean something for perturbed passes only.

    Raises
    ------
    SpecError
        If one of them was given.
    """
    from boundcalc.errors import SpecError

    for name, given in options.items():
        if given:
            raise SpecError(
                "an option of another theory",
                where=f"--{name.replace('_', '-')}",
                value=f"theory: {graph.spec.theory}",
                expected="theory: perturbed",
                fix="leave the option out",
            )
