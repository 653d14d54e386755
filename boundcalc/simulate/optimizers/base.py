"""What an optimizer must offer: how a gradient moves the weights of all replicas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from boundcalc.operators.base import Array


class Optimizer(ABC):
    """A rule w, g ↦ w, with states that it keeps for every weight.

    Each concrete optimizer has a twin in ``compiled/c/optimizers.h`` under its ``code``.
    """

    name: ClassVar[str]  #: in the spec
    code: ClassVar[int]  #: in the C source
    states: ClassVar[int] = 0  #: how many arrays like w it keeps; they start from zero
    #: what it reads in the spec, in the order of its parameters, and what each is by default
    defaults: ClassVar[dict[str, float]] = {}

    @property
    def parameters(self) -> tuple[float, ...]:
        """At most four numbers, in the order in which the C twin reads them."""
        return ()

    @abstractmethod
    def update(self, w: Array, gradient: Array, states: Array, t: int, step_size: float) -> None:
        """Move w, and the states, in place; ``gradient`` may be overwritten.

        Parameters
        ----------
        w, gradient
            ``(R, k)``.
        states
            ``(states, R, k)``.
        t
            The number of steps done before.
        """


class Sgd(Optimizer):
    """w ← w − γ g."""

    name: ClassVar[str] = "sgd"
    code: ClassVar[int] = 0

    def update(self, w: Array, gradient: Array, states: Array, t: int, step_size: float) -> None:
        """w ← w − γ g."""
        gradient *= step_size
        w -= gradient


class WithMomentum(Optimizer):
    """What the optimizers with one velocity share: one state and one parameter.

    Parameters
    ----------
    beta
        β in [0, 1); by default 0.9.
    """

    states: ClassVar[int] = 1
    defaults: ClassVar[dict[str, float]] = {"momentum": 0.9}

    def __init__(self, beta: float = 0.9) -> None:
        self.beta = beta

    @property
    def parameters(self) -> tuple[float, ...]:
        """β."""
        return (self.beta,)
