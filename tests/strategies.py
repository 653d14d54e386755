"""Hypothesis strategies for exact constants and levels.

Everything is a ``Fraction`` with a small numerator and denominator, so that a literal
transcription of a formula in exact arithmetic stays affordable and ties and zeros occur.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from boundcalc.graph import ChainConstants, Levels, UniformConstants

ZERO = Fraction(0)

#: The seven per-operator constants, by the field names of ``ChainConstants``.
CONSTANTS = ("a", "b", "l", "A", "B", "A3", "B3")


def sizes(low: Fraction | int = 0, high: Fraction | int = 3) -> st.SearchStrategy[Fraction]:
    """Rationals p/q in [low, high] with q ≤ 6: small, often equal, often zero."""
    return st.fractions(low, high, max_denominator=6)


def positive_sizes() -> st.SearchStrategy[Fraction]:
    """Rationals in [1/6, 3]."""
    return sizes(Fraction(1, 6))


def lengths(low: int = 2, high: int = 7) -> st.SearchStrategy[int]:
    """Numbers of operators N."""
    return st.integers(low, high)


@st.composite
def chains(draw: Any, size: int, values: st.SearchStrategy[Fraction] | None = None) -> Any:
    """Constants of a chain of ``size`` operators."""
    values = sizes() if values is None else values
    row = st.tuples(*[values] * size)
    return ChainConstants(**{name: (ZERO, *draw(row)) for name in CONSTANTS})


@st.composite
def uniform_constants(
    draw: Any, size: int, values: st.SearchStrategy[Fraction] | None = None
) -> Any:
    """Uniform constants of a chain of ``size`` operators."""
    values = sizes() if values is None else values
    jac, lip, hess, hess_op, third = draw(st.tuples(*[values] * 5))
    return UniformConstants(size, jac=jac, lip=lip, hess=hess, hess_op=hess_op, third=third)


@st.composite
def levels(
    draw: Any,
    size: int,
    *,
    forward_centred: bool = False,
    backward_centred: bool = False,
    values: st.SearchStrategy[Fraction] | None = None,
) -> Any:
    """Levels with mean ≤ rms ≤ fourth; a level that cannot reach the gradient may be there too."""
    values = sizes() if values is None else values
    share = sizes(0, 1)
    e = draw(st.tuples(*[values] * size))
    eps = draw(st.tuples(*[values] * size))
    m = [x * draw(share) for x in e] if not forward_centred else [ZERO] * size
    n = [x * draw(share) for x in eps] if not backward_centred else [ZERO] * size
    q = [x**4 * (1 + draw(share)) for x in e]
    return Levels(
        e=(ZERO, *e), m=(ZERO, *m), q=(ZERO, *q), eps=(ZERO, *eps), n=(ZERO, *n)
    )


@st.composite
def perturbed_chains(draw: Any, low: int = 2, high: int = 6, **options: Any) -> Any:
    """A chain and levels for it."""
    size = draw(lengths(low, high))
    return draw(chains(size)), draw(levels(size, **options))


def constant_chain(size: int, value: Fraction | int = 1) -> ChainConstants:
    """A chain whose constants are all ``value``."""
    row = (ZERO, *[Fraction(value)] * size)
    return ChainConstants(*[row] * 7)


def forward_levels(*sizes_by_operator: Fraction | int) -> Levels:
    """Zero-mean forward levels e_1, e_2, …, nothing else."""
    e = (ZERO, *map(Fraction, sizes_by_operator))
    none = (ZERO,) * len(e)
    return Levels(e=e, m=none, q=tuple(x**4 for x in e), eps=none, n=none)
