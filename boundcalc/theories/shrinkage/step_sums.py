"""Σ φ_k and Σ φ_k² of diminishing steps φ_k = (k+1)^{−1/2} or (k+1)^{−1}, for any horizon."""

from __future__ import annotations

from fractions import Fraction

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import InexactError

_WRITTEN = 32  # terms that are added one by one
_BERNOULLI = (Fraction(1, 6), Fraction(-1, 30), Fraction(1, 42), Fraction(-1, 30), Fraction(5, 66))


def step_sums(decay: str, horizon: int, kind: Arithmetic) -> tuple[Scalar, Scalar]:
    """(Σ φ_k, Σ φ_k²) over k = 0 … K−1.

    >>> from boundcalc.arithmetic import RATIONALS
    >>> step_sums("inverse", 2, RATIONALS)
    (Fraction(3, 2), Fraction(5, 4))
    """
    if decay == "constant":
        return kind.number(horizon), kind.number(horizon)
    power = 1 if decay == "inverse_sqrt" else 2
    return power_sum(power, horizon, kind), power_sum(2 * power, horizon, kind)


def power_sum(twice: int, horizon: int, kind: Arithmetic) -> Scalar:
    """Σ_{n=1}^{K} n^{−s} with s = twice/2; exact, or enclosed.

    The first 32 terms are added up, the others between consecutive partial sums of the
    Euler–Maclaurin series ∫f + (f(a)+f(b))/2 + Σ_j B_{2j}/(2j)! (f^{(2j−1)}(b) − f^{(2j−1)}(a)),
    which enclose the sum as all derivatives of n^{−s} keep their signs (Knopp, Theory and
    Application of Infinite Series, 1951, section 64).
    """
    written = min(horizon, _WRITTEN)
    total = kind.number(0)
    for n in range(1, written + 1):
        total += _term(twice, n, kind)
    if horizon == written:
        return total
    if kind.exact:
        raise InexactError("the sum is too long to write out", value=str(horizon))
    return total + _tail(twice, written + 1, horizon, kind)


def _tail(twice: int, first: int, last: int, kind: Arithmetic) -> Scalar:
    s = Fraction(twice, 2)
    found = _integral(twice, first, last, kind)
    found += (_term(twice, first, kind) + _term(twice, last, kind)) / 2
    # f^{(2j−1)}(x) = −s(s+1)…(s+2j−2) x^{−s−2j+1}
    rising, factorial, before = s, 2, found
    for j, bernoulli in enumerate(_BERNOULLI, 1):
        ends = [_term(twice, x, kind) / kind.number(x) ** (2 * j - 1) for x in (first, last)]
        before = found
        found = found + kind.number(bernoulli * rising / factorial) * (ends[0] - ends[1])
        rising *= (s + 2 * j - 1) * (s + 2 * j)
        factorial *= (2 * j + 1) * (2 * j + 2)
    return _between(before, found, kind)


def _between(x: Scalar, y: Scalar, kind: Arithmetic) -> Scalar:
    """A number of which two others are on either side."""
    low, high = kind.minimum(x, y), kind.maximum(x, y)
    if not hasattr(kind, "encloses"):
        return (low + high) / 2
    # An enclosure of every point between: low + [0, 1](high − low).
    unit = kind.between(Fraction(0), Fraction(1))  # type: ignore[attr-defined]
    return low + unit * (high - low)


def _term(twice: int, n: int, kind: Arithmetic) -> Scalar:
    whole, half = divmod(twice, 2)
    found = kind.number(Fraction(1, n**whole))
    return found / kind.sqrt(kind.number(n)) if half else found


def _integral(twice: int, first: int, last: int, kind: Arithmetic) -> Scalar:
    """∫ x^{−s} from first to last."""
    if twice == 1:
        return 2 * (kind.sqrt(kind.number(last)) - kind.sqrt(kind.number(first)))
    if twice == 2:
        return kind.log(kind.number(Fraction(last, first)))
    power = twice // 2 - 1
    return kind.number((Fraction(1, first**power) - Fraction(1, last**power)) / power)
