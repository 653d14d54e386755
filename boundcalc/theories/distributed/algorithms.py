"""What the agents send, and the direction that the server makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from boundcalc.operators.base import Array

#: The first three are those of the statements; the others are run beside them.
AlgorithmName: TypeAlias = Literal["dsgd", "dcsgd", "dsignsgd", "normalised", "clipped"]


@dataclass(frozen=True)
class RandK:
    """k of d components, chosen uniformly at random and scaled by d/k: unbiased, ω = d/k − 1.

    Examples
    --------
    >>> RandK(1).apply(np.array([[[5.0, 7.0]]]), np.array([[[0.9, 0.2]]])).tolist()
    [[[0.0, 14.0]]]
    """

    k: int

    def apply(self, vectors: Array, uniforms: Array) -> Array:
        """C(x) of all vectors ``(R, N, d)``: the k with the smallest uniform numbers are kept."""
        size = vectors.shape[-1]
        if self.k >= size:
            return vectors
        # Ties have probability 0 and are broken by position.
        kept = np.argpartition(uniforms, self.k - 1, axis=-1)[..., : self.k]
        sent = np.zeros_like(vectors)
        chosen = np.take_along_axis(vectors, kept, axis=-1) * (size / self.k)
        np.put_along_axis(sent, kept, chosen, axis=-1)
        return sent


@dataclass(frozen=True)
class KeepOrDrop:
    """Each component is sent with probability 1/(1+ω), scaled by 1+ω, and else as 0.

    Unbiased, E‖C(x) − x‖² = ω‖x‖² exactly, for every ω ≥ 0 and in every dimension.

    Attributes
    ----------
    omega
        ``(N,)``: ω by agent.

    Examples
    --------
    >>> both = KeepOrDrop(np.array([3.0])).apply(np.ones((1, 1, 2)), np.array([[[0.2, 0.3]]]))
    >>> both.tolist()
    [[[4.0, 0.0]]]
    """

    omega: Array

    def apply(self, vectors: Array, uniforms: Array) -> Array:
        """C(x) of all vectors ``(R, N, d)``."""
        factor = (1 + self.omega)[:, None]
        return np.where(uniforms * factor < 1, vectors * factor, 0.0)


Compressor: TypeAlias = RandK | KeepOrDrop


@dataclass(frozen=True)
class Algorithm:
    """From the agents' stochastic gradients g_i, ``(R, N, d)``, to a direction, ``(R, d)``.

    Attributes
    ----------
    name
        ``dsgd``: (1/N)Σ g_i.  ``dcsgd``: (1/N)Σ C_i(g_i).  ``dsignsgd``: (1/N)Σ sign(g_i),
        component by component, sign(0) = 0: the average, not a majority vote.
        ``normalised``: ḡ/‖ḡ‖ with ḡ = (1/N)Σ g_i, and 0 for ḡ = 0.  ``clipped``:
        ḡ·min(1, c/‖ḡ‖) with c = ``server_clip``.
    compressor
        C; None sends everything.
    agent_clip
        Each g_i is scaled down to this norm before anything else.
    server_clip
        c, of ``clipped``.
    """

    name: AlgorithmName
    compressor: Compressor | None = None
    agent_clip: float | None = None
    server_clip: float | None = None

    @property
    def draws(self) -> bool:
        """Whether a step needs uniform numbers for compression."""
        return self.compressor is not None

    def direction(self, gradients: Array, uniforms: Array | None) -> Array:
        """The direction against which a step is taken.

        >>> g = np.array([[[3.0, -4.0], [-9.0, -2.0]]])
        >>> Algorithm("dsgd").direction(g, None).tolist()
        [[-3.0, -3.0]]
        >>> Algorithm("dsignsgd").direction(g, None).tolist()
        [[0.0, -1.0]]
        >>> Algorithm("dsgd", agent_clip=2.5).direction(g[:, :1], None).tolist()
        [[1.5, -2.0]]
        """
        if self.name == "dsignsgd":  # clipping changes no sign, and makes NaN of an infinity
            return np.asarray(np.sign(gradients).mean(axis=1))
        if self.agent_clip is not None:
            gradients = clipped(gradients, self.agent_clip)
        if self.compressor is not None:
            assert uniforms is not None  # noqa: S101 - the simulator draws where draws is true
            gradients = self.compressor.apply(gradients, uniforms)
        mean = np.asarray(gradients.mean(axis=1))
        if self.name == "normalised":
            return _unit(mean)
        if self.name == "clipped":
            assert self.server_clip is not None  # noqa: S101 - whoever asks for it gives one
            return clipped(mean, self.server_clip)
        return mean


def clipped(vectors: Array, norm: float) -> Array:
    """x·min(1, norm/‖x‖) along the last axis.

    An infinite vector gives NaN, which has no direction: a replica that meets one has escaped.

    >>> clipped(np.array([3.0, 4.0]), 1.0).tolist()
    [0.6000000000000001, 0.8]
    """
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scale = np.divide(norm, length, out=np.ones_like(length), where=length > norm)
    return np.asarray(vectors * scale)


def _unit(vectors: Array) -> Array:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0))
