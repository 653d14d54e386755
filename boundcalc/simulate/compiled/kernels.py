"""The C kernels of the operators: what a program's source calls for each.

A header ``c/NAME.h`` defines two functions, whose sizes are compile-time constants::

    KERNEL NAME_forward(const int lanes, const int size_1, …, const real *p, const real *y,
                        const real *w, const real *label, real *out, real *saved);
    KERNEL NAME_backward(const int lanes, const int size_1, …, const real *p, const real *y,
                         const real *w, const real *label, const real *saved, const real *v,
                         real *back, real *grad);

``y`` holds all inputs concatenated, ``(n, LANES)``; ``w`` is ``(k)`` of one replica; ``p`` are
the run-time parameters; ``label`` is ``(LANES)``.  ``forward`` writes ``out`` ``(m, LANES)``
and what ``backward`` may need again to ``saved`` ``(s, LANES)``.  ``backward`` writes
``back = ∇₁fᵀv`` ``(n, LANES)`` and adds the sum of ``∇₂fᵀv`` over the samples to ``grad``
``(k)``.  ``out``, ``back`` and ``grad`` are NULL where nobody wants them, which the compiler
knows; none overlaps another argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Any, TypeAlias

import numpy as np

from boundcalc.operators.base import Array, Operator


def _none() -> Array:
    return np.empty(0)


@dataclass(frozen=True)
class Kernel:
    """One operator's C functions.

    Attributes
    ----------
    name
        Of ``c/NAME.h`` and of the functions in it.
    sizes
        Integers that the source states, so that loops have fixed lengths.
    saved
        How many numbers per sample ``forward`` keeps for ``backward``.
    parameters
        Numbers passed at run time, so that a change of one needs no new compilation.
    text
        Headers that do not ship with the package but were generated, by file name.
    """

    name: str
    sizes: tuple[int, ...]
    saved: int = 0
    parameters: Array = field(default_factory=_none)
    text: Mapping[str, str] = field(default_factory=dict)


#: Makes the kernel of an operator that has its shapes.
Maker: TypeAlias = Callable[[Any], Kernel]


def inputs_of(operator: Operator) -> int:
    """n: the length of all inputs together."""
    return sum(prod(shape) for shape in operator.shapes)


def _margin(operator: Any) -> Kernel:
    return Kernel("margin", (inputs_of(operator),))


#: Operator type → its kernel.
KERNELS: dict[str, Maker] = {
    "margin": _margin,
}
