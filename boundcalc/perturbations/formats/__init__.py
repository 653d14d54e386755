"""Number formats: what they hold, rounding to them, and proved moments of the rounding error."""

from __future__ import annotations

from boundcalc.perturbations.formats.rounding import round_nearest_even, round_stochastic
from boundcalc.perturbations.formats.table import (
    FORMATS,
    FloatFormat,
    Format,
    IntegerFormat,
    format_named,
)

__all__ = [
    "FORMATS",
    "FloatFormat",
    "Format",
    "IntegerFormat",
    "format_named",
    "round_nearest_even",
    "round_stochastic",
]
