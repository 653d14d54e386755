"""Where a nondecreasing function crosses 1: bracketing in the logarithm, many at once."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Binary exponents of float64 searches: fourth powers stay in range.
RANGE = 240.0

#: Relative distance of the function from 1 at which a search ends.
CLOSE = 4e-15

_NARROW = 2.0**-47  # of a bracket in binary exponents
_MOST = 200  # evaluations


def crossing(spent: Callable[[NDArray[np.intp], Array], Array], low: Array, high: Array) -> Array:
    """The largest u in [low, high] with spent(2^u) ≤ 1, up to rounding, for many functions.

    Parameters
    ----------
    spent
        ``(which, u)`` → values at the functions ``which``; nondecreasing in u.  NaN counts as
        above 1.
    low, high
        Ends in binary exponents.

    Returns
    -------
    u, ``high`` where even that is at most 1, −∞ where not even ``low`` is.

    Notes
    -----
    False position in log spent against u, safeguarded by bisection: some eight evaluations.

    Examples
    --------
    >>> import numpy as np
    >>> u = crossing(lambda which, u: 4.0**u / 2, np.array([-9.0]), np.array([9.0]))
    >>> bool(abs(u[0] - 0.5) < 1e-13)
    True
    """
    state = _State(spent, low, high)
    state.bracket()
    for _ in range(_MOST):
        open_ones = state.open()
        if not open_ones.size:
            break
        state.narrow(open_ones)
    return state.answer()


class _State:
    """Brackets [a, b] with spent(2^a) ≤ 1 < spent(2^b); f is the logarithm of spent."""

    def __init__(
        self, spent: Callable[[NDArray[np.intp], Array], Array], low: Array, high: Array
    ) -> None:
        self._spent, self._low, self._high = spent, low, high
        n = len(low)
        self.a, self.b = np.full(n, -np.inf), np.full(n, np.inf)
        self.fa, self.fb = np.full(n, -np.inf), np.full(n, np.inf)
        self.done = np.zeros(n, bool)
        self._width = np.full(n, np.inf)
        self._slow = np.zeros(n, np.intp)

    def _at(self, which: NDArray[np.intp], u: Array) -> None:
        if not which.size:
            return
        with np.errstate(all="ignore"):
            # What is next to nothing may be negative, for rounding.
            f = np.log2(np.maximum(self._spent(which, u), 0.0))
        f = np.where(np.isnan(f), np.inf, f)
        below = f <= 0
        for side, sign, mask in (("a", "fa", below), ("b", "fb", ~below)):
            getattr(self, side)[which[mask]] = u[mask]
            getattr(self, sign)[which[mask]] = f[mask]
        self.done[which[np.abs(f) <= CLOSE]] = True
        # On the far side of 1, but as close as floating point goes.
        near = which[(np.abs(f) <= CLOSE) & ~below]
        self.a[near] = self.b[near]

    def bracket(self) -> None:
        """Growing steps from what one evaluation suggests, the last one to the end of the range."""
        everything = np.arange(len(self._low))
        u = np.clip(0.0, self._low, self._high)
        self._at(everything, u)
        finite = np.isfinite(self.fa) | np.isfinite(self.fb)
        f = np.where(np.isfinite(self.fa), self.fa, self.fb)
        guess = np.clip(
            np.where(finite, u - np.where(finite, f, 0.0) / 2, u), self._low, self._high
        )
        moved = everything[(guess != u) & ~self.done]
        self._at(moved, guess[moved])
        for step in (1.0, 4.0, 16.0, np.inf):
            up = everything[np.isinf(self.b) & (self.a < self._high) & ~self.done]
            down = everything[np.isinf(self.a) & (self.b > self._low) & ~self.done]
            which = np.concatenate([up, down])
            far = np.concatenate([self.a[up] + step, self.b[down] - step])
            self._at(which, np.clip(far, self._low[which], self._high[which]))

    def open(self) -> NDArray[np.intp]:
        """Those that are not decided yet."""
        inside = np.isfinite(self.a) & np.isfinite(self.b)
        with np.errstate(invalid="ignore"):
            # Neighbouring floats are far apart where u is large.
            narrow = np.maximum(_NARROW, 2 * np.spacing(np.abs(self.a)))
            wide = self.b - self.a > narrow
        return np.flatnonzero(inside & ~self.done & wide)

    def narrow(self, which: NDArray[np.intp]) -> None:
        """One evaluation each: false position, or the middle where that has been slow."""
        a, b = self.a[which], self.b[which]
        fa, fb = self.fa[which], self.fb[which]
        width = b - a
        with np.errstate(all="ignore"):
            secant = a - fa * width / (fb - fa)
        slow = width > self._width[which] / 2
        self._slow[which] = np.where(slow, self._slow[which] + 1, 0)
        self._width[which] = width
        middle = (a + b) / 2
        bad = ~np.isfinite(secant) | (secant <= a) | (secant >= b)
        # After three slow steps the other end moves: a little beyond the crossing, on its side.
        beyond = np.where(-fa < fb, secant + (secant - a), secant - (b - secant))
        inside = np.isfinite(beyond) & (beyond > a) & (beyond < b)
        late = self._slow[which]
        u = np.where(bad | (late >= 4), middle, secant)
        u = np.where(~bad & inside & ((late == 2) | (late == 3)), beyond, u)
        self._at(which, u)

    def answer(self) -> Array:
        """The lower ends."""
        found: Array = np.minimum(self.a, self._high)
        return found


def rounded_down(u: float, bits: int = 53) -> Fraction:
    """2^u as a fraction with at most ``bits`` significant bits, next to it.

    >>> rounded_down(-1.0), float(rounded_down(0.5)) ** 2 - 2 < 1e-15
    (Fraction(1, 2), True)
    """
    whole = int(np.floor(u))
    return truncated(Fraction(float(2.0 ** (u - whole))) * Fraction(2) ** whole, bits)


def truncated(value: Fraction, bits: int = 53) -> Fraction:
    """A number ≥ 0 rounded down to some significant bits.

    >>> truncated(Fraction(2, 3), 2)
    Fraction(1, 2)
    """
    if value == 0:
        return value
    shift = value.numerator.bit_length() - value.denominator.bit_length() - bits
    scaled = value / Fraction(2) ** shift
    whole = scaled.numerator // scaled.denominator
    extra = max(whole.bit_length() - bits, 0)
    return Fraction(whole >> extra) * Fraction(2) ** (shift + extra)


def log2(value: Fraction) -> float:
    """The binary logarithm of a positive fraction of any size.

    >>> log2(Fraction(1, 2**3000))
    -3000.0
    """
    shift = value.numerator.bit_length() - value.denominator.bit_length()
    return float(np.log2(float(value / Fraction(2) ** shift))) + shift
