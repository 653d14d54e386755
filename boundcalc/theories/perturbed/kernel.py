"""The sharp recurrences over flat arrays, in numbers that neither overflow nor underflow.

:mod:`boundcalc.theories.perturbed.fast` calls these functions, compiled or not: they keep to
what both Python and Numba run, read columns by index, and know no number but float and int.
They share a file because Numba compiles a loop anew only when the loop's own file has changed.

A *scaled number* is a pair (m, k) that stands for m·2^{512 k}, with m = 0 or
2⁻²⁵⁶ ≤ m < 2²⁵⁶, k = 0 where m = 0.  Sums and products of two mantissas stay inside float64,
a step of k is rare, and numbers more than two steps apart differ by a factor above 2⁵¹²,
so that the smaller one is lost in rounding anyway.  Everything is nonnegative: no operation
cancels, and a relative error of at most 2⁻⁵³ enters with each.
"""

from __future__ import annotations

from math import isnan, sqrt
from typing import Any, NamedTuple, TypeAlias

Scaled: TypeAlias = tuple[float, int]

STEP = 512  # binary digits of one step of the exponent
_UP, _DOWN = 2.0**STEP, 2.0**-STEP
_LARGE, _SMALL = 2.0 ** (STEP // 2), 2.0 ** -(STEP // 2)
ZERO: Scaled = (0.0, 0)


class Column(NamedTuple):
    """Scaled numbers by index: two lists, or two arrays."""

    mantissa: Any
    exponent: Any


class Sums(NamedTuple):
    """Compensated sums by index: mantissas, what rounding lost of them, exponents."""

    mantissa: Any
    lost: Any
    exponent: Any


class Graph(NamedTuple):
    """The columns of :class:`~boundcalc.graph.arrays.GraphArrays`, NaN for None."""

    first: Any
    inputs: Any
    edges: Any
    leads: Any  # whether a slot is the first one on its edge
    pairs: Any
    smooth: Any  # whether every A of an operator exists
    a: Any
    l: Any  # noqa: E741 - the letter of the theory
    A: Any
    J: Any
    A3: Any
    b: Any
    B: Any
    K: Any
    B3: Any
    groups: Any


class Given(NamedTuple):
    """The columns of :class:`~boundcalc.graph.arrays.LevelArrays`."""

    e: Any
    m: Any
    eps: Any
    n: Any


class State(NamedTuple):
    """By operator, as in :mod:`boundcalc.theories.perturbed.sharp`, for which see.

    ``E`` is the ε part, in the centred form Σ a √W; ``squares`` is then Σ ϵ² over the edges.
    """

    s: Column
    mu: Column
    V: Column
    R: Column
    E: Column
    squares: Column
    beta: Column
    nu: Column


class Gradient(NamedTuple):
    """By group: the parts that forward and backward perturbations cause, and the mean."""

    forward: Sums
    backward: Sums
    mean: Sums


# -- Scaled numbers --------------------------------------------------------------------------------


def scaled(x: float) -> Scaled:
    """A float ≥ 0 as a scaled number, exactly."""
    k = 0
    while x >= _LARGE:
        x, k = x * _DOWN, k + 1
    while 0.0 < x < _SMALL:
        x, k = x * _UP, k - 1
    return x, k


def normal(m: float, k: int) -> Scaled:
    """m·2^{512 k} for an m at most one step outside the range of mantissas."""
    if m >= _LARGE:
        return m * _DOWN, k + 1
    if m < _SMALL:
        return (0.0, 0) if m == 0.0 else (m * _UP, k - 1)
    return m, k


def times(x: Scaled, y: Scaled) -> Scaled:
    """x·y."""
    return normal(x[0] * y[0], x[1] + y[1])


def plus(x: Scaled, y: Scaled) -> Scaled:
    """x + y."""
    if x[1] == y[1]:
        return normal(x[0] + y[0], x[1])
    if x[0] == 0.0:
        return y
    if y[0] == 0.0:
        return x
    high, low = (x, y) if x[1] > y[1] else (y, x)
    if high[1] - low[1] > 1:
        return high
    return normal(high[0] + low[0] * _DOWN, high[1])


def root(x: Scaled) -> Scaled:
    """√x; where k is odd, half a step is left to the mantissa."""
    m, k = sqrt(x[0]), x[1] // 2
    return (m, k) if x[1] % 2 == 0 else normal(m * _LARGE, k)


def less(x: Scaled, y: Scaled) -> Scaled:
    """The smaller of two."""
    if x[1] == y[1] or x[0] == 0.0 or y[0] == 0.0:
        return x if x[0] <= y[0] else y
    return x if x[1] < y[1] else y


def load(column: Column, i: int) -> Scaled:
    """Entry i."""
    return column.mantissa[i], column.exponent[i]


def store(column: Column, i: int, x: Scaled) -> None:
    """Set entry i."""
    column.mantissa[i] = x[0]
    column.exponent[i] = x[1]


def add_to(column: Column, i: int, x: Scaled) -> None:
    """Add to entry i."""
    store(column, i, plus(load(column, i), x))


def accumulate(sums: Sums, i: int, x: Scaled) -> None:
    """Add to entry i; what rounding loses is kept apart (T. Ogita, S. M. Rump, S. Oishi, 2005)."""
    if x[0] == 0.0:
        return
    old, lost, k, term = sums.mantissa[i], sums.lost[i], sums.exponent[i], x[0]
    if old == 0.0 or x[1] > k:
        factor = _DOWN if x[1] - k == 1 else 0.0
        old, lost, k = old * factor, lost * factor, x[1]
    elif x[1] < k:
        term *= _DOWN if k - x[1] == 1 else 0.0
    new = old + term
    back = new - old
    lost += (old - (new - back)) + (term - back)
    if new >= _LARGE:
        new, lost, k = new * _DOWN, lost * _DOWN, k + 1
    sums.mantissa[i] = new
    sums.lost[i] = lost
    sums.exponent[i] = k


def summed(sums: Sums, i: int) -> Scaled:
    """Entry i, rounded once."""
    return normal(sums.mantissa[i] + sums.lost[i], sums.exponent[i])


# -- How far Jacobians move: boundcalc.theories.perturbed.drift ------------------------------------


def drift(row: Any, offset: int, change: float, g: Graph, s: Column, v: int) -> Scaled:
    """Σ_u c_u s_u over the inputs u of v, c = row[offset + slot]; the change where one is NaN."""
    found, moves, kinked = ZERO, False, False
    for j in range(g.first[v], g.first[v + 1]):
        x = load(s, g.inputs[j])
        moves = moves or x[0] != 0.0
        if isnan(row[offset + j]):
            kinked = True
        else:
            found = plus(found, times(scaled(row[offset + j]), x))
    if kinked:
        return scaled(change) if moves else ZERO
    return found


def mean_drift(
    row: Any, offset: int, third: float, squares: Scaled, size: Scaled, g: Graph, mu: Column, v: int
) -> Scaled:
    """Σ_u c_u μ_u + c′ · ½ Σ_u s_u², and at most the root mean square where one is NaN."""
    if isnan(third):
        return size
    found = times(scaled(third), squares)
    for j in range(g.first[v], g.first[v + 1]):
        if isnan(row[offset + j]):
            return size
        found = plus(found, times(scaled(row[offset + j]), load(mu, g.inputs[j])))
    return found


def half_squares(g: Graph, s: Column, v: int) -> Scaled:
    """½ Σ_u s_u² over the inputs u of v."""
    found = ZERO
    for k in range(g.first[v], g.first[v + 1]):
        x = load(s, g.inputs[k])
        found = plus(found, times((0.5, 0), times(x, x)))
    return found


# -- The recurrences: boundcalc.theories.perturbed.sharp -------------------------------------------


def forward(g: Graph, x: Given, state: State, centred: bool, capped: bool) -> None:
    """Sizes s_v and means μ_v of forward errors, in topological order."""
    s, mu = state.s, state.mu
    for v in range(1, len(g.first) - 2):
        inherited, mean, own = ZERO, scaled(x.m[v]), scaled(x.e[v])
        for k in range(g.first[v], g.first[v + 1]):
            # s_v = Σ_u ℓ s_u + e_v
            u = g.inputs[k]
            passed = times(scaled(g.l[k]), load(s, u))
            inherited = plus(inherited, passed)
            if g.smooth[v]:
                # μ_v = Σ_u a μ_u + ½ Σ_{u,u'} A s_u s_{u'} + m_v
                moved = drift(g.A, g.pairs[k] - g.first[v], g.J[k], g, s, v)
                mean = plus(mean, times(scaled(g.a[k]), load(mu, u)))
                mean = plus(mean, times((0.5, 0), times(moved, load(s, u))))
            else:
                mean = plus(mean, passed)
        size = plus(inherited, own)
        if centred and inherited[0] != 0.0 and own[0] != 0.0:
            size = root(plus(times(inherited, inherited), times(own, own)))
        store(s, v, size)
        store(mu, v, less(mean, size) if capped else mean)


def backward_sizes(g: Graph, x: Given, state: State, centred: bool) -> None:
    """V, R and E: each operator, after all that read it, adds to those that it reads."""
    s, V, R, E, squares = state.s, state.V, state.R, state.E, state.squares
    store(V, len(g.first) - 2, (1.0, 0))
    for v in range(len(g.first) - 2, 0, -1):
        if centred:
            # W_v = (Σ a √W)² + Σ ϵ²
            store(E, v, root(plus(times(load(E, v), load(E, v)), load(squares, v))))
        for k in range(g.first[v], g.first[v + 1]):
            u = g.inputs[k]
            if u == 0:
                continue
            # V_u = Σ_v a V_v;  R_u = Σ_v (a R_v + V_v · drift of ∇_u f_v);  E_u = Σ_v a E_v + Σ ϵ
            a, moved = scaled(g.a[k]), drift(g.A, g.pairs[k] - g.first[v], g.J[k], g, s, v)
            add_to(V, u, times(a, load(V, v)))
            add_to(R, u, plus(times(a, load(R, v)), times(load(V, v), moved)))
            add_to(E, u, times(a, load(E, v)))
            if g.leads[k]:
                eps = scaled(x.eps[g.edges[k]])
                if centred:
                    add_to(squares, u, times(eps, eps))
                else:
                    add_to(E, u, eps)


def backward_means(g: Graph, x: Given, state: State, capped: bool) -> None:
    """β and ν, in the same order."""
    s, mu, V, R, beta, nu = state.s, state.mu, state.V, state.R, state.beta, state.nu
    for v in range(len(g.first) - 2, 0, -1):
        if capped:
            store(beta, v, less(load(beta, v), load(R, v)))
        squares = half_squares(g, s, v)
        for k in range(g.first[v], g.first[v + 1]):
            u, offset = g.inputs[k], g.pairs[k] - g.first[v]
            if u == 0:
                continue
            # β_u = Σ_v (a β_v + drift · R_v + V_v · mean drift);  ν_u = Σ_v a ν_v + Σ n
            a, moved = scaled(g.a[k]), drift(g.A, offset, g.J[k], g, s, v)
            shift = mean_drift(g.A, offset, g.A3[k], squares, moved, g, mu, v)
            passed = plus(times(a, load(beta, v)), times(moved, load(R, v)))
            add_to(beta, u, plus(passed, times(load(V, v), shift)))
            add_to(nu, u, times(a, load(nu, v)))
            if g.leads[k]:
                add_to(nu, u, scaled(x.n[g.edges[k]]))


def weights(g: Graph, state: State, gradient: Gradient) -> None:
    """What each operator adds to the error of its weights' gradient."""
    s, mu, V, R, E, beta, nu = (
        *(state.s, state.mu, state.V, state.R, state.E),
        *(state.beta, state.nu),
    )
    caused, other, means = gradient.forward, gradient.backward, gradient.mean
    for v in range(1, len(g.first) - 1):
        b, group, bent = scaled(g.b[v]), g.groups[v], half_squares(g, s, v)
        moved = drift(g.B, 0, g.K[v], g, s, v)
        shift = mean_drift(g.B, 0, g.B3[v], bent, moved, g, mu, v)
        # b R + V · drift of ∇_w f;  b E;  b (β + ν) + drift · R + V · mean drift
        accumulate(caused, group, plus(times(b, load(R, v)), times(load(V, v), moved)))
        accumulate(other, group, times(b, load(E, v)))
        mean = plus(times(moved, load(R, v)), times(load(V, v), shift))
        accumulate(means, group, plus(times(b, plus(load(beta, v), load(nu, v))), mean))


def finish(gradient: Gradient, parts: Column, totals: Sums, centred: bool, capped: bool) -> None:
    """E‖ũ_g − u_g‖² by group into ``parts``; ζ² and β² into ``totals``."""
    for i in range(len(parts.mantissa)):
        caused, other = summed(gradient.forward, i), summed(gradient.backward, i)
        if centred:
            size = plus(times(caused, caused), times(other, other))
        else:
            size = times(plus(caused, other), plus(caused, other))
        mean = summed(gradient.mean, i)
        mean = times(mean, mean)
        store(parts, i, size)
        accumulate(totals, 0, size)
        accumulate(totals, 1, less(mean, size) if capped else mean)


#: What the loops call; compiled together with them.
HELPERS = (
    *(scaled, normal, times, plus, root, less),
    *(load, store, add_to, accumulate, summed),
    *(drift, mean_drift, half_squares),
)
LOOPS = (forward, backward_sizes, backward_means, weights, finish)
