"""Sizes and means of the errors of the forward pass.

docs/theory.md, (4c), (4d), Theorem 4.3 and section 4.8; runs of operators are Lemma 4.10.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import GraphConstants, Levels, Run
from boundcalc.theories.perturbed.drift import Drifts, vanishes
from boundcalc.theories.perturbed.refinements import MEAN_CAP, Choice


def forward_sizes(
    g: GraphConstants, levels: Levels, kind: Arithmetic, *, centred: bool
) -> tuple[Scalar, ...]:
    """s_v = Σ_u ℓ_{v,u} s_u + e_v; centred s_v² = (Σ_u ℓ_{v,u} s_u)² + e_v²."""
    zero = kind.number(0)
    s = [zero] * (g.size + 1)
    for v in range(1, g.size):
        inherited = total((g.l[v][k] * s[u] for k, u in enumerate(g.inputs[v])), zero)
        if v in g.run_to:
            whole = _through_run(g, g.run_to[v], s, levels, kind, centred=centred)
            inherited = kind.minimum(inherited, whole)
        s[v] = _with_noise(inherited, levels.e[v], kind, centred=centred)
    return tuple(s)


def _with_noise(size: Scalar, e: Scalar, kind: Arithmetic, *, centred: bool) -> Scalar:
    """The size of a sum: s + e, or √(s² + e²) where e has conditional mean zero."""
    if centred and not (vanishes(size) or vanishes(e)):
        return kind.sqrt(size**2 + e**2)
    return size + e


def _through_run(
    g: GraphConstants,
    run: Run,
    s: list[Scalar],
    levels: Levels,
    kind: Arithmetic,
    *,
    centred: bool,
) -> Scalar:
    """norm · s before the run, and what perturbations inside it add (docs/theory.md, Lemma 4.10).

    Squares add only where the run is affine: what is inside stays centred then.
    """
    inside = kind.number(0)
    for v, w in pairwise(run.nodes):
        inside = g.l[w][0] * _with_noise(inside, levels.e[v], kind, centred=centred)
    passed = run.norm * s[g.inputs[run.first][0]]
    return _with_noise(passed, inside, kind, centred=centred and run.affine)


def forward_means(
    g: GraphConstants,
    levels: Levels,
    s: tuple[Scalar, ...],
    moved: Drifts,
    kind: Arithmetic,
    choice: Choice,
) -> tuple[Scalar, ...]:
    """μ_v = Σ_u a_{v,u} μ_u + ½ Σ_{u,u'} A_{v,u,u'} s_u s_{u'} + m_v, at most s_v."""
    mu = [kind.number(0)] * (g.size + 1)
    for v in range(1, g.size):
        inherited = kind.number(0)
        for k, u in enumerate(g.inputs[v]):
            if u == 0:
                continue
            if moved.smooth[v]:
                # ½ · a saturated drift would not bound the remainder, which grows to 2 a s.
                inherited = inherited + g.a[v][k] * mu[u] + moved.linear[v][k] * s[u] / 2
            else:
                # f(ỹ) − f(y) has no second-order expansion: its mean is at most its size.
                inherited = inherited + g.l[v][k] * s[u]
        run = g.run_to.get(v)
        if run is not None and run.affine:
            whole = run.norm * mu[g.inputs[run.first][0]]
            inside = kind.number(0)
            for w, x in pairwise(run.nodes):
                inside = g.a[x][0] * (inside + levels.m[w])
            inherited = kind.minimum(inherited, whole + inside)
        mu[v] = choice.least(MEAN_CAP, inherited + levels.m[v], s[v])
    return tuple(mu)


def total(terms: Iterable[Scalar], zero: Scalar) -> Scalar:
    """The sum of some terms, without a zero in front of the first."""
    found = None
    for term in terms:
        found = term if found is None else found + term
    return zero if found is None else found
