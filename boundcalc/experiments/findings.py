"""What a figure shows, in words, decided from numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Status = Literal["holds", "does not hold", "undetermined"]

#: How far from a predicted order an exponent may lie: settings lie within a factor of a few of
#: each other, where an order that is a limit is met up to corrections.
ORDER_TOLERANCE = 0.15


@dataclass(frozen=True)
class Finding:
    """One statement about a figure.

    Attributes
    ----------
    claim
        The statement.
    status
        Whether the numbers bear it out.
    evidence
        The numbers, as a sentence.
    numbers
        The same by name; None stands for what is not finite.
    """

    claim: str
    status: Status
    evidence: str
    numbers: Mapping[str, float | None] = field(default_factory=dict)


def finite(value: float) -> float | None:
    """The value, or None where JSON has no word for it.

    >>> finite(float("nan")) is None
    True
    """
    return float(value) if np.isfinite(value) else None


def inside(lo: float, hi: float, low: float, high: float) -> Status:
    """Whether a number known to lie in [lo, hi] lies in [low, high].

    >>> inside(1.9, 2.0, 1.85, 2.15), inside(1.0, 1.2, 1.85, 2.15), inside(1.8, 2.0, 1.85, 2.15)
    ('holds', 'does not hold', 'undetermined')
    >>> inside(float("nan"), 1.0, 0.0, 2.0)
    'undetermined'
    """
    if not np.isfinite([lo, hi]).all() or np.isnan([low, high]).any():
        return "undetermined"
    if low <= lo and hi <= high:
        return "holds"
    return "does not hold" if hi < low or lo > high else "undetermined"


def at_most(lo: float, hi: float, bound: float) -> Status:
    """Whether a number known to lie in [lo, hi] is at most a bound.

    >>> at_most(1.0, 2.0, 3.0), at_most(1.0, 2.0, 1.5), at_most(1.0, 2.0, 0.5)
    ('holds', 'undetermined', 'does not hold')
    """
    return inside(lo, hi, -np.inf, bound)


def all_of(statuses: Iterable[Status]) -> Status:
    """Holds if all do; does not hold if one does not; of nothing, undetermined.

    >>> all_of(["holds", "undetermined"]), all_of(["undetermined", "does not hold"]), all_of([])
    ('undetermined', 'does not hold', 'undetermined')
    """
    found = list(statuses)
    if "does not hold" in found:
        return "does not hold"
    return "holds" if found and all(status == "holds" for status in found) else "undetermined"
