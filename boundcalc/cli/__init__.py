"""The command line: parse, call the library, print.  No logic lives here.

Only typer is imported at the top: everything heavy is imported inside commands, so
that ``boundcalc --help`` answers at once.
"""

from __future__ import annotations

import gc
import io
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer

from boundcalc.cli import about
from boundcalc.cli.adversary import adversary
from boundcalc.cli.answers import answer, only_for_passes, own_form
from boundcalc.cli.budget import budget
from boundcalc.cli.certify import certify
from boundcalc.cli.certify import check as check_certificate
from boundcalc.cli.common import (
    AsJson,
    Engine,
    Folder,
    Settings,
    SpecFile,
    Threads,
    engine_of,
    graph_of,
    print_json,
)
from boundcalc.cli.completion import (
    InstallCompletion,
    ShowCompletion,
    example_names,
    families,
    prepare,
)
from boundcalc.cli.errata import errata
from boundcalc.cli.explain import explain
from boundcalc.cli.explore import explore
from boundcalc.cli.import_model import import_command
from boundcalc.cli.refute import refute
from boundcalc.cli.reproduce import reproduce
from boundcalc.cli.rerun import rerun
from boundcalc.cli.sections import Commands, first_screen
from boundcalc.cli.sweep import sweep
from boundcalc.cli.theories import theories

app = typer.Typer(
    name="boundcalc",
    cls=Commands,
    help="Bounds for SGD with perturbed forward and backward passes: compiled, checked, reported.",
    invoke_without_command=True,
    add_completion=False,  # with options of its own, which ask for the shell and guess none
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=about.version,
            is_eager=True,
            help="Show the version, and those of what it depends on.",
        ),
    ] = False,
    cite: Annotated[
        bool,
        typer.Option(
            "--cite", callback=about.cite, is_eager=True, help="Show how to cite it, as BibTeX."
        ),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    install_completion: InstallCompletion = None,
    show_completion: ShowCompletion = None,
) -> None:
    """Options of every command."""
    del version, cite, install_completion, show_completion
    if debug:
        os.environ["BOUNDCALC_DEBUG"] = "1"
    if context.invoked_subcommand is None:
        first_screen()


@app.command(name="compile")
def compile_command(
    spec: SpecFile,
    family: Annotated[
        str | None,
        typer.Option(
            help="published, corrected or sharp; if left out all, or sharp with --json.",
            autocompletion=families,
        ),
    ] = None,
    as_json: AsJson = False,
    formulas: Annotated[bool, typer.Option("--formulas", help="Add LaTeX formulas.")] = False,
    gram: Annotated[
        bool | None, typer.Option("--gram/--no-gram", help="Write the Gram matrix at any size.")
    ] = None,
    settings: Settings = None,
) -> None:
    """Variance and bias coefficients: formulas and values."""
    from boundcalc.api import coefficients
    from boundcalc.cli.settings import chosen_families
    from boundcalc.report.results import compile_results

    families = chosen_families(family)
    if gram is not None and not as_json:
        raise typer.BadParameter("the Gram matrix is written with --json only")
    graph = graph_of(spec, settings)
    if not own_form(graph):
        only_for_passes(graph, family=family, formulas=formulas, gram=gram)
        answer("compile", graph, as_json=as_json)
        return
    if as_json:
        chosen = coefficients(graph, family or "sharp")
        print_json(compile_results(chosen, gram=gram, formulas=formulas, graph=True))
        return
    found = {name: coefficients(graph, name) for name in families}
    from boundcalc.cli.show import show_coefficients
    from boundcalc.cli.show_network import show_network

    show_network(graph)
    show_coefficients(graph, found, formulas=formulas)


@app.command()
def rate(spec: SpecFile, as_json: AsJson = False, settings: Settings = None) -> None:
    """Nonconvex and PL bounds of every family, term by term."""
    from boundcalc.api import rates
    from boundcalc.report.results import rate_results

    graph = graph_of(spec, settings)
    if not own_form(graph):
        answer("rate", graph, as_json=as_json)
        return
    found = rates(graph)
    if as_json:
        print_json(rate_results(found))
        return
    from boundcalc.cli.show import show_rates

    show_rates(graph, found)


