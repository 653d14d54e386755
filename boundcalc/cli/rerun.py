"""``boundcalc rerun``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, Threads, engine_of, print_json


def rerun(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="results.nc of `boundcalc simulate -o`.")
    ],
    engine: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="numpy, compiled or auto; else the recorded one."),
    ] = None,
    threads: Threads = None,
    data: Annotated[
        Path | None,
        typer.Option("--folder", help="Where the spec's data files lie; else beside RESULTS."),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Only the same bits count as reproduced.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a results file again and compare every number in it.

    Exit code 0 if it is reproduced, to the last bit or up to rounding; 1 if not.
    """
    from boundcalc.cli.progress import progress
    from boundcalc.simulate.rerun import rerun as run_again

    chosen = None if engine is None else engine_of(engine)
    with progress("simulating", quiet=as_json) as report:
        found = run_again(
            results, folder=data, engine=chosen, threads=threads, exact=exact, progress=report
        )
    if as_json:
        from boundcalc.report.rerun_results import rerun_results

        print_json(rerun_results(found))
    else:
        from boundcalc.cli.show_rerun import show_rerun

        show_rerun(found)
    raise typer.Exit(found.exit_code)
