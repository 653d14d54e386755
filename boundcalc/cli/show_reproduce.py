"""Reproduced experiments on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from boundcalc.cli.progress import progress
from boundcalc.cli.tables import new_console, print_line

if TYPE_CHECKING:
    from boundcalc.experiments import Outcome

_MARKS = {
    "holds": ("✓", "green"),
    "does not hold": ("✗", "bold red"),
    "undetermined": ("?", "yellow"),
}


@contextmanager
def sweeping(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A callback (sweep, done, total) that draws one bar for each sweep, one after the other."""
    current: list[tuple[str, Callable[[int, int], None] | None]] = [("", None)]
    open_bars: list[AbstractContextManager[Callable[[int, int], None] | None]] = []

    def update(name: str, done: int, total: int) -> None:
        if current[0][0] != name:
            while open_bars:
                open_bars.pop().__exit__(None, None, None)
            bar = progress(name, quiet=quiet)
            open_bars.append(bar)
            current[0] = (name, bar.__enter__())
        report = current[0][1]
        if report is not None:
            report(done, total)

    try:
        yield update
    finally:
        while open_bars:
            open_bars.pop().__exit__(None, None, None)


def show_outcomes(outcomes: Sequence[Outcome]) -> None:
    """Each experiment with its findings, and where its figure is."""
    console = new_console()
    for outcome in outcomes:
        experiment = outcome.experiment
        console.print(Text(f"{experiment.name}: {experiment.title}", style="bold"))
        for finding in outcome.findings:
            mark, style = _MARKS[finding.status]
            line = Text(f"  {mark} ", style=style)
            line.append(f"{finding.claim}: ", style="default")
            line.append(finding.status, style=style)
            line.append(f" ({finding.evidence})", style="default")
            console.print(line, soft_wrap=True)
        runs = f"{outcome.settings} settings, {outcome.seconds:.0f} s"
        print_line(console, f"  {outcome.folder / 'figure.png'}, {runs}\n", style="dim")
    print_line(console, "every number is sampled; a finding that does not hold is a result too")
