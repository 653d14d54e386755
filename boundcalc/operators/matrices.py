"""Vectors and matrices among the parameters of an operator, and bounds of their norms.

A norm that follows from rational entries without rounding stays an exact expression; any
other is a float that is proved to be no smaller.  An entry that is no float is replaced by
one within 2u of it, u = 2⁻⁵³; this moves a norm by at most 2u‖M‖_F ≤ 2u√1000‖M‖, a
hundredth of the 10⁻¹² by which norms are rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import AfterValidator, Discriminator, Field, Tag

from boundcalc.arithmetic import FLOATS
from boundcalc.operators.constants import ZERO
from boundcalc.operators.regions import larger
from boundcalc.operators.rounding import UNIT, Array, above, nearest, rounded_up
from boundcalc.operators.spectral import spectral_norm
from boundcalc.spec.expressions import Expression, bounded, exact, rational, root
from boundcalc.spec.fields import Real, custom_error

MAX_SIZE = 1_000  # of a vector, and of either side of a matrix

_MAX_BITS = 2_000  # of a sum of squares that is kept exact


def _rectangular(rows: tuple[tuple[Expression, ...], ...]) -> tuple[tuple[Expression, ...], ...]:
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise custom_error(
                f"row {number + 1} of the matrix has {len(row)} entries, row 1 has {len(rows[0])}",
                "rows of one length",
            )
    return rows


def _square(rows: tuple[tuple[Expression, ...], ...]) -> tuple[tuple[Expression, ...], ...]:
    if len(rows) != len(rows[0]):
        raise custom_error(
            f"the matrix has {len(rows)} rows and {len(rows[0])} columns",
            "as many rows as columns",
        )
    return rows


def _symmetric(rows: tuple[tuple[Expression, ...], ...]) -> tuple[tuple[Expression, ...], ...]:
    for i, row in enumerate(rows):
        for j in range(i):
            if not _same(row[j], rows[j][i]):
                raise custom_error(
                    f"the matrix is not symmetric: {row[j]} in row {i + 1}, column {j + 1}, "
                    f"but {rows[j][i]} in row {j + 1}, column {i + 1}",
                    "a symmetric matrix",
                )
    return rows


def _same(x: Expression, y: Expression) -> bool:
    if x.node == y.node or x.symbols or y.symbols:
        return bool(x.node == y.node)
    return bool(x.evaluate(FLOATS) == y.evaluate(FLOATS))


#: A list of numbers.
Vector: TypeAlias = Annotated[tuple[Real, ...], Field(min_length=1, max_length=MAX_SIZE)]

#: A list of rows.
Matrix: TypeAlias = Annotated[
    tuple[Vector, ...], Field(min_length=1, max_length=MAX_SIZE), AfterValidator(_rectangular)
]

SquareMatrix: TypeAlias = Annotated[Matrix, AfterValidator(_square)]
SymmetricMatrix: TypeAlias = Annotated[SquareMatrix, AfterValidator(_symmetric)]


def _kind(value: object) -> str:
    """Which of the two a value must be, so that an error is about that one."""
    rows = isinstance(value, list | tuple) and value and isinstance(value[0], list | tuple)
    return "matrix" if rows else "diagonal"


#: A symmetric matrix, or the diagonal of a diagonal one.
DiagonalOrMatrix: TypeAlias = Annotated[
    Annotated[Vector, Tag("diagonal")] | Annotated[SymmetricMatrix, Tag("matrix")],
    Discriminator(_kind),
]


def floats(vector: Iterable[Expression]) -> Array:
    """The entries as floats, within 2u."""
    return np.array([nearest(x) for x in vector])


def float_rows(matrix: Iterable[Iterable[Expression]]) -> Array:
    """The matrix as floats."""
    return np.array([floats(row) for row in matrix])


def fractions(vector: Iterable[Expression]) -> tuple[tuple[Fraction, ...], bool]:
    """The entries as fractions, and whether these are the entries themselves.

    They are not where an entry is irrational: then all are floats within 2u of them.
    """
    entries = tuple(vector)
    values = [rational(x, {}) for x in entries]
    if any(value is None for value in values):
        return tuple(Fraction(float(x)) for x in floats(entries)), False
    return tuple(value for value in values if value is not None), True


def bound(value: Fraction, certain: bool) -> Expression:
    """A size that is exact if ``certain``; else one within 10⁻¹² of it, from above.

    >>> bound(Fraction(1, 3), True).source, bound(Fraction(1, 3), False).node[0]
    ('1/3', 'bounded')
    """
    return exact(value) if certain else bounded(rounded_up(above(value)))


def folded(x: Expression) -> Expression:
    """An expression as one fraction, where it is one."""
    value = None if x.symbols else rational(x, {})
    return x if value is None else exact(value)


def summed(*terms: Expression) -> Expression:
    """The sum of sizes, zeros left out.

    >>> str(summed(exact(1), ZERO, exact(Fraction(1, 2))))
    '3/2'
    """
    kept = [term for term in terms if term.node != ZERO.node]
    total = kept[0] if kept else ZERO
    for term in kept[1:]:
        total = total + term
    return folded(total)


def times(x: Expression, y: Expression) -> Expression:
    """The product of sizes, without factors of 1.

    >>> from boundcalc.spec.grammar import parse
    >>> str(times(parse("R"), exact(1))), str(times(parse("R"), ZERO))
    ('R', '0')
    """
    if ZERO.node in (x.node, y.node):
        return ZERO
    one = exact(1).node
    if one in (x.node, y.node):
        return x if y.node == one else y
    return folded(x * y)


def square(x: Expression) -> Expression:
    """x², the root of a number undone.

    >>> str(square(root(exact(5)))), str(square(exact(Fraction(1, 2))))
    ('5', '1/4')
    """
    match x.node:
        case ("sqrt", ("number", Fraction() as value)):
            return exact(value)
    return folded(x**2)


def maximum(*sizes: Expression) -> Expression:
    """The largest of some sizes; of fractions, without any rounding."""
    values = [None if size.symbols else rational(size, {}) for size in sizes]
    known = [value for value in values if value is not None]
    return exact(max(known)) if len(known) == len(sizes) else larger(*sizes)


def euclidean(entries: Iterable[Fraction], certain: bool) -> Expression:
    """√Σ x_i², a root of an exact number where the entries are exact and not too long.

    >>> str(euclidean((Fraction(3, 2), Fraction(2)), True))
    '5/2'
    """
    total = sum((x * x for x in entries), Fraction(0))
    if certain and max(total.numerator.bit_length(), total.denominator.bit_length()) < _MAX_BITS:
        return folded(root(exact(total)))
    return bounded(rounded_up(math.sqrt(above(total))))


def operator_norm(matrix: tuple[tuple[Expression, ...], ...]) -> Expression:
    """‖M‖, exactly for one row or column and where no two entries share a row or column.

    In the second case M is diagonal up to the order of rows and columns, and its
    singular values are the sizes of its entries.

    >>> from boundcalc.spec.grammar import parse
    >>> str(operator_norm(((parse(0), parse("-3/2")), (parse(1), parse(0)))))
    '3/2'
    """
    values = float_rows(matrix)
    if 1 in values.shape:
        return euclidean(*fractions(x for row in matrix for x in row))
    apart = np.count_nonzero(values, axis=0).max() <= 1 >= np.count_nonzero(values, axis=1).max()
    if apart:
        entries, certain = fractions(x for row in matrix for x in row)
        return bound(max(abs(x) for x in entries), certain)
    return bounded(rounded_up(spectral_norm(values)))


def eigenvalue_range(matrix: Array) -> tuple[float, float]:
    """An interval that holds every eigenvalue of a symmetric matrix, its ends within rounding.

    With s ≥ ‖H‖ both sI + H and sI − H are positive semidefinite, so their norms are
    s + λ_max and s − λ_min.  The diagonals of the sums are rounded, by at most 2su, as are
    the differences with s, and the entries of H may be off by 2u: by 2u‖H‖_F ≤ 2us√n.
    """
    s = rounded_up(spectral_norm(matrix))
    identity = np.eye(len(matrix))
    margin = 4.0 * (8.0 + math.sqrt(len(matrix))) * UNIT * s
    high = rounded_up(spectral_norm(s * identity + matrix)) - s + margin
    low = s - rounded_up(spectral_norm(s * identity - matrix)) - margin
    return max(low, -s), min(high, s)
