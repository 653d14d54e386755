"""A question's bound from the errors and biases of groups of steps.

The bound itself is that of :mod:`boundcalc.rates.statements`, in any number kind; for searches
there is how much of what may be spent is spent, in float64, for many sets of levels at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar
from boundcalc.budgets.inversion_groups import Groups
from boundcalc.budgets.inversion_steps import least_nonconvex, least_pl
from boundcalc.budgets.question import Question, highest, lowest
from boundcalc.rates.inputs import limit_value, problem, problem_as
from boundcalc.rates.statements import Level, contraction_drop, nonconvex_terms, pl_terms
from boundcalc.rates.steps import exact_step

#: Error and bias bounds, group by group.
Sizes = Sequence[tuple[Scalar, Scalar]]


@dataclass(frozen=True)
class _Weights:
    """At a fixed step the bound is a constant + Σ_g error_g · extra_g + bias_g · bias²_g."""

    error: tuple[float, ...]
    bias: tuple[float, ...]


class Objective:
    """The bound of a question as a function of error and bias bounds by group of steps."""

    def __init__(self, asked: Question) -> None:
        self.asked = asked
        self.p = problem(asked.graph)
        self.batch = asked.averaged
        self.descent = asked.family.descent
        self.nonconvex = asked.regime == "nonconvex"
        self.target = lowest(asked.target.value)
        #: What perturbations may add: target − unperturbed bound.
        #: A baseline too small for float64 is nothing beside a target.
        tiny = float(asked.baseline) == 0.0
        self.slack = self.target - (0 if tiny else lowest(asked.baseline.value))
        #: Δ₀, which no step at all keeps.
        self.gap = highest(self.p.gap)
        self._weights: dict[int, tuple[Groups, _Weights]] = {}
        self._discounts: dict[tuple[int, str, Fraction | None], tuple[Groups, list[Scalar]]] = {}

    def bound(
        self, groups: Groups, sizes: Sizes, kind: Arithmetic, step: Fraction | None = None
    ) -> Scalar:
        """The bound in a number kind, by default at the question's step."""
        p, d = problem_as(self.p, kind, step), self.descent
        levels = [self._level(error, bias, kind) for error, bias in sizes]
        if self.nonconvex:
            shares = [kind.number(share) for share in groups.shares]
            return sum(nonconvex_terms(p, d, levels, shares).values())
        key = (id(groups), kind.name, step)
        if key not in self._discounts:
            if len(self._discounts) > 256:
                self._discounts.clear()
            drop = contraction_drop(p, d)
            self._discounts[key] = (groups, groups.discounted(drop, d.lag, kind))
        return sum(pl_terms(p, d, levels, self._discounts[key][1]).values())

    def spent(self, groups: Groups, sizes: Sizes, kind: Arithmetic) -> Scalar:
        """(bound − unperturbed bound)/(target − unperturbed bound), for searches.

        Scalars of ``kind``, or arrays of float64.  Without cancellation where the step is fixed.
        """
        if self.asked.best:
            return (self.best(groups, sizes, kind)[0] - self._wide(self.asked.baseline.value)) / (
                kind.number(self.slack)
            )
        weights = self._fixed(groups)
        total = kind.number(0)
        for (error, bias), by_error, by_bias in zip(
            sizes, weights.error, weights.bias, strict=True
        ):
            if by_error == 0 and by_bias == 0:
                continue
            total = total + self._extra(error, bias, kind) * by_error + bias * by_bias
        return total

    def best(self, groups: Groups, sizes: Sizes, kind: Arithmetic) -> tuple[Scalar, Scalar]:
        """The least bound over steps and the step where it is, in float64 or wider; 0 is none."""
        extra = [self._extra(error, bias, kind) for error, bias in sizes]
        biases = [bias for _, bias in sizes]
        if self.nonconvex:
            return least_nonconvex(self.p, self.descent, groups, extra, biases, kind)
        return least_pl(self.p, self.descent, groups, extra, biases)

    def step_for(self, groups: Groups, sizes: Sizes, kind: Arithmetic) -> Fraction | None:
        """A step within the limit that is next to the best one; None without a best one."""
        step = self.best(groups, sizes, kind)[1]
        limit = limit_value(self.p, self.asked.family)
        return exact_step(WIDE.measured(float(step)), limit) if step > 0 else None

    def _level(self, error: Scalar, bias: Scalar, kind: Arithmetic) -> Level:
        return Level(self._averaged(error, bias, kind), bias, bool(bias == 0))

    def _averaged(self, error: Scalar, bias: Scalar, kind: Arithmetic) -> Scalar:
        """docs/theory.md, Lemma 6.4, as :func:`~boundcalc.rates.bound.batch_level`.

        Where draws are shared by a batch the error of one sample, which is never smaller than
        what Lemma 6.7 has.
        """
        if self.batch == 1:
            return error
        return kind.minimum(error, (bias * (self.batch - 1) + error) / self.batch)

    def _extra(self, error: Scalar, bias: Scalar, kind: Arithmetic) -> Scalar:
        """What the error adds to the variance (Lemma 6.3), or the error where it stands alone."""
        averaged = self._averaged(error, bias, kind)
        if not self.descent.splits_variance or self.p.sigma == 0:
            return averaged
        sigma = self._wide(self.p.sigma) if kind is WIDE else float(self._wide(self.p.sigma))
        biased = averaged + 2 * sigma * kind.sqrt(averaged)
        if isinstance(bias, np.ndarray):
            return np.where(bias == 0, averaged, biased)
        return averaged if bias == 0 else biased

    def _fixed(self, groups: Groups) -> _Weights:
        """The weights in units of the slack; each from a level that is 1 in one group only."""
        known = self._weights.get(id(groups))
        if known is None:
            count, one, zero = len(groups.shares), WIDE.number(1), WIDE.number(0)
            error, bias = [], []
            slack = WIDE.number(self.slack)
            for g in range(count):
                at = [(one, zero) if k == g else (zero, zero) for k in range(count)]
                error.append(float(self._term(groups, at, "perturbation_error") / slack))
                at = [(zero, one) if k == g else (zero, zero) for k in range(count)]
                bias.append(float(self._term(groups, at, "perturbation_bias") / slack))
            known = (groups, _Weights(tuple(error), tuple(bias)))
            self._weights[id(groups)] = known
        return known[1]

    def _term(self, groups: Groups, sizes: Sizes, name: str) -> Scalar:
        p, d = problem_as(self.p, WIDE), self.descent
        levels = [Level(error, bias, unbiased=True) for error, bias in sizes]
        if self.nonconvex:
            shares = [WIDE.number(share) for share in groups.shares]
            return nonconvex_terms(p, d, levels, shares)[name]
        key = (id(groups), WIDE.name, None)
        if key not in self._discounts:
            found = groups.discounted(contraction_drop(p, d), d.lag, WIDE)
            self._discounts[key] = (groups, found)
        return pl_terms(p, d, levels, self._discounts[key][1])[name]

    @staticmethod
    def _wide(value: Scalar) -> Scalar:
        from boundcalc.rates.bound import wide

        return wide(value)
