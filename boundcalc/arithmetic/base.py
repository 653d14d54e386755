"""What a number kind must offer so that the recurrences can run on it.

The recurrences of docs/theory.md are written once, over scalars that have
``+ - * /`` and integer powers through Python's operators.  Whatever has no
operator (``max``, ``min``, the square root, constants) goes through an
:class:`Arithmetic`, which is handed in as an argument and never held globally.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol, TypeAlias

#: A scalar of some number kind.  Each kind has its own type; code that is
#: written over all kinds cannot name one.
Scalar: TypeAlias = Any


class Arithmetic(Protocol):
    """One number kind: how to make its numbers and the operations without an operator.

    An exact kind raises :class:`~boundcalc.errors.InexactError` where it cannot return
    the true value.
    """

    @property
    def name(self) -> str:
        """The kind's name, as it appears in results."""
        ...

    @property
    def exact(self) -> bool:
        """Whether every operation returns the true value."""
        ...

    def number(self, value: Fraction | int) -> Scalar:
        """The exact rational ``value`` in this kind."""
        ...

    def measured(self, value: float) -> Scalar:
        """A float that was measured or rounded, hence not exact."""
        ...

    def symbol(self, name: str) -> Scalar:
        """A symbol without a value; only the symbolic kind has such numbers."""
        ...

    def sqrt(self, x: Scalar) -> Scalar:
        """The nonnegative square root."""
        ...

    def exp(self, x: Scalar) -> Scalar:
        """The exponential."""
        ...

    def log(self, x: Scalar) -> Scalar:
        """The natural logarithm of a positive number."""
        ...

    def log1p(self, x: Scalar) -> Scalar:
        """ln(1 + x) for x > −1, without cancellation for small x."""
        ...

    def expm1(self, x: Scalar) -> Scalar:
        """eˣ − 1, without cancellation for small x."""
        ...

    def pi(self) -> Scalar:
        """The number π."""
        ...

    def maximum(self, x: Scalar, y: Scalar) -> Scalar:
        """The larger of two."""
        ...

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        """The smaller of two."""
        ...
