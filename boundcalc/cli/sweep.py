"""``boundcalc sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, Settings, SpecFile, print_json


def sweep(
    spec: SpecFile,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder of the results; to go on, the same one.")
    ],
    over: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=VALUES",
            help="An axis: values with commas, FIRST:LAST:COUNT, or FIRST:LAST:COUNT:log; "
            "may be repeated.",
        ),
    ] = None,
    zip_: Annotated[
        list[str] | None,
        typer.Option(
            "--zip",
            metavar="PATH=VALUES; PATH=VALUES",
            help="One axis on which several paths change together; may be repeated.",
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(metavar="N", help="Seeds at each setting; by default one.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Processes; by default one a processor.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Run on the workers of a Dask scheduler.")
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, numpy or compiled.")] = "auto",
    retry: Annotated[
        bool, typer.Option("--retry", help="Run points again that failed before.")
    ] = False,
    as_json: AsJson = False,
    settings: Settings = None,
) -> None:
    """Simulate at every point of a grid of settings and seeds; start it again to go on.

    Exit code 0 if every point ran, 1 if one raised an error.
    """
    from boundcalc.api import load
    from boundcalc.cli.progress import progress
    from boundcalc.cli.settings import parse_settings
    from boundcalc.cli.sweep_options import chosen_engine, groups, ranges
    from boundcalc.spec.loading import with_values
    from boundcalc.sweeps import sweep as run_sweep

    loaded = load(spec)
    values = parse_settings(settings or [])
    loaded = with_values(loaded, values) if values else loaded
    try:
        with progress("sweeping", quiet=as_json) as report:
            found = run_sweep(
                loaded,
                ranges(over or [], "--over"),
                zipped=groups(zip_) if zip_ else None,
                seeds=seeds,
                out=out,
                workers=workers,
                scheduler=scheduler,
                engine=chosen_engine(engine),
                progress=report,
                retry=retry,
            )
    except KeyboardInterrupt:
        typer.echo(
            f"boundcalc: every finished point is kept in {out}: "
            "give the same command again to go on",
            err=True,
        )
        raise
    if as_json:
        from boundcalc.cli.show_sweep import sweep_results

        print_json(sweep_results(found))
    else:
        from boundcalc.cli.show_sweep import show_sweep

        show_sweep(found)
    raise typer.Exit(1 if found.failed else 0)
