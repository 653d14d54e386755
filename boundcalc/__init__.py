"""boundcalc: bounds for SGD with perturbed forward and backward passes.

The public names, in the order of the pipeline::

    load, loads      spec file or text → Spec
    build            Spec → OperatorGraph
    coefficients     OperatorGraph → Coefficients of one family
    rates            Spec or graph → convergence bounds
    simulate         Spec or graph → a simulated run
    verify           Spec or graph → verdicts: bound against simulation
    report           Spec or graph → LaTeX, Markdown, figures, results.json

Importing the package is cheap; NumPy and the rest are loaded on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boundcalc.api import (
        build,
        coefficients,
        load,
        loads,
        rates,
        report,
        simulate,
        verify,
    )
    from boundcalc.errors import BoundcalcError

__version__ = "0.1.0"

__all__ = [
    "BoundcalcError",
    "__version__",
    "build",
    "coefficients",
    "load",
    "loads",
    "rates",
    "report",
    "simulate",
    "verify",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "boundcalc.errors" if name == "BoundcalcError" else "boundcalc.api"
    return getattr(importlib.import_module(module), name)


def __dir__() -> list[str]:
    return __all__
