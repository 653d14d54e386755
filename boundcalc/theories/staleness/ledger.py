"""What the statements suppose, with the numbers of the spec."""

from __future__ import annotations

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Maths
from boundcalc.report.notation import said
from boundcalc.theories.ledger import objective_assumptions, stated_assumption
from boundcalc.theories.staleness.section import StalenessSection
from boundcalc.theories.staleness.setting import Problem
from boundcalc.theories.values import Assumption

_MEAN = (
    "given all batches before it, the gradient of a batch has mean ",
    Maths(r"\mathcal{G}^n"),
    ", the stale gradient, and variance at most ",
    Maths(r"\sigma^2"),
    " over all blocks together",
)
_LIPSCHITZ = (
    Maths("L"),
    ", with ",
    Maths("M"),
    " beside it: the gradient is ",
    Maths("L"),
    "-Lipschitz, and Lemmas 1 and 2 of [XHH] hold",
)
_ERROR = (
    Maths("M"),
    " bounds every gradient that one block passes back to another, and is at least 1",
)


def assumptions(graph: OperatorGraph, section: StalenessSection) -> tuple[Assumption, ...]:
    """Smoothness, noise, gap, the two constants of [XHH], and what the operators add."""
    problem = Problem(graph, section)
    queues = problem.pipeline.queues
    stale = Assumption("stale", _MEAN)
    pipeline = Assumption(
        "queues", f"the pipeline runs {queues} with constant queues", str(queues), None, "chosen"
    )
    operators = Assumption(
        "A3",
        said("every operator has the constants that `boundcalc compile` lists, on its region"),
    )
    found = (
        *objective_assumptions(graph, "smoothness", "gradient_noise", "initial_gap"),
        stale,
        pipeline,
        _constant(problem, "L", _LIPSCHITZ),
        _constant(problem, "M", _ERROR),
    )
    return (*found, operators) if problem.chain_refusal is None else found


def _constant(problem: Problem, key: str, says: tuple[str | Maths, ...]) -> Assumption:
    section = problem.section
    stated = section.lipschitz if key == "L" else section.error_gradient
    if stated is not None:
        return stated_assumption(problem.graph, key, says, stated)
    try:
        value = problem.number((lambda s: s.L) if key == "L" else (lambda s: s.M))
    except SpecError:
        return Assumption(key, says, status="not stated")
    return Assumption(key, says, value=value, status="derived")
