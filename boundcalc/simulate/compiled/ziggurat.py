"""The tables of NumPy's ziggurat for normal numbers, read from the sampler itself.

The word that the sampler gets next is chosen through the generator's state.  It holds the layer
(bits 0 to 7), the sign (bit 8) and a position k (bits 9 to 60); the sampler returns k·step of
the layer and takes no second word if and only if k is below a limit.  So a bisection finds
every limit, and a quotient every step, to the last bit, whatever NumPy's version is.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from boundcalc.operators.base import Array

LAYERS = 256
_POSITIONS = 2**52


class _Sampler:
    """NumPy's sampler, given chosen words."""

    def __init__(self) -> None:
        self._bits = np.random.SFC64(0)
        self._rng = np.random.Generator(self._bits)
        self._state = self._bits.state

    def normal(self, layer: int, position: int) -> tuple[float, int]:
        """What it returns, and how many words it takes.

        The next word of SFC64 is a + b + counter, and the counter counts.
        """
        word = position << 9 | layer
        self._state["state"]["state"] = np.array([word, 0, 0, 0], dtype=np.uint64)
        self._bits.state = self._state
        value = self._rng.standard_normal()
        return value, int(self._bits.state["state"]["state"][3])


@lru_cache(maxsize=1)
def normal_tables() -> Array:
    """Steps, limits and heights of the layers, ``(3, 256)``.

    The height of layer i ≥ 1 is the density exp(−x²/2) at its width x = 2⁵²·step; that of
    layer 0 is 1.

    >>> step, limit, height = normal_tables()
    >>> bool(3.654 < step[255] * 2**52 < 3.655), int(limit[1]), float(height[0])
    (True, 0, 1.0)
    """
    sampler = _Sampler()
    tables = np.empty((3, LAYERS))
    for layer in range(LAYERS):
        limit, above = 0, _POSITIONS
        while limit < above:
            middle = (limit + above) // 2
            if sampler.normal(layer, middle)[1] == 1:
                limit = middle + 1
            else:
                above = middle
        # Close to 0 every position is taken, at once or in the wedge: a power of two is exact.
        step = sampler.normal(layer, 2**40)[0] / 2**40
        tables[:, layer] = step, limit, math.exp(-0.5 * (step * _POSITIONS) * (step * _POSITIONS))
    tables[2, 0] = 1.0
    tables.flags.writeable = False
    return tables
