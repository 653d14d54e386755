"""What every command shares: arguments, the graph of a spec, JSON on stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from boundcalc.cli.completion import engines, spec_files

SpecFile = Annotated[
    Path,
    typer.Argument(metavar="SPEC", help="A spec file (YAML or JSON).", autocompletion=spec_files),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Give a symbol a value; may be repeated."),
]
Engine = Annotated[
    str,
    typer.Option(
        "--engine",
        metavar="NAME",
        help="numpy, compiled (needs a C compiler), or auto: compiled where that pays.",
        autocompletion=engines,
    ),
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", help="Replicas run at a time; by default all cores."),
]
Folder = Annotated[Path | None, typer.Option("-o", "--out", help="Folder to write into.")]


def graph_of(spec: Path, settings: list[str] | None) -> Any:
    """The graph of a spec file, with symbols set on the command line."""
    from boundcalc.api import build, load
    from boundcalc.cli.settings import parse_settings
    from boundcalc.spec.loading import with_values

    loaded = load(spec)
    values = parse_settings(settings or [])
    return build(with_values(loaded, values) if values else loaded)


def engine_of(name: str) -> Any:
    """The engine that was named.

    Raises
    ------
    SpecError
        For an unknown one.
    """
    from boundcalc.errors import SpecError, nearest
    from boundcalc.simulate.engines import ENGINES

    if name not in ENGINES:
        close = nearest(name, ENGINES)
        raise SpecError(
            "unknown engine",
            where="--engine",
            value=name,
            expected="one of " + ", ".join(ENGINES),
            fix=f"did you mean {close!r}?" if close else None,
        )
    return name


def print_json(result: Any) -> None:
    """One JSON object on stdout."""
    import json

    # Where stdout lacks letters they are written as JSON has them, not as Python does.
    ascii_only = not (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    typer.echo(json.dumps(result, allow_nan=False, ensure_ascii=ascii_only))
