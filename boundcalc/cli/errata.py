"""``boundcalc errata``."""

from __future__ import annotations

from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, Folder, print_json


def errata(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Only these, such as E1 E3.")
    ] = None,
    out: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Run the evidence of what is wrong in print.

    Exit code 0 if all of it is reproduced, 1 if some is not.  With -o, errata.tex (and .pdf
    where a TeX engine is found), errata.md and errata.json are written.
    """
    from boundcalc.cli.progress import progress
    from boundcalc.errata import run
    from boundcalc.errata.results import errata_results
    from boundcalc.errata.select import chosen
    from boundcalc.files import make_folder

    errata = chosen(ids)
    folder = None if out is None else make_folder(out)
    rows = []
    with progress("running evidence", quiet=as_json) as update:
        for erratum in errata:
            rows.append(run(erratum))
            if update is not None:
                update(len(rows), len(errata))
    missing = ""
    if folder is not None:
        from boundcalc.errata.write import write_errata

        folder, missing = write_errata(rows, folder)
    if as_json:
        print_json(errata_results(rows))
    else:
        from boundcalc.cli.show_errata import show_errata

        show_errata(rows, folder, missing)
    raise typer.Exit(0 if all(row.holds for row in rows) else 1)
