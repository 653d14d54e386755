"""The theories on the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from boundcalc.cli.tables import new_console, print_line
from boundcalc.theories.base import Theory


def show_theories(found: Mapping[str, Theory]) -> None:
    """A paragraph for each: name, what it is about, where it is from, what it combines with."""
    console = new_console()
    for name, theory in found.items():
        print_line(console, f"{name}: {theory.title}", style="bold")
        print_line(console, f"  {theory.summary}")
        for composition in theory.compositions:
            print_line(
                console, f"  with {composition.with_}: {composition.says} ({composition.source})"
            )
        for citation in theory.citations:
            print_line(console, f"  [{citation.key}] {citation.text}")
        console.print()
