"""Results for people, as plain tables on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from boundcalc.arithmetic import Number
from boundcalc.arithmetic.number import format_bound, format_limit
from boundcalc.graph import OperatorGraph
from boundcalc.rates import Rate, Rates
from boundcalc.simulate import Run
from boundcalc.theories.perturbed.coefficients import Coefficients
from boundcalc.verify import Verdicts

_ROWS = 40  # of a table before its middle is left out
_COLUMNS = (
    ("error_forward", "error, δ"),
    ("error_backward", "error, ε"),
    ("bias_forward_mean", "bias, mean δ"),
    ("bias_forward_fourth", "bias, δ⁴"),
    ("bias_backward_mean", "bias, mean ε"),
)
_MARKS = {"holds": "✓ holds", "violated": "✗ violated", "undetermined": "? undetermined"}
_STYLES = {"holds": "green", "violated": "bold red", "undetermined": "yellow"}


def _console() -> Console:
    return Console(highlight=False, soft_wrap=False, emoji=False)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for position, name in enumerate(columns):
        table.add_column(name, justify="left" if position == 0 else "right", overflow="fold")
    return table


def _bound(value: Number | None) -> str:
    return "–" if value is None else format_bound(value.value)


def _limit(value: Number | None) -> str:
    return "–" if value is None else format_limit(value.value)


def show_coefficients(
    graph: OperatorGraph, found: Mapping[str, Coefficients], *, formulas: bool
) -> None:
    """Coefficients by operator, one table per family."""
    console = _console()
    for name, coefficients in found.items():
        table = _table(f"{escape(graph.name)}: {name}", "operator", *(c[1] for c in _COLUMNS))
        if coefficients.missing:
            console.print(f"{name}: no values, since {coefficients.missing}", markup=False)
        else:
            columns = {key: coefficients.by_id(key) for key, _ in _COLUMNS}
            for identifier in _shortened(graph.ids):
                cells = [_bound(columns[key].get(identifier)) for key, _ in _COLUMNS]
                table.add_row(escape(identifier), *cells)
            console.print(table)
            _show_bounds(console, coefficients)
        if formulas or coefficients.missing:
            _show_formulas(console, coefficients)
        console.print()
    _show_notes(console, graph.notes)


def _show_bounds(console: Console, coefficients: Coefficients) -> None:
    bounds = coefficients.bounds
    if bounds is not None:
        for label, value in (("E‖ũ−u‖²", bounds.error), ("‖E[ũ−u]‖²", bounds.bias)):
            text = (
                f"null: {bounds.reason}" if value is None else f"{_bound(value)} ({value.status})"
            )
            console.print(f"  {label} ≤ {text}", markup=False)
        if bounds.error_plain != bounds.error or bounds.bias_plain != bounds.bias:
            console.print(
                f"  {bounds.form}; plain general recurrences: "
                f"{_bound(bounds.error_plain)} and {_bound(bounds.bias_plain)}",
                markup=False,
            )
    if coefficients.family.caution:
        console.print(f"  caution: {coefficients.family.caution}", markup=False)


def _show_formulas(console: Console, coefficients: Coefficients) -> None:
    from boundcalc.theories.perturbed.formulas import RECURRENCES, closed_latex

    family = coefficients.family.name
    for line in RECURRENCES[family]:
        console.print("  " + line, markup=False, soft_wrap=True)
    written = coefficients.formulas()
    for column, entries in (written or {}).items():
        for identifier, latex in entries.items():
            console.print(f"  {column} {identifier}: {latex}", markup=False, soft_wrap=True)
    if written is None and coefficients.graph.is_uniform:
        for column, latex in closed_latex(family).items():
            console.print(f"  {column} of operator i: {latex}", markup=False, soft_wrap=True)


_RATE_ROWS: tuple[tuple[str, Callable[[Rate], str]], ...] = (
    ("optimisation", lambda rate: _bound(rate.terms.get("optimisation"))),
    ("sampling noise", lambda rate: _bound(rate.terms.get("sampling"))),
    ("perturbation: error", lambda rate: _bound(rate.terms.get("perturbation_error"))),
    ("perturbation: bias", lambda rate: _bound(rate.terms.get("perturbation_bias"))),
    ("bound", lambda rate: _bound(rate.bound)),
    ("step-size limit", lambda rate: _limit(rate.step_size_limit)),
    ("best fixed step", lambda rate: _limit(rate.best_step[0] if rate.best_step else None)),
    ("bound at that step", lambda rate: _bound(rate.best_step[1] if rate.best_step else None)),
)


def show_rates(graph: OperatorGraph, rates: Rates) -> None:
    """Bounds by family and regime, term by term."""
    console = _console()
    titles = {
        "nonconvex": "(1/T) Σ E‖∇ℓ‖²",
        "pl": "E[ℓ(w^T) − ℓ*]",
    }
    for regime, table_of in (("nonconvex", rates.nonconvex), ("pl", rates.pl)):
        if not table_of:
            continue
        title = f"{escape(graph.name)}: {titles[regime]}"
        table = _table(title, f"γ = {rates.step_size}, T = {rates.horizon}", *table_of)
        for label, cell in _RATE_ROWS:
            table.add_row(label, *(cell(rate) for rate in table_of.values()))
        refused = [f"  {n}: refused, {r.refused}" for n, r in table_of.items() if r.refused]
        console.print(table)
        for line in refused:
            console.print(line, markup=False)
        console.print()
    _show_notes(console, rates.notes)


def show_run(run: Run, folder: Path | None) -> None:
    """Metrics of a run with their intervals."""
    console = _console()
    table = _table(f"{escape(run.graph.name)} (sampled)", "metric", "mean", "interval")
    for name, metric in run.metrics.items():
        table.add_row(name, f"{metric.mean:.6g}", f"[{metric.lo:.6g}, {metric.hi:.6g}]")
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
            )
    console.print(table)
    console.print(
        f"  {run.steps} steps, {run.replicas} replicas, seed {run.seed}, "
        f"{run.confidence:.1%} intervals, {run.seconds:.1f} s"
    )
    if run.trajectory.diverged_at is not None:
        console.print(
            f"  a replica diverged at step {run.trajectory.diverged_at}", style="bold red"
        )
    if folder is not None:
        console.print(f"  written to {folder}", markup=False)


def show_verdicts(graph: OperatorGraph, verdicts: Verdicts) -> None:
    """Verdicts, failed premises and claims that are not made."""
    console = _console()
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
    console.print(table)
    for v in verdicts.verdicts:
        if v.status != "holds":
            console.print(f"  {v.status}: {v.family}, {v.claim}: {v.detail}", markup=False)
    for premise in verdicts.premises:
        if not premise.consistent:
            console.print(
                f"  premise {premise.assumption}, {premise.claim}: stated {premise.stated:.6g}, "
                f"but the simulation met {premise.met:.6g}",
                markup=False,
                style="bold red",
            )
    for claim, family, reason in verdicts.skipped:
        console.print(f"  not checked: {family}, {claim}: {reason}", markup=False)


def show_report(folder: Path) -> None:
    """What a report wrote."""
    console = _console()
    console.print(f"report written to {folder}", markup=False)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        console.print(f"  {path.relative_to(folder)}", markup=False)


def show_errata(errata: Iterable[Any]) -> None:
    """The errata as a table."""
    console = _console()
    table = Table(box=None, pad_edge=False)
    for name in ("id", "where", "what", "status"):
        table.add_column(name, overflow="fold")
    for erratum in errata:
        table.add_row(erratum.id, escape(erratum.where), escape(erratum.what), erratum.status)
    console.print(table)


def show_examples(found: Mapping[str, Mapping[str, str]]) -> None:
    """Shipped specs with what each shows."""
    console = _console()
    table = Table(box=None, pad_edge=False)
    for name in ("example", "shows"):
        table.add_column(name, overflow="fold")
    for name, entry in found.items():
        table.add_row(escape(name), escape(entry["shows"]))
    console.print(table)
    console.print("  boundcalc examples NAME > my-spec.yaml copies one", markup=False)


def _show_notes(console: Console, notes: Iterable[str]) -> None:
    for note in notes:
        console.print(f"  note: {note}", markup=False)


def _shortened(ids: tuple[str, ...]) -> list[str]:
    """The first and last ids of a long chain."""
    return list(ids) if len(ids) <= _ROWS else [*ids[: _ROWS // 2], *ids[-_ROWS // 2 :]]
