"""What a run of the agents is, and what it met."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from boundcalc.operators.base import Array
from boundcalc.theories.distributed.algorithms import Algorithm
from boundcalc.theories.distributed.noise_sampling import Noise
from boundcalc.theories.distributed.schedules import Steps

#: f and ∇f of many points ``(R, d)``: ``(R,)`` and ``(R, d)``.
Both = Callable[[Array], tuple[Array, Array]]


@dataclass(frozen=True)
class Measure:
    """Σ_{k<τ} p_k·φ(∇f(x_k)): the mean of φ at a random time with probabilities p_k, before τ.

    Attributes
    ----------
    weights
        ``(T,)``: p_k ≥ 0, with sum 1.
    of
        φ: from gradients ``(R, d)`` to ``(R,)``.
    stop
        τ is the first step at which ‖∇f‖ exceeds it.
    """

    weights: Array
    of: Callable[[Array], Array]
    stop: float = math.inf


@dataclass(frozen=True)
class Plan:
    """One run.

    Attributes
    ----------
    algorithm, noise, steps
        What agents send, what disturbs them, and γ_k.
    horizon, replicas, seed
        T, R, and the seed.
    escape
        A replica with ‖x‖ beyond it, or not finite, is stopped.
    every
        f, ‖∇f‖ and ‖x‖ are recorded at every so many steps, and at the end.
    measures
        By name what is averaged along the run.
    L1
        For the smoothness that a run meets; see :attr:`Walk.L0_met`.
    """

    algorithm: Algorithm
    noise: Noise
    steps: Steps
    horizon: int
    replicas: int
    seed: int
    escape: float
    every: int = 1
    measures: Mapping[str, Measure] = field(default_factory=dict)
    L1: float = 0.0

    @property
    def recorded(self) -> list[int]:
        """The recorded steps: 0, every, 2·every, … and T."""
        return [*range(0, self.horizon, self.every), self.horizon]


@dataclass(frozen=True)
class Walk:
    """What a run met.

    Attributes
    ----------
    at
        ``(n,)``: the recorded steps.
    loss, gradient_norm, distance
        ``(n, R)``: f, ‖∇f‖ and ‖x‖; infinite from the step on at which a replica escaped.
    final
        ``(R, d)``: x_T; of a replica that escaped the last iterate before.
    escaped
        ``(R,)``: the step whose iterate was beyond the escape radius; −1 if none was.
    measured
        Name → ``(R,)``, the measures of the plan; infinite for a replica that escaped before τ.
    L0_met
        The smallest L0 for which no pair of points that the run looked at refutes
        (L0, L1)-smoothness, −∞ if there was no pair.
    least, largest_distance
        The least f, and the largest ‖x‖ of a replica that did not escape; NaN if all did.
    """

    at: Array
    loss: Array
    gradient_norm: Array
    distance: Array
    final: Array
    escaped: npt.NDArray[np.int64]
    measured: Mapping[str, Array]
    L0_met: float
    least: float
    largest_distance: float

    @property
    def bounded(self) -> npt.NDArray[np.bool_]:
        """``(R,)``: which replicas did not escape."""
        return self.escaped < 0
