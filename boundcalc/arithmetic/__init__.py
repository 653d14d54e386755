"""The number kinds that one recurrence runs on.

``RATIONALS`` is exact, ``INTERVALS`` encloses, ``WIDE`` cannot overflow, ``FLOATS`` is
vectorised over parameter sets, ``SYMBOLS`` gives formulas.  A new kind is one file here that
meets :class:`~boundcalc.arithmetic.base.Arithmetic` and one line in ``KINDS``.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic.base import Arithmetic, Scalar
from boundcalc.arithmetic.number import Number, Status
from boundcalc.arithmetic.rationals import Rationals

if TYPE_CHECKING:
    from boundcalc.arithmetic.floats import Floats
    from boundcalc.arithmetic.intervals import Intervals
    from boundcalc.arithmetic.symbols import Symbols
    from boundcalc.arithmetic.wide import Wide

    FLOATS: Floats
    INTERVALS: Intervals
    SYMBOLS: Symbols
    WIDE: Wide

__all__ = [
    "FLOATS",
    "INTERVALS",
    "KINDS",
    "RATIONALS",
    "SYMBOLS",
    "WIDE",
    "Arithmetic",
    "Number",
    "Scalar",
    "Status",
]

#: Number kind → (module, class).  FLINT, NumPy, mpmath and SymPy are imported on first use.
KINDS = {
    "intervals": ("boundcalc.arithmetic.intervals", "Intervals"),
    "rationals": ("boundcalc.arithmetic.rationals", "Rationals"),
    "wide": ("boundcalc.arithmetic.wide", "Wide"),
    "floats": ("boundcalc.arithmetic.floats", "Floats"),
    "symbols": ("boundcalc.arithmetic.symbols", "Symbols"),
}

RATIONALS = Rationals()


def __getattr__(name: str) -> Any:
    entry = KINDS.get(name.lower()) if name.isupper() else None
    if entry is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    kind = getattr(importlib.import_module(entry[0]), entry[1])()
    globals()[name] = kind
    return kind
