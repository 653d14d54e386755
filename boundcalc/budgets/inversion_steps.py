"""The least bound over step sizes, for searches: closed in one regime, on a grid in the other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar
from boundcalc.arithmetic.best import converted
from boundcalc.budgets.inversion_groups import Array, Groups
from boundcalc.errors import SpecError
from boundcalc.rates.statements import Problem
from boundcalc.theories.perturbed.descent import Descent

_DECADES = 30  # below the limit, over which steps are tried
_COARSE = 241
_FINE = 33
_ROUNDS = 6


def least_nonconvex(
    p: Problem,
    d: Descent,
    groups: Groups,
    extra: Sequence[Scalar],
    bias: Sequence[Scalar],
    kind: Arithmetic,
) -> tuple[Scalar, Scalar]:
    """min over γ ≤ 1/(kL) of G/γ + Hγ + const (docs/theory.md, Lemma 6.6), and where it is."""

    def number(value: Scalar) -> Scalar:
        wide = converted(value, WIDE)
        return wide if kind is WIDE else float(wide)

    shares = [number(share) for share in groups.shares]
    spread = sum(x * share for x, share in zip(extra, shares, strict=True))
    mean = sum(x * share for x, share in zip(bias, shares, strict=True))
    L, T = number(p.L), p.horizon
    slope = L * (d.noise * number(p.sigma) ** 2 + d.error * spread)
    fixed, limit = d.gap * number(p.gap) / T, 1 / (d.limit * L)
    with np.errstate(divide="ignore"):
        if isinstance(slope, np.ndarray):
            step: Scalar = np.minimum(limit, np.sqrt(fixed / slope))
        else:
            step = limit if slope == 0 else min(limit, kind.sqrt(fixed / slope))
    return fixed / step + slope * step + d.bias * mean, step


def least_pl(
    p: Problem, d: Descent, groups: Groups, extra: Sequence[Scalar], bias: Sequence[Scalar]
) -> tuple[Any, Any]:
    """min over γ ≤ 1/(kL) of the PL bound in float64, and where it is; 0 for γ → 0.

    Two rounds of grids as :func:`boundcalc.rates.steps.search` has, for all entries at once.

    Raises
    ------
    SpecError
        If the schedules are too long a list to be summed for hundreds of steps.
    """
    if groups.floats is None:
        raise SpecError(
            "the best step is not known for this horizon and these schedules",
            where="budget.step_size",
            value="best",
            expected="a step size",
            fix="give `step_size`",
        )
    scalar = not any(isinstance(x, np.ndarray) for x in (*extra, *bias))
    rows = [np.atleast_1d(np.asarray(_float(x), dtype=np.float64)) for x in (*extra, *bias)]
    columns = np.broadcast_arrays(*rows)
    errors, biases = columns[: len(extra)], columns[len(extra) :]
    L, mu, gap, sigma = (float(converted(x, WIDE)) for x in (p.L, p.mu, p.gap, p.sigma))
    limit = 1 / (d.limit * L)
    c = float(Fraction(*d.contraction)) * mu

    def value(steps: Array) -> Array:
        drops = np.minimum(1.0, c * steps)
        assert groups.floats is not None  # noqa: S101 - looked at above
        sums = groups.floats(drops, d.lag)
        by_error = float(Fraction(*d.pl_error)) * L * steps**2
        by_bias = float(Fraction(*d.pl_bias)) * steps
        if d.pl_noise is None:
            total = by_error * sigma**2 * sum(sums)
        else:
            total = d.pl_noise * L * steps * sigma**2 / mu
        log_ratio = np.log1p(-np.minimum(drops, 1 - 2.0**-53))
        total = total + gap * np.exp(p.horizon * log_ratio)
        for e, b, weight in zip(errors, biases, sums, strict=True):
            total = total + weight * (by_error * e[:, None] + by_bias * b[:, None])
        found: Array = np.nan_to_num(total, nan=np.inf, posinf=np.inf)
        return found

    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        return _narrowed(value, limit, gap, len(columns[0]), scalar)


def _narrowed(value: Any, limit: float, gap: float, count: int, scalar: bool) -> tuple[Any, Any]:
    low = np.full(count, np.log(limit) - _DECADES * np.log(10.0))
    high = np.full(count, np.log(limit))
    best, step, nowhere = np.full(count, np.inf), np.zeros(count), np.zeros(count, bool)
    for index in range(_ROUNDS):
        points = _COARSE if index == 0 else _FINE
        x = low[:, None] + (high - low)[:, None] * (np.arange(points) / (points - 1))
        steps = np.minimum(limit, np.exp(x))
        values = value(steps)
        k = values.argmin(axis=1)
        rows = np.arange(count)
        if index == 0:
            nowhere = (k == 0) | (values[rows, k] >= gap)
        better = values[rows, k] < best
        best, step = np.where(better, values[rows, k], best), np.where(better, steps[rows, k], step)
        low, high = x[rows, np.maximum(k - 1, 0)], x[rows, np.minimum(k + 1, points - 1)]
    # No step at all keeps the initial gap.
    best, step = np.where(nowhere, gap, best), np.where(nowhere, 0.0, step)
    return (float(best[0]), float(step[0])) if scalar else (best, step)


def _float(x: Scalar) -> Any:
    return x if isinstance(x, np.ndarray) else float(x)
