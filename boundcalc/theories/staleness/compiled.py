"""What the statements are made of: constants by block, L, M, Q, and step-size limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from boundcalc.arithmetic import Number, Scalar
from boundcalc.report.cells import Maths
from boundcalc.showing import Shown, Tabular
from boundcalc.theories.staleness import published
from boundcalc.theories.staleness.setting import Problem, Setting
from boundcalc.theories.staleness.shapes import SHAPES, Shape
from boundcalc.theories.values import Quantity


@dataclass(frozen=True)
class Row:
    """One block.

    Attributes
    ----------
    name, operators
        The id of its first operator, and how many it holds.
    delay
        m_k.
    kappa
        The largest κ of its parts; None where the block never lags behind.
    """

    name: str
    operators: int
    delay: int
    kappa: Number | None


@dataclass(frozen=True)
class Compiled(Shown, Tabular):
    """Constants of a spec with delays.

    Attributes
    ----------
    problem
        The spec.
    rows
        By block.
    quantities
        L, M, c_0, c_1, Q and the smoothness.
    limits
        The largest step of every statement, by its key.
    """

    problem: Problem
    rows: tuple[Row, ...]
    quantities: tuple[Quantity, ...]
    limits: dict[str, Number]
    notes: tuple[str, ...] = ()

    @property
    def titles(self) -> dict[str, str]:
        """Names of the statements for people."""
        return {shape.key: shape.title for shape in SHAPES}


def compiled(problem: Problem) -> Compiled:
    """Compile the constants; needs ``loss.smoothness`` or ``staleness.lipschitz``.

    Raises
    ------
    SpecError
        If a constant is neither stated nor compiled.
    """
    return Compiled(
        problem,
        tuple(_row(problem, k) for k in range(problem.K)),
        _quantities(problem),
        {shape.key: _limit(problem, shape) for shape in SHAPES},
        problem.notes(),
    )


def _limit(problem: Problem, shape: Shape) -> Number:
    return problem.number(lambda s: shape.limit(s) / s.method.scale, limit=True)


def _row(problem: Problem, k: int) -> Row:
    block = problem.pipeline.blocks[k]
    delay = problem.delays[k]

    def largest(s: Setting) -> Scalar:
        found = s.kind.number(0)
        for kappa, number in s.by_block:
            if number == k:
                found = s.kind.maximum(found, kappa)
        return found

    kappa = problem.number(largest) if delay else None
    return Row(block.name, len(block.operators), delay, kappa)


_QUANTITIES: tuple[tuple[str, str, str, Callable[[Setting], Scalar]], ...] = (
    ("smoothness", "L_f", "Lipschitz constant of the gradient", lambda s: s.smooth),
    ("lipschitz", "L", "L of [XHH]", lambda s: s.L),
    ("error_gradient", "M", "bound on the gradients passed back", lambda s: s.M),
    ("c0", "c_0", "M²K(K+1)²", published.c0),
    ("c1", "c_1", "of Theorem 1 of [XHH]", published.c1),
    ("Q", "Q", "largest κ_i m_i²: what delays do to the sharp limit", lambda s: s.Q),
)


def _quantities(problem: Problem) -> tuple[Quantity, ...]:
    return tuple(
        Quantity(key, Maths(symbol), meaning, problem.number(formula))
        for key, symbol, meaning, formula in _QUANTITIES
    )
