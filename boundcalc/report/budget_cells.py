"""Cells that the tables of a budget share."""

from __future__ import annotations

from dataclasses import replace

from boundcalc.arithmetic import Number
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Column, Value
from boundcalc.report.numbers import DOWN, NONE, UP, value
from boundcalc.report.rows import name_width


def cell(number: Number | None, missing: Value = NONE, digits: int = 5) -> Value:
    """A bound rounded up or a limit rounded down, without its fraction."""
    if number is None:
        return missing
    rounding = DOWN if number.limit else UP
    return replace(value(number, digits, rounding=rounding), fraction=None)


def site_column(graph: OperatorGraph, most: float = 3.2) -> Column:
    """The column of sites' names."""
    return Column("place", name_width(graph.ids, most))
