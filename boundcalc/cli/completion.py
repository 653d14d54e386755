"""What the shell offers after TAB: spec files, paths of numbers, families, engines.

Shells ask through the environment variable ``_BOUNDCALC_COMPLETE``; the script that
``--show-completion SHELL`` prints sets it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

import typer

_SUFFIXES = (".yaml", ".yml", ".json")
SHELLS = ("bash", "zsh", "fish", "powershell")
_MOST = 200


def spec_files(incomplete: str) -> list[str]:
    """YAML and JSON files; nothing where folders match too, for the shell goes into those."""
    folder, name = os.path.split(incomplete)
    try:
        entries = sorted(os.scandir(folder or "."), key=lambda entry: entry.name)
    except OSError:
        return []
    found = [e for e in entries if e.name.startswith(name) and (name or e.name[0] != ".")]
    if any(entry.is_dir() for entry in found):
        return []
    return [os.path.join(folder, e.name) for e in found if e.name.endswith(_SUFFIXES)]  # noqa: PTH118


def example_names(incomplete: str) -> list[str]:
    """Names of the shipped specs."""
    from boundcalc.resources import examples

    return [name for name in examples() if name.startswith(incomplete)]


def families(incomplete: str) -> list[str]:
    """Families of bounds."""
    return [name for name in ("published", "corrected", "sharp") if name.startswith(incomplete)]


def engines(incomplete: str) -> list[str]:
    """Engines of simulations."""
    return [name for name in ("auto", "numpy", "compiled") if name.startswith(incomplete)]


def number_paths(incomplete: str) -> list[str]:
    """Paths that ``boundcalc explain`` knows, one step further than what is typed."""
    from boundcalc.explain.paths import spelled
    from boundcalc.explain.registry import REGISTRY

    reached = incomplete.rsplit(".", 1)[0] + "." if "." in incomplete else ""
    found: dict[str, None] = {}
    for pattern in spelled(REGISTRY):
        path = re.split(r"\.?[#{]", pattern)[0]  # as far as the first name from a spec
        if not path.startswith(incomplete):
            continue
        step = re.match(r"[^.#{]*", path[len(reached) :])
        if step and step[0]:
            found[reached + step[0]] = None
    return list(found)[:_MOST]


def _shell(value: str | None) -> str | None:
    if value is not None and value not in SHELLS:
        raise typer.BadParameter(f"{value!r} is not one of {', '.join(SHELLS)}")
    return value


def show(shell: str | None) -> None:
    """Print the script that makes a shell ask."""
    if _shell(shell) is not None:
        from typer._completion_shared import get_completion_script

        typer.echo(
            get_completion_script(
                prog_name="boundcalc", complete_var="_BOUNDCALC_COMPLETE", shell=shell or ""
            )
        )
        raise typer.Exit


def install(shell: str | None) -> None:
    """Write that script where the shell looks for it."""
    if _shell(shell) is not None:
        from typer._completion_shared import install as write

        name, path = write(shell=shell, prog_name="boundcalc", complete_var="_BOUNDCALC_COMPLETE")
        typer.echo(f"completion for {name} written to {Path(path)}; open a new terminal")
        raise typer.Exit


ShowCompletion = Annotated[
    str | None,
    typer.Option(
        metavar="SHELL",
        callback=show,
        is_eager=True,
        help="Print the completion script of bash, zsh, fish or powershell.",
    ),
]
InstallCompletion = Annotated[
    str | None,
    typer.Option(
        metavar="SHELL", callback=install, is_eager=True, help="Install it for that shell."
    ),
]


def prepare() -> None:
    """Teach the command line the protocol, where a shell asks."""
    if "_BOUNDCALC_COMPLETE" in os.environ:
        from typer._completion_classes import completion_init

        completion_init()
