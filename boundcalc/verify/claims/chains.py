"""The sharp bounds of a chain as linear forms, over any numbers ≥ 0.

docs/theory.md, Theorems 4.1, 4.3 and 4.18 (a): the recurrences without minima.  Only sums
and products occur, so every entry grows with every constant: entries made from upper bounds
of the constants are upper bounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar


class Size(Protocol):
    """A number ≥ 0 that can be added and multiplied."""

    def __add__(self, other: Self, /) -> Self:
        """The sum."""
        ...

    def __mul__(self, other: Self, /) -> Self:
        """The product."""
        ...


S = TypeVar("S", bound=Size)


@dataclass(frozen=True)
class ErrorForms(Generic[S]):
    """Sizes of all errors of a chain, in the sizes s_1..s_{N−1} of the states and in ϵ_2..ϵ_N.

    Attributes
    ----------
    travel
        Rows i, columns j: Π_{j<l≤i} ℓ_l, so that s = travel · e; lower triangular.
    caused
        Rows i = 1..N, columns j: ζ_i without ε is caused · s.
    noise
        Rows i = 1..N, columns k = 2..N: b_i times the part of ε_k in h_i.
    """

    travel: list[list[S]]
    caused: list[list[S]]
    noise: list[list[S]]


@dataclass(frozen=True)
class BiasForms(Generic[S]):
    """Bounds on ‖E[ũ_i − u_i]‖: squares · e² + means · m + noise · n.

    Attributes
    ----------
    squares
        Rows i = 1..N, columns k: ½ κ_ik of (4j).
    means
        Rows i, columns k: Λ_ik.
    noise
        As in :class:`ErrorForms`.
    """

    squares: list[list[S]]
    means: list[list[S]]
    noise: list[list[S]]


def error_forms(c: Mapping[str, Sequence[S]], zero: S, one: S) -> ErrorForms[S]:
    """The forms of Theorems 4.1 and 4.3.

    Parameters
    ----------
    c
        Rows a, b, l, A, B of constants, operators 1 to N at positions 0 to N − 1.
    zero, one
        These numbers.

    Examples
    --------
    >>> from fractions import Fraction as F
    >>> forms = error_forms({key: [F(1)] * 3 for key in ("a", "b", "l", "A", "B")}, F(0), F(1))
    >>> sum((row[0] + 2 * row[1]) ** 2 for row in forms.caused)  # s = (1, 2): ζ² = 22
    Fraction(22, 1)
    """
    c = _numbered(c, zero)
    a, b, A, B = c["a"], c["b"], c["A"], c["B"]
    N, V = len(a) - 1, _adjoints(a, one)
    R = _zeros(N + 1, N - 1, zero)
    for i in range(N - 1, 0, -1):
        # R_i = a_{i+1} R_{i+1} + A_{i+1} V_{i+1} s_i
        R[i] = [a[i + 1] * x for x in R[i + 1]]
        R[i][i - 1] = R[i][i - 1] + A[i + 1] * V[i + 1]
    caused = [[b[i] * x for x in R[i]] for i in range(1, N + 1)]
    for i in range(2, N + 1):
        # ζ_i = b_i (R_i + h_i) + B_i V_i s_{i−1}
        caused[i - 1][i - 2] = caused[i - 1][i - 2] + B[i] * V[i]
    return ErrorForms(_travel(c["l"], zero, one), caused, _noise(a, b, zero, one))


def bias_forms(c: Mapping[str, Sequence[S]], zero: S, one: S, half: S) -> BiasForms[S]:
    """The forms of Theorem 4.18 (a): superposition, by (4i) and (4j).

    Parameters
    ----------
    c
        Rows a, b, l, A, B, A3, B3 of constants, operators 1 to N at positions 0 to N − 1;
        l holds min{ℓ_i, a_i}, or any larger number.
    zero, one, half
        These numbers.

    Examples
    --------
    All constants and levels 1, zero means, N = 3: β² = 81/4.

    >>> from fractions import Fraction as F
    >>> rows = {key: [F(1)] * 3 for key in ("a", "b", "l", "A", "B", "A3", "B3")}
    >>> sum(sum(row) ** 2 for row in bias_forms(rows, F(0), F(1), F(1, 2)).squares)
    Fraction(81, 4)
    """
    c = _numbered(c, zero)
    a, b, N = c["a"], c["b"], len(c["a"]) - 1
    slope, bend = _to_go(c, zero, one)
    means, curves = _zeros(N + 1, N - 1, zero), _zeros(N + 1, N - 1, zero)
    for i in range(1, N + 1):
        through = b[i]
        for k in range(i, N):  # b_i a_{i+1} ⋯ a_k times Λ_k and M_k
            through = through * a[k] if k > i else through
            means[i][k - 1], curves[i][k - 1] = through * slope[k], through * bend[k]
        if i > 1:
            _before(c, i, slope[i], bend[i], means[i], curves[i], one)
    squares = [[half * x for x in row] for row in curves[1:]]
    return BiasForms(squares, means[1:], _noise(a, b, zero, one))


def _to_go(c: Mapping[str, Sequence[S]], zero: S, one: S) -> tuple[list[S], list[S]]:
    """Λ_k and M_k of (4i), at positions 0 to N."""
    a, l, A, N = c["a"], c["l"], c["A"], len(c["a"]) - 1  # noqa: E741
    V = _adjoints(a, one)
    slope, bend = [zero] * (N + 1), [zero] * (N + 1)
    for i in range(N, 1, -1):
        slope[i - 1] = A[i] * V[i] + a[i] * l[i] * slope[i]
        bend[i - 1] = c["A3"][i] * V[i] + (l[i] + l[i] + a[i]) * A[i] * slope[i]
        bend[i - 1] = bend[i - 1] + a[i] * l[i] * l[i] * bend[i]
    return slope, bend


def _before(
    c: Mapping[str, Sequence[S]],
    i: int,
    slope: S,
    bend: S,
    means: list[S],
    curves: list[S],
    one: S,
) -> None:
    """Λ_ik and κ_ik for the sites k < i, from k = i − 1 down."""
    b, l, A, B = (c[key] for key in "blAB")  # noqa: E741
    V = _adjoints(c["a"], one)
    # Λᵘ_i = B_i V_i + b_i ℓ_i Λ_i;  κᵘ_i = B′_i V_i + 2 B_i ℓ_i Λ_i + b_i (ℓ_i² M_i + A_i Λ_i)
    first = B[i] * V[i] + b[i] * l[i] * slope
    second = c["B3"][i] * V[i] + (B[i] + B[i]) * l[i] * slope
    second = second + b[i] * (l[i] * l[i] * bend + A[i] * slope)
    for k in range(i - 1, 0, -1):
        means[k - 1], curves[k - 1] = first, second
        # κ_{i,k−1} = ℓ_k² κ_ik + A_k Λ_ik;  Λ_{i,k−1} = ℓ_k Λ_ik
        first, second = l[k] * first, l[k] * l[k] * second + A[k] * first


def _numbered(c: Mapping[str, Sequence[S]], zero: S) -> dict[str, list[S]]:
    """Operator i at position i; position 0 is never read."""
    return {key: [zero, *row] for key, row in c.items()}


def _noise(a: Sequence[S], b: Sequence[S], zero: S, one: S) -> list[list[S]]:
    """b_i h_i as rows: h_i = a_{i+1} h_{i+1} + ϵ_{i+1}."""
    N = len(a) - 1
    h = _zeros(N + 1, N - 1, zero)
    for i in range(N - 1, 0, -1):
        h[i] = [a[i + 1] * x for x in h[i + 1]]
        h[i][i - 1] = h[i][i - 1] + one
    return [[b[i] * x for x in h[i]] for i in range(1, N + 1)]


def _adjoints(a: Sequence[S], one: S) -> list[S]:
    """V_N = 1, V_{i−1} = a_i V_i, at positions 0 to N; V_0 is not used."""
    N = len(a) - 1
    V = [one] * (N + 1)
    for i in range(N, 1, -1):
        V[i - 1] = a[i] * V[i]
    return V


def _travel(l: Sequence[S], zero: S, one: S) -> list[list[S]]:  # noqa: E741
    """s_i = ℓ_i s_{i−1} + e_i, unrolled."""
    N = len(l) - 1
    rows = _zeros(N - 1, N - 1, zero)
    for i in range(N - 1):
        rows[i] = [l[i + 1] * x for x in rows[i - 1]] if i else rows[i]
        rows[i][i] = one
    return rows


def _zeros(rows: int, columns: int, zero: S) -> list[list[S]]:
    return [[zero] * columns for _ in range(rows)]
