"""The inverse: smallest q, largest σ_e and largest step for which a bound stays at its target.

Every number that is given is admissible for certain: the bound there was compared with the target
exactly or on enclosures.  That no better one exists is computed, by bisection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from boundcalc.arithmetic import Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.perturbations.formats.exact import binary_up, power
from boundcalc.rates.steps import exact_step
from boundcalc.theories.shrinkage import descent, pl
from boundcalc.theories.shrinkage.rounding_statements import (
    deterministic,
    rounding_keeps,
    rounding_statement,
    sectors_of,
    step_limit,
    without_fit,
)
from boundcalc.theories.shrinkage.setting import Case, Setting
from boundcalc.theories.shrinkage.statements import NO_LAW

_GRID = 121  # points of the search, over 12 decades
_DECADES = 12
_HALVINGS = 50
_BITS = 48  # of a number that is given
_DOUBLINGS = 200


@dataclass(frozen=True)
class ShrinkageBudget:
    """What is admissible.

    Attributes
    ----------
    regime
        Of the bound.
    target, baseline
        What it may be, and what it is in full precision at the same step.
    bound
        What it is at the spec's numbers; None above the step's limit.
    q, q_compensated
        The smallest constant factor, at the step μ and at μ/q; None where there is none.
    noise, noise_compensated
        The largest σ_e at the spec's factors.
    step
        The largest step μ at the spec's factors and noise.
    refused
        Why there is no factor and no noise: of an exact gradient that is rounded.
    unbounded
        Why the spec itself has no bound, if it was rounded from an exact gradient.
    stepless
        Why there is no bound at any step.
    """

    regime: str
    target: Number
    baseline: Number
    bound: Number | None
    q: Number | None
    q_compensated: Number | None
    noise: Number | None
    noise_compensated: Number | None
    step: Number | None
    refused: str = ""
    unbounded: str = ""
    stepless: str = ""


def asked_case(case: Case) -> Case:
    """The case at the horizon and step of the ``budget`` section.

    Raises
    ------
    SpecError
        If there is none, or it asks for what this theory does not have.
    """
    graph = case.graph
    section, training = graph.spec.budget, graph.spec.training
    if section is None:
        raise SpecError(
            "the spec asks for no budget",
            where="budget",
            expected="budget: {tolerance: 1/10}, say: the bound may be ten percent larger",
            fix="add a `budget` section",
        )
    assert training is not None  # noqa: S101 - case_of() has looked
    if section.step_size == "best":
        raise SpecError(
            "this theory answers budgets at a given step",
            where="budget.step_size",
            value="best",
            expected="a number, or nothing: then the step of `training`",
            fix="write the step that `rate` calls tuned",
        )
    changed = training.model_copy(
        update={
            "horizon": section.horizon or training.horizon,
            "step_size": section.step_size or training.step_size,
        }
    )
    spec = graph.spec.model_copy(update={"training": changed})
    return replace(case, graph=_with(graph, spec))


def _with(graph: OperatorGraph, spec: object) -> OperatorGraph:
    return replace(graph, spec=spec)  # type: ignore[arg-type]


def shrinkage_budget(case: Case) -> ShrinkageBudget:
    """Answer a spec's ``budget`` section.

    Raises
    ------
    SpecError
        If there is none, or the target is not positive or not above the bias.
    """
    case = asked_case(case)
    regime = _regime(case)
    plain = case.replaced(q=Fraction(1), noise=Fraction(0), compensated=False)
    _check_step(plain)
    baseline = _number(plain, regime)
    section = case.graph.spec.budget
    assert section is not None  # noqa: S101 - asked_case() has looked
    target = _target(case, baseline)
    if deterministic(case):
        return _rounded(case, regime, target, baseline)

    def fits(other: Case) -> bool:
        return _fits(other, regime, target)

    status = _number(case, regime).status

    own = case.replaced(compensated=False)
    both = case.replaced(compensated=True)
    here = _covered(case)
    return ShrinkageBudget(
        regime=regime,
        target=Number(target, Status.PROVED, limit=True),
        baseline=baseline,
        bound=_number(case, regime) if here else None,
        q=_smallest_factor(own, fits, status),
        q_compensated=_smallest_factor(both, fits, status),
        noise=_largest_noise(own, fits, status),
        noise_compensated=_largest_noise(both, fits, status),
        step=_largest_step(case, fits, status, case.evaluated(descent.step_limit)[0]),
    )


def _rounded(case: Case, regime: str, target: Fraction, baseline: Number) -> ShrinkageBudget:
    """The budget of Theorem 11.9: a step alone, as an exact gradient has no factor."""
    found, key = sectors_of(case), "rounding_pl" if regime == "pl" else "rounding"
    own = without_fit(case)
    here = rounding_statement(own, found, key)
    tiny = rounding_statement(own.replaced(step=Fraction(1, 2**_DOUBLINGS)), found, key)
    step = None
    if found:
        step = _largest_step(
            own,
            lambda other: rounding_keeps(other, found, key, target),
            _number(own, regime).status,
            step_limit(own, found),
        )
    return ShrinkageBudget(
        regime=regime,
        target=Number(target, Status.PROVED, limit=True),
        baseline=baseline,
        bound=here.bound,
        q=None,
        q_compensated=None,
        noise=None,
        noise_compensated=None,
        step=step,
        refused=NO_LAW,
        unbounded=here.refused,
        stepless="" if step is not None else tiny.refused,
    )


def _regime(case: Case) -> str:
    section, loss = case.graph.spec.budget, case.graph.spec.loss
    assert section is not None  # noqa: S101 - asked_case() has looked
    steady = case.own.steps.type == "constant"
    regime = section.regime or ("pl" if loss.pl is not None and steady else "nonconvex")
    if regime == "pl" and (loss.pl is None or not steady):
        raise SpecError(
            "a PL budget without a PL statement",
            where="budget.regime",
            value="pl",
            expected="`loss.pl`, and a fixed step",
            fix="write regime: nonconvex, or give `loss.pl`",
        )
    return regime


def _target(case: Case, baseline: Number) -> Fraction:
    """The target as an exact number, rounded down."""
    section = case.graph.spec.budget
    assert section is not None  # noqa: S101 - asked_case() has looked
    graph = case.graph
    if section.target is not None:
        wanted = section.target
        value, _ = in_best_kind(lambda kind: wanted.evaluate(kind, graph.values(kind)), 1)
        return _down(value)
    tolerance = section.tolerance
    assert tolerance is not None  # noqa: S101 - the model asks for one of the two
    more, _ = in_best_kind(lambda kind: tolerance.evaluate(kind, graph.values(kind)), 1)
    return _down(baseline.value) * (1 + _down(more))


def _down(value: object) -> Fraction:
    if isinstance(value, Fraction | int):
        return Fraction(value)
    lower = getattr(value, "lower", None)
    if lower is not None:
        mantissa, exponent = lower
        return Fraction(int(mantissa)) * power(int(exponent))
    found = Number(value, Status.COMPUTED, limit=True)
    return Fraction(float(found)) * (1 - Fraction(1, 2**50))


def bound_in(s: Setting, regime: str) -> Scalar:
    """The bound of a regime."""
    return pl.bound(s) if regime == "pl" else descent.bound(s)


def _number(case: Case, regime: str) -> Number:
    found = case.number(lambda s: bound_in(s, regime))
    assert found is not None  # noqa: S101 - the formula always has a value
    return found


def _covered(case: Case) -> bool:
    return case.holds(descent.step_too_large) is False


def _fits(case: Case, regime: str, target: Fraction) -> bool:
    if not _covered(case):
        return False
    return case.holds(lambda s: bound_in(s, regime) <= s.kind.number(target)) is True


def _check_step(case: Case) -> None:
    if not _covered(case):
        raise SpecError(
            "the step is above the limit of the theorem in full precision",
            where="training.step_size",
            value=str(case.number(lambda s: s.step)),
            expected=f"at most {case.number(descent.step_limit, limit=True)}",
            fix="lower the step",
        )


def _smallest_factor(case: Case, fits: Callable[[Case], bool], status: Status) -> Number | None:
    """The smallest constant q in (0, 1]; the admissible ones may begin below 1."""
    found = _extreme([_decade(i) for i in range(_GRID)], lambda q: fits(case.replaced(q=q)))
    return None if found is None else Number(found, status)


def _largest_step(
    case: Case, fits: Callable[[Case], bool], status: Status, value: Scalar
) -> Number | None:
    """The largest μ up to the theorem's limit, which is ``value``."""
    limit = exact_step(value, value)
    if limit is None:
        return None
    points = [limit * _decade(i) for i in range(_GRID)]
    found = _extreme(points[::-1], lambda step: fits(case.replaced(step=step)))
    return None if found is None else Number(found, status, limit=True)


