"""Means by superposition: the bias is at most the sum of what each forward perturbation does.

Switch the forward perturbations on one after the other.  What δ_k changes, given those before
it, is the error of a pass in which it is the only perturbation; these changes add up to the
whole error (docs/theory.md, Theorems 4.17 and 4.18).  Nothing is assumed of how
perturbations depend on each other, and no product of two errors is ever split.

O(N) on a chain; on any other graph one pass for each perturbed operator.
"""

from __future__ import annotations

from collections.abc import Iterable

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import ChainConstants, GraphConstants, Levels
from boundcalc.theories.perturbed.drift import vanishes
from boundcalc.theories.perturbed.gradient_to_go import GradientToGo, gradient_to_go
from boundcalc.theories.perturbed.single_site import site_rows

#: Most (operator, perturbed operator) pairs for which a graph that is no chain is superposed.
MAX_PAIRS = 4_000

#: One bound for each operator, 0 to N; None where the theorem says nothing.
Rows = tuple[Scalar | None, ...]


def superposed(
    c: ChainConstants | GraphConstants,
    levels: Levels,
    s: tuple[Scalar, ...],
    mu: tuple[Scalar, ...],
    V: tuple[Scalar, ...],
    R: tuple[Scalar, ...],
    kind: Arithmetic,
) -> Rows:
    """Bounds on ‖E[ũ_v − u_v]‖ without the part of backward perturbations, b_v ν_v.

    Proved for arbitrary dependent perturbations (docs/theory.md, Theorems 4.17 and
    4.18).  Never above the plain bound of Theorem 4.2 on a chain.

    Parameters
    ----------
    c
        Constants.
    levels
        Sizes e and means m of the forward perturbations; of the mean of δ_k only
        E‖E[δ_k | δ_1 … δ_{k−1}]‖ ≤ m_k is used.
    s, mu, V
        Any upper bounds on √E‖ỹ_v − y_v‖², ‖E[ỹ_v − y_v]‖ and ‖v_v‖, by operator, 0 to N;
        s and mu of the loss are not read.
    R
        Bounds on √E‖v̂_v − v_v‖² by the recurrences of Theorem 4.1, 4.3 or 4.7, with or without
        saturation: they hold for all passes with smaller levels as well.
    kind
        Of all numbers.

    Returns
    -------
    By operator, 0 to N.  None where a kink leaves no statement, and everywhere on a graph
    that is too large (:data:`MAX_PAIRS`).

    Examples
    --------
    All constants and forward levels 1, zero means, N = 3: 59/4, where Theorem 4.2 has 225/4.

    >>> from fractions import Fraction as F
    >>> from boundcalc.arithmetic import RATIONALS
    >>> one, zero = (F(0), *[F(1)] * 3), (F(0),) * 4
    >>> ones, levels = ChainConstants(*[one] * 7), Levels(one, zero, one, zero, zero)
    >>> s, mu, V, R = (F(0), F(1), F(2)), (F(0), F(0), F(1, 2)), one, (F(0), F(3), F(2), F(0))
    >>> sum(row**2 for row in superposed(ones, levels, s, mu, V, R, RATIONALS))
    Fraction(59, 4)
    """
    g = c.graph
    chain = is_chain(g)
    if chain and not g.runs:
        return chain_rows(g, levels, s, mu, V, R, kind)
    sites = [k for k in range(1, g.size) if not _silent(levels, k)]
    if g.size * len(sites) <= MAX_PAIRS:
        return _summed((site_rows(g, levels, k, V, kind) for k in sites), g.size, kind)
    # Of a long chain with runs the recurrences hold too, without the norms of its runs.
    return chain_rows(g, levels, s, mu, V, R, kind) if chain else (None,) * (g.size + 1)


def is_chain(g: GraphConstants) -> bool:
    """Whether every operator reads the one before it and nothing else."""
    return all(g.inputs[v] == (v - 1,) for v in range(1, g.size + 1))


def chain_rows(
    g: GraphConstants,
    levels: Levels,
    s: tuple[Scalar, ...],
    mu: tuple[Scalar, ...],
    V: tuple[Scalar, ...],
    R: tuple[Scalar, ...],
    kind: Arithmetic,
) -> Rows:
    """The recurrences of Theorem 4.18, in O(N); arguments as in :func:`superposed`."""
    to_go = gradient_to_go(g, V, kind)
    after = _after(g, levels, to_go, R, kind)
    before = _before(g, levels, to_go, s, mu, kind)
    return (
        kind.number(0),
        *(
            None if before[v] is None else g.b[v] * after[v] + before[v]
            for v in range(1, g.size + 1)
        ),
    )


