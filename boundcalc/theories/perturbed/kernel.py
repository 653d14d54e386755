"""The sharp recurrences over flat arrays: :mod:`boundcalc.theories.perturbed.sharp` in loops.

:mod:`boundcalc.theories.perturbed.fast` runs them, compiled or not: they keep to what both
Python and Numba run, read columns by index, and know no number but float and int.
"""

from __future__ import annotations

from boundcalc.theories.perturbed.kernel_columns import Given, Gradient, Graph, State
from boundcalc.theories.perturbed.kernel_drift import (
    drift,
    half_squares,
    mean_drift,
    mean_source,
    saturated,
)
from boundcalc.theories.perturbed.kernel_runs import (
    means_inside,
    noise_inside,
    size_after,
    sizes_inside,
)
from boundcalc.theories.perturbed.scaled import (
    ZERO,
    Column,
    Sums,
    accumulate,
    add_to,
    joint,
    less,
    load,
    plus,
    root,
    scaled,
    store,
    summed,
    times,
)


def forward(g: Graph, x: Given, state: State, centred: bool, capped: bool) -> None:
    """Sizes s_v and means μ_v of forward errors, in topological order."""
    s, mu = state.s, state.mu
    for v in range(1, len(g.first) - 2):
        size, mean = ZERO, ZERO
        for k in range(g.first[v], g.first[v + 1]):
            # s_v = Σ_u ℓ s_u + e_v
            u = g.inputs[k]
            passed = times(scaled(g.l[k]), load(s, u))
            size = plus(size, passed)
            if g.smooth[v]:
                # μ_v = Σ_u a μ_u + ½ Σ_{u,u'} A s_u s_{u'} + m_v
                moved = drift(g.A, g.pairs[k] - g.first[v], g.J[k], g, s, v)
                mean = plus(mean, times(scaled(g.a[k]), load(mu, u)))
                mean = plus(mean, times((0.5, 0), times(moved, load(s, u))))
            else:
                mean = plus(mean, passed)
        run = g.run_to[v]
        if run >= 0:
            size = less(size, size_after(g, g.l, x.e, s, run, centred))
            if g.run_affine[run]:
                mean = less(mean, size_after(g, g.a, x.m, mu, run, False))
        size = joint(size, scaled(x.e[v]), centred)
        mean = plus(mean, scaled(x.m[v]))
        store(s, v, size)
        store(mu, v, less(mean, size) if capped else mean)


def backward_sizes(g: Graph, x: Given, state: State, centred: bool, saturates: bool) -> None:
    """V, R and E: each operator, after all that read it, adds to those that it reads."""
    s, V, R, E, squares = state.s, state.V, state.R, state.E, state.squares
    store(V, len(g.first) - 2, (1.0, 0))
    for v in range(len(g.first) - 2, 0, -1):
        if centred:
            # W_v = (Σ a √W)² + Σ ϵ²
            store(E, v, joint(load(E, v), root(load(squares, v)), centred))
        if saturates:
            # R_v ≤ 2 V_v
            store(R, v, less(load(R, v), times((2.0, 0), load(V, v))))
        run = g.run_from[v]
        for k in range(g.first[v], g.first[v + 1]):
            u = g.inputs[k]
            if u == 0:
                continue
            # V_u = Σ_v a V_v;  R_u = Σ_v (a R_v + V_v · drift of ∇_u f_v);  E_u = Σ_v a E_v + Σ ϵ
            a, end = scaled(g.a[k]), v
            if run >= 0:
                a, end = scaled(g.run_norm[run]), g.run_nodes[g.run_first[run + 1] - 1]
                add_to(R, u, sizes_inside(g, s, V, run, saturates))
                inside = noise_inside(g, x.eps, run, centred)
                add_to(E, u, joint(times(a, load(E, end)), inside, centred))
            else:
                moved = drift(g.A, g.pairs[k] - g.first[v], g.J[k], g, s, v)
                moved = saturated(moved, g.a[k], saturates)
                add_to(R, u, times(load(V, v), moved))
                add_to(E, u, times(a, load(E, end)))
            add_to(V, u, times(a, load(V, end)))
            add_to(R, u, times(a, load(R, end)))
            if g.leads[k]:
                eps = scaled(x.eps[g.edges[k]])
                if centred:
                    add_to(squares, u, times(eps, eps))
                else:
                    add_to(E, u, eps)


def backward_means(g: Graph, x: Given, state: State, capped: bool, saturates: bool) -> None:
    """β and ν, in the same order."""
    s, mu, V, R, beta, nu = state.s, state.mu, state.V, state.R, state.beta, state.nu
    for v in range(len(g.first) - 2, 0, -1):
        if capped:
            store(beta, v, less(load(beta, v), load(R, v)))
        run, bent = g.run_from[v], half_squares(g, s, v)
        for k in range(g.first[v], g.first[v + 1]):
            u = g.inputs[k]
            if u == 0:
                continue
            # β_u = Σ_v (a β_v + drift · R_v + V_v · mean drift);  ν_u = Σ_v a ν_v + Σ n
            a, end = scaled(g.a[k]), v
            if run >= 0:
                a, end = scaled(g.run_norm[run]), g.run_nodes[g.run_first[run + 1] - 1]
            passed = times(a, load(nu, end))
            if run >= 0:
                passed = plus(passed, noise_inside(g, x.n, run, False))
            add_to(nu, u, passed)
            if run >= 0 and g.run_affine[run]:
                source = means_inside(g, s, mu, V, R, run, capped, saturates)
            else:
                a, end = scaled(g.a[k]), v
                source = mean_source(
                    g, s, mu, load(V, v), load(R, v), bent, v, k, capped, saturates
                )
            add_to(beta, u, plus(times(a, load(beta, end)), source))
            if g.leads[k]:
                add_to(nu, u, scaled(x.n[g.edges[k]]))


def weights(g: Graph, state: State, gradient: Gradient, capped: bool, saturates: bool) -> None:
    """What each operator adds to the error of its weights' gradient."""
    s, mu, V, R, E, beta, nu = (
        *(state.s, state.mu, state.V, state.R, state.E),
        *(state.beta, state.nu),
    )
    caused, other, means = gradient.forward, gradient.backward, gradient.mean
    for v in range(1, len(g.first) - 1):
        b, group, bent = scaled(g.b[v]), g.groups[v], half_squares(g, s, v)
        moved = saturated(drift(g.B, 0, g.K[v], g, s, v), g.b[v], saturates)
        shift = mean_drift(g.B, 0, g.B3[v], bent, moved, g, mu, v, capped)
        # b R + V · drift of ∇_w f, at most 2 b V;  b E
        size = plus(times(b, load(R, v)), times(load(V, v), moved))
        if saturates:
            size = less(size, times((2.0, 0), times(b, load(V, v))))
        accumulate(caused, group, size)
        accumulate(other, group, times(b, load(E, v)))
        # b β + drift · R + V · mean drift, at most the size;  b ν
        mean = plus(times(moved, load(R, v)), times(load(V, v), shift))
        mean = plus(times(b, load(beta, v)), mean)
        mean = less(mean, size) if capped else mean
        accumulate(means, group, plus(mean, times(b, load(nu, v))))


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


LOOPS = (forward, backward_sizes, backward_means, weights, finish)

#: What compiled code may call.
FUNCTIONS = LOOPS
