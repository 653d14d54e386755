"""Results for people, as plain tables on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.number import format_bound, format_number, worst
from boundcalc.cli.show_network import show_reading
from boundcalc.cli.tables import make_table, new_console, print_line, print_table, shortened
from boundcalc.graph import OperatorGraph
from boundcalc.rates import Rate, Rates
from boundcalc.report.results import KINKED, MEASURED
from boundcalc.report.site_rows import SiteRow, site_rows
from boundcalc.simulate import Run
from boundcalc.theories.perturbed.coefficients import Coefficients
from boundcalc.verify import Verdicts
from boundcalc.verify.verdicts import BROKEN

_COLUMNS = (
    ("error_forward", "error, δ"),
    ("error_backward", "error, ε"),
    ("bias_forward_mean", "bias, mean δ"),
    ("bias_forward_fourth", "bias, δ⁴"),
    ("bias_backward_mean", "bias, mean ε"),
)
_MARKS = {"holds": "✓ holds", "violated": "✗ violated", "undetermined": "? undetermined"}
_STYLES = {"holds": "green", "violated": "bold red", "undetermined": "yellow"}


def _bound(value: Number | None) -> str:
    return "–" if value is None else format_bound(value.value)


def show_coefficients(
    graph: OperatorGraph, found: Mapping[str, Coefficients], *, formulas: bool
) -> None:
    """Coefficients by operator, one table per family."""
    console = new_console()
    for name, coefficients in found.items():
        table = make_table(f"{escape(graph.name)}: {name}", "operator", *(c[1] for c in _COLUMNS))
        if coefficients.missing:
            print_line(console, f"{name}: no values, since {coefficients.missing}")
            if coefficients.refused:
                console.print()
                continue
        else:
            for row in shortened(site_rows(coefficients)):
                if row is None:
                    table.add_row("…", *("…" for _ in _COLUMNS))
                else:
                    table.add_row(escape(row.label), *(_coefficient(row, c[0]) for c in _COLUMNS))
            print_table(console, table)
            print_line(console, f"  coefficients: {_coefficient_status(coefficients)}")
            _show_bounds(console, coefficients)
            show_reading(console, coefficients)
        if formulas or coefficients.missing:
            _show_formulas(console, coefficients)
        console.print()
    _show_notes(console, graph.notes)
    if graph.sampled:
        _show_notes(console, [MEASURED])
    if any(None in column for c in found.values() for column in c.columns.values()):
        _show_notes(console, [KINKED])


def _coefficient(row: SiteRow, column: str) -> str:
    if column not in row.numbers:
        return "–"
    number = row.numbers[column]
    return "none" if number is None else _bound(number)


def _coefficient_status(coefficients: Coefficients) -> str:
    """How far the columns can be trusted: all alike, or those of the error and of the bias."""
    found: dict[str, Status] = {}
    for column, numbers in coefficients.columns.items():
        statuses = [number.status for number in numbers if number is not None]
        name = column.partition("_")[0]
        if statuses:
            found[name] = worst(*statuses, *([found[name]] if name in found else []))
    if len(set(found.values())) == 1:
        return str(next(iter(found.values())))
    return ", ".join(f"{name} {status}" for name, status in found.items()) or "none"


def _show_bounds(console: Console, coefficients: Coefficients) -> None:
    bounds = coefficients.bounds
    if bounds is not None:
        for label, value in (("E‖ũ−u‖²", bounds.error), ("‖E[ũ−u]‖²", bounds.bias)):
            text = (
                f"null: {bounds.reason}" if value is None else f"{_bound(value)} ({value.status})"
            )
            print_line(console, f"  {label} ≤ {text}")
        best, plain = (bounds.error, bounds.bias), (bounds.error_plain, bounds.bias_plain)
        if [_bound(x) for x in best] != [_bound(x) for x in plain]:
            refined = f", with {' and '.join(bounds.refinements)}" if bounds.refinements else ""
            print_line(
                console,
                f"  {bounds.form}{refined}; plain general recurrences: "
                f"{_bound(bounds.error_plain)} and {_bound(bounds.bias_plain)}",
            )
    if coefficients.family.caution:
        print_line(console, f"  caution: {coefficients.family.caution}")


def _show_formulas(console: Console, coefficients: Coefficients) -> None:
    from boundcalc.theories.perturbed.formulas import closed_latex, recurrences

    family, graph = coefficients.family.name, coefficients.graph
    for line in recurrences(graph, family):
        print_line(console, "  " + line)
    written = coefficients.formulas()
    for column, entries in (written or {}).items():
        for identifier, latex in entries.items():
            print_line(console, f"  {column} {identifier}: {latex}")
    if written is None and graph.is_uniform:
        for column, latex in closed_latex(family).items():
            print_line(console, f"  {column} of operator i: {latex}")
    if family == "sharp":
        from boundcalc.theories.perturbed.repeated import Refused, repeated_forms

        repeated = repeated_forms(coefficients.graph)
        if isinstance(repeated, Refused):
            print_line(console, f"  no formula in the count: {repeated.reason}")
        elif repeated is not None:
            for line in repeated.latex():
                print_line(console, "  " + line)


_LETTERS = {"proved": "p", "computed": "c", "sampled": "s", "undetermined": "u"}


def _lettered(value: Number | None) -> str:
    """A bound or limit with the letter of its status."""
    return "–" if value is None else f"{value} {_LETTERS[value.status]}"


_RATE_ROWS: tuple[tuple[str, Callable[[Rate], str]], ...] = (
    ("optimisation", lambda rate: _lettered(rate.terms.get("optimisation"))),
    ("sampling noise", lambda rate: _lettered(rate.terms.get("sampling"))),
    ("perturbation: error", lambda rate: _lettered(rate.terms.get("perturbation_error"))),
    ("perturbation: bias", lambda rate: _lettered(rate.terms.get("perturbation_bias"))),
    ("bound", lambda rate: _lettered(rate.bound)),
    ("step-size limit", lambda rate: _lettered(rate.step_size_limit)),
    ("best fixed step", lambda rate: _lettered(rate.best_step[0] if rate.best_step else None)),
    ("bound at that step", lambda rate: _lettered(rate.best_step[1] if rate.best_step else None)),
)


def show_rates(graph: OperatorGraph, rates: Rates) -> None:
    """Bounds by family and regime, term by term."""
    console = new_console()
    titles = {
        "nonconvex": "(1/T) Σ E‖∇ℓ‖²",
        "pl": "E[ℓ(w^T) − ℓ*]",
    }
    for regime, table_of in (("nonconvex", rates.nonconvex), ("pl", rates.pl)):
        if not table_of:
            continue
        title = f"{escape(graph.name)}: {titles[regime]}"
        table = make_table(
            title, f"γ = {format_number(rates.step_size.value)}, T = {rates.horizon}", *table_of
        )
        for label, cell in _RATE_ROWS:
            table.add_row(label, *(cell(rate) for rate in table_of.values()))
        refused = [f"  {n}: refused, {r.refused}" for n, r in table_of.items() if r.refused]
        print_table(console, table)
        for line in refused:
            print_line(console, line)
        console.print()
    print_line(console, f"  {_meaning(rates)}; bounds are rounded up, limits down")
    _show_notes(console, rates.notes)


def _meaning(rates: Rates) -> str:
    """What the letters in the tables stand for."""
    found = set()
    for rate in (*rates.nonconvex.values(), *rates.pl.values()):
        numbers = (*rate.terms.values(), rate.bound, rate.step_size_limit, *(rate.best_step or ()))
        found |= {number.status for number in numbers if number is not None}
    return ", ".join(f"{_LETTERS[status]} {status}" for status in Status if status in found)


def show_run(run: Run, folder: Path | None) -> None:
    """Metrics of a run with their intervals."""
    console = new_console()
    table = make_table(f"{escape(run.graph.name)} (sampled)", "metric", "mean", "interval", "by")
    for name, metric in run.metrics.items():
        interval = f"[{metric.lo:.6g}, {metric.hi:.6g}]"
        table.add_row(name, f"{metric.mean:.6g}", interval, metric.method)
    for check in run.checks:
        for name, values, lo, hi in (
            ("error", check.error, check.error_lo, check.error_hi),
            ("bias", check.bias, check.bias_lo, check.bias_hi),
        ):
            worst = int(hi.argmax())
            table.add_row(
                f"{name} at step {check.step}, worst of {len(values)} samples",
                f"{values[worst]:.6g}",
                f"[{lo[worst]:.6g}, {hi[worst]:.6g}]",
                "jackknife",
            )
    print_table(console, table)
    print_line(
        console,
        f"  {run.steps} steps, {run.replicas} replicas, seed {run.seed}, "
        f"{run.confidence:.1%} intervals, {run.seconds:.1f} s, {_engine(run)}",
    )
    if run.trajectory.diverged_at is not None:
        print_line(
            console, f"  a replica diverged at step {run.trajectory.diverged_at}", "bold red"
        )
    if folder is not None:
        print_line(console, f"  written to {folder}")


def _engine(run: Run) -> str:
    threads = f"{run.threads} thread" + ("s" if run.threads > 1 else "")
    precision = "" if run.precision == "float64" else f", {run.precision}"
    return f"{run.engine} engine on {threads}{precision}"


def show_verdicts(graph: OperatorGraph, verdicts: Verdicts) -> None:
    """Verdicts, failed premises and claims that are not made."""
    console = new_console()
    table = Table(
        title=f"{escape(graph.name)}: bound against simulation",
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
    )
    for name in ("claim", "family", "bound", "observed (sampled)", "slack", "verdict"):
        left = name in ("claim", "family", "verdict")
        table.add_column(name, justify="left" if left else "right", no_wrap=True)
    for v in verdicts.verdicts:
        table.add_row(
            v.claim.replace(" at step ", ", t="),
            v.family,
            _bound(v.bound),
            f"{v.observed:.4g} ± {(v.ci[1] - v.ci[0]) / 2:.1g}",
            "–" if v.slack is None else f"{v.slack:.3g}",
            Text(_MARKS[v.status], style=_STYLES[v.status]),
        )
    print_table(console, table)
    if verdicts.verdicts:
        print_line(
            console,
            f"  all {verdicts.claims} intervals hold at once with {verdicts.confidence:.1%} "
            f"confidence, each with {verdicts.each_confidence:.4%}",
        )
    for v in verdicts.verdicts:
        if v.status != "holds" and BROKEN not in v.detail:
            print_line(console, f"  {v.status}: {v.family}, {v.claim}: {v.detail}")
    for premise in verdicts.premises:
        if not premise.consistent:
            print_line(
                console,
                f"  premise {premise.assumption}, {premise.claim}: stated {premise.stated:.6g}, "
                f"but the simulation met {premise.met:.6g}; claims that rest on it are "
                "undetermined",
                "bold red",
            )
    for claim, family, reason in verdicts.skipped:
        print_line(console, f"  not checked: {family}, {claim}: {reason}")


def show_report(folder: Path) -> None:
    """What a report wrote."""
    console = new_console()
    print_line(console, f"report written to {folder}")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        print_line(console, f"  {path.relative_to(folder)}")


def show_examples(found: Mapping[str, Mapping[str, str]]) -> None:
    """Shipped specs with what each shows."""
    console = new_console()
    table = Table(box=None, pad_edge=False)
    for name in ("example", "shows"):
        table.add_column(name, overflow="fold")
    for name, entry in found.items():
        table.add_row(escape(name), escape(entry["shows"]))
    console.print(table)
    print_line(console, "  boundcalc examples NAME > my-spec.yaml copies one")


def _show_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        print_line(console, f"  note: {note}")
