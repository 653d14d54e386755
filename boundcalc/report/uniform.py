"""The uniform constants of [KZY], made from those of the operators."""

from __future__ import annotations

from boundcalc.arithmetic import RATIONALS, SYMBOLS, WIDE, Number, Status
from boundcalc.errors import InexactError, SymbolError
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
    proved, computed = Status.PROVED, Status.COMPUTED
    if graph.sampled:
        proved = computed = Status.SAMPLED
    status = None if graph.uniform else proved
    for kind in (RATIONALS, WIDE):
        try:
            found = graph.uniform_constants(kind, corrected=corrected)
        except SymbolError:
            return _symbolic(graph, corrected=corrected)
        except InexactError:
            status = None if graph.uniform else computed
            continue
        cells = (value(Number(getattr(found, key), Status.COMPUTED), 5) for key in UNIFORM)
        return tuple(type(cell)(cell.text, status, cell.fraction) for cell in cells)
    raise AssertionError  # WIDE never raises InexactError


def _symbolic(graph: OperatorGraph, *, corrected: bool) -> tuple[Content, ...]:
    import sympy

    found = graph.uniform_constants(SYMBOLS, corrected=corrected)
    formulas = (sympy.latex(getattr(found, key), order="none") for key in UNIFORM)
    return tuple(Maths(f) if width(f) <= _WIDEST else "a maximum" for f in formulas)
