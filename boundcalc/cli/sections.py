"""The commands in sections, as ``boundcalc --help`` lists them, and the first screen."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from boundcalc.errors import nearest

#: Heading → commands below it.
SECTIONS = {
    "Bounds": ("compile", "rate", "budget"),
    "Bounds against simulations": ("simulate", "verify", "sweep", "rerun", "reproduce"),
    "Reports and pages": ("report", "explore", "explain"),
    "Do not trust it, check it": ("certify", "check", "adversary", "refute", "errata"),
    "Specs": ("examples", "theories", "schema", "import"),
}

_FIRST = """\
boundcalc: bounds for SGD whose forward and backward passes are perturbed.

  boundcalc report  my.yaml -o out      the whole report: web page and PDF
  boundcalc rate    my.yaml             convergence bounds, term by term
  boundcalc budget  my.yaml             how large, how often, how many bits
  boundcalc verify  my.yaml             every bound against a simulation
  boundcalc explore my.yaml --open      a page whose curves follow its sliders

  boundcalc examples                    specs to start from
  boundcalc --help                      all commands
"""


def first_screen() -> None:
    """What ``boundcalc`` alone prints."""
    typer.echo(_FIRST, nl=False)


class Commands(TyperGroup):
    """The commands, listed in sections; of an unknown one the nearest is named."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One list for each section, then commands that are in none."""
        known = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        shown = {name: c for name, c in known.items() if c is not None and not c.hidden}
        rest = [n for n in shown if not any(n in names for names in SECTIONS.values())]
        width = formatter.width - 6 - max(map(len, shown), default=0)
        for heading, names in {**SECTIONS, "More": tuple(rest)}.items():
            rows = [(n, shown[n].get_short_help_str(width)) for n in names if n in shown]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows, col_max=12)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is named, or an error that names the nearest."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            close = nearest(name, self.list_commands(ctx))
            hint = f" Did you mean {close!r}?" if close else ""
            ctx.fail(f"No such command {name[:80]!r}.{hint}")
        return super().resolve_command(ctx, args)
