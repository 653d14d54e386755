"""Gradients at one iterate and some samples, and how shifts at sites move them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.budgets.calibration.iterates import Iterates
from boundcalc.operators.base import Array
from boundcalc.simulate.program import Path, Program, Shifts
from boundcalc.simulate.transforms import as_added

#: δ by operator number, ε by edge number, ``(R, M, n)``.
Arrays: TypeAlias = Mapping[int, Array]

#: Numbers in the largest array of a block of probes.
ELEMENTS = 4_000_000

_EPSILON = float(np.finfo(np.float64).eps)


class Point:
    """ũ as a function of shifts, at fixed weights and samples.

    Parameters
    ----------
    w
        ``(k,)``.
    features, labels
        Of the samples looked at, ``(M, d)`` and ``(M,)``.

    Attributes
    ----------
    clean
        u, ``(1, M, k)``.
    """

    def __init__(self, program: Program, w: Array, features: Array, labels: Array) -> None:
        self.program, self._w = program, w[None]
        self._x, self._y = features[None], labels[None]
        self._path = program.outputs(self._w, self._x, self._y, {})
        self.clean = self._back(self._path, {})

    @property
    def samples(self) -> int:
        """M, the number of samples looked at."""
        return int(self.clean.shape[1])

    @property
    def weights(self) -> int:
        """k, the number of components of u."""
        return int(self.clean.shape[2])

    @property
    def rounding(self) -> float:
        """How far a gradient may be off by rounding: 32 units in the last place of the largest."""
        return 32.0 * _EPSILON * float(np.sqrt(np.sum(self.clean**2, axis=-1)).max())

    def most(self, samples: int) -> int:
        """How many shifts of ``samples`` samples may be tried at once."""
        widest = max(self.weights, *self.program.widths)
        return max(1, ELEMENTS // (samples * widest))

    def pair(self, delta: Arrays, epsilon: Arrays) -> tuple[Array, Array]:
        """The parts of ũ − u that are odd and even in a shift: ½(ũ₊ − ũ₋) and ½(ũ₊ + ũ₋) − u.

        In a shift of length h these are Jδ + O(h³) and ½H[δ, δ] + O(h⁴).

        Returns
        -------
        Two arrays ``(R or 1, M, k)`` for shifts ``(R, M, n)``.
        """
        plus = self._moved(delta, epsilon) - self.clean
        minus = self._moved(_negative(delta), _negative(epsilon)) - self.clean
        return (plus - minus) / 2, (plus + minus) / 2

    def linear(self, epsilon: Arrays) -> Array:
        """ũ − u for shifts in the backward pass alone, in which ũ is affine."""
        return self._moved({}, epsilon) - self.clean

    def added(self, delta: Shifts, epsilon: Shifts) -> Array:
        """What the only shift of a pass, a recorded change, adds: ``(R, M, n)``."""
        self._moved(delta, epsilon)
        (found,) = as_added({**delta, **epsilon}).values()
        return found

    def _moved(self, delta: Shifts, epsilon: Shifts) -> Array:
        if not delta:
            return self._back(self._path, epsilon)
        path = self.program.outputs(self._w, self._x, self._y, delta)
        return self._back(path, epsilon)

    def _back(self, path: Path, epsilon: Shifts) -> Array:
        return self.program.sample_gradients(self._w, path, self._y, epsilon)


def _negative(shifts: Arrays) -> dict[int, Array]:
    return {key: -value for key, value in shifts.items()}


def typical_sizes(found: Iterates) -> list[float]:
    """By operator, 0 to N: the root mean square of an output's components, or 1 where all are 0.

    Over all iterates and samples, so that the same shift is tried at each of them.
    """
    # An output that no backward pass reads is needed here all the same.
    steps = tuple(replace(step, last=()) for step in found.program.steps)
    program = replace(found.program, steps=steps)
    totals = np.zeros(len(steps) + 1)
    counts = np.zeros(len(steps) + 1)
    for w in found.weights.values():
        for rows in chunks(found.rows, max(1, ELEMENTS // sum(program.widths))):
            x, y = found.features[None, rows], found.labels[None, rows]
            for number, value in enumerate(program.outputs(w[None], x, y, {})):
                totals[number] += float(np.sum(value**2))
                counts[number] += value.size
    sizes = np.sqrt(totals / counts)
    return [float(size) if np.isfinite(size) and size > 0 else 1.0 for size in sizes]


def chunks(rows: npt.NDArray[np.int64], most: int) -> list[npt.NDArray[np.int64]]:
    """Rows cut into pieces of at most ``most``.

    >>> [piece.tolist() for piece in chunks(np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    return [rows[start : start + most] for start in range(0, len(rows), most)]
