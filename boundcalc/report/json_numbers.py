"""Numbers of results as JSON.

A number is a JSON number; one outside float64's range is a string such as
``"1.3e+1088"``.  What is exact or enclosed is rounded to its safe side: bounds up, limits
down.
"""

from __future__ import annotations

import math

from boundcalc.arithmetic import Number


def number(value: Number | None) -> float | str | None:
    """One number, or null."""
    return None if value is None else value.json()


def nearest(value: Number) -> float | str:
    """A number that is neither a bound nor a limit, such as the spec's step size."""
    found = float(value)
    return found if math.isfinite(found) and (found or value.value == 0) else value.json()


def sampled(value: float) -> float | str | None:
    """A float that was sampled; an infinity or NaN is spelled out, as JSON has neither."""
    return value if math.isfinite(value) else str(value)
