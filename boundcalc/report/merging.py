"""Neighbouring operators whose norms were taken together, and what that saves."""

from __future__ import annotations

from boundcalc.arithmetic import WIDE, Number, Status
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Block, Column, Content, Maths, Table
from boundcalc.report.notation import names, stated
from boundcalc.report.numbers import DOWN, value
from boundcalc.report.rows import name_width, shortened_rows


def merged_blocks(graph: OperatorGraph) -> tuple[Block, ...]:
    """A table of the runs, or nothing where there is none."""
    if not graph.merged:
        return ()
    rows: list[tuple[Content, ...]] = []
    for run in graph.merged:
        product = WIDE.measured(run.product)
        saving = product / run.norm.evaluate(WIDE, graph.values(WIDE))
        rows.append(
            (
                names([graph.ids[v - 1] for v in run.nodes]),
                stated(graph, run.norm, letter=True, digits=5),
                value(Number(product, Status.COMPUTED), 5),
                value(Number(saving, Status.COMPUTED), 3, rounding=DOWN),
            )
        )
    shown, note = shortened_rows(tuple(rows), "runs")
    return (
        Table(
            caption="Operators whose norms are taken together.",
            columns=(
                Column("operators", max(6.0, name_width(graph.ids, 6.0))),
                Column("together"),
                Column("product"),
                Column("factor saved"),
            ),
            rows=shown,
            remarks=(
                (
                    "Together: a bound on the product of the Jacobians, ",
                    Maths(r"\lVert J_n\cdots J_1\rVert"),
                    "; product: of the single bounds ",
                    Maths("a"),
                    ". The smaller one is used (docs/theory.md, Lemma 4.10).",
                ),
                *note,
            ),
        ),
    )
