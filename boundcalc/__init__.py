"""boundcalc: bounds for SGD with perturbed forward and backward passes.

The public names, in the order of the pipeline::

    load, loads      spec file or text → Spec
    build            Spec → OperatorGraph
    coefficients     OperatorGraph → Coefficients of one family
    rates            Spec or graph → convergence bounds
    budget           Spec or graph → admissible magnitudes, frequencies, orders, bits, formats
    simulate         Spec or graph → a simulated run
    verify           Spec or graph → verdicts: bound against simulation
    adversary        Spec or graph → the instance that comes closest to a bound
    certify          Spec or graph → a certificate that plain Python can check
    refute           claim file → implied, refuted or undetermined
    theories         what a spec's `theory:` may be
    errata           what is wrong in print, with evidence that has just run
    explain          path of a number in a result → its formula, theorem, inputs and status
    report           Spec or graph → HTML, LaTeX, Markdown, figures, results.json
    explore          Spec or graph → a page whose curves follow the sliders

Importing the package is cheap; NumPy and the rest are loaded on first use.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from boundcalc.api import (
        adversary,
        budget,
        build,
        certify,
        coefficients,
        errata,
        explain,
        explore,
        load,
        loads,
        rates,
        read_sweep,
        refute,
        report,
        simulate,
        sweep,
        theories,
        verify,
    )
    from boundcalc.errors import BoundcalcError

    __version__: str

__all__ = [
    "BoundcalcError",
    "__version__",
    "adversary",
    "budget",
    "build",
    "certify",
    "coefficients",
    "errata",
    "explain",
    "explore",
    "load",
    "loads",
    "rates",
    "read_sweep",
    "refute",
    "report",
    "simulate",
    "sweep",
    "theories",
    "verify",
]


class _Package(types.ModuleType):
    """The package itself, with its functions looked up on first use.

    Several stages are folders whose name is also the name of the stage's function
    (``boundcalc.simulate`` is both).  Importing such a folder would put the module in the
    function's place; a property cannot be displaced in that way.
    """

    def __dir__(self) -> list[str]:
        return __all__


def _public(name: str) -> property:
    module = "boundcalc.errors" if name == "BoundcalcError" else "boundcalc.api"

    def get(package: types.ModuleType) -> Any:
        del package
        return getattr(importlib.import_module(module), name)

    def ignore(package: types.ModuleType, submodule: object) -> None:
        del package, submodule

    return property(get, ignore)


def _version(package: types.ModuleType) -> str:
    """That of the installation, which builds take from the repository's tag."""
    del package
    metadata = importlib.import_module("importlib.metadata")
    try:
        return str(metadata.version("boundcalc"))
    except metadata.PackageNotFoundError:  # run from a folder of files
        return "0+unknown"


for _name in __all__:
    setattr(_Package, _name, property(_version) if _name == "__version__" else _public(_name))
sys.modules[__name__].__class__ = _Package
