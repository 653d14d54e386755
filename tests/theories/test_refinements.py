"""The refined recurrences: against slow formulas, in values, as options (docs/theory.md, 4.9)."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import perturbed_chains
from theories import literal
from theories.random_arrays import graphs

from boundcalc.arithmetic import RATIONALS, WIDE
from boundcalc.graph import ChainConstants, Levels
from boundcalc.graph.numbers import GraphConstants, Run
from boundcalc.perturbations import Dependence
from boundcalc.theories.perturbed import restarts, sharp
from boundcalc.theories.perturbed.refinements import (
    CONDITIONAL,
    INDEPENDENCE,
    MEAN_CAP,
    REFINEMENTS,
    SATURATION,
    SUPERPOSITION,
    Choice,
    known_refinements,
)

F = Fraction
ANY, SOME, ALL = Dependence.ANY, Dependence.CONDITIONAL, Dependence.INDEPENDENT
#: Those that the recurrences take at their stages; superposition has tests of its own.
STAGES = tuple(name for name in REFINEMENTS if name != SUPERPOSITION)
SUBSETS = [names for n in range(5) for names in combinations(STAGES, n)]


def depending(x: Levels, known: Dependence) -> Levels:
    return replace(x, dependence=(known,) * len(x.e))


def run(
    c: Any, x: Levels, names: Any, kind: Any = RATIONALS, *, centred: bool = False
) -> tuple[sharp.SecondMoments, sharp.Means, tuple[str, ...]]:
    choice = Choice(kind, names)
    second = sharp.centred(c, x, kind, forward=centred, backward=centred, choice=choice)
    return second, sharp.means(c, x, second, kind, choice=choice), choice.names


@settings(deadline=None, max_examples=150)
@given(perturbed_chains(), st.sampled_from(SUBSETS), st.sampled_from([ANY, SOME, ALL]))
def test_chains_as_written_out(case: Any, names: Any, known: Dependence) -> None:
    c, x = case
    second, mean, _ = run(c, depending(x, known), names)
    product = "any"
    if known is ALL and INDEPENDENCE in names:
        product = "independent"
    elif known is not ANY and CONDITIONAL in names:
        product = "conditional"
    expected = literal.sharp(
        c, x, capped=MEAN_CAP in names, saturated=SATURATION in names, product=product
    )
    N = c.size
    assert dict(enumerate(second.R[1:], 1)) == {i: expected.R[i] for i in range(1, N + 1)}
    assert dict(enumerate(second.gradient[1:], 1)) == expected.error
    assert dict(enumerate(mean.beta[1:], 1)) == {i: expected.beta[i] for i in range(1, N + 1)}
    assert dict(enumerate(mean.gradient[1:], 1)) == expected.bias


@settings(deadline=None, max_examples=60)
@given(graphs(), st.sampled_from(SUBSETS), st.sampled_from([SOME, ALL]))
def test_more_refinements_never_give_more(case: Any, names: Any, known: Dependence) -> None:
    c, x = case[0].graph, depending(case[1], known)
    plain, best, own = run(c, x, ()), run(c, x, REFINEMENTS), run(c, x, names)
    for k in range(2):
        assert best[k].total() <= own[k].total() <= plain[k].total()
    assert set(own[2]) <= set(names)
    if own[2] == ():
        assert [own[k].total() for k in range(2)] == [plain[k].total() for k in range(2)]
    unknown = run(c, depending(case[1], ANY), names)
    assert own[1].total() <= unknown[1].total()


def change_by_definition(g: GraphConstants, s: Any, V: Any, v: int, left_out: set[int]) -> Any:
    """T_v of Lemma 4.12 (a) over all operators, without saturation and without cut nodes."""
    N, moved, T = g.size, [F(0)], [F(0)] * (g.size + 1)
    for w in range(1, N + 1):
        own = sum((g.l[w][k] * moved[u] for k, u in enumerate(g.inputs[w])), F(0))
        moved.append(s[w] if w in left_out else own)
    for u in range(N - 1, v - 1, -1):
        for w, k in g.consumers[u]:
            drift = sum((g.A[w][k][q] * moved[x] for q, x in enumerate(g.inputs[w])), F(0))
            T[u] += g.a[w][k] * T[w] + V[w] * drift
    return T[v]


def without_kinks(g: GraphConstants) -> GraphConstants:
    """1 for every constant that does not exist."""

    def filled(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(filled, value))
        return F(1) if value is None else value

    return replace(g, **{name: filled(getattr(g, name)) for name in ("A", "A3", "B", "B3")})


@settings(deadline=None, max_examples=60)
@given(graphs(), st.sampled_from([SOME, ALL]))
def test_cut_nodes_give_the_same_as_the_whole_graph(case: Any, known: Dependence) -> None:
    g, x = without_kinks(replace(case[0].graph, runs=())), depending(case[1], known)
    second = sharp.general(g, x, RATIONALS)
    choice = Choice(RATIONALS, (INDEPENDENCE, CONDITIONAL))
    found = restarts.restarts(g, x, second.s, second.V, RATIONALS, choice)
    assert found is not None
    for v in range(1, g.size + 1):
        before = set(range(1, v))
        if known is ALL or all(e == 0 for e in x.e[1:-1]):
            before, open_ = set(), [u for u in g.inputs[v] if u]
            while open_:
                u = open_.pop()
                before.add(u)
                open_ += [w for w in g.inputs[u] if w]
        assert found.change[v] == change_by_definition(g, second.s, second.V, v, before)


def test_only_what_comes_later_must_be_known() -> None:
    # At v the perturbations of v to N − 1 count (Theorems 4.13 and 4.14).
    c = ones(5)
    e = (F(0), *[F(1)] * 4, F(0))
    none = (F(0),) * 6

    def kept(*known: Dependence) -> tuple[Dependence, ...]:
        x = Levels(e, none, e, none, none, (ANY, *known, ANY))
        second = sharp.general(c, x, RATIONALS)
        choice = Choice(RATIONALS)
        found = restarts.restarts(c.graph, x, second.s, second.V, RATIONALS, choice)
        return () if found is None else found.dependence[1:]

    assert kept(ALL, SOME, ALL, ALL) == (SOME, SOME, ALL, ALL, ALL)
    assert kept(ANY, ALL, SOME, ALL) == (ANY, SOME, SOME, ALL, ALL)
    assert kept(ALL, ALL, ALL, ANY) == (ANY, ANY, ANY, ANY, ALL)


def ones(N: int, **other: F) -> ChainConstants:
    """All constants 1 but those given."""
    names = ("a", "b", "l", "A", "B", "A3", "B3")
    return ChainConstants(**{name: (F(0), *[other.get(name, F(1))] * N) for name in names})


def zero_mean(*e: F) -> Levels:
    none = (F(0),) * (len(e) + 2)
    return Levels((F(0), *e, F(0)), none, none, none, none)


def test_values_with_all_constants_one() -> None:
    second, mean, names = run(ones(3), zero_mean(F(1), F(1)), (SATURATION, MEAN_CAP))
    assert (second.total(), mean.total(), names) == (12, 12, (SATURATION, MEAN_CAP))
    second, mean, _ = run(ones(3), zero_mean(F(1), F(1)), (SATURATION,))
    assert (second.total(), mean.total()) == (12, F(225, 4))


def test_values_with_a_small_and_a_large_perturbation() -> None:
    c, x = ones(3, A3=F(0), B3=F(0)), zero_mean(F(1, 10_000), F(1, 10))
    plain = run(c, x, ())[1].total()
    assert float(plain) == pytest.approx(2.0e-10, rel=0.01)
    independent = depending(x, ALL)
    # What is left is of second order in e_1; 2.0e-10 is of first order in e_1 and in e_2.
    found = run(c, independent, (INDEPENDENCE,))
    assert float(found[1].total()) == pytest.approx(4.8e-16, rel=0.02)
    assert run(c, independent, STAGES)[2] == (INDEPENDENCE,)
    weaker = run(c, independent, (CONDITIONAL,))[1].total()
    assert found[1].total() < weaker < F(1, 10**5) * plain
    assert run(c, depending(x, SOME), STAGES)[1].total() == weaker
    assert run(c, x, STAGES)[1].total() == plain
    # Superposition needs to know nothing of dependence.
    everything = run(c, x, REFINEMENTS)
    assert (everything[1].total(), everything[2]) == (F(19, 4 * 10**16), (SUPERPOSITION,))


def test_zero_mean_forms_take_the_refinements_too() -> None:
    wide = (
        literal.converted(ones(4), WIDE.number),
        literal.converted(zero_mean(F(1, 1000), F(1, 100), F(1, 10)), WIDE.number),
    )
    c, x = wide[0], depending(wide[1], ALL)
    best = [run(c, x, names, WIDE, centred=True)[1].total() for names in ((), REFINEMENTS)]
    assert best[1] < best[0] * WIDE.number(F(9, 10))


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown refinements"):
        known_refinements(["saturated"])


def changes(g: GraphConstants, e: Any, names: Any) -> tuple[Any, ...]:
    """T_v for independent perturbations of sizes e."""
    edges = 1 + max(edge for row in g.edges for edge in row)
    none, silent = (F(0),) * len(e), (F(0),) * edges
    x = Levels(e, none, e, silent, silent, (ALL,) * len(e))
    second = sharp.general(g, x, RATIONALS)
    found = restarts.restarts(g, x, second.s, second.V, RATIONALS, Choice(RATIONALS, names))
    assert found is not None
    return found.change


def test_a_change_between_cut_nodes_saturates_at_twice_the_size() -> None:
    # y_2 = y_1, y_3 = sin y_2, y_4 = y_1 + y_3: by δ_1 = π the adjoint cos y_2 turns from 1 to −1.
    one, zero = F(1), F(0)
    g = GraphConstants(
        inputs=((), (0,), (1,), (2,), (1, 3)),
        edges=((), (1,), (2,), (3,), (4, 5)),
        a=((), (zero,), (one,), (one,), (one, one)),
        l=((), (zero,), (one,), (one,), (one, one)),
        A=((), ((zero,),), ((zero,),), ((one,),), ((zero, zero),) * 2),
        J=((), *[(None,)] * 3, (None, None)),
        A3=((), (zero,), (zero,), (one,), (zero, zero)),
        b=(one,) * 5,
        B=((), *[(zero,)] * 3, (zero, zero)),
        K=(None,) * 5,
        B3=(zero,) * 5,
        groups=(0, 1, 2, 3, 4),
    )
    assert restarts.cut_nodes(g) == (0, 1, 4)
    pi = F(314159, 100_000)
    e = (zero, pi, zero, zero, zero)
    assert changes(g, e, (INDEPENDENCE,))[2] == pi
    assert changes(g, e, (INDEPENDENCE, SATURATION))[2] == 2


def test_a_kink_has_no_slope() -> None:
    g, zero = ones(4).graph, F(0)
    kink = replace(g, A=(*g.A[:4], ((None,),)), J=(*g.J[:4], (F(1),)))
    e = (zero, F(1, 10), F(1, 10), F(1, 10), zero)
    # v = 4 is the loss, whose adjoint is 1; before it only saturation says something.
    assert changes(kink, e, (INDEPENDENCE,))[1:] == (zero, None, None, zero)
    assert changes(kink, e, (INDEPENDENCE, SATURATION))[1:] == (zero, 2, 2, zero)


def test_a_restart_before_a_run_passes_through_its_norm() -> None:
    g, zero = ones(4, a=F(2), l=F(2)).graph, F(0)
    run = Run((2, 3), F(1), affine=False)
    e = (zero, F(1), zero, zero, zero)
    second = sharp.general(replace(g, runs=(run,)), Levels(e, e, e, e, e), RATIONALS)
    assert second.V[1:] == (2, 4, 2, 1)
    # y_2 moves by 2, y_3 by min(4, 1);  T_3 = A V_4 · 1;  T_2 = a T_3 + V_3 A · 2
    found = changes(replace(g, runs=(run,)), e, (INDEPENDENCE,))
    # Restarted before 3 the run is cut in two, y_3 moves by ℓ s_2 = 4.
    assert found[2:4] == (2 * 1 + 2 * 2, 4)
