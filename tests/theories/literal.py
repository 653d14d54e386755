"""The formulas of docs/theory.md, written out index by index and slowly.

Nothing here is a recurrence where the text has a sum, and nothing is shared with the package:
constants come in as plain dictionaries from operator number to number.  The numbers may be of
any type with ``+ - * /`` and integer powers; a square root is handed in where one is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from boundcalc.graph import ChainConstants, Levels, UniformConstants

Row = dict[int, Any]


# -- Section 2: the published sums -----------------------------------------------------------------


@dataclass(frozen=True)
class Sums:
    """(21), (33a), (33b) by operator: δ_i under i, ε_{i+1} under i + 1."""

    error_forward: Row
    error_backward: Row
    bias_forward_mean: Row
    bias_forward_fourth: Row
    bias_backward_mean: Row


def published_sums(c: UniformConstants, *, corrected: bool) -> Sums:
    """Section 2 with nested loops; ``corrected`` applies E1 and E3."""
    N, C, Lf, Lg, C2, L2 = c.size, c.jac, c.lip, c.hess, c.hess_op, c.third
    one = C * 0 + 1
    C_v = max(one, C**N)

    def S(j: int) -> Any:
        return sum((3 * C**2) ** k for k in range(j + 1))

    def C2_y(i: int) -> Any:
        total = sum(S(j) * (4 * C**2) ** (j - i - 1) for j in range(i + 1, N))
        return 8 * C2**2 * Lg**2 * C_v**2 * total + 2 * L2**2 * C_v**2 * S(i)

    in_33a = C2 if corrected else L2
    from_19 = 2 if corrected else 1
    own = range(1, N)
    return Sums(
        error_forward={
            i: 4 * C_v**2 * Lg**2 * sum(S(j) * (2 * Lf**2) ** (j - i) for j in range(i, N))
            for i in own
        },
        error_backward={
            i + 1: from_19 * sum((3 * C**2) ** j for j in range(1, i + 1)) for i in own
        },
        bias_forward_mean={
            i: 8 * in_33a**2 * C_v**2 * sum(S(j) * (4 * C**2) ** (j - i) for j in range(i, N))
            for i in own
        },
        bias_forward_fourth={
            i: 8 * sum(C2_y(j) * (8 * Lf**4) ** (j - i) for j in range(i, N)) for i in own
        },
        bias_backward_mean={i + 1: 2 * sum((3 * C**2) ** j for j in range(1, i + 1)) for i in own},
    )


def published_error(sums: Sums, levels: Levels) -> Any:
    """(13)."""
    N = len(levels.e) - 1
    return sum(sums.error_forward[i] * levels.e[i] ** 2 for i in range(1, N)) + sum(
        sums.error_backward[i + 1] * levels.eps[i + 1] ** 2 for i in range(1, N)
    )


def published_bias(sums: Sums, levels: Levels) -> Any:
    """(23); the fourth moments are E‖δ_i‖⁴."""
    N = len(levels.e) - 1
    return sum(
        sums.bias_forward_mean[i] * levels.m[i] ** 2
        + sums.bias_forward_fourth[i] * levels.q[i]
        + sums.bias_backward_mean[i + 1] * levels.n[i + 1] ** 2
        for i in range(1, N)
    )


# -- Section 4: the sharp family -------------------------------------------------------------------


@dataclass(frozen=True)
class Sharp:
    """Everything of Theorems 4.1 to 4.3 and Lemma 4.4, by operator."""

    V: Row
    s: Row
    R: Row
    error: Row  #: bounds on E‖ũ_i − u_i‖²
    mu: Row
    beta: Row
    bias: Row  #: bounds on ‖E[ũ_i − u_i]‖², capped or not

    @property
    def zeta2(self) -> Any:
        return sum(self.error.values())

    @property
    def beta2(self) -> Any:
        return sum(self.bias.values())


def sharp(
    c: ChainConstants,
    x: Levels,
    *,
    forward: bool = False,
    backward: bool = False,
    capped: bool = False,
    saturated: bool = False,
    product: str = "any",
    root: Callable[[Any], Any] | None = None,
) -> Sharp:
    """Theorems 4.1 to 4.3 as closed sums and products over operators.

    ``forward`` and ``backward`` choose the zero-mean forms of Theorem 4.3 (a) and (b), for
    which ``root`` is the square root.  ``capped`` applies Lemma 4.4, ``saturated`` Lemma 4.11;
    ``product`` is ``independent`` for Theorem 4.13, ``conditional`` for Theorem 4.14.
    """
    N = len(c.a) - 1
    zero, one = x.e[0] * 0, x.e[0] * 0 + 1

    def Pi(values: tuple[Any, ...], low: int, high: int) -> Any:
        """Of values[low + 1] to values[high]."""
        result = one
        for k in range(low + 1, high + 1):
            result = result * values[k]
        return result

    def most(value: Any, limit: Any) -> Any:
        return min(value, limit) if saturated else value

    def cap(mean: Any, size: Any) -> Any:
        return min(mean, size) if capped else mean

    # ‖v_i‖: the Jacobians of the operators i+1 to N
    V = {i: Pi(c.a, i, N) for i in range(1, N + 1)}
    if forward:
        assert root is not None
        s = {
            i: root(sum((Pi(c.l, j, i) * x.e[j]) ** 2 for j in range(1, i + 1)))
            for i in range(1, N)
        }
    else:
        s = {i: sum(Pi(c.l, j, i) * x.e[j] for j in range(1, i + 1)) for i in range(1, N)}
    s[0] = zero
    # the drifts of ∇₁f_i and ∇₂f_i
    D = {i: most(c.A[i] * s[i - 1], 2 * c.a[i]) if i > 1 else zero for i in range(1, N + 1)}
    Dw = {i: most(c.B[i] * s[i - 1], 2 * c.b[i]) for i in range(1, N + 1)}
    if saturated:
        R = {N: zero}
        for i in range(N - 1, 0, -1):
            R[i] = min(c.a[i + 1] * R[i + 1] + V[i + 1] * D[i + 1], 2 * V[i])
    else:
        # R_i = Σ_{k>i} a_{i+1}⋯a_{k−1} · A_k V_k s_{k−1}
        R = {
            i: sum(
                (Pi(c.a, i, k - 1) * c.A[k] * V[k] * s[k - 1] for k in range(i + 1, N + 1)), zero
            )
            for i in range(1, N + 1)
        }
    # ε_k reaches v_i, i < k, through a_{i+1}⋯a_{k−1}
    reach = {
        i: [Pi(c.a, i, k - 1) * x.eps[k] for k in range(i + 1, N + 1)] for i in range(1, N + 1)
    }
    own = {i: most(c.b[i] * R[i] + V[i] * Dw[i], 2 * c.b[i] * V[i]) for i in range(1, N + 1)}
    if backward:
        error = {
            i: own[i] ** 2 + c.b[i] ** 2 * sum((part**2 for part in reach[i]), zero)
            for i in range(1, N + 1)
        }
    else:
        error = {i: (own[i] + c.b[i] * sum(reach[i], zero)) ** 2 for i in range(1, N + 1)}

    mu: Row = {0: zero}
    for i in range(1, N):
        mu[i] = cap(c.a[i] * mu[i - 1] + c.A[i] / 2 * s[i - 1] ** 2 + x.m[i], s[i])

    def change(i: int) -> Any:
        """T_i: of v̂_i when δ_1 to δ_{i−1} are left out; s_{i−1} passes on through ℓ alone."""
        # λ_i: the Lipschitz constant of v̂_i in y_i
        slope = sum(
            (Pi(c.l, i, q - 1) * Pi(c.a, i, q - 1) * c.A[q] * V[q] for q in range(i + 1, N + 1)),
            zero,
        )
        return most(slope * c.l[i] * s[i - 1], 2 * V[i]) if i < N else zero

    def meet(i: int, drift: Any) -> Any:
        found = drift * R[i]
        if product == "conditional":
            found = min(found, drift * change(i) + drift * beta[i])
        if product == "independent":
            found = min(found, drift * change(i))
        return found

    beta: Row = {N: zero}
    for i in range(N - 1, 0, -1):
        mean = cap(c.A[i + 1] * mu[i] + c.A3[i + 1] / 2 * s[i] ** 2, D[i + 1])
        through = c.a[i + 1] * beta[i + 1] + meet(i + 1, D[i + 1]) + V[i + 1] * mean
        beta[i] = cap(through, R[i])
    nu = {
        i: sum((Pi(c.a, i, k - 1) * x.n[k] for k in range(i + 1, N + 1)), zero)
        for i in range(1, N + 1)
    }
    bias = {}
    for i in range(1, N + 1):
        mean = cap(c.B[i] * mu[i - 1] + c.B3[i] / 2 * s[i - 1] ** 2, Dw[i])
        part = cap(c.b[i] * beta[i] + meet(i, Dw[i]) + V[i] * mean, own[i])
        bias[i] = cap((part + c.b[i] * nu[i]) ** 2, error[i])
    return Sharp(V=V, s=s, R=R, error=error, mu=mu, beta=beta, bias=bias)


def converted(values: Any, number: Callable[[Any], Any]) -> Any:
    """``ChainConstants``, ``UniformConstants`` or ``Levels`` with every entry as ``number``."""

    def convert(entry: Any) -> Any:
        if entry is None:
            return None
        if isinstance(entry, tuple):
            return tuple(map(number, entry))
        return entry if isinstance(entry, int) else number(entry)

    return type(values)(**{f.name: convert(getattr(values, f.name)) for f in fields(values)})
