"""How much of an adjoint's error depends on the perturbations of what lies before.

Restart the forward pass with the perturbations before operator v left out and all others
kept.  What the adjoint of v changes by then is bounded here; the rest of its error does not
depend on what was left out (docs/theory.md, section 4.9).

O(N + slot pairs) on a chain.  On a graph every operator takes one pass over the operators
between its two neighbours among the cut nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import GraphConstants, Levels
from boundcalc.perturbations.dependence import Dependence
from boundcalc.theories.perturbed.drift import slot_drift, vanishes
from boundcalc.theories.perturbed.pull import pulled
from boundcalc.theories.perturbed.refinements import CONDITIONAL, INDEPENDENCE, SATURATION, Choice

#: Most operators between two cut nodes; for those of a longer part nothing is known.
LONGEST_PART = 64


@dataclass(frozen=True)
class Restarts:
    """By operator, 0 to N.

    Attributes
    ----------
    change
        T_v: root mean square of the change of v̂_v, or None where nothing is known.
    dependence
        What is known of the perturbations that are kept, given those that are left out.
    """

    change: tuple[Scalar | None, ...]
    dependence: tuple[Dependence, ...]


def restarts(
    g: GraphConstants,
    levels: Levels,
    s: tuple[Scalar, ...],
    V: tuple[Scalar, ...],
    kind: Arithmetic,
    choice: Choice,
) -> Restarts | None:
    """T_v for every operator; None where no refinement needs it.

    Parameters
    ----------
    s, V
        Bounds on √E‖ỹ_v − y_v‖² and on ‖v_v‖.
    """
    kept = _kept(g, levels, choice)
    if not any(kept):
        return None
    # Of noises that are independent altogether those beside v may stay in the pass, too.
    only_ancestors = kept[1] is Dependence.INDEPENDENT
    cuts = cut_nodes(g)
    slope = slopes(g, cuts, V, kind)
    change: list[Scalar | None] = [None] * (g.size + 1)
    for c, d in pairwise(cuts):
        if d - c > LONGEST_PART:
            continue
        before = _ancestors(g, c, d)
        for v in range(c + 1, d + 1):
            if not kept[v]:
                continue
            left_out = before[v] if only_ancestors else frozenset(range(c, v))
            moved = _moved(g, s, c, d, left_out, kind)
            end = _at_cut(slope[d], moved[d], V[d], kind, choice)
            change[v] = None if end is None else _adjoint(g, moved, d, v, end, V, kind, choice)
    return Restarts(tuple(change), kept)


def _kept(g: GraphConstants, levels: Levels, choice: Choice) -> tuple[Dependence, ...]:
    """For every v the weakest of the perturbations of v to N − 1, as far as it may be used."""
    found = [Dependence.ANY] * (g.size + 1)
    if levels.dependence is None:
        return tuple(found)
    weakest = Dependence.INDEPENDENT
    for v in range(g.size, 0, -1):
        if v < g.size and not vanishes(levels.e[v]):
            weakest = min(weakest, levels.dependence[v])
        if INDEPENDENCE in choice and weakest is Dependence.INDEPENDENT:
            found[v] = weakest
        elif CONDITIONAL in choice and weakest is not Dependence.ANY:
            found[v] = Dependence.CONDITIONAL
    return tuple(found)


def cut_nodes(g: GraphConstants) -> tuple[int, ...]:
    """0 and every operator that no edge between two others passes by, in order.

    Operators inside a run with one norm are left out.

    Examples
    --------
    >>> from fractions import Fraction as F
    >>> from boundcalc.graph import ChainConstants
    >>> ones = ChainConstants(*[(F(0), F(1), F(1), F(1))] * 7)
    >>> cut_nodes(ones.graph)
    (0, 1, 2, 3)
    """
    inside = {v for run in g.runs for v in run.nodes[:-1]}
    cuts, farthest = [0], 0
    for c in range(1, g.size + 1):
        if farthest <= c and c not in inside:
            cuts.append(c)
        farthest = max([farthest, *(v for v, _ in g.consumers[c])])
    return tuple(cuts)


def slopes(
    g: GraphConstants, cuts: tuple[int, ...], V: tuple[Scalar, ...], kind: Arithmetic
) -> dict[int, Scalar | None]:
    """λ_c for every cut node c: the Lipschitz constant of v̂_c in ỹ_c, noise after c as it is.

    On a chain λ_N = 0, λ_c = A_{c+1} V_{c+1} + a_{c+1} λ_{c+1} ℓ_{c+1}.  None before a kink.
    """
    found: dict[int, Scalar | None] = {g.size: kind.number(0)}
    none = Choice(kind, ())
    unit = {c: kind.number(1) for c in cuts}
    for c, d in reversed(list(pairwise(cuts[1:]))):
        after = found[d]
        if after is None or g.kinked & set(range(c + 1, d + 1)):
            found[c] = None
            continue
        moved = _moved(g, unit, c, d, frozenset([c]), kind)
        found[c] = _adjoint(g, moved, d, c, after * moved[d], V, kind, none)
    return found


def _ancestors(g: GraphConstants, c: int, d: int) -> dict[int, frozenset[int]]:
    """For the operators after c up to d: those of c to d − 1 that they depend on."""
    found: dict[int, frozenset[int]] = {c: frozenset()}
    for v in range(c + 1, d + 1):
        read = [u for u in g.inputs[v] if u]
        found[v] = frozenset(read).union(*(found[u] for u in read))
    return found


def _moved(
    g: GraphConstants,
    s: tuple[Scalar, ...] | dict[int, Scalar],
    c: int,
    d: int,
    left_out: frozenset[int],
    kind: Arithmetic,
) -> dict[int, Scalar]:
    """How far the operators c to d move when the perturbations of ``left_out`` go.

    s_v for v that is left out, else Σ_u ℓ_{v,u} times how far u moves: a common perturbation
    drops out of the difference.
    """
    zero = kind.number(0)
    found = {0: zero, c: s[c] if c in left_out else zero}
    for v in range(c + 1, d + 1):
        if v in left_out:
            found[v] = s[v]
            continue
        total = zero
        for k, u in enumerate(g.inputs[v]):
            total = total + g.l[v][k] * found[u]
        run = g.run_to.get(v)
        if run is not None and not left_out.intersection(run.nodes):
            total = kind.minimum(total, run.norm * found[g.inputs[run.first][0]])
        found[v] = total
    return found


def _at_cut(
    slope: Scalar | None, moved: Scalar, V: Scalar, kind: Arithmetic, choice: Choice
) -> Scalar | None:
    """Change of v̂ at a cut node: λ times how far it moved, and at most 2V."""
    if vanishes(moved):
        return kind.number(0)
    if slope is None:
        return 2 * V if SATURATION in choice else None
    return choice.least(SATURATION, slope * moved, 2 * V)


def _adjoint(
    g: GraphConstants,
    moved: dict[int, Scalar],
    d: int,
    v: int,
    end: Scalar,
    V: tuple[Scalar, ...],
    kind: Arithmetic,
    choice: Choice,
) -> Scalar:
    """Change of v̂_v, back from that at the cut node d; at most 2V at every operator.

    T_u = Σ_v (a_{v,u} T_v + V_v · change of ∇_u f_v).
    """
    source = _source(g, moved, V, kind, choice)
    T = {d: end}
    for u in range(d - 1, v - 1, -1):
        total = pulled(g, T, u, kind.number(0), source=source)
        T[u] = choice.least(SATURATION, total, 2 * V[u])
    return T[v]


def _source(
    g: GraphConstants,
    moved: dict[int, Scalar],
    V: tuple[Scalar, ...],
    kind: Arithmetic,
    choice: Choice,
) -> Callable[[int, int], Scalar]:
    def source(v: int, k: int) -> Scalar:
        size = slot_drift(g, v, k, [moved[u] for u in g.inputs[v]], kind)
        return V[v] * choice.least(SATURATION, size, 2 * g.a[v][k])

    return source