def _largest_noise(case: Case, fits: Callable[[Case], bool], status: Status) -> Number | None:
    """The bound grows with σ_e, so that doubling and bisection find it."""
    if not fits(case.replaced(noise=Fraction(0))):
        return None
    good, bad = Fraction(0), Fraction(1, 2**_DOUBLINGS)
    for _ in range(2 * _DOUBLINGS):
        if not fits(case.replaced(noise=bad)):
            break
        good, bad = bad, bad * 2
    found = _bisected(good, bad, lambda noise: fits(case.replaced(noise=noise)))
    return Number(found, status, limit=True)


def _decade(i: int) -> Fraction:
    """10^(−12 + i/10), rounded to few bits; exactly 1 at the end."""
    if i == _GRID - 1:
        return Fraction(1)
    return _short(Fraction(10.0 ** (-_DECADES + i * _DECADES / (_GRID - 1))))


def _extreme(points: list[Fraction], good: Callable[[Fraction], bool]) -> Fraction | None:
    """The first good point of a list, moved towards the bad one before it by bisection."""
    for i, point in enumerate(points):
        if good(point):
            return point if i == 0 else _bisected(point, points[i - 1], good)
    return None


def _bisected(good: Fraction, bad: Fraction, holds: Callable[[Fraction], bool]) -> Fraction:
    """A good number near the edge between a good and a bad one."""
    for _ in range(_HALVINGS):
        middle = _short((good + bad) / 2)
        if middle in (good, bad):
            break
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good


def _short(x: Fraction) -> Fraction:
    """A number next to x > 0 with few bits."""
    return binary_up(x, _BITS)
