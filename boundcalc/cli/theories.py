"""``boundcalc theories``."""

from __future__ import annotations

from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, print_json


def theories(
    as_json: AsJson = False,
    bibtex: Annotated[
        bool, typer.Option("--bibtex", help="Print the BibTeX entries of what they rest on.")
    ] = False,
) -> None:
    """What `theory:` in a spec may be, and where it is from."""
    from boundcalc.api import theories as known

    found = known()
    if bibtex:
        entries = {c.key: c.bibtex for theory in found.values() for c in theory.citations}
        typer.echo("\n\n".join(entries.values()))
        return
    if as_json:
        print_json(
            {
                "theories": {
                    name: {
                        "title": theory.title,
                        "summary": theory.summary,
                        "section": None if theory.section is None else name,
                        "citations": [
                            {"key": c.key, "text": c.text, "bibtex": c.bibtex}
                            for c in theory.citations
                        ],
                        "compositions": [
                            {"with": c.with_, "says": c.says, "source": c.source}
                            for c in theory.compositions
                        ],
                    }
                    for name, theory in found.items()
                }
            }
        )
        return
    from boundcalc.cli.show_theories import show_theories

    show_theories(found)
