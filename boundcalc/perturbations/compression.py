"""What compressors have in common: Q(cx) has the law of c·Q(x), and an error relative to ‖x‖.

So each bound is wanted over vectors y with ‖y‖² ≤ S and y_j² ≤ M² only, and the moments of
‖Q(y) − y‖² are quadratic forms in x_j = y_j².
"""

from __future__ import annotations

import math
from abc import abstractmethod
from fractions import Fraction
from typing import ClassVar

from boundcalc.errors import SpecError
from boundcalc.perturbations.transform import Largest, Reach, Transform
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import exact

#: Bits of a value that is sent in full.
VALUE_BITS = 32


class Compressor(Transform):
    """A transform that errs relative to what it is given, in mean square and in the fourth mean.

    With α² of :meth:`contraction` and κ of :meth:`contraction_fourth`, for every x::

        E‖Q(x) − x‖² ≤ α²‖x‖²,    E‖Q(x) − x‖⁴ ≤ κ‖x‖⁴.
    """

    #: Whether Q(x) is a function of x, so that both hold for every draw.
    deterministic: ClassVar[bool] = False

    @abstractmethod
    def contraction(self, size: int) -> Fraction:
        """α², the smallest for which E‖Q(x) − x‖² ≤ α²‖x‖² for every x."""

    @abstractmethod
    def contraction_fourth(self, size: int) -> Fraction:
        """κ with E‖Q(x) − x‖⁴ ≤ κ‖x‖⁴ for every x."""

    @abstractmethod
    def mean_factor(self, size: int) -> Fraction | None:
        """λ with E Q(x) = λx for every x, 1 if unbiased; None without one."""

    def orthogonal(self, size: int) -> bool:
        """Whether Q(x) is orthogonal to Q(x) − x, whatever is drawn."""
        return self.masks(size)

    def masks(self, size: int) -> bool:
        """Whether every component of Q(x) is that of x or 0, whatever is drawn."""
        del size
        return False


def squared_norm(reach: Reach, model: str) -> Fraction:
    """S, at least ‖y‖² for every y of the reach.

    Raises
    ------
    SpecError
        If neither a ball nor a box is known.
    """
    if reach.squared is None:
        raise SpecError(
            f"{model} errs relative to the value, and nothing bounds the value",
            value="no ball and no box that holds it",
            expected="a bound on the norm of what is transformed, or on its components",
            fix="add reach: {radius: NUMBER} to the perturbation, or reach: {low: …, high: …}",
        )
    return reach.squared


def squared_component(reach: Reach, model: str) -> Fraction:
    """M², at least y_j² for every component of every y of the reach; raises as above."""
    squared_norm(reach, model)
    assert reach.magnitude is not None  # noqa: S101 - a ball bounds the components too
    return reach.magnitude**2


def largest_fourth_powers(total: Fraction, cap: Fraction) -> Fraction:
    """max Σ x_j² over 0 ≤ x_j ≤ cap with Σ x_j = total.

    A convex function is largest at a vertex: all entries but one are 0 or the cap.

    >>> largest_fourth_powers(Fraction(5), Fraction(2))
    Fraction(9, 1)
    """
    if not cap:
        return Fraction(0)
    full, rest = divmod(total, cap)
    return full * cap**2 + rest**2


def by_all_draws(squared: Fraction) -> VectorMoments:
    """Moments of a δ that is not random and has ‖δ‖² ≤ squared."""
    return VectorMoments(exact(squared), exact(squared), exact(squared**2))


def root_above(square: Fraction) -> float:
    """A float that is at least √square; infinite where that is too large.

    >>> root_above(Fraction(2)) ** 2 >= 2, root_above(Fraction(0))
    (True, 0.0)
    """
    if not square:
        return 0.0
    try:
        near = math.nextafter(float(square), math.inf)
    except OverflowError:
        return math.inf
    return math.nextafter(math.sqrt(near), math.inf)


def enlarged(squared: Largest, slack: Fraction) -> Largest:
    """Bounds on the floats that a sampler computes, from bounds on what they stand for.

    Parameters
    ----------
    squared
        The bounds themselves.
    slack
        At least the rounding errors of a component, and of the norm.
    """
    extra = root_above(slack**2)
    if not extra:
        return squared
    return Largest(
        math.nextafter(squared.component + extra, math.inf),
        math.nextafter(squared.norm + extra, math.inf),
    )


def index_bits(size: int, kept: Fraction) -> Fraction:
    """Bits that say which of n components were kept: a list of indices, or one bit for each.

    >>> index_bits(1024, Fraction(10)), index_bits(8, Fraction(6))
    (Fraction(100, 1), Fraction(8, 1))
    """
    return min(kept * (size - 1).bit_length(), Fraction(size))


def refuse_more_than_all(k: int, size: int) -> None:
    """Raise SpecError if k of ``size`` components are to be kept and k is larger."""
    if k > size:
        raise SpecError(
            "more components are kept than there are",
            value=f"k = {k}, of {size} components",
            expected=f"k ≤ {size}",
            fix=f"lower k to {size} or less at this place",
        )
