"""Hypothesis strategies for exact constants and levels.

Everything is a ``Fraction`` with a small numerator and denominator, so that a literal
transcription of a formula in exact arithmetic stays affordable and ties and zeros occur.
A whole row of numbers is one draw of bytes, each byte an index into a fixed pool: far
cheaper than a draw for each number, and failures still shrink to the pool's first entries.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from boundcalc.graph import ChainConstants, Levels, UniformConstants

ZERO = Fraction(0)

#: The seven per-operator constants, by the field names of ``ChainConstants``.
CONSTANTS = ("a", "b", "l", "A", "B", "A3", "B3")


def _pool(low: Fraction, high: Fraction) -> tuple[Fraction, ...]:
    """Rationals p/q in [low, high] with q ≤ 6, simplest first."""
    found = {Fraction(p, q) for q in range(1, 7) for p in range(int(high * q) + 1)}
    inside = (x for x in found if low <= x <= high)
    return tuple(sorted(inside, key=lambda x: (x.denominator, x.numerator)))


SIZES = _pool(ZERO, Fraction(3))
POSITIVE = _pool(Fraction(1, 6), Fraction(3))
SHARES = _pool(ZERO, Fraction(1))


def rows(count: int, pool: Sequence[Fraction] = SIZES) -> st.SearchStrategy[tuple[Fraction, ...]]:
    """``count`` numbers of a pool."""
    return st.binary(min_size=count, max_size=count).map(
        lambda code: tuple(pool[byte % len(pool)] for byte in code)
    )


def sizes() -> st.SearchStrategy[Fraction]:
    """One number in [0, 3]: small, often equal to another, sometimes zero."""
    return st.sampled_from(SIZES)


def positive_sizes() -> st.SearchStrategy[Fraction]:
    """One number in [1/6, 3]."""
    return st.sampled_from(POSITIVE)


def lengths(low: int = 2, high: int = 7) -> st.SearchStrategy[int]:
    """Numbers of operators N."""
    return st.integers(low, high)


def chains(size: int, pool: Sequence[Fraction] = SIZES) -> st.SearchStrategy[ChainConstants]:
    """Constants of a chain of ``size`` operators."""

    def chain(row: tuple[Fraction, ...]) -> ChainConstants:
        parts = {name: (ZERO, *row[k::7]) for k, name in enumerate(CONSTANTS)}
        return ChainConstants(**parts)

    return rows(7 * size, pool).map(chain)


def uniform_constants(
    size: int, pool: Sequence[Fraction] = SIZES
) -> st.SearchStrategy[UniformConstants]:
    """Uniform constants of a chain of ``size`` operators."""
    return rows(5, pool).map(lambda row: UniformConstants(size, *row))


@st.composite
def levels(
    draw: Any,
    size: int,
    *,
    forward_centred: bool = False,
    backward_centred: bool = False,
    pool: Sequence[Fraction] = SIZES,
) -> Any:
    """Levels with mean ≤ rms ≤ fourth; one that cannot reach the gradient may be there too."""
    both, share = draw(rows(2 * size, pool)), draw(rows(3 * size, SHARES))
    e, eps = both[:size], both[size:]
    none = [ZERO] * size
    m = none if forward_centred else [x * t for x, t in zip(e, share[:size], strict=True)]
    n = none if backward_centred else [x * t for x, t in zip(eps, share[size:-size], strict=True)]
    q = [x**4 * (1 + t) for x, t in zip(e, share[-size:], strict=True)]
    return Levels(e=(ZERO, *e), m=(ZERO, *m), q=(ZERO, *q), eps=(ZERO, *eps), n=(ZERO, *n))


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
