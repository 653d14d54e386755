"""What a rate needs from the spec: the objective's constants and the run, in the best kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from boundcalc.arithmetic import RATIONALS, WIDE, Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import converted, enclosed, in_best_kind, kind_of
from boundcalc.arithmetic.number import format_limit, format_number
from boundcalc.errors import InexactError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.rates.statements import Problem
from boundcalc.spec.expressions import Expression
from boundcalc.theories.perturbed.families import Family


def problem(graph: OperatorGraph) -> Problem:
    """The problem, exact or enclosed where its numbers are not measured.

    Raises
    ------
    SpecError
        If a constant that every rate needs is missing, or contradicts another one.
    SymbolError
        If a symbol has no value.
    """
    found, _ = in_best_kind(lambda kind: problem_in(graph, kind), 1)
    kind = kind_of(_numbers(found))
    _check(graph, found)
    return replace(found, kind=kind)


def problem_in(graph: OperatorGraph, kind: Arithmetic) -> Problem:
    """The problem in one number kind."""
    loss, training = graph.spec.loss, graph.spec.training
    if training is None:
        raise SpecError(
            "a rate needs a step size and a horizon",
            where="training",
            expected="training: {step_size: γ, horizon: T}",
            fix="add a `training` section",
        )
    values = graph.values(kind)

    def number(name: str, meaning: str) -> Scalar:
        expression: Expression | None = getattr(loss, name)
        if expression is None:
            raise SpecError(
                f"a rate needs {meaning}",
                where=f"loss.{name}",
                expected="a number ≥ 0",
                fix=f"add `{name}` to the `loss` section",
            )
        return expression.evaluate(kind, values)

    return Problem(
        L=number("smoothness", "the Lipschitz constant of the gradient"),
        mu=None if loss.pl is None else loss.pl.evaluate(kind, values),
        gap=number("initial_gap", "the initial gap ℓ(w⁰) − ℓ*"),
        sigma=number("gradient_noise", "the sampling noise σ"),
        step=training.step_size.evaluate(kind, values),
        horizon=training.horizon,
        kind=kind,
    )


def _check(graph: OperatorGraph, p: Problem) -> None:
    loss = graph.spec.loss
    for where, value in (
        ("training.step_size", p.step),
        ("loss.smoothness", p.L),
        ("loss.pl", p.mu),
    ):
        if value is not None and not _surely(lambda value=value: value > 0):  # type: ignore[misc]
            raise SpecError(
                "not a positive number", where=where, value=format_number(value), expected="> 0"
            )
    if p.mu is not None and _surely(lambda: p.mu > p.L):
        raise SpecError(
            "the PL constant is larger than the smoothness",
            where="loss.pl",
            value=f"{loss.pl} > {loss.smoothness}",
            expected="pl ≤ smoothness: 2μ(ℓ−ℓ*) ≤ ‖∇ℓ‖² ≤ 2L(ℓ−ℓ*)",
            fix="lower `pl` or raise `smoothness`",
        )


def _surely(holds: Callable[[], object]) -> bool:
    """Whether a comparison certainly holds; enclosures may leave it open."""
    try:
        return bool(holds())
    except InexactError:
        return False


def too_large_a_step(graph: OperatorGraph, p: Problem, family: Family) -> str | None:
    """Why the theorem does not cover the spec's step size; None where γ · kL ≤ 1 is certain."""
    k = family.descent.limit
    name = "1/L" if k == 1 else f"1/({k}L)"
    step, limit = format_number(p.step), format_limit(limit_value(p, family))

    def above(kind: Arithmetic) -> bool:
        at = problem_in(graph, kind)
        return bool(at.step * k * at.L > 1)

    try:
        found = above(RATIONALS) if p.kind.exact else _enclosed_above(above, p)
    except InexactError:
        return (
            f"whether step_size {step} is above the limit {name} = {limit} of the theorem is "
            "undecided, for they agree to hundreds of digits: choose a slightly smaller step"
        )
    if not found:
        return None
    return f"step_size {step} is above the limit {name} = {limit} of the theorem"


def _enclosed_above(above: Callable[[Arithmetic], bool], p: Problem) -> bool:
    return above(WIDE) if p.kind is WIDE else enclosed(above)


def limit_value(p: Problem, family: Family) -> Scalar:
    """1/(kL), the largest step that the family's statement covers."""
    return 1 / (family.descent.limit * p.L)


def step_limit(p: Problem, family: Family) -> Number:
    """The same as a printed limit."""
    return Number(limit_value(p, family), status_in(p.kind), limit=True)


def status_in(kind: Arithmetic) -> Status:
    """What a formula that is a theorem may claim when it is evaluated in a number kind."""
    return Status.COMPUTED if kind is WIDE else Status.PROVED


def _numbers(p: Problem) -> Sequence[Scalar]:
    return [x for x in (p.L, p.mu, p.gap, p.sigma, p.step) if x is not None]


def problem_as(p: Problem, kind: Arithmetic, step: Scalar | None = None) -> Problem:
    """The same problem in another kind, with another step if one is given."""
    return Problem(
        L=converted(p.L, kind),
        mu=None if p.mu is None else converted(p.mu, kind),
        gap=converted(p.gap, kind),
        sigma=converted(p.sigma, kind),
        step=converted(p.step if step is None else step, kind),
        horizon=p.horizon,
        kind=kind,
    )
