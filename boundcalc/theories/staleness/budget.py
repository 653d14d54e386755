"""The inverse: how stale a pipeline may be for a target, and how large a step it then takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache

from boundcalc.arithmetic import WIDE, Number, Scalar, Status
from boundcalc.arithmetic.combine import added
from boundcalc.errors import SpecError
from boundcalc.spec.budget import BudgetSection
from boundcalc.theories.staleness.rate import composed_shape, refusal
from boundcalc.theories.staleness.setting import Problem, Setting
from boundcalc.theories.staleness.shapes import SHAPES, Shape

#: The largest delay that is looked for.
LARGEST = 1_000_000

_ROUNDS = 70  # of the search for a step, each 0.62 of the interval before
_DECADES = 40  # below the limit, over which it looks
_BITS = 40  # of a step that was found


@dataclass(frozen=True)
class Delay:
    """What one statement allows.

    Attributes
    ----------
    key, title
        Of the statement.
    target
        What the bound may be; None where ``refused`` says why.
    largest_delay
        The largest Δt for which the bound at the spec's step is certainly at most the target;
        None where it is not even without delays.
    bound
        The bound there.
    best_delay, best_step, best_bound
        The same where the step may be chosen for each delay.
    step_size_limit
        At the delays of the spec.
    largest_step
        The largest step found for which the bound at the spec's delays is at most the target.
    capped
        Whether ``largest_delay`` or ``best_delay`` is only the end of the search.
    """

    key: str
    title: str
    target: Number | None = None
    largest_delay: int | None = None
    bound: Number | None = None
    best_delay: int | None = None
    best_step: Number | None = None
    best_bound: Number | None = None
    step_size_limit: Number | None = None
    largest_step: Number | None = None
    capped: bool = False
    refused: str = ""


def budgets(problem: Problem) -> tuple[Delay, ...]:
    """The largest delays of a spec with a ``budget``, statement by statement.

    Delays are scaled together, as :func:`scaled` says.

    Raises
    ------
    SpecError
        If there is no budget, or it asks for the PL regime.
    """
    section, graph = _section(problem), problem.graph
    own = section.step_size
    step = problem.step if own is None or own == "best" else own
    problem = Problem(graph, problem.section, problem.delays, step, section.horizon)
    shapes = [(shape, refusal(shape, graph)) for shape in SHAPES]
    if graph.perturbations:
        shapes.append(composed_shape(problem))
    return tuple(_delay(problem, shape, refused, section) for shape, refused in shapes)


def scaled(delays: Sequence[int], t: int) -> tuple[int, ...]:
    """Delays of a pipeline in the same proportions: block k lags about t Δt_k/Δt behind.

    Rounded up, and raised where queues of positive length need it: each block lags at least two
    steps more than the next one.  Where the spec has no delays the proportions are those of the
    shortest pipeline, 2(K−1), …, 2, 0.  At t = 0 there are none.

    >>> scaled((4, 2, 0), 6), scaled((4, 2, 0), 1), scaled((0, 0), 3), scaled((0,), 3)
    ((6, 3, 0), (4, 2, 0), (3, 0), (3,))
    """
    if t == 0:
        return (0,) * len(delays)
    if not any(delays):
        delays = [2 * k for k in reversed(range(len(delays)))] if len(delays) > 1 else (1,)
    top, found = max(delays), [-1]
    for m in reversed(delays):
        found.append(max(-(-t * m // top), found[-1] + 2 if found[-1] >= 0 else 0))
    return tuple(found[:0:-1])


def total(shape: Shape, s: Setting) -> Scalar:
    """The bound."""
    return sum((formula(s) for formula in shape.terms.values()), s.kind.number(0))


def best_step(problem: Problem, shape: Shape) -> Fraction | None:
    """A step γ, certainly covered, at which the bound is nearly least; None if there is none.

    Golden sections over ln γ: the bound falls and then rises; without an initial gap it only
    rises, and the step is as small as the search goes.
    """
    s = problem.setting(WIDE)
    top = shape.limit(s) / s.method.scale

    def bound(log_step: Scalar) -> Scalar:
        return total(shape, s.moved(WIDE.exp(log_step)))

    high = WIDE.log(top * (1 - WIDE.measured(1e-12)))
    low = high - _DECADES * WIDE.log(WIDE.number(10))
    return _covered(problem, shape, WIDE.exp(_least(bound, low, high)))


def _least(bound: Callable[[Scalar], Scalar], low: Scalar, high: Scalar) -> Scalar:
    golden = (WIDE.sqrt(WIDE.number(5)) - 1) / 2
    inner, outer = high - golden * (high - low), low + golden * (high - low)
    at_inner, at_outer = bound(inner), bound(outer)
    for _ in range(_ROUNDS):
        if at_inner < at_outer:
            high, outer, at_outer = outer, inner, at_inner
            inner = high - golden * (high - low)
            at_inner = bound(inner)
        else:
            low, inner, at_inner = inner, outer, at_outer
            outer = low + golden * (high - low)
            at_outer = bound(outer)
    return inner if at_inner < at_outer else outer


def _covered(problem: Problem, shape: Shape, step: Scalar) -> Fraction | None:
    """A short fraction just below a step, if the statement certainly covers it."""
    _, mantissa, exponent, bits = step._mpf_
    shift = max(0, int(bits) - _BITS)
    top, power = int(mantissa) >> shift, int(exponent) + shift
    found = Fraction(top << power) if power >= 0 else Fraction(top, 1 << -power)
    return found if found > 0 and covers(problem.at(found), shape) else None


def covers(problem: Problem, shape: Shape) -> bool:
    """Whether the statement certainly covers the step."""

    def inside(s: Setting) -> bool:
        top = shape.limit(s)
        return bool(s.step < top) if shape.strict else bool(s.step <= top)

    return problem.decided(inside) is True


def _fits(problem: Problem, shape: Shape, target: Callable[[Setting], Scalar]) -> bool:
    """Whether the statement covers the step, and its bound certainly is at most the target."""
    return covers(problem, shape) and (
        problem.decided(lambda s: total(shape, s) <= target(s)) is True
    )


def _delay(problem: Problem, shape: Shape, refused: str, section: BudgetSection) -> Delay:
    target = _target(problem, shape, section)
    limit = problem.number(lambda s: shape.limit(s) / s.method.scale, limit=True)
    if refused:
        return Delay(shape.key, shape.title, step_size_limit=limit, refused=refused)

    @cache
    def at(t: int) -> Problem:
        return problem.delayed(scaled(problem.delays, t))

    def chosen(t: int) -> tuple[Problem, Fraction] | None:
        made = at(t)
        step = best_step(made, _at_delays(shape, made))
        return None if step is None else (made.at(step), step)

    def fits_best(t: int) -> bool:
        found = chosen(t)
        return found is not None and _fits(found[0], _at_delays(shape, found[0]), target)

    largest = _largest(lambda t: _fits(at(t), _at_delays(shape, at(t)), target))
    best = _largest(fits_best)
    there = None if best is None else chosen(best)
    return Delay(
        shape.key,
        shape.title,
        target=problem.number(target),
        step_size_limit=limit,
        largest_delay=None if largest is None else at(largest).delay,
        bound=None if largest is None else _bound(at(largest), shape),
        best_delay=None if best is None else at(best).delay,
        best_step=None if there is None else Number(there[1], Status.COMPUTED, limit=True),
        best_bound=None if there is None else _bound(there[0], shape),
        largest_step=_largest_step(problem, shape, target),
        capped=LARGEST in (largest, best),
    )


def _at_delays(shape: Shape, problem: Problem) -> Shape:
    """The statement at a problem's delays: with bias it is strict only where there are some."""
    return replace(shape, strict=False) if problem.delay == 0 else shape