def _after(
    g: GraphConstants,
    levels: Levels,
    to_go: GradientToGo,
    R: tuple[Scalar, ...],
    kind: Arithmetic,
) -> list[Scalar]:
    """Θ_i: what δ_i, …, δ_{N−1} do to v̂_i, given δ_1, …, δ_{i−1}.

    Θ_i = min{a_{i+1} Θ_{i+1} + min{Λ_i m_i + ½ M_i e_i², Λ_i e_i}, R_i}, Θ_N = 0.
    """
    theta = [kind.number(0)] * (g.size + 1)
    for i in range(g.size - 1, 0, -1):
        inherited = g.a[i + 1][0] * theta[i + 1]
        if not _silent(levels, i):
            e, m = levels.e[i], levels.m[i]
            own = _least(
                _expanded(to_go.slope[i], to_go.bend[i], m, e**2), _times(to_go.slope[i], e), kind
            )
            inherited = None if own is None else inherited + own
        theta[i] = _least(inherited, R[i], kind)
    return theta


def _before(
    g: GraphConstants,
    levels: Levels,
    to_go: GradientToGo,
    s: tuple[Scalar, ...],
    mu: tuple[Scalar, ...],
    kind: Arithmetic,
) -> list[Scalar | None]:
    """What δ_1, …, δ_{i−1} do to u_i when nothing else is perturbed.

    min{Λᵘ_i μ′ + ½ κᵘ_i t, Λᵘ_i μ + ½ κᵘ_i s², Λᵘ_i s} at i − 1, where t and μ′ add the effects
    of single perturbations:  t_i = ℓ_i² t_{i−1} + e_i²,  μ′_i = ℓ_i μ′_{i−1} + ½ A_i t_{i−1} + m_i.
    """
    t, added = kind.number(0), kind.number(0)
    found: list[Scalar | None] = [t, t]
    for i in range(2, g.size + 1):
        k = i - 1
        added = _plus(_through(g, k, added, t, to_go), levels.m[k])
        t = to_go.lipschitz[k] ** 2 * t + levels.e[k] ** 2
        if vanishes(s[k]):
            found.append(kind.number(0))
            continue
        slope, bend = to_go.weight_slope[i], to_go.weight_bend[i]
        alone = _expanded(slope, bend, added, t)
        together = _expanded(slope, bend, mu[k], s[k] ** 2)
        best = _least(_least(alone, together, kind), _times(slope, s[k]), kind)
        found.append(best)
    return found


def _through(
    g: GraphConstants, k: int, mean: Scalar | None, t: Scalar, to_go: GradientToGo
) -> Scalar | None:
    """ℓ_k μ′_{k−1} + ½ A_k t_{k−1}; None behind a kink that something moves."""
    if k == 1:
        return 0 * t
    A = g.A[k][0][0]
    if vanishes(t):
        return _times(mean, to_go.lipschitz[k])
    return None if mean is None or A is None else to_go.lipschitz[k] * mean + A * t / 2


def _silent(levels: Levels, k: int) -> bool:
    return vanishes(levels.e[k]) and vanishes(levels.m[k])


def _summed(rows: Iterable[tuple[Scalar, ...]], size: int, kind: Arithmetic) -> Rows:
    found: list[Scalar] = [kind.number(0)] * (size + 1)
    for row in rows:
        found = [x + y for x, y in zip(found, row, strict=True)]
    return tuple(found)


def _expanded(
    slope: Scalar | None, bend: Scalar | None, mean: Scalar | None, square: Scalar
) -> Scalar | None:
    """slope · mean + ½ bend · square."""
    if slope is None or bend is None or mean is None:
        return None
    return slope * mean + bend * square / 2


def _times(x: Scalar | None, y: Scalar) -> Scalar | None:
    return None if x is None else x * y


def _plus(x: Scalar | None, y: Scalar | None) -> Scalar | None:
    return None if x is None or y is None else x + y


def _least(x: Scalar | None, y: Scalar | None, kind: Arithmetic) -> Scalar | None:
    if x is None or y is None:
        return y if x is None else x
    return kind.minimum(x, y)
