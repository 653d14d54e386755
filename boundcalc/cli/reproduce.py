"""``boundcalc reproduce``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, print_json


def reproduce(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...",
            help="figure-2 to figure-9, appendix-a1 to appendix-a3, or all (the default).",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", help="Folder to write into, and to go on in.")
    ] = Path("section-7"),
    quick: Annotated[
        bool, typer.Option("--quick", help="A small horizon and few settings: minutes in all.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=0, help="Processes; by default one for each processor.")
    ] = None,
    engine: Annotated[str, typer.Option(help="auto, numpy or compiled.")] = "auto",
    docs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write DIR/section-7.md and its images from -o."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run the experiments of arXiv 2602.20646, section 7, draw them, and judge them in words."""
    from boundcalc.cli.show_reproduce import sweeping
    from boundcalc.cli.sweep_options import chosen_engine
    from boundcalc.experiments import reproduce as run

    with sweeping(quiet=as_json) as update:
        outcomes = run(
            names or [],
            out,
            quick=quick,
            workers=workers,
            engine=chosen_engine(engine),
            progress=update,
        )
    if docs is not None:
        from boundcalc.experiments.page import refresh

        refresh(out, docs)
    if as_json:
        from dataclasses import asdict

        found = {o.experiment.name: [asdict(finding) for finding in o.findings] for o in outcomes}
        print_json(found)
        return
    from boundcalc.cli.show_reproduce import show_outcomes

    show_outcomes(outcomes)
