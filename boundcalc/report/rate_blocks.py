"""Convergence bounds term by term, every family side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from boundcalc.rates import Rate
from boundcalc.report.cells import (
    Block,
    Column,
    Content,
    Maths,
    Paragraph,
    Piece,
    Strong,
    Table,
    Value,
)
from boundcalc.report.gather import Findings
from boundcalc.report.notation import NONCONVEX, PL, joined, said
from boundcalc.report.numbers import DOWN, NONE, value
from boundcalc.report.refusals import refused_families

_TERMS: tuple[tuple[str, Content], ...] = (
    ("optimisation", "optimisation"),
    ("sampling", "sampling noise"),
    ("perturbation_error", "perturbation, through its error"),
    ("perturbation_bias", "perturbation, through its bias"),
)


def rate_blocks(findings: Findings) -> tuple[Block, ...]:
    """One table for each regime."""
    rates = findings.rates
    if rates is None:
        return (
            Paragraph(joined("There are no convergence bounds: ", said(findings.no_rates), ".")),
        )
    refused = refused_families(findings)

    def covering(table: Mapping[str, Rate]) -> dict[str, Rate]:
        return {name: rate for name, rate in table.items() if name not in refused}

    blocks: list[Block] = [
        _table(("Nonconvex: bounds on ", Maths(NONCONVEX), "."), covering(rates.nonconvex))
    ]
    if rates.pl:
        blocks.append(_table(("PL: bounds on ", Maths(PL), "."), covering(rates.pl)))
    else:
        blocks.append(Paragraph("The spec claims no PL constant, so there is no PL bound."))
    return tuple(blocks)


def _table(caption: tuple[Piece, ...], rates: Mapping[str, Rate]) -> Table:
    def row(title: Content, cell: Callable[[Rate], Value]) -> tuple[Content, ...]:
        return (title, *(cell(rate) for rate in rates.values()))

    rows = [row(title, _term(key)) for key, title in _TERMS]
    rows.append(row(Strong("bound"), lambda rate: value(rate.bound)))
    rows.append(row("perturbation in all", lambda rate: value(rate.split().get("perturbation"))))
    rows.append(row("step-size limit", lambda rate: value(rate.step_size_limit, rounding=DOWN)))
    rows.append(row("best step", lambda rate: _best(rate, 0)))
    rows.append(row("bound at the best step", lambda rate: _best(rate, 1)))
    refused = tuple(
        joined(Strong(name), " is refused: ", said(rate.refused), ".")
        for name, rate in rates.items()
        if rate.refused
    )
    sources = "Sources: " + "; ".join(f"{name}: {rate.source}" for name, rate in rates.items())
    return Table(
        caption=caption,
        columns=(Column("term", 5.2), *(Column(name) for name in rates)),
        rows=tuple(rows),
        remarks=(*refused, sources + "."),
    )


def _term(key: str) -> Callable[[Rate], Value]:
    return lambda rate: value(rate.terms.get(key))


def _best(rate: Rate, part: int) -> Value:
    if rate.best_step is None:
        return NONE
    return value(rate.best_step[part], rounding=DOWN) if part == 0 else value(rate.best_step[1])