def _bound(problem: Problem, shape: Shape) -> Number:
    return added(problem.number(formula) for formula in shape.terms.values())


def _target(problem: Problem, shape: Shape, section: BudgetSection) -> Callable[[Setting], Scalar]:
    stated, tolerance = section.target, section.tolerance
    if stated is not None:
        return lambda s: stated.evaluate(s.kind, problem.graph.values(s.kind))
    assert tolerance is not None  # noqa: S101 - the section has one of the two
    plain = problem.delayed((0,) * problem.K)

    def above(s: Setting) -> Scalar:
        share = tolerance.evaluate(s.kind, problem.graph.values(s.kind))
        return (1 + share) * total(shape, plain.setting(s.kind))

    return above


def _largest(holds: Callable[[int], bool]) -> int | None:
    """The largest t up to :data:`LARGEST` for which a property that is lost once holds."""
    if not holds(0):
        return None
    good, bad = 0, 1
    while bad < LARGEST and holds(bad):
        good, bad = bad, 2 * bad
    if bad >= LARGEST:
        if holds(LARGEST):
            return LARGEST
        bad = LARGEST
    while bad - good > 1:
        middle = (good + bad) // 2
        if holds(middle):
            good = middle
        else:
            bad = middle
    return good


def _largest_step(
    problem: Problem, shape: Shape, target: Callable[[Setting], Scalar]
) -> Number | None:
    """The largest step found with the bound at most the target; the limit is never passed."""
    low = best_step(problem, shape)
    if low is None or not _fits(problem.at(low), shape, target):
        return None
    s = problem.setting(WIDE)
    # A comparison claims no more than the numbers that it compares.
    status = problem.number(lambda s: total(shape, s)).status
    top = shape.limit(s) / s.method.scale * (1 - WIDE.measured(1e-12))
    high = _covered(problem, shape, top)
    if high is not None and _fits(problem.at(high), shape, target):
        return Number(high, status, limit=True)
    high = high or low * 2
    for _ in range(_BITS):
        middle = (low + high) / 2
        if _fits(problem.at(middle), shape, target):
            low = middle
        else:
            high = middle
    return Number(low, status, limit=True)


def _section(problem: Problem) -> BudgetSection:
    section = problem.graph.spec.budget
    if section is None:
        raise SpecError(
            "the spec has no `budget` section",
            where="budget",
            expected="budget: {tolerance: 1/10} or budget: {target: 1/100}",
            fix="add one",
        )
    if section.regime == "pl":
        raise SpecError(
            "staleness has no PL statement",
            where="budget.regime",
            value="pl",
            expected="nonconvex",
            fix="remove `regime`",
        )
    return section
