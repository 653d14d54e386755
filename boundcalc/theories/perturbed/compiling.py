"""The loops of :mod:`~boundcalc.theories.perturbed.kernel`, compiled by Numba if it is there."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

from boundcalc.errors import UnsupportedError
from boundcalc.theories.perturbed import (
    kernel,
    kernel_columns,
    kernel_drift,
    kernel_runs,
    scaled,
)

Loops: TypeAlias = tuple[Callable[..., None], ...]

#: The modules whose ``FUNCTIONS`` compiled code may call.
MODULES = (scaled, kernel_drift, kernel_runs, kernel)


@cache
def numba_installed() -> bool:
    """Whether Numba can be imported."""
    try:
        importlib.import_module("numba")
    except ImportError:
        return False
    return True


@cache
def compiled_loops() -> Loops:
    """The recurrences compiled by Numba, on their first call.

    Raises
    ------
    UnsupportedError
        If Numba is not installed.
    """
    if not numba_installed():
        raise UnsupportedError(
            "compiled code needs Numba",
            fix="pip install boundcalc[fast], or leave `compiled` out",
        )
    numba = importlib.import_module("numba")
    extending = importlib.import_module("numba.extending")
    for module in MODULES:
        for function in module.FUNCTIONS:
            extending.register_jitable(function)
    return tuple(_compiled(numba, loop, _source()) for loop in kernel.LOOPS)


def loaded() -> bool:
    """Whether this process has used compiled code before."""
    return compiled_loops.cache_info().currsize > 0


def _source() -> str:
    """What all the compiled code is made from, in short."""
    text = "".join(inspect.getsource(module) for module in (*MODULES, kernel_columns))
    return hashlib.sha256(text.encode()).hexdigest()


def _compiled(numba: Any, loop: Callable[..., None], source: str) -> Callable[..., None]:
    """One loop; what is compiled is kept for later processes where files may be written."""

    def run(*columns: Any) -> None:
        # Numba keeps compiled code under the values that a closure uses: the source too, or
        # a change in a function that the loop calls would go unnoticed.
        source  # noqa: B018
        loop(*columns)

    if not sys.dont_write_bytecode:
        try:
            return numba.njit(cache=True)(run)  # type: ignore[no-any-return]
        except RuntimeError:
            pass  # neither the package nor the user has a folder for it
    return numba.njit(run)  # type: ignore[no-any-return]