@app.command()
def simulate(
    spec: SpecFile,
    out: Folder = None,
    engine: Engine = "auto",
    threads: Threads = None,
    as_json: AsJson = False,
    settings: Settings = None,
) -> None:
    """Run the chain with its perturbations and measure it."""
    from boundcalc.api import simulate as run_simulation
    from boundcalc.cli.progress import progress
    from boundcalc.files import make_folder
    from boundcalc.report.simulation_results import simulate_results

    chosen, graph = engine_of(engine), graph_of(spec, settings)
    folder = None if out is None else make_folder(out)
    if not own_form(graph):
        answer("simulate", graph, as_json=as_json, engine=chosen, threads=threads, folder=folder)
        return
    with progress("simulating", quiet=as_json) as report:
        run = run_simulation(graph, engine=chosen, threads=threads, progress=report)
    if folder is not None:
        from boundcalc.report.runs import write_run

        write_run(run, folder)
    if as_json:
        print_json(simulate_results(run))
        return
    from boundcalc.cli.show import show_run

    show_run(run, folder)


@app.command()
def verify(
    spec: SpecFile,
    engine: Engine = "auto",
    threads: Threads = None,
    as_json: AsJson = False,
    settings: Settings = None,
) -> None:
    """Hold every bound against a simulation.

    Exit code 0 if all hold, 1 if one is violated, 3 if one is undetermined.
    """
    from boundcalc.api import verify as check
    from boundcalc.cli.progress import progress
    from boundcalc.report.simulation_results import verify_results

    chosen, graph = engine_of(engine), graph_of(spec, settings)
    if not own_form(graph):
        answer("verify", graph, as_json=as_json, engine=chosen, threads=threads)
        return
    with progress("simulating", quiet=as_json) as report:
        verdicts = check(graph, engine=chosen, threads=threads, progress=report)
    if as_json:
        print_json(verify_results(verdicts))
    else:
        from boundcalc.cli.show import show_verdicts

        show_verdicts(graph, verdicts)
    raise typer.Exit(verdicts.exit_code)


@app.command()
def report(spec: SpecFile, out: Folder = None, settings: Settings = None) -> None:
    """Write report.html, .tex (.pdf with a TeX engine), .md, figures, results.json."""
    from boundcalc.api import report as write
    from boundcalc.cli.progress import progress
    from boundcalc.cli.show import show_report

    graph = graph_of(spec, settings)
    folder = out or Path(f"{spec.stem}-report")
    with progress("simulating", quiet=False) as update:
        written = write(graph, folder, progress=update)
    show_report(written)


@app.command()
def schema() -> None:
    """Print the JSON Schema of the spec format."""
    import json

    from boundcalc.theories.schema import full_schema

    typer.echo(json.dumps(full_schema(), indent=2, sort_keys=True))


@app.command()
def examples(
    name: Annotated[
        str | None, typer.Argument(help="Print this shipped spec.", autocompletion=example_names)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the shipped specs, or print one."""
    from boundcalc.resources import example, headline
    from boundcalc.resources import examples as shipped

    if name is not None:
        typer.echo(example(name).read_text(encoding="utf-8"), nl=False)
        return
    found = {stem: {"path": str(path), "shows": headline(path)} for stem, path in shipped().items()}
    if as_json:
        print_json({"examples": found})
        return
    from boundcalc.cli.show import show_examples

    show_examples(found)


app.command(name="import")(import_command)
app.command()(adversary)
app.command()(budget)
app.command()(errata)
app.command()(explain)
app.command()(explore)
app.command()(theories)
app.command()(refute)
app.command()(sweep)
app.command()(reproduce)
app.command()(rerun)
app.command()(certify)
app.command(name="check")(check_certificate)


def main() -> None:
    """Run the command line; bad input ends in one message and exit code 2."""
    from boundcalc.errors import BoundcalcError

    # A command is short and makes millions of small numbers that hold no cycles: looking
    # for cycles again and again would take a tenth of its time.
    gc.set_threshold(200_000, 50, 50)
    for out in (sys.stdout, sys.stderr):
        # A terminal that lacks a letter shows its code instead of ending in a traceback.
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="backslashreplace")
    prepare()
    try:
        app(prog_name="boundcalc")
    except BoundcalcError as error:
        if os.environ.get("BOUNDCALC_DEBUG"):
            traceback.print_exc()
        typer.echo(f"boundcalc: {error}", err=True)
        if error.doc is not None:
            typer.echo(f"  see:      {error.doc}", err=True)
        sys.exit(2)
    except SystemExit as stop:
        # Typer turns an interrupt into exit code 130, and a broken pipe into 1, which
        # would read as a violated bound: leave without a message, as `head` expects.
        if stop.code == 130:
            typer.echo("boundcalc: interrupted; no file is half-written", err=True)
        if isinstance(stop.__context__, BrokenPipeError):
            sys.exit(141)
        raise
