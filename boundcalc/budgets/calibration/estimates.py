"""Numbers with confidence intervals, from batches of probes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.statistics import jackknife_interval


@dataclass(frozen=True)
class Estimate:
    """Numbers ≥ 0 by sample, ``(M,)``, with intervals that hold with the same confidence each."""

    value: Array
    lo: Array
    hi: Array


def mean_of(batches: Array, slack: Array, confidence: float) -> Estimate:
    """The mean of ``(B, M)`` batches; ``slack`` is how far each sample's may be off besides.

    >>> found = mean_of(np.array([[2.0]]), np.array([0.5]), 0.99)
    >>> float(found.value[0]), float(found.lo[0]), float(found.hi[0])
    (2.0, 1.5, 2.5)
    """
    value = batches.mean(axis=0)
    lo = hi = value
    if len(batches) > 1:
        left_out = (batches.sum(axis=0) - batches) / (len(batches) - 1)
        lo, hi = jackknife_interval(left_out, value, confidence)
    lo, hi = np.maximum(lo - slack, 0.0), hi + slack
    # What may be rounding and nothing else is no sensitivity.
    return Estimate(np.where(value <= slack, 0.0, value), lo, hi)


def squared_mean_of(batches: Array, slack: Array, confidence: float) -> Estimate:
    """‖E d‖² without bias from batch means ``(B, M, k)``; ``slack`` bounds an error of E d.

    Notes
    -----
    Σ_{b≠c} ⟨d̄_b, d̄_c⟩ / (B(B−1)), with a jackknife-t interval; ‖d̄‖² of a single batch, which
    stands for an average that is exact.
    """
    if len(batches) == 1:
        value = lo = hi = np.sum(batches[0] ** 2, axis=-1)
    else:
        value, left_out = _squared(batches)
        lo, hi = jackknife_interval(left_out, value, confidence)
    lo, hi = np.sqrt(np.maximum(lo, 0.0)), np.sqrt(np.maximum(hi, 0.0))
    value = np.maximum(value, 0.0)
    return Estimate(
        np.where(np.sqrt(value) <= slack, 0.0, value),
        np.maximum(lo - slack, 0.0) ** 2,
        (hi + slack) ** 2,
    )


def _squared(batches: Array) -> tuple[Array, Array]:
    """The unbiased estimate, and the same without each batch."""
    count, total = len(batches), batches.sum(axis=0)
    own = np.sum(batches**2, axis=-1)

    def estimate(sums: Array, squares: Array, number: int) -> Array:
        # Σ_{b≠c} ⟨d̄_b, d̄_c⟩ = ‖Σ d̄_b‖² − Σ ‖d̄_b‖²
        return np.asarray((np.sum(sums**2, axis=-1) - squares) / (number * (number - 1)))

    whole = estimate(total, own.sum(axis=0), count)
    return whole, estimate(total - batches, own.sum(axis=0) - own, count - 1)


def largest(estimates: list[Estimate]) -> tuple[float, float, float]:
    """The largest value and the interval of it, where all intervals hold together."""
    parts = (
        np.concatenate([getattr(e, name) for e in estimates]) for name in ("value", "lo", "hi")
    )
    value, lo, hi = (float(part.max()) for part in parts)
    return value, lo, hi
