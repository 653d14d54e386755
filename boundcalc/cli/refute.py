"""``boundcalc refute``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, Folder, print_json


def refute(
    claim: Annotated[
        Path, typer.Argument(metavar="CLAIM", help="A claim file (YAML or JSON): docs/claims.md.")
    ],
    out: Folder = None,
    boxes: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Boxes to look at for each length.")
    ] = 2_000,
    starts: Annotated[
        int, typer.Option(min=1, max=10_000, help="Starts of the adversary for every attack.")
    ] = 4,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the adversary.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Check a theorem of your own: implied by the sharp bounds, or refuted by an instance.

    Exit code 0 if it is implied, 1 if it is refuted, 3 if it is undetermined.
    """
    from boundcalc.cli.progress import progress
    from boundcalc.files import make_folder
    from boundcalc.verify.claims import load_claim
    from boundcalc.verify.claims import refute as check
    from boundcalc.verify.claims.results import refute_results, write_instances

    loaded = load_claim(claim)
    folder = None if out is None else make_folder(out)
    with progress("checking", quiet=as_json) as report:
        outcome = check(loaded, boxes=boxes, starts=starts, seed=seed, progress=report)
    written = {} if folder is None else write_instances(outcome, folder)
    if as_json:
        print_json(refute_results(outcome, written))
    else:
        from boundcalc.cli.show_refute import show_refute

        show_refute(outcome, written)
    raise typer.Exit(outcome.exit_code)
