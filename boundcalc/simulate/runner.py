"""What an engine must offer: a block of replicas, moved on from step to step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.noise import NoiseSource
from boundcalc.simulate.reach import Reach, WeightReach
from boundcalc.simulate.records import Secant
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.streams import Streams, stream


@dataclass(frozen=True)
class Out:
    """Where the blocks of a run write what they record, ``(records, R)``."""

    loss: Array
    gradient_norm: Array


class Runner(ABC):
    """A block of replicas between two steps.

    The numbers of a replica depend on nothing but the problem and the replica's number.

    Attributes
    ----------
    w
        The weights now, ``(R, k)`` for the R replicas of the block.
    t
        The number of steps done.
    secant, weight_reach, input_reach, noise
        What was measured so far; ``noise`` remembers the values given to transforms.
    """

    def __init__(self, problem: Problem, replicas: range, out: Out) -> None:
        self.problem, self.replicas, self.out, self.t = problem, replicas, out, 0
        settings = problem.settings
        self.w = problem.start[replicas.start : replicas.stop].astype(settings.dtype)
        shape = (settings.optimizer.states, *self.w.shape)
        self.states = np.zeros(shape, dtype=settings.dtype)
        self.noise: NoiseSource = problem.noise.fresh()
        by_chance = [p.probability is not None for p in self.noise.perturbations]
        self.streams = Streams.of_replicas(settings.seed, replicas, self.noise.keys, by_chance)
        self.sampling = [stream(settings.seed, "sampling", r) for r in replicas]
        self.secant = Secant()
        self.weight_reach = WeightReach(problem.program.centers)
        self.input_reach = Reach(problem.program.claims)

    @abstractmethod
    def advance(self, stop: int) -> None:
        """Do the steps t .. stop − 1, recording before each that is to be recorded."""

    @abstractmethod
    def finish(self) -> None:
        """Record the weights after the last step."""
