"""Small shifts of one site, and what they do to the gradient."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from boundcalc.budgets.calibration.iterates import generator
from boundcalc.budgets.calibration.laws import Key
from boundcalc.budgets.calibration.point import Point
from boundcalc.operators.base import Array
from boundcalc.simulate.iterates import BATCHES

#: Probes that are made with half the step as well.
CHECKED = 32


@dataclass(frozen=True)
class Probes:
    """Unit vectors z of n components with mean zzᵀ = I/n.

    Where n is at most the number of probes asked for these are the n coordinates, and averages
    over them have no sampling error.  Else they are random signs over √n, in 32 independent
    batches; the same for every site of n components, iterate and sample.

    Attributes
    ----------
    size
        n.
    wanted
        The number of probes asked for.
    seed
        Of the random signs.
    """

    size: int
    wanted: int
    seed: int

    @property
    def exact(self) -> bool:
        """Whether every coordinate is probed."""
        return self.size <= self.wanted

    @property
    def batches(self) -> int:
        """The number of independent batches; 1 where nothing is random."""
        return 1 if self.exact else BATCHES

    @property
    def each(self) -> int:
        """The number of probes in a batch."""
        return self.size if self.exact else -(-self.wanted // BATCHES)

    @property
    def stretch(self) -> float:
        """Length of a probe that moves each of the components it moves by 1."""
        return 1.0 if self.exact else math.sqrt(self.size)

    def blocks(self, batch: int, most: int) -> Iterator[Array]:
        """The probes of a batch, ``(R, n)``, at most ``most`` at once; the same whatever that is.

        >>> [block.tolist() for block in Probes(2, 8, 0).blocks(0, 1)]
        [[[1.0, 0.0]], [[0.0, 1.0]]]
        >>> signs = np.concatenate(list(Probes(4, 1, 0).blocks(5, 3)))
        >>> np.abs(signs).tolist()
        [[0.5, 0.5, 0.5, 0.5]]
        """
        rng = generator(self.seed, 1, self.size, batch)
        for start in range(0, self.each, most):
            count = min(most, self.each - start)
            if self.exact:
                block = np.zeros((count, self.size))
                block[np.arange(count), np.arange(start, start + count)] = 1.0
            else:
                signs = np.where(rng.random((count, self.size)) < 0.5, -1.0, 1.0)
                block = signs / math.sqrt(self.size)
            yield block


@dataclass(frozen=True)
class Response:
    """What unit probes of one site do at one point: J and H are derivatives of ũ.

    Attributes
    ----------
    squares
        Means of ‖Jz‖² by batch and sample, ``(B, M)``: estimates of ‖J‖²_F/n.
    bends
        Means of ½H[z, z], ``(B, M, k)``: estimates of Σ_i ∂²ũ/∂y_i² / (2n).  Of a backward
        site None: ũ is affine in ε.
    square_slack, bend_slack
        How far truncation and rounding may have moved ``squares``, and the length by which they
        may have moved the mean of ``bends``, ``(M,)``.
    worst
        The largest ‖Jz‖² found, ``(M,)``.
    worst_exact
        Whether that is ‖J‖², over all directions.
    unsteady
        Whether probes of two sizes disagree by more than a twentieth.
    """

    squares: Array
    bends: Array | None
    square_slack: Array
    bend_slack: Array
    worst: Array
    worst_exact: bool
    unsteady: bool


def respond(point: Point, key: Key, probes: Probes, step: float) -> Response:
    """Probe one site with shifts that move components by ``step``.

    Notes
    -----
    Some probes are made with half the step as well, to see what truncation does
    (:func:`truncation`); rounding is a few units in the last place of u over h, or over h².
    Nothing is truncated in the backward pass.
    """
    length = step * probes.stretch
    found = [_batch(point, key, probes, batch, length) for batch in range(probes.batches)]
    none = np.zeros(point.samples)
    forward = key[0] == "forward"
    off = _truncation(point, key, probes, length) if forward else (none, none)
    squares = np.stack([entry.squares for entry in found])
    bends = [entry.bends for entry in found if entry.bends is not None]
    rounding, size = point.rounding / length, np.sqrt(squares.mean(axis=0))
    odd_off = rounding + off[0]
    return Response(
        squares=squares,
        bends=np.stack(bends) if bends else None,
        # ‖Jz‖² moves by at most (2‖Jz‖ + off) off; the mean of ‖Jz‖ is at most their rms.
        square_slack=(2 * size + odd_off) * odd_off,
        bend_slack=rounding / length + off[1],
        worst=np.max([entry.worst for entry in found], axis=0),
        worst_exact=found[0].worst_exact,
        unsteady=bool(np.any((off[0] > size / 20) & (off[0] > rounding))),
    )


def truncation(whole: Array, half: Array) -> Array:
    """How far vectors ``(…, k)`` from a step h may be off, where h/2 gave others.

    The error goes with h², so that it is 4/3 of their difference for small h; twice the
    difference leaves room for higher powers.
    """
    return np.asarray(2.0 * np.sqrt(np.sum((whole - half) ** 2, axis=-1)))


def _derivatives(point: Point, key: Key, block: Array, length: float) -> tuple[Array, Array | None]:
    """Jz and, of a forward site, ½H[z, z] for unit probes z ``(R, n)``; both ``(R, M, k)``."""
    direction, number = key
    count, size = block.shape
    shift = np.broadcast_to(length * block[:, None], (count, point.samples, size))
    if direction == "backward":
        moved = point.linear({number: shift})
        return _repeated(moved, count) / length, None
    odd, even = point.pair({number: shift}, {})
    return _repeated(odd, count) / length, _repeated(even, count) / length**2


def _repeated(array: Array, count: int) -> Array:
    # A site without influence leaves one row for all probes.
    return np.broadcast_to(array, (count, *array.shape[1:]))


def _truncation(point: Point, key: Key, probes: Probes, length: float) -> tuple[Array, Array]:
    """By sample: mean truncation errors of Jz and of ½H[z, z], from some of the probes."""
    block = next(probes.blocks(0, min(CHECKED, point.most(point.samples))))
    whole = _derivatives(point, key, block, length)
    half = _derivatives(point, key, block, length / 2)
    assert whole[1] is not None  # noqa: S101 - a forward site
    assert half[1] is not None  # noqa: S101 - the same
    odd, even = truncation(whole[0], half[0]), truncation(whole[1], half[1])
    return np.sqrt(np.mean(odd**2, axis=0)), np.asarray(even.mean(axis=0))


@dataclass(frozen=True)
class _Batch:
    squares: Array
    bends: Array | None
    worst: Array
    worst_exact: bool


def _batch(point: Point, key: Key, probes: Probes, batch: int, length: float) -> _Batch:
    samples = point.samples
    squares, worst = np.zeros(samples), np.zeros(samples)
    bends = np.zeros((samples, point.weights)) if key[0] == "forward" else None
    most = point.most(samples)
    together = probes.exact and probes.size <= most
    for block in probes.blocks(batch, most):
        odd, even = _derivatives(point, key, block, length)
        norms = np.sum(odd**2, axis=-1)
        squares += norms.sum(axis=0)
        worst = np.maximum(worst, _largest(odd) if together else norms.max(axis=0))
        if bends is not None and even is not None:
            bends += even.sum(axis=0)
    mean = None if bends is None else bends / probes.each
    return _Batch(squares / probes.each, mean, worst, together)


def _largest(columns: Array) -> Array:
    """‖J‖² by sample from all columns of J, ``(n, M, k)``: the largest eigenvalue of JᵀJ."""
    by_sample = np.swapaxes(columns, 0, 1)
    gram = by_sample @ np.swapaxes(by_sample, 1, 2)
    if not np.isfinite(gram).all():
        return np.full(len(gram), np.nan)
    return np.asarray(np.linalg.eigvalsh(gram)[:, -1].clip(min=0.0))
