"""What rounding does to one component, as exact rational bounds.

Write u for the spacing relative to the lower end of a binade, h for the spacing at a value y,
δ = Q(y) − y.  To nearest, δ is fixed by y and ::

    |δ| ≤ h/2,    |δ| ≤ u/(2 + u) |y| for normal y,    |δ| ≤ |y|,

where the second is attained at y = 2^e (1 + u/2).  Stochastic rounding of y = lo + p h, with
q = p(1 − p), has ::

    E δ = 0,    E δ² = q h²,    E δ⁴ = q (1 − 3q) h⁴,    E δ⁴ − (E δ²)² = q (1 − 4q) h⁴,

of which the suprema over p are h²/4, h⁴/12 and h⁴/16.  Relative to y, for normal y, ::

    sup E δ²/y² = u²/(4(1 + u)),    sup (E δ⁴ − (E δ²)²)/y⁴ = φ.

Proofs.  E δ² = (1 − p)(ph)² + p((1 − p)h)² = q h² and E δ⁴ = q (p³ + (1 − p)³) h⁴, in which
p³ + (1 − p)³ = 1 − 3q.  On a cell [lo, lo + h] put A = p (lo + h)/y and B = (1 − p) lo/y: then
A + B = 1 and q h²/y² = A B h²/(lo (lo + h)) ≤ h²/(4 lo (lo + h)), attained at A = 1/2; it is
largest at lo = 2^e, h = u 2^e.  For φ write λ = lo/(lo + h); then (1 − 2p) lo/y = B − λA, so
that q (1 − 2p)² h⁴/y⁴ = λ (h/lo)⁴ A (1 − A)(1 − (1 + λ)A)².  Every factor but the last grows
as h/lo grows, and the last one too where A ≤ 1/(1 + λ), which is where the maximum lies. ∎
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from boundcalc.perturbations.formats.table import FloatFormat, Format

_DIGITS = 60


@dataclass(frozen=True)
class Errors:
    """Bounds on what rounding does to one component.

    Attributes
    ----------
    mean
        At least (E δ)².
    second
        At least E δ².
    excess
        At least E δ⁴ − (E δ²)².
    size
        At least |δ|.
    """

    mean: Fraction
    second: Fraction
    excess: Fraction
    size: Fraction


@dataclass(frozen=True)
class Law:
    """Rounding of one component at scale 1.

    Attributes
    ----------
    relative
        Bounds for |y| = 1, which hold with factors y², y², y⁴ and |y| for every normal y;
        None for formats without an exponent.
    absolute
        Bounds for every y below the smallest normal number, or for every y.
    shrinks
        Whether |δ| ≤ |y| for every y.
    unbiased
        Whether E δ = 0, and E δ² ≤ step·|y| for the y that ``absolute`` is for.
    """

    relative: Errors | None
    absolute: Errors
    shrinks: bool
    unbiased: bool


def law(form: Format, stochastic: bool, flush: bool = False) -> Law:
    """The bounds of a format (docs/theory.md, Lemma 8.0).

    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> bf16 = law(FORMATS["bf16"], stochastic=True).relative
    >>> f"{float(bf16.second):.6g}"
    '1.51405e-05'
    """
    if not isinstance(form, FloatFormat):
        return Law(None, by_step(Fraction(1), stochastic), not stochastic, stochastic)
    absolute = by_step(form.step, stochastic)
    if flush:
        absolute = _flushed(form.normal, stochastic)
    relative = by_spacing(form.spacing, stochastic)
    return Law(relative, absolute, not stochastic, stochastic and not flush)


def by_step(step: Fraction, stochastic: bool) -> Errors:
    """Bounds for every value between neighbours at that distance.

    >>> by_step(Fraction(1), stochastic=True).excess
    Fraction(1, 16)
    """
    half = step / 2
    if stochastic:
        return Errors(Fraction(0), half**2, half**4, step)
    return Errors(half**2, half**2, Fraction(0), half)


def by_spacing(u: Fraction, stochastic: bool) -> Errors:
    """Bounds relative to a normal value.

    >>> by_spacing(Fraction(1, 2), stochastic=False).size, by_spacing(Fraction(1), True).second
    (Fraction(1, 5), Fraction(1, 8))
    """
    if stochastic:
        return Errors(Fraction(0), u**2 / (4 * (1 + u)), _excess(u), u)
    size = u / (2 + u)
    return Errors(size**2, size**2, Fraction(0), size)


def _flushed(normal: Fraction, stochastic: bool) -> Errors:
    """Results are 0 or the smallest normal number N, and |y| < N: so |δ| ≤ N.

    E δ⁴ − (E δ²)² is the variance of δ² in [0, N²], at most N⁴/4.
    """
    excess = normal**4 / 4 if stochastic else Fraction(0)
    return Errors(normal**2, normal**2, excess, normal)


def _excess(u: Fraction) -> Fraction:
    """φ, or a little more: the maximum of λ u⁴ A (1 − A)(1 − cA)² with c = 1 + λ.

    The derivative of its logarithm vanishes at the roots of 4c A² − (3c + 2) A + 1, of which
    the smaller one gives the maximum.  The polynomial's second derivative is below 64 on
    [0, 1], so that at a point ε away from the maximum it is less by at most 32 ε².
    """
    lower = 1 / (1 + u)
    c = 1 + lower
    b = 3 * c + 2
    unit = 2**_DIGITS
    inner = b**2 - 16 * c
    root = Fraction(isqrt(inner.numerator * inner.denominator * unit**2), unit * inner.denominator)
    near = (b - root) / (8 * c)
    height = near * (1 - near) * (1 - c * near) ** 2
    return lower * u**4 * (height + 32 * Fraction(1, unit) ** 2)
