"""Transforms that err relative to what they are given: by how much, in which norm."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.perturbations.compression import Compressor
from boundcalc.perturbations.transform import Reach, Transform

_SCALE = 2**130


@dataclass(frozen=True)
class Relative:
    """What is known of ‖Q(x) − x‖/‖x‖, for every x.

    Attributes
    ----------
    second
        α ≥ (E‖Q(x) − x‖²)^{1/2}/‖x‖, less than 1.
    fourth
        (E‖Q(x) − x‖⁴)^{1/4}/‖x‖, less than 1.
    always
        ‖Q(x) − x‖/‖x‖ whatever is drawn, less than 1; None without such a bound.
    factor
        λ with E Q(x) = λx; None without one.
    orthogonal
        Whether Q(x) is orthogonal to Q(x) − x.
    masks
        Whether every component of Q(x) is that of x or 0.
    rounding
        At least the error that one use adds in floats, relative to ‖x‖.
    """

    second: Fraction
    fourth: Fraction
    always: Fraction | None
    factor: Fraction | None
    orthogonal: bool
    masks: bool
    rounding: Fraction


def relative(transform: Transform, shape: tuple[int, ...]) -> Relative:
    """How a transform errs relative to its argument, of this shape.

    Of a transform that is not a :class:`Compressor` but has a ``contraction`` the unit ball
    says it all: the error over a ball of radius ρ is ρ times as large.

    Raises
    ------
    SpecError
        If the error is not relative, or as large as the argument.

    Examples
    --------
    >>> from boundcalc.perturbations.rand_k import RandK
    >>> found = relative(RandK(k=1, scaled=False), (4,))
    >>> round(float(found.second), 6), round(float(found.fourth), 6), found.always
    (0.866025, 0.930605, None)
    """
    unit = Reach(shape, Fraction(1), None, None)
    n = unit.size
    squared = transform.contraction(n)
    if squared is None or squared >= 1:
        raise _unproved(transform, squared)
    rounding = Fraction(2 * (n + 8), 2**53) * root_up(Fraction(n))
    if isinstance(transform, Compressor):
        fourth = transform.contraction_fourth(n)
        factor = transform.mean_factor(n)
        orthogonal, masks = transform.orthogonal(n), transform.masks(n)
        deterministic = transform.deterministic
    else:
        moments = transform.moments(unit)
        fourth = Fraction(moments.fourth.evaluate(RATIONALS))
        unbiased = not Fraction(moments.mean_squared.evaluate(RATIONALS))
        factor = Fraction(1) if unbiased else None
        orthogonal = masks = deterministic = False
    if fourth >= 1:
        raise _unproved(transform, squared)
    alpha = root_up(squared)
    always = alpha if deterministic else _always(transform, unit)
    narrow = alpha if deterministic else root_up(root_up(fourth))
    return Relative(alpha, narrow, always, factor, orthogonal, masks, rounding)


def _always(transform: Transform, unit: Reach) -> Fraction | None:
    norm = transform.largest(unit).norm
    return Fraction(norm) if norm < 1 else None


def _unproved(transform: Transform, squared: Fraction | None) -> SpecError:
    unscaled = getattr(transform, "scaled", None) is True
    return SpecError(
        f"nothing can be proved of {transform.model} with memory: what it leaves out may pile up",
        value="its error is not bounded relative to the value"
        if squared is None
        else f"E‖Q(x) − x‖² up to {float(squared):.6g} ‖x‖²",
        expected="a transform with E‖Q(x) − x‖² ≤ α²‖x‖² for every x, α < 1",
        fix="set `scaled: false`, keep more than half of the components, or remove `memory`"
        if unscaled
        else "remove `memory`, or use top_k, sign, natural, or rand_k with `scaled: false`",
    )


def root_up(square: Fraction) -> Fraction:
    """√square, rounded up by less than 2⁻¹²⁸ of it; exact for the square of a fraction.

    >>> root_up(Fraction(4, 9)), 0 < root_up(Fraction(2)) ** 2 - 2 < Fraction(1, 10**38)
    (Fraction(2, 3), True)
    """
    top, bottom = math.isqrt(square.numerator), math.isqrt(square.denominator)
    if top * top == square.numerator and bottom * bottom == square.denominator:
        return Fraction(top, bottom)
    scale = _SCALE * max(1, _power_above(1 / square))
    return Fraction(math.isqrt(math.ceil(square * scale * scale)) + 1, scale)


def _power_above(x: Fraction) -> int:
    """A power of two that is at least √x, for x of any size."""
    return 1 << ((x.numerator // x.denominator).bit_length() // 2 + 1)
