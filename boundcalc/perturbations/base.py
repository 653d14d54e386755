"""What a perturbation model must offer: exact moments and a sampler.

A model describes one component of the perturbation vector; the n components
are independent and identically distributed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Frozen

Array: TypeAlias = npt.NDArray[np.float64]

#: Fills an array with independent draws.
Sampler: TypeAlias = Callable[[np.random.Generator, Array], None]


@dataclass(frozen=True)
class ComponentMoments:
    """Exact moments of one component x: E x, E x², E x⁴."""

    mean: Expression
    second: Expression
    fourth: Expression


class Distribution(Frozen, ABC):
    """The law of one component.  Its fields are the model's parameters in the spec."""

    model: ClassVar[str]  #: the name in the spec

    @abstractmethod
    def moments(self) -> ComponentMoments:
        """Exact moments of one component, as expressions over the spec's symbols."""

    @abstractmethod
    def sampler(self, values: Mapping[str, float]) -> Sampler:
        """A function that fills an array with draws.

        Parameters
        ----------
        values
            Values of the symbols that occur in the parameters.
        """

    def check(self, values: Mapping[str, float]) -> None:
        """Raise SpecError if parameters contradict each other (an empty interval, say)."""
