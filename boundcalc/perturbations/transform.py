"""What a perturbation that depends on the value must offer: rounding, compression, bit flips.

A :class:`~boundcalc.perturbations.base.Distribution` adds noise that looks at nothing.  A
transform replaces the value y by Q(y); its perturbation is δ = Q(y) − y, whose moments are
bounded over all y that the site can see.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar, TypeAlias

import numpy as np

from boundcalc.perturbations.base import Array
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.fields import Frozen

#: Q: takes a generator and values ``(…, n)``, gives new values of the same shape; the vectors
#: along the last axis are transformed independently of each other.
Apply: TypeAlias = Callable[[np.random.Generator, Array], Array]


@dataclass(frozen=True)
class Reach:
    """A set that holds every vector that a transform is given.

    Attributes
    ----------
    shape
        Of one sample's value; its product is the number n of components, in C order.
    radius
        At least sup ‖y‖₂, or None where no ball is known.
    low, high
        At most and at least every component, or None where no box is known.
    """

    shape: tuple[int, ...]
    radius: Fraction | None
    low: Fraction | None
    high: Fraction | None

    @property
    def size(self) -> int:
        """n, the number of components.

        >>> Reach((2, 3), None, None, None).size
        6
        """
        size = 1
        for extent in self.shape:
            size *= extent
        return size

    @property
    def magnitude(self) -> Fraction | None:
        """At least |y_j| for every component: from the box, or from the ball.

        >>> Reach((2,), Fraction(3), Fraction(-1), Fraction(2)).magnitude
        Fraction(2, 1)
        """
        boxed = None
        if self.low is not None and self.high is not None:
            boxed = max(abs(self.low), abs(self.high))
        known = [size for size in (boxed, self.radius) if size is not None]
        return min(known) if known else None

    @property
    def squared(self) -> Fraction | None:
        """At least ‖y‖₂²: from the ball, or n times the square of the box.

        >>> Reach((2,), None, Fraction(-1), Fraction(2)).squared
        Fraction(8, 1)
        """
        known = [] if self.radius is None else [self.radius**2]
        if self.magnitude is not None:
            known.append(self.size * self.magnitude**2)
        return min(known) if known else None


@dataclass(frozen=True)
class Largest:
    """Upper bounds on δ itself: on every |δ_j|, and on ‖δ‖₂; infinite where unbounded."""

    component: float
    norm: float


class Transform(Frozen, ABC):
    """Q, which replaces y by Q(y).  Its fields are the model's parameters in the spec.

    Transforms draw their own randomness anew at every use, independently of everything else.
    """

    model: ClassVar[str]  #: the name in the spec

    #: The moments below hold for every y, so they hold given all that was drawn before.
    dependence: ClassVar[Dependence] = Dependence.CONDITIONAL

    @abstractmethod
    def moments(self, reach: Reach) -> VectorMoments:
        """Upper bounds over y in the reach on ‖E Q(y) − y‖², E‖Q(y) − y‖² and E‖Q(y) − y‖⁴.

        Proved: exact rational expressions, rounded up where a root is taken.

        Raises
        ------
        SpecError
            If the reach is not enough: no range is known where one is needed, or the format
            does not hold it.
        """

    @abstractmethod
    def largest(self, reach: Reach) -> Largest:
        """Upper bounds on Q(y) − y itself, which enlarge the regions after the site."""

    def chance(self, size: int) -> float:
        """The probability of the event that makes up most of the error of ``size`` components.

        1 unless the transform is an event that may not happen.
        """
        del size
        return 1.0

    @abstractmethod
    def apply(self) -> Apply:
        """Q as a function of arrays."""

    def contraction(self, size: int) -> Fraction | None:
        """α² with E‖Q(x) − x‖² ≤ α²‖x‖² for every x of ``size`` components; None without one."""
        del size
        return None

    def bits(self, size: int) -> Fraction | None:
        """Bits that one transformed vector takes, indices and scales included; None if unknown."""
        del size
        return None

    def check(self) -> None:
        """Raise SpecError if parameters contradict each other."""
