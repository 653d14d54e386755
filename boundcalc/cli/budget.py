"""``boundcalc budget``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from boundcalc.cli.answers import answer, only_for_passes, own_form
from boundcalc.cli.common import AsJson, Settings, SpecFile, print_json

if TYPE_CHECKING:
    from boundcalc.spec.model import Spec


def budget(
    spec: SpecFile,
    as_json: AsJson = False,
    formats: Annotated[
        bool, typer.Option("--formats", help="The cheapest number format of every value.")
    ] = False,
    allocate: Annotated[
        bool, typer.Option("--allocate", help="Bits of uniform quantisers at least cost.")
    ] = False,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Measure sensitivities along a training run.")
    ] = False,
    tolerance: Annotated[
        str | None,
        typer.Option(metavar="X", help="The bound may be 1 + X times the unperturbed one."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="X", help="The bound may be X; not with --tolerance.")
    ] = None,
    settings: Settings = None,
) -> None:
    """How large perturbations may be, how often they may happen, how many bits are needed."""
    from boundcalc.api import budget as compute
    from boundcalc.api import build
    from boundcalc.cli.progress import progress

    graph = build(_asked(spec, settings or [], tolerance, target))
    if not own_form(graph):
        only_for_passes(graph, formats=formats, allocate=allocate, calibrate=calibrate)
        answer("budget", graph, as_json=as_json)
        return
    with progress("calibrating", quiet=as_json) as report:
        found = compute(
            graph, allocate=allocate, formats=formats, calibrate=calibrate, progress=report
        )
    if as_json:
        from boundcalc.report.budget_results import budget_results

        print_json(budget_results(found))
        return
    from boundcalc.cli.show_budget import show_budget

    show_budget(found)


def _asked(path: Path, settings: list[str], tolerance: str | None, target: str | None) -> Spec:
    """The spec with what the command line sets: symbols, and what the bound may be."""
    from boundcalc.api import load
    from boundcalc.cli.settings import parse_settings
    from boundcalc.errors import SpecError
    from boundcalc.spec.budget import BudgetSection
    from boundcalc.spec.loading import library_object, with_values

    spec = load(path)
    values = parse_settings(settings)
    spec = with_values(spec, values) if values else spec
    if tolerance is None and target is None:
        return spec
    if tolerance is not None and target is not None:
        raise SpecError(
            "a budget needs one of --tolerance and --target",
            where="--target",
            value=target,
            fix="remove one of them",
        )
    name, text = ("tolerance", tolerance) if target is None else ("target", target)
    made = library_object(BudgetSection, {name: text}, "budget", spec.symbols)
    if spec.budget is not None:
        update = {"tolerance": made.tolerance, "target": made.target}
        made = spec.budget.model_copy(update=update)
    return spec.model_copy(update={"budget": made})
