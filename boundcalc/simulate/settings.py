"""What a run is asked for, besides the graph, its noise and its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from boundcalc.operators.base import Array
from boundcalc.simulate.noise import NoiseSource
from boundcalc.simulate.optimizers import Optimizer, Sgd
from boundcalc.simulate.program import Program


@dataclass(frozen=True)
class Settings:
    """Everything a run needs besides the program and the noise.

    Attributes
    ----------
    batch
        Samples of a minibatch; None is the full data set.
    snapshot_steps
        Steps at which the first replica's weights are kept.
    track_inputs
        Whether to measure inputs along the run, where a region is claimed.
    record_every
        The steps 0, k, 2k, … are recorded, and the last one.
    optimizer
        How a gradient becomes a step.
    clip
        The norm to which longer gradients are scaled, or None.
    precision
        ``float64`` or ``float32``: of values, weights and gradients.
    """

    step_size: float
    horizon: int
    replicas: int
    seed: int
    noise_std: float = 0.0
    batch: int | None = None
    snapshot_steps: frozenset[int] = frozenset()
    track_inputs: bool = False
    record_every: int = 1
    optimizer: Optimizer = field(default_factory=Sgd)
    clip: float | None = None
    precision: str = "float64"

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of values, weights and gradients."""
        return np.dtype(self.precision)

    @property
    def records(self) -> int:
        """How many steps are recorded: ⌈T/k⌉ and the last."""
        return -(-self.horizon // self.record_every) + 1

    @property
    def recorded(self) -> npt.NDArray[np.int64]:
        """The steps that are recorded, in order; the last is T."""
        steps = np.arange(0, self.horizon, self.record_every, dtype=np.int64)
        return np.append(steps, self.horizon)


@dataclass(frozen=True)
class Problem:
    """A run to be made.

    Attributes
    ----------
    features, labels
        ``(M, d)`` and ``(M,)``.
    start
        w^(0), ``(R, k)``.
    values
        Of the spec's symbols.
    """

    program: Program
    noise: NoiseSource
    features: Array
    labels: Array
    start: Array
    settings: Settings
    values: Mapping[str, float] = field(default_factory=dict)
