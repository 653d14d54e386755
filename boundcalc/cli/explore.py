"""``boundcalc explore``: a page with live controls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli.common import Settings, SpecFile


def explore(
    spec: SpecFile,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="The file; by default SPEC's name with -explore.html."),
    ] = None,
    show: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    settings: Settings = None,
) -> None:
    """Write a page whose numbers and curves follow its controls.

    One file that works from disk and asks for nothing.
    """
    from boundcalc.cli.common import graph_of
    from boundcalc.explore.page import write_page

    page = write_page(graph_of(spec, settings), out or Path(f"{spec.stem}-explore.html"))
    typer.echo(f"explorer written to {page}")
    if show:
        import webbrowser

        if not webbrowser.open(page.resolve().as_uri()):
            typer.echo("no browser could be opened; open the file yourself", err=True)
