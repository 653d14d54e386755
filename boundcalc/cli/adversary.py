"""``boundcalc adversary``."""

from __future__ import annotations

from typing import Annotated

import typer

from boundcalc.cli.common import AsJson, Folder, Settings, SpecFile, graph_of, print_json


def adversary(
    spec: SpecFile,
    out: Folder = None,
    objective: Annotated[
        str, typer.Option(help="What is made large: error, bias or floor.")
    ] = "error",
    starts: Annotated[int, typer.Option(min=1, max=10_000, help="Random starts.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same result.")] = 0,
    as_json: AsJson = False,
    settings: Settings = None,
) -> None:
    """Search for an instance that comes close to the bounds, or beats one.

    Exit code 0 if no bound is beaten, 1 if one is.
    """
    from boundcalc.cli.progress import progress
    from boundcalc.errors import SpecError
    from boundcalc.files import make_folder
    from boundcalc.verify.adversary import OBJECTIVES, search
    from boundcalc.verify.adversary.results import attack_results, write_attack

    chosen = next((name for name in OBJECTIVES if name == objective), None)
    if chosen is None:
        raise SpecError(
            "unknown objective",
            where="--objective",
            value=objective,
            expected="error, bias or floor",
        )
    graph = graph_of(spec, settings)
    from boundcalc.spec.only import only_passes

    only_passes(graph.spec, "the search for the worst instance is")
    folder = None if out is None else make_folder(out)
    with progress("searching", quiet=as_json) as report:
        attack = search(graph, objective=chosen, starts=starts, seed=seed, progress=report)
    files = [] if folder is None else write_attack(attack, folder)
    if as_json:
        print_json(attack_results(attack))
    else:
        from boundcalc.cli.show_attack import show_attack

        show_attack(graph, attack, files)
    raise typer.Exit(1 if attack.violated else 0)
