"""Error and bias of the gradient at a fixed iterate, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from boundcalc.operators.base import Array
from boundcalc.simulate.noise import NoiseSource
from boundcalc.simulate.program import Program, Shifts
from boundcalc.simulate.reach import Reach
from boundcalc.simulate.statistics import jackknife_interval

BATCHES = 32  # of draws, from which intervals are made
_ELEMENTS = 2_000_000  # numbers in the largest array of a block of draws
_TOTAL = 40_000_000  # numbers in the outputs of all operators for such a block


@dataclass(frozen=True)
class IterateCheck:
    """E‖ũ−u‖² and ‖E[ũ−u]‖² at one iterate, for several samples.

    Attributes
    ----------
    step
        The step t of the iterate w^(t).
    samples
        Row numbers of the data.
    error, error_lo, error_hi
        E‖ũ−u‖² by sample, with simultaneous confidence intervals.
    bias, bias_lo, bias_hi
        ‖E[ũ−u]‖² by sample, an unbiased estimate, which may be slightly negative.
    scale
        Largest ‖u‖² among the samples: rounding errors are measured against it.
    draws
        Independent perturbation draws per sample.
    reach
        The inputs met, to hold against the regions.
    """

    step: int
    samples: tuple[int, ...]
    error: Array
    error_lo: Array
    error_hi: Array
    bias: Array
    bias_lo: Array
    bias_hi: Array
    scale: float
    draws: int
    reach: Reach


def check_iterate(
    program: Program,
    noise: NoiseSource,
    rng: np.random.Generator,
    *,
    step: int,
    w: Array,
    features: Array,
    labels: Array,
    rows: npt.NDArray[np.int64],
    draws: int,
    confidence: float,
) -> IterateCheck:
    """Measure error and bias with every perturbation acting.

    Parameters
    ----------
    w
        ``(k,)``, the iterate.
    features, labels
        The whole data set, ``(M, d)`` and ``(M,)``.
    rows
        The samples to look at.
    draws
        Independent perturbation draws per sample, rounded up to a multiple of 32; each
        is used with its mirror images where the law is symmetric.
    confidence
        Of all intervals of one kind together (Bonferroni over the samples).

    Notes
    -----
    The draws are cut into 32 batches with means d̄_b of d = ũ − u.  ‖E d‖² is estimated
    without bias by Σ_{b≠c} ⟨d̄_b, d̄_c⟩ / (32·31); intervals are jackknife-t over batches.
    O(draws × samples) time, bounded memory.
    """
    x, y = features[None, rows], labels[None, rows]
    weights = w[None, :]
    clean = program.sample_gradients(weights, program.outputs(weights, x, y, {}), y, {})
    per_batch = -(-draws // BATCHES)
    block = _block(program, noise, len(rows), per_batch)
    means = np.zeros((BATCHES, len(rows), program.weights))
    squares = np.zeros((BATCHES, len(rows)))
    reach = Reach(program.claims)
    active = (True,) * len(noise.perturbations)
    for batch in range(BATCHES):
        left = per_batch
        while left:
            count = min(block, left)
            left -= count
            delta, epsilon = noise.draw(rng, count, len(rows), active)
            total, norms = _orbit(program, noise, weights, (x, y), clean, delta, epsilon, reach)
            means[batch] += np.sum(np.broadcast_to(total, (count, *total.shape[1:])), axis=0)
            squares[batch] += np.sum(np.broadcast_to(norms, (count, len(rows))), axis=0)
    means /= per_batch
    squares /= per_batch
    each = 1 - (1 - confidence) / len(rows)
    error = squares.mean(axis=0)
    error_left = (squares.sum(axis=0) - squares) / (BATCHES - 1)
    error_lo, error_hi = jackknife_interval(error_left, error, each)
    bias, bias_left = _squared_mean(means)
    bias_lo, bias_hi = jackknife_interval(bias_left, bias, each)
    return IterateCheck(
        step=step,
        samples=tuple(int(row) for row in rows),
        error=error,
        error_lo=error_lo,
        error_hi=error_hi,
        bias=bias,
        bias_lo=bias_lo,
        bias_hi=bias_hi,
        scale=float(np.sum(clean**2, axis=-1).max()),
        draws=per_batch * BATCHES,
        reach=reach,
    )


def _block(program: Program, noise: NoiseSource, samples: int, wanted: int) -> int:
    """How many draws to make at once: neither one array nor all outputs shall be too large."""
    widest = max([program.weights, *(p.size for p in noise.perturbations), *program.widths])
    limit = min(_ELEMENTS // (samples * widest), _TOTAL // (samples * sum(program.widths)))
    return max(1, min(wanted, limit))


def _orbit(
    program: Program,
    noise: NoiseSource,
    weights: Array,
    data: tuple[Array, Array],
    clean: Array,
    delta: Shifts,
    epsilon: Shifts,
    reach: Reach,
) -> tuple[Array, Array]:
    """Averages of d = ũ − u and of ‖d‖² over a draw and its mirror images.

    Mirrored draws have the law of the draw, so both averages are unbiased; terms that
    are odd in δ or in ε cancel in the first, which leaves little but the bias.
    """
    x, y = data
    forwards = [delta, noise.mirrored("forward", delta)]
    backwards = [epsilon, noise.mirrored("backward", epsilon)]
    differences = []
    for forward in forwards:
        if forward is None:
            continue
        path = program.outputs(weights, x, y, forward, reach)
        differences += [
            program.sample_gradients(weights, path, y, backward) - clean
            for backward in backwards
            if backward is not None
        ]
    norms = [np.sum(difference**2, axis=-1) for difference in differences]
    count = len(differences)
    return np.asarray(sum(differences) / count), np.asarray(sum(norms) / count)


def _squared_mean(means: Array) -> tuple[Array, Array]:
    """Unbiased ‖E d‖² from batch means ``(B, M, k)``, and the same without each batch."""
    count = len(means)
    total = means.sum(axis=0)
    own = np.sum(means**2, axis=-1)

    def estimate(sums: Array, squares: Array, batches: int) -> Array:
        # Σ_{b≠c} ⟨d̄_b, d̄_c⟩ = ‖Σ d̄_b‖² − Σ ‖d̄_b‖²
        return np.asarray((np.sum(sums**2, axis=-1) - squares) / (batches * (batches - 1)))

    whole = estimate(total, own.sum(axis=0), count)
    return whole, estimate(total - means, own.sum(axis=0) - own, count - 1)
