"""Bits of uniform quantisers at least cost, with dual prices and an exact check."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fractions import Fraction

import numpy as np

from boundcalc.arithmetic import WIDE, Number, Status
from boundcalc.arithmetic.best import EXACT_OPERATORS
from boundcalc.arithmetic.combine import square_root
from boundcalc.arithmetic.number import format_bound, format_limit, worst
from boundcalc.budgets.allocation.curve import trade_off
from boundcalc.budgets.allocation.evaluator import Array, Evaluator
from boundcalc.budgets.allocation.integers import Assignment, assigned, least_equal
from boundcalc.budgets.allocation.programme import LARGE, optimum
from boundcalc.budgets.allocation.quantisers import (
    Columns,
    Quantiser,
    columns,
    quantisers,
    site_key,
)
from boundcalc.budgets.levels import with_perturbations
from boundcalc.budgets.question import Question, at_most, digits_apart, highest, lowest
from boundcalc.budgets.results import Allocation, SiteBits
from boundcalc.errors import ExpressionError, SpecError
from boundcalc.graph import Site
from boundcalc.perturbations.transform import Reach

#: Times that the step is chosen anew for the levels, where the question asks for the best.
_STEPS = 4


def allocate(asked: Question, reaches: Mapping[tuple[str, int], Reach]) -> Allocation:
    """Bits of uniform quantisers at every site, at least cost under the question's bound.

    A site of n components, none larger than M, gets b bits: 2^b evenly spread points, h =
    2M/(2^b − 1) apart.  Rounding leaves a root mean square of at most √n h/2, with conditional
    mean zero if it is stochastic.  Minimised is Σ w b; the assignment is checked by
    :meth:`~boundcalc.budgets.question.Question.admissible`, in exact or enclosed arithmetic
    where the spec's numbers allow it.

    The quantisers are the only perturbations: those of the spec are left out.  Sites whose
    range is unknown stay unperturbed and are named.

    Parameters
    ----------
    reaches
        (direction, index) of a site → a set that holds its values.

    Raises
    ------
    SpecError
        If most bits everywhere are not enough, or a weight names no site.

    Notes
    -----
    Real-valued bits are the solution of a convex programme, certified by weak duality
    (:mod:`~boundcalc.budgets.allocation.relaxed`).  Small problems are solved in integers by
    branch and bound, larger ones by rounding and exchanges.  O(N) for each evaluation.

    The programme generalises min Σ C_i/(2^{b_i} − 1)² under Σ b_i, which J. Chen et al., ActNN,
    ICML 2021, arXiv 2104.14129, solve for activations of the backward pass.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.budgets.question import question
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: ten percent
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
    ... training: {step_size: 1/4, horizon: 100}
    ... budget: {tolerance: 1/10}
    ... '''))
    >>> unit = Reach((4,), None, Fraction(-1), Fraction(1))
    >>> found = allocate(question(graph), {("forward", 1): unit, ("backward", 2): unit})
    >>> [(site.direction, site.label, site.bits) for site in found.sites], str(found.cost)
    ([('forward', 'f1', 5), ('backward', 'f2', 4)], '36')
    """
    section = asked.section.allocation
    made, left_out = quantisers(asked.graph, section, reaches)
    for quantiser in [q for q in made if q.magnitude == 0]:
        left_out[site_key(quantiser.site)] = "every value is zero there: no bits are needed"
        made.remove(quantiser)
    if not made:
        return _nothing(asked, left_out)
    with _uncollected():
        return _allocation(asked, made, left_out)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No garbage collection: hundreds of thousands of new objects, none of them garbage, wake it.

    Recording a program takes half the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _allocation(
    asked: Question, made: Sequence[Quantiser], left_out: Mapping[str, str]
) -> Allocation:
    """In floats where they agree with the engine, else in wide numbers."""
    try:
        with np.errstate(over="raise", invalid="raise", under="ignore"):
            solution = _Solution(asked, made, Evaluator(asked, _sites(made)))
            if solution.trusted:
                return solution.allocation(left_out)
    except (ArithmeticError, ExpressionError):
        pass  # some number left the range of float64
    return _Solution(asked, made, Evaluator(asked, _sites(made), WIDE)).allocation(left_out)


def _sites(made: Sequence[Quantiser]) -> tuple[Site, ...]:
    return tuple(quantiser.site for quantiser in made)


def _nothing(asked: Question, left_out: Mapping[str, str]) -> Allocation:
    zero = Number(Fraction(0), Status.PROVED)
    return Allocation(
        sites=(),
        cost=zero,
        relaxed_cost=zero,
        uniform_bits=None,
        uniform_cost=None,
        bound=asked.baseline,
        curve=(),
        left_out=left_out,
        lower_cost=zero,
    )


class _Solution:
    """The programme, its real-valued optimum and the integer assignment."""

    def __init__(self, asked: Question, made: Sequence[Quantiser], evaluator: Evaluator) -> None:
        section = asked.section.allocation
        self.asked, self.made = asked, made
        self._bounds: dict[tuple[int, ...], Number] = {}
        self.limits = (section.least_bits, section.most_bits)
        self.columns: Columns = columns(made, *self.limits)
        self.target = float(asked.target)
        self.evaluator = self._at_best_step(evaluator, self.columns.low)
        self._check_feasible()
        self.equal = least_equal(self.columns, self.evaluator, self.target, self.limits)
        start = self._logs([self.limits[1] if self.equal is None else self.equal] * len(made))
        self.programme, self.relaxed = optimum(self.columns, self.evaluator, self.target, start)
        for _ in range(_STEPS if asked.best else 0):
            # Jointly convex in the levels and ln γ: what neither change improves is optimal.
            self.evaluator = self._at_best_step(self.evaluator, self.relaxed.x[0])
            before, start = self.relaxed.cost[0], self.relaxed.x[0]
            self.programme, self.relaxed = optimum(self.columns, self.evaluator, self.target, start)
            if self.relaxed.cost[0] > before * (1 - 1e-9):
                break
        self.continuous: Array = self.columns.bits(self.relaxed.x[0])
        found = assigned(
            made,
            self.columns,
            (self.evaluator, self.programme.evaluator),
            self.target,
            self.continuous,
            self.limits,
            lambda bits: at_most(self.exact(bits), asked.target),
        )
        if found is None:
            raise self._infeasible()
        self.found: Assignment = found

    def _at_best_step(self, evaluator: Evaluator, x: Array) -> Evaluator:
        if not self.asked.best:
            return evaluator
        return evaluator.at(evaluator.best_step(self.columns.moments(x)))

    def _logs(self, bits: Sequence[int]) -> Array:
        """ln r."""
        return self.columns.logs(np.array(bits, dtype=float))

    def exact(self, bits: tuple[int, ...]) -> Number:
        """The bound of integer bits, as every other budget has it."""
        if bits not in self._bounds:
            graph = self.asked.graph
            pairs = zip(self.made, bits, strict=True)
            self._bounds[bits] = self.asked.bound(
                with_perturbations(graph, [q.perturbation(graph, b) for q, b in pairs])
            )
        return self._bounds[bits]

    @property
    def trusted(self) -> bool:
        """Whether floating point agrees with the bound that was proved."""
        levels = self.columns.moments(self._logs(self.found.bits))
        evaluator = self._at_best_step(self.evaluator, np.log(levels.rms))
        off = abs(evaluator.bound(levels) - float(self.exact(self.found.bits)))
        return off <= 1e-6 * self._slack()

    def _slack(self) -> float:
        return float(Fraction(lowest(self.asked.target.value)) - highest(self.asked.baseline.value))

    def _check_feasible(self) -> None:
        if self.evaluator.bound(self.columns.moments(self.columns.low)) > self.target:
            raise self._infeasible()

    def _infeasible(self) -> SpecError:
        most = self.limits[1]
        bound = self.exact((most,) * len(self.made))
        target = self.asked.target
        digits = digits_apart(highest(bound.value), lowest(target.value))
        return SpecError(
            f"{most} bits at every site are not enough",
            where="budget.allocation.most_bits",
            value=f"bound {format_bound(bound.value, digits)}",
            expected=f"at most {format_limit(target.value, digits)}",
            fix="raise most_bits or the tolerance; rounding: stochastic needs fewer bits",
        )

    def allocation(self, left_out: Mapping[str, str]) -> Allocation:
        """Everything as a result."""
        bits = self.found.bits
        pairs = zip(self.made, bits, strict=True)
        equal = self._least_equal()
        weights = sum((q.weight for q in self.made), Fraction(0))
        slack, lower = self._slack(), self.found.lower
        # Where nearly everything is admissible the dual's bound is far below the least cost.
        relaxed = max(float(self.relaxed.lower[0]), weights * self.limits[0])
        return Allocation(
            sites=self._rows(slack),
            cost=Number(sum((q.weight * b for q, b in pairs), Fraction(0)), Status.PROVED),
            relaxed_cost=Number(relaxed, Status.COMPUTED, limit=True),
            uniform_bits=equal,
            uniform_cost=None if equal is None else Number(weights * equal, self._certain(equal)),
            bound=self.exact(bits),
            curve=tuple(
                (Number(cost, Status.COMPUTED), Number(bound, Status.COMPUTED))
                for cost, bound in trade_off(self.programme, self.relaxed, self.target)
            ),
            left_out=left_out,
            lower_cost=None
            if lower is None or self.asked.best
            else Number(lower, Status.COMPUTED, limit=True),
            multiplier=Number(float(self.relaxed.multiplier[0]) * slack, Status.COMPUTED),
        )

    def _least_equal(self) -> int | None:
        """The least equal number of bits; exactly so on small graphs."""
        found = self.equal
        if found is None or self.asked.graph.size > EXACT_OPERATORS:
            return found
        count = len(self.made)
        least, most = self.limits
        while found > least and at_most(self.exact((found - 1,) * count), self.asked.target):
            found -= 1
        while not at_most(self.exact((found,) * count), self.asked.target):
            found += 1
            if found > most:
                return None
        return found

    def _certain(self, equal: int) -> Status:
        """How certain it is that an equal number of bits is the least one."""
        if self.asked.graph.size > EXACT_OPERATORS:
            return Status.COMPUTED
        least = self.limits[0]
        looked_at = {equal, max(equal - 1, least)}
        return worst(*(self.exact((bits,) * len(self.made)).status for bits in looked_at))

    def _rows(self, slack: float) -> tuple[SiteBits, ...]:
        c, x = self.columns, self.relaxed.x[0]
        # ∂b/∂x = −c/(ln 2 · (r + c)), so one bit changes the bound by −G ln 2 (r + c)/c.
        prices = self.relaxed.slope[0] * np.log(2) * (np.exp(x) / c.top + 1) / slack
        savings = self._savings()
        roots: dict[Fraction, Number] = {}
        rows = []
        for j, (q, bits) in enumerate(zip(self.made, self.found.bits, strict=True)):
            square = q.rms_squared(bits)
            if square not in roots:
                roots[square] = square_root(Number(square, Status.PROVED))
            rms = roots[square]
            zero = Number(Fraction(0), Status.PROVED)
            rows.append(
                SiteBits(
                    direction=q.site.direction,
                    label=q.site.label,
                    size=q.size,
                    weight=Number(q.weight, Status.PROVED),
                    magnitude=Number(q.magnitude, Status.PROVED),
                    bits=bits,
                    continuous=Number(float(self.continuous[j]), Status.COMPUTED),
                    rms=rms,
                    mean=zero if q.rounding == "stochastic" else rms,
                    price=Number(float(prices[j]), Status.COMPUTED),
                    saving=Number(float(savings[j]), Status.COMPUTED),
                )
            )
        return tuple(rows)

    def _savings(self) -> Array:
        """The bound with one more bit at each site."""
        bits = np.array(self.found.bits, dtype=float)
        levels = self.columns.moments(self.columns.logs(bits + np.eye(len(bits))))
        if len(bits) <= LARGE:
            return self.evaluator.bounds(levels)
        # What changes, by the bound without minima: a fraction of the work.
        plain = self.programme.evaluator
        now = plain.bound(self.columns.moments(self._logs(self.found.bits)))
        return plain.bounds(levels) - now + float(self.exact(self.found.bits))
