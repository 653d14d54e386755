"""Noise of the agents' gradients, drawn for all replicas at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.streams import stream

#: Replicas that share a generator.  A replica's numbers depend on the seed and on its own
#: position only: whole blocks are drawn even where fewer replicas are asked for.
BLOCK = 64

NoiseKind: TypeAlias = Literal["gaussian", "affine", "student"]

#: ν from which Student's law and the normal one differ by less than rounding (ν may be ∞ in
#: floating point, of which NumPy makes NaN).
_NORMAL = 1e16

#: What a generator of a block serves.
_NOISE, _COMPRESSION, _PROBES = 0, 1, 2


@dataclass(frozen=True)
class Noise:
    r"""ξ_i = s_i(‖∇f‖)·Z with s_i² = σ_{0,i}² + σ_{1,i}²‖∇f‖² and Z with independent components.

    Attributes
    ----------
    kind
        The law of a component of Z: ``gaussian`` and ``affine`` standard normal (``affine`` is
        its name where σ_1 > 0), ``student`` Student's t with ``nu`` degrees of freedom.
    sigma0, sigma1
        ``(N,)``: by agent the two parts of the scale.  It is the standard deviation of a
        component of normal noise; of Student's t it is the scale, and the variance is
        s²ν/(ν−2), or infinite for ν ≤ 2.
    nu
        Degrees of freedom; None but for ``student``.
    truncation
        τ: Z is cut to [−τ, τ], so that |ξ_ij| ≤ τ·s_i.  The mean stays 0 and the variance
        can only fall.

    Examples
    --------
    >>> noise = Noise("affine", np.array([3.0, 0.0]), np.array([1.0, 2.0]))
    >>> noise.scale(np.array([4.0])).tolist()
    [[5.0, 8.0]]
    """

    kind: NoiseKind
    sigma0: Array
    sigma1: Array
    nu: float | None = None
    truncation: float | None = None

    @property
    def agents(self) -> int:
        """N."""
        return len(self.sigma0)

    def scale(self, gradient_norm: Array) -> Array:
        """s_i(‖∇f‖) of all agents, ``(R, N)``, for norms ``(R,)``."""
        if not self.sigma1.any():
            return np.broadcast_to(self.sigma0, (len(gradient_norm), self.agents))
        norm = gradient_norm[:, None]
        # A norm that overflows adds nothing where σ1 = 0: 0·∞ would be NaN.
        none = np.zeros((len(norm), self.agents))
        part = np.multiply(self.sigma1, norm, out=none, where=self.sigma1 > 0)
        return np.asarray(np.hypot(self.sigma0, part))

    def scaled(self, gradient_norm: Array, standard: Array) -> Array:
        """ξ = s_i(‖∇f‖)·Z, ``(R, N, d)``; 0 where s_i = 0, also where Z overflows.

        >>> one = Noise("student", np.array([0.0, 2.0]), np.zeros(2), 0.01)
        >>> one.scaled(np.zeros(1), np.array([[[np.inf], [3.0]]])).tolist()
        [[[0.0], [6.0]]]
        """
        scale = self.scale(gradient_norm)[..., None]
        if (scale > 0).all():
            return np.asarray(scale * standard)
        return np.multiply(scale, standard, out=np.zeros(standard.shape), where=scale != 0)

    def standard(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        """Z, elements in the order of the array, so that parts can be drawn one by one."""
        drawn = self._whole(rng, shape)
        if self.truncation is not None:
            np.clip(drawn, -self.truncation, self.truncation, out=drawn)
        return drawn

    def _whole(self, rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
        if self.kind != "student":
            return rng.standard_normal(shape)
        assert self.nu is not None  # noqa: S101 - the section has been checked
        if self.nu >= _NORMAL:
            return rng.standard_normal(shape)
        return rng.standard_cauchy(shape) if self.nu == 1 else rng.standard_t(self.nu, shape)


class Draws:
    """The random numbers of a range of replicas, step by step.

    Parameters
    ----------
    seed
        Of the simulation.
    blocks
        Which blocks of :data:`BLOCK` replicas; replicas b·BLOCK … (b+1)·BLOCK − 1 are block b.
    replicas
        How many rows are wanted: at most ``len(blocks)·BLOCK``.

    Notes
    -----
    Noise and compression have generators of their own, so that a run with another compressor
    meets the same noise.
    """

    def __init__(self, seed: int, blocks: range, replicas: int) -> None:
        self._replicas = replicas
        self._noise = [stream(seed, "distributed", b, _NOISE) for b in blocks]
        self._compression = [stream(seed, "distributed", b, _COMPRESSION) for b in blocks]
        self._probes = [stream(seed, "distributed", b, _PROBES) for b in blocks]

    def noise(self, noise: Noise, size: int) -> Array:
        """Z of one step, ``(R, N, d)``."""
        shape = (BLOCK, noise.agents, size)
        return self._joined([noise.standard(rng, shape) for rng in self._noise])

    def uniforms(self, agents: int, size: int) -> Array:
        """What a step's compressors draw, ``(R, N, size)``, uniform on [0, 1)."""
        shape = (BLOCK, agents, size)
        return self._joined([rng.random(shape) for rng in self._compression])

    def directions(self, size: int) -> Array:
        """Random directions ``(R, d)`` of length 1, for probes of the gradient."""
        drawn = self._joined([rng.standard_normal((BLOCK, size)) for rng in self._probes])
        length = np.linalg.norm(drawn, axis=1, keepdims=True)
        return np.asarray(drawn / np.where(length > 0, length, 1.0))

    def _joined(self, parts: list[Array]) -> Array:
        return (parts[0] if len(parts) == 1 else np.concatenate(parts))[: self._replicas]


def tiles(replicas: int, numbers: int, most: int) -> Iterator[tuple[range, range]]:
    """Ranges of replicas that fit into memory together, with their blocks.

    Parameters
    ----------
    numbers
        What one replica needs in a step.
    most
        How many numbers may be held at once; one block at least is taken.

    Examples
    --------
    >>> [(list(part)[::64], list(blocks)) for part, blocks in tiles(130, 10, 1280)]
    [([0, 64], [0, 1]), ([128], [2])]
    """
    size = max(1, most // (BLOCK * max(1, numbers)))
    count = -(-replicas // BLOCK)
    for first in range(0, count, size):
        last = min(first + size, count)
        yield range(first * BLOCK, min(last * BLOCK, replicas)), range(first, last)
