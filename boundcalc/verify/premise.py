"""One premise of the bounds, held against what a simulation met."""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.arithmetic import FLOATS
from boundcalc.graph import OperatorGraph
from boundcalc.spec.expressions import Expression

ROUNDING = 1e-6  # relative slack for differences of floats


@dataclass(frozen=True)
class Premise:
    """One stated number held against what the simulation met.

    Attributes
    ----------
    assumption
        Which assumption it belongs to.
    claim
        What is stated, in words.
    stated, met
        The stated number and what it must not fall below (or, for PL and the lower end
        of an interval, exceed).
    consistent
        False where the simulation refutes it.  True is no proof.
    for_runs_only
        Whether only statements about whole runs depend on it.
    """

    assumption: str
    claim: str
    stated: float
    met: float
    consistent: bool
    for_runs_only: bool


def at_least(
    assumption: str, claim: str, stated: float, met: float, *, runs: bool = True
) -> Premise:
    """The premise that a number is as large as what was met; NaN never is.

    >>> at_least("A1", "smoothness L", 1.0, 2.0).consistent
    False
    """
    consistent = bool(met <= stated + ROUNDING * abs(stated) + 1e-15)
    return Premise(assumption, claim, stated, met, consistent, runs)


def at_most(
    assumption: str, claim: str, stated: float, met: float, *, runs: bool = True
) -> Premise:
    """The premise that a number is no larger than what was met.

    >>> at_most("A3", "input region of f2, lower end", -1.0, -0.5).consistent
    True
    """
    consistent = bool(met >= stated - ROUNDING * abs(stated) - 1e-15)
    return Premise(assumption, claim, stated, met, consistent, runs)


def number(graph: OperatorGraph, expression: Expression) -> float:
    """The value of an expression of the spec."""
    return float(expression.evaluate(FLOATS, graph.values(FLOATS)))
