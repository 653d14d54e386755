"""``boundcalc explain``: where a number comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, Settings, print_json
from boundcalc.cli.completion import number_paths, spec_files


def explain(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="Of a number in a JSON result, such as rate.pl.sharp.terms.sampling.",
            autocompletion=number_paths,
        ),
    ],
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="[SPEC]",
            help="A spec: adds value, status and inputs. A results.json: value and status only.",
            autocompletion=spec_files,
        ),
    ] = None,
    as_json: AsJson = False,
    settings: Settings = None,
) -> None:
    """Where a number comes from: formula, theorem, inputs, status.

    Paths below simulate and verify run the simulation of SPEC.
    """
    from boundcalc.cli.common import graph_of
    from boundcalc.cli.settings import parse_settings
    from boundcalc.errors import SpecError
    from boundcalc.explain import explain as found_for
    from boundcalc.explain.results import is_report

    chosen = parse_settings(settings or [])
    if chosen and (source is None or is_report(source)):
        raise SpecError(
            "--set needs a spec: a results file is computed already"
            if source
            else "--set needs a spec",
            where="--set",
            value=", ".join(chosen),
            expected="boundcalc explain PATH SPEC --set NAME=VALUE",
            fix="give the spec, or leave out --set",
        )
    asked = source if source is None or not chosen else graph_of(source, settings)
    found = found_for(path, asked)
    if as_json:
        from boundcalc.explain.data import explanation_data

        print_json(explanation_data(found))
        return
    from boundcalc.cli.show_explain import show_explanation

    show_explanation(found)
