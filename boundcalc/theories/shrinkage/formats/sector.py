"""What is proved of deterministic rounding of an exact gradient: a sector outside a dead zone.

docs/theory-shrinkage.md, Theorem 11.9.  On |x| ≤ G, with t the edge of the dead zone,

    q_lo (x² − t²) ≤ x Q(x)   and   Q(x)² ≤ q_hi x Q(x).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.theories.shrinkage.formats.pieces import Pieces

_NEAR = 1e-12  # of a least ratio: entries this near are compared exactly
_MOST = 4096  # of them, as many as a format has between two powers of two


@dataclass(frozen=True)
class Sector:
    """Exact constants of a rounding.

    Attributes
    ----------
    low, high
        q_lo and q_hi.
    dead
        t.
    """

    low: Fraction
    high: Fraction
    dead: Fraction


def sectors(rounding: Pieces, largest: Fraction) -> list[Sector]:
    """A sector for every useful edge of the dead zone, the narrowest zone first.

    Parameters
    ----------
    rounding
        Not random.
    largest
        G.

    Examples
    --------
    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> from boundcalc.theories.shrinkage.formats.pieces import pieces
    >>> found = sectors(pieces(FORMATS["fp8_e4m3"], "toward_zero"), Fraction(100))
    >>> found[0]
    Sector(low=Fraction(1, 2), high=Fraction(1, 1), dead=Fraction(1, 512))
    >>> [sector.low for sector in found if sector.dead == Fraction(1, 64)]
    [Fraction(8, 9)]
    """
    # One float more than G, which may not be one: a piece that begins at G counts, and one that
    # begins above it only widens the sector.
    inside = (rounding.low > 0) & (rounding.start <= np.nextafter(float(largest), np.inf))
    start, result = rounding.start[inside], rounding.low[inside]
    if not len(start):
        return []
    ends = [Fraction(x) if np.isfinite(x) else largest for x in rounding.stop[inside].tolist()]
    ends[-1] = largest if ends[-1] > largest else ends[-1]
    shown = np.array([float(end) for end in ends])
    high = _extreme(result / start, -1, result, [Fraction(x) for x in start.tolist()])
    least = np.minimum.accumulate((result / shown)[::-1])[::-1]
    # An edge helps only where the least ratio beyond it is larger than beyond the one before.
    useful = [0, *(np.nonzero(np.diff(least) > _NEAR)[0] + 1).tolist()]
    found = []
    for i in useful:
        low = _extreme((result / shown)[i:], 1, result[i:], ends[i:])
        found.append(Sector(low, high, Fraction(float(start[i]))))
    return found


def _extreme(ratios: Array, sign: int, top: Array, bottom: list[Fraction]) -> Fraction:
    """The least (or with −1 largest) of the quotients, exactly."""
    edge = float((sign * ratios).min())
    near = np.nonzero(sign * ratios <= edge + _NEAR * abs(edge))[0][:_MOST]
    exact = [Fraction(float(top[i])) / bottom[i] for i in near.tolist()]
    found: Fraction = min(exact) if sign > 0 else max(exact)
    return found
