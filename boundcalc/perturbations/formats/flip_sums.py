"""From the cells of a format to a vector whose components lie in a reach.

δ = D + ρ with |ρ| ≤ h/2 the rounding error, which y fixes.  So, in each cell, ::

    |E δ| ≤ |E D| + |ρ|,    E δ² ≤ E D² + 2|ρ||E D| + ρ²,
    E δ⁴ ≤ E D⁴ + 4|ρ| E|D|³ + 6 ρ² E D² + 4 |ρ|³ E|D| + ρ⁴.

A bound b on each component sums to n max b, and also, for every threshold, to n times the
largest b of the cells below it plus ‖y‖² times the largest b/y² of those above it.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.formats.bounds import Ball
from boundcalc.perturbations.formats.exact import float_up
from boundcalc.perturbations.formats.flips import SLACK, Cells
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import exact

_LEAST = 2.0**-900  # no bound is below it: products that float64 loses are smaller


def flip_moments(found: Cells, ball: Ball, scale: Fraction) -> VectorMoments:
    """Bounds on ‖E δ‖², E‖δ‖² and E‖δ‖⁴ ≤ (Σ E δ_j²)² + Σ E δ_j⁴, enlarged by the slack.

    Parameters
    ----------
    found
        The cells.
    ball
        Where y lies; its components fit the format.
    scale
        That the numbers of the format are multiplied by.
    """
    largest = min(ball.magnitude**2, ball.squared) / scale**2
    inside = ball.squared / scale**2
    kept = found.below(float_up(ball.magnitude / scale))
    rho, (first, second, third, fourth) = kept.half, kept.sizes
    least = np.maximum(kept.low - rho, 0.0) ** 2
    means = (first + rho) ** 2
    seconds = second + 2 * rho * first + rho**2
    fourths = fourth + 4 * rho * third + 6 * rho**2 * second + 4 * rho**3 * first + rho**4

    mean, total = (_summed(least, bound, ball.size, inside) for bound in (means, seconds))
    mean, total = min(mean, total) * scale**2, total * scale**2
    excess = _summed(least**2, fourths, ball.size, inside * largest) * scale**4
    return VectorMoments(exact(mean), exact(total), exact(total**2 + excess))


def _summed(weights: Array, bounds: Array, size: int, total: Fraction) -> Fraction:
    """The least over thresholds of n max_{below} b + total · max_{above} b/weight."""
    many, most = float(size), float_up(total)
    below = np.concatenate([[0.0], np.maximum.accumulate(bounds)])
    with np.errstate(over="ignore"):  # an infinite bound is never the least
        ratio = np.divide(bounds, weights, out=np.full(bounds.shape, np.inf), where=weights > 0)
        above = np.concatenate([np.maximum.accumulate(ratio[::-1])[::-1], [0.0]])
        usable = np.isfinite(above)
        best = np.min(many * below[usable] + most * above[usable])
    return Fraction(max(float(best * SLACK), _LEAST))
