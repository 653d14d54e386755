"""Assumptions that several theories share: the constants of the objective, and the run."""

from __future__ import annotations

from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Content, Maths
from boundcalc.report.notation import number_of
from boundcalc.spec.expressions import Expression
from boundcalc.theories.values import Assumption

_OBJECTIVE: tuple[tuple[str, str, Content], ...] = (
    ("A1", "smoothness", (Maths(r"\nabla\ell"), " is ", Maths("L"), "-Lipschitz")),
    ("A2", "gradient_noise", Maths(r"\mathbb{E}\lVert g-\nabla\ell\rVert^2\le\sigma^2")),
    ("Δ₀", "initial_gap", Maths(r"\ell(w^{(0)})-\ell^{\ast}\le\Delta_0")),
    ("A4", "pl", Maths(r"\lVert\nabla\ell\rVert^2\ge2\mu(\ell-\ell^{\ast})")),
)


def objective_assumptions(graph: OperatorGraph, *keys: str) -> tuple[Assumption, ...]:
    """A1, A2, Δ₀ and A4 as the spec has them; only those of some keys of ``loss``, if named.

    Parameters
    ----------
    keys
        Some of ``smoothness``, ``gradient_noise``, ``initial_gap`` and ``pl``.
    """
    chosen = [row for row in _OBJECTIVE if not keys or row[1] in keys]
    return tuple(
        stated_assumption(graph, name, says, getattr(graph.spec.loss, key))
        for name, key, says in chosen
    )


def stated_assumption(
    graph: OperatorGraph, key: str, says: Content, expression: Expression | None
) -> Assumption:
    """An assumption about a number that the spec may state."""
    if expression is None:
        return Assumption(key, says, status="not stated")
    return Assumption(key, says, expression.source, number_of(graph, expression), "stated")
