"""The reference of the command line, from the help texts of the commands themselves."""

from __future__ import annotations

import re
from typing import Any

from repository_files import DOCS
from sphinx.application import Sphinx
from writing import write

PAGE = DOCS / "reference" / "commands.md"
_HEAD = """# Commands

What `boundcalc COMMAND --help` prints, on one page. [Command line](../command-line.md) explains how
to work with them; exit codes are in the [README](../project/readme.md#exit-codes).
"""


def commands() -> dict[str, Any]:
    """Every visible command by name, groups as well as their members."""
    import typer

    from boundcalc.cli import app

    found: dict[str, Any] = {}

    def collect(command: Any, name: str) -> None:
        if name:
            found[name] = command
        for inner, member in getattr(command, "commands", {}).items():
            if not member.hidden:
                collect(member, f"{name} {inner}".strip())

    collect(typer.main.get_command(app), "")
    return found


def section(name: str, command: Any) -> str:
    """One command: its line, what it does, its arguments and options."""
    import typer

    context = typer.Context(command, info_name=f"boundcalc {name}", terminal_width=10_000)
    usage = " ".join(command.get_usage(context).removeprefix("Usage:").split())
    records = [parameter.get_help_record(context) for parameter in command.get_params(context)]
    rows = [(what.strip(), meaning) for what, meaning in filter(None, records)]
    parts = [f"## {name}\n", f"```text\n{usage}\n```\n", _prose(command.help or "")]
    parts.append("| argument or option | meaning |\n|---|---|")
    parts += [f"| `{what.replace('|', '/')}` | {_cell(meaning)} |" for what, meaning in rows]
    return "\n".join(parts) + "\n"


def _prose(text: str) -> str:
    """Help text as Markdown: angle brackets and dollars mean themselves."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\b", "").strip())
    return "\n\n".join(_escaped(" ".join(paragraph.split())) for paragraph in paragraphs) + "\n"


def _escaped(text: str) -> str:
    parts = re.split(r"(`+[^`]+`+)", text)
    return "".join(
        part if part.startswith("`") else re.sub(r"([$<>*_\[\]])", r"\\\1", part) for part in parts
    )


def _cell(text: str) -> str:
    return _escaped(" ".join(text.split())).replace("|", r"\|")


def generate(app: Sphinx) -> None:
    """Write the page."""
    del app
    found = commands()
    write(PAGE, "\n".join([_HEAD, *(section(name, found[name]) for name in sorted(found))]))


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the page before others are read."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
