"""The uniform constants of [KZY], made from those of the operators."""

from __future__ import annotations

from boundcalc.arithmetic import SYMBOLS, Number, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.errors import SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Column, Content, Maths, Table
from boundcalc.report.notation import UNIFORM
from boundcalc.report.numbers import value
from boundcalc.report.width import width

_WIDEST = 11.0  # em of a symbolic constant in a cell


def uniform_table(graph: OperatorGraph) -> Table:
    """The uniform constants that the published and corrected families use."""
    made = "stated by the spec" if graph.uniform else "maxima over the operators"
    rows = []
    for name, corrected in (("published", False), ("corrected", True)):
        rows.append((name, *_uniform(graph, corrected=corrected)))
    return Table(
        caption=f"A3 as [KZY] has it: one set of constants for all operators, {made}.",
        columns=(
            Column("family", 2.4),
            *(Column(Maths(letter)) for letter in UNIFORM.values()),
        ),
        rows=tuple(rows),
        remarks=(
            (
                "The corrected family lets ",
                Maths(UNIFORM["hess_op"]),
                " bound the second derivative in the input as well (E2).",
            ),
        ),
    )


def _uniform(graph: OperatorGraph, *, corrected: bool) -> tuple[Content, ...]:
    try:
        found, proved = in_best_kind(
            lambda kind: graph.uniform_constants(kind, corrected=corrected), 1
        )
    except SymbolError:
        return _symbolic(graph, corrected=corrected)
    status = None
    if not graph.uniform:
        status = Status.PROVED if proved else Status.COMPUTED
        status = Status.SAMPLED if graph.sampled else status
    cells = (value(Number(getattr(found, key), Status.COMPUTED), 5) for key in UNIFORM)
    return tuple(type(cell)(cell.text, status, cell.fraction) for cell in cells)


def _symbolic(graph: OperatorGraph, *, corrected: bool) -> tuple[Content, ...]:
    import sympy

    found = graph.uniform_constants(SYMBOLS, corrected=corrected)
    formulas = (sympy.latex(getattr(found, key), order="none") for key in UNIFORM)
    return tuple(Maths(f) if width(f) <= _WIDEST else "a maximum" for f in formulas)
