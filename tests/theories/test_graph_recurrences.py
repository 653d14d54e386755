"""The sharp recurrences on graphs against sums over all paths, and what must not change them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from graph_paths import SIZES, ZERO, Paths, graphs, perturbed_graphs
from hypothesis import given, settings
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS, WIDE
from boundcalc.graph import GraphConstants, Levels
from boundcalc.graph.numbers import Run
from boundcalc.theories.perturbed import graph_sites, sharp

F = Fraction


@settings(deadline=None, max_examples=150)
@given(perturbed_graphs())
def test_recurrences_are_sums_over_paths(case: tuple[GraphConstants, Levels]) -> None:
    g, x = case
    second = sharp.general(g, x, RATIONALS)
    paths = Paths(g, x)
    assert second.total() == paths.error()
    assert sharp.means(g, x, second, RATIONALS, capped=False).total() == paths.bias()


@settings(deadline=None, max_examples=80)
@given(perturbed_graphs(kinks=True))
def test_second_moments_across_kinks(case: tuple[GraphConstants, Levels]) -> None:
    g, x = case
    second = sharp.general(g, x, RATIONALS)
    assert second.total() == Paths(g, x).error()
    mean = sharp.means(g, x, second, RATIONALS, capped=True)
    assert mean.total() <= second.total()


@settings(deadline=None, max_examples=80)
@given(perturbed_graphs(kinks=True))
def test_zero_means_and_caps_only_help(case: tuple[GraphConstants, Levels]) -> None:
    g, x = case
    slack = 1 + WIDE.number(F(1, 10**28))
    general = sharp.general(g, x, WIDE)
    for forward, backward in ((True, False), (False, True), (True, True)):
        second = sharp.centred(g, x, WIDE, forward=forward, backward=backward)
        assert second.total() <= general.total() * slack
        plain = sharp.means(g, x, second, WIDE, capped=False)
        capped = sharp.means(g, x, second, WIDE, capped=True)
        assert capped.total() <= plain.total() * slack
        assert capped.total() <= second.total() * slack


@settings(deadline=None, max_examples=60)
@given(graphs(kinks=True))
def test_nothing_perturbed_is_no_error(g: GraphConstants) -> None:
    edges = 1 + max(edge for row in g.edges for edge in row)
    none, silent = (ZERO,) * (g.size + 1), (ZERO,) * edges
    x = Levels(e=none, m=none, q=none, eps=silent, n=silent)
    second = sharp.general(g, x, RATIONALS)
    assert second.total() == 0
    assert sharp.means(g, x, second, RATIONALS, capped=False).total() == 0
    assert sharp.centred(g, x, RATIONALS, forward=True, backward=True).total() == 0


@settings(deadline=None, max_examples=80)
@given(perturbed_graphs(), st.data())
def test_bounds_grow_with_every_constant(case: tuple[GraphConstants, Levels], data: Any) -> None:
    g, x = case
    name = data.draw(st.sampled_from(["a", "l", "A3", "B", "b", "B3"]))
    v = data.draw(st.integers(1, g.size))
    rows = list(getattr(g, name))
    rows[v] = rows[v] + 1 if name in ("b", "B3") else tuple(value + 1 for value in rows[v])
    larger = replace(g, **{name: tuple(rows)})
    for kind, centred in ((RATIONALS, False), (WIDE, True)):
        low, high = (
            sharp.centred(c, x, kind, forward=centred, backward=centred) for c in (g, larger)
        )
        slack = 1 if kind is RATIONALS else 1 + WIDE.number(F(1, 10**28))
        assert low.total() <= high.total() * slack
        for capped in (False, True):
            first = sharp.means(g, x, low, kind, capped=capped).total()
            assert first <= sharp.means(larger, x, high, kind, capped=capped).total() * slack


@settings(deadline=None, max_examples=60)
@given(graphs(), st.data())
def test_single_sites_and_the_response_matrix(g: GraphConstants, data: Any) -> None:
    edges = {g.edges[v][k] for v in range(1, g.size + 1) for k, u in enumerate(g.inputs[v]) if u}
    sites = [
        *(bc.graph.Site("forward", v, str(v)) for v in range(1, g.size)),
        *(bc.graph.Site("backward", edge, str(edge)) for edge in sorted(edges)),
    ]
    z = [data.draw(SIZES) for _ in sites]
    M = graph_sites.response_matrix(g, sites, RATIONALS)
    columns = graph_sites.site_columns(g, sites, RATIONALS)
    diagonal = [sum(row[j] ** 2 for row in M) for j in range(len(sites))]
    assert columns["error_forward"] + columns["error_backward"] == diagonal
    count = 1 + max(edge for row in g.edges for edge in row)
    e, eps = [ZERO] * (g.size + 1), [ZERO] * count
    for site, level in zip(sites, z, strict=True):
        (e if site.direction == "forward" else eps)[site.index] = level
    none, silent = (ZERO,) * (g.size + 1), (ZERO,) * count
    x = Levels(e=tuple(e), m=none, q=none, eps=tuple(eps), n=silent)
    sizes = [sum((m * level for m, level in zip(row, z, strict=True)), ZERO) for row in M]
    assert sharp.general(g, x, RATIONALS).total() == sum(size**2 for size in sizes)


def chained(*rows: tuple[int, ...], runs: tuple[Run, ...] = ()) -> GraphConstants:
    """A chain of affine operators with a = ℓ from the first row and b from the second."""
    a, b = rows
    size = len(a)
    one = tuple((F(x),) for x in a)
    none = ((),) + ((ZERO,),) * size
    return GraphConstants(
        inputs=((), *((v,) for v in range(size))),
        edges=((), *((v,) for v in range(1, size + 1))),
        a=((), *one),
        l=((), *one),
        A=((),) + (((ZERO,),),) * size,
        J=((),) + ((None,),) * size,
        A3=none,
        b=(ZERO, *(F(x) for x in b)),
        B=((),) + ((F(1),),) * size,
        K=(None,) * (size + 1),
        B3=(ZERO,) * (size + 1),
        groups=tuple(range(size + 1)),
        runs=runs,
    )


def test_a_run_without_weights_is_one_operator() -> None:
    # 2·3 = 6 by single norms, 4 together: the run 2, 3 against one operator with a = 4.
    run = chained((0, 2, 3, 5), (1, 0, 0, 1), runs=(Run((2, 3), F(4), True),))
    single = chained((0, 4, 5), (1, 0, 1))
    for e1, eps in ((F(1), F(0)), (F(2), F(1, 3))):
        long = Levels(
            (ZERO, e1, *[ZERO] * 3), (ZERO,) * 5, (ZERO,) * 5, (*[ZERO] * 4, eps), (ZERO,) * 5
        )
        short = Levels(
            (ZERO, e1, ZERO, ZERO), (ZERO,) * 4, (ZERO,) * 4, (*[ZERO] * 3, eps), (ZERO,) * 4
        )
        with_run = replace(run, B=((), (ZERO,), (ZERO,), (ZERO,), (F(1),)))
        alone = replace(single, B=((), (ZERO,), (ZERO,), (F(1),)))
        for centred in (False, True):
            found = [
                sharp.centred(c, x, WIDE, forward=centred, backward=centred).total()
                for c, x in ((with_run, long), (alone, short))
            ]
            assert found[0] == found[1] > 0


@settings(deadline=None, max_examples=60)
@given(st.lists(SIZES, min_size=5, max_size=5), st.lists(SIZES, min_size=5, max_size=5))
def test_a_run_never_hurts_and_keeps_what_is_inside(e: list[F], eps: list[F]) -> None:
    plain = chained((0, 2, 3, 2, 5), (1, 1, 1, 1, 1))
    runs = replace(plain, runs=(Run((2, 3, 4), F(7), True),))
    loose = replace(plain, runs=(Run((2, 3, 4), F(12), True),))
    x = Levels((ZERO, *e), (ZERO,) * 6, (ZERO,) * 6, (ZERO, *eps), (ZERO,) * 6)
    for centred in (False, True):
        totals = [
            sharp.centred(c, x, WIDE, forward=centred, backward=centred).total()
            for c in (plain, runs, loose)
        ]
        slack = 1 + WIDE.number(F(1, 10**28))
        assert totals[1] <= totals[0] * slack
        # With the product itself as its norm a run changes nothing.
        assert abs(totals[2] - totals[0]) <= totals[0] * (slack - 1)


CONSTANTS = (
    "constants: {jac_input: 2, jac_weight: 3, lip_input: 5, hess_input: 7, hess_mixed: 11, "
    "third_input: 13, third_mixed: 17}"
)
PERTURBED = """
perturbations:
  - {at: %s, pass: forward, rms: 1/2, mean: 1/5}
  - {at: %s, pass: backward, rms: 1/3, mean: 1/7}
"""


def bounds(operators: str, forward: str, backward: str) -> tuple[Any, Any]:
    text = "version: 1\nname: t\ngraph:\n  operators:\n" + operators
    graph = bc.build(bc.loads(text + PERTURBED % (forward, backward)))
    found = bc.coefficients(graph)
    return found.error_bound().exact, found.bias_bound().exact  # type: ignore[union-attr]


@pytest.mark.parametrize("cut", [1, 2, 3, 4])
def test_a_chain_split_into_two_blocks_gives_the_same_numbers(cut: int) -> None:
    names = ["f1", "f2", "f3", "f4", "f5"]

    def lines(chosen: list[str]) -> str:
        return ", ".join(f"{{id: {name}, {CONSTANTS}}}" for name in chosen)

    flat = "".join(f"    - {{id: {name}, {CONSTANTS}}}\n" for name in names)
    blocks = "".join(
        f"    - {{id: {name}, block: [{lines(part)}]}}\n"
        for name, part in (("p", names[:cut]), ("q", names[cut:]))
    )
    prefix = {name: ("p." if k < cut else "q.") + name for k, name in enumerate(names)}
    expected = bounds(flat, "[f1, f3]", "[f2, f5]")
    assert None not in expected
    assert (
        bounds(blocks, f"[{prefix['f1']}, {prefix['f3']}]", f"[{prefix['f2']}, {prefix['f5']}]")
        == expected
    )


def test_a_chain_with_its_inputs_written_out_gives_the_same_numbers() -> None:
    flat = "".join(f"    - {{id: f{k}, {CONSTANTS}}}\n" for k in range(1, 5))
    wired = "".join(
        f"    - {{id: f{k}, inputs: [{f'f{k - 1}' if k > 1 else ''}], {CONSTANTS}}}\n"
        for k in (4, 2, 3, 1)
    )
    assert bounds(wired, "[f1, f2]", "[f3]") == bounds(flat, "[f1, f2]", "[f3]")


def test_a_residual_block_written_out_gives_the_same_numbers() -> None:
    add = "constants: {jac_input: 1, hess_input: 0, third_input: 0}"
    members = f"{{id: g, {CONSTANTS}}}, {{id: s, inputs: [input, g], {add}}}"
    block = (
        f"    - {{id: a, {CONSTANTS}}}\n"
        f"    - {{id: r, repeat: 2, block: [{members}]}}\n"
        f"    - {{id: loss, {CONSTANTS}}}\n"
    )
    flat = (
        f"    - {{id: a, {CONSTANTS}}}\n"
        f"    - {{id: g1, {CONSTANTS}}}\n    - {{id: s1, inputs: [a, g1], {add}}}\n"
        f"    - {{id: g2, {CONSTANTS}}}\n    - {{id: s2, inputs: [s1, g2], {add}}}\n"
        f"    - {{id: loss, {CONSTANTS}}}\n"
    )
    found = bounds(block, "[a, r.1.g]", "[r.2.s, loss]")
    assert None not in found
    assert found == bounds(flat, "[a, g1]", "[s2, loss]")


def test_a_skip_adds_its_constant_to_the_branch() -> None:
    # y + g(y) with ‖∇g‖ ≤ 2: the operator before sees 1 + 2, and a unit ε at the loss moves u by 3.
    text = """
version: 1
name: t
graph:
  operators:
    - {id: x, constants: {jac_weight: 1}}
    - {id: g, constants: {jac_input: 2, hess_input: 0, third_input: 0}}
    - {id: s, inputs: [x, g], constants: {jac_input: 1, hess_input: 0, third_input: 0}}
    - {id: loss, constants: {jac_input: 1, hess_input: 0, third_input: 0}}
perturbations: [{at: loss, pass: backward, rms: 1, mean: 1}]
"""
    assert bc.coefficients(bc.build(bc.loads(text))).error_bound().exact == "9"  # type: ignore[union-attr]


def test_huber_has_error_bounds_and_no_coefficient_of_the_mean() -> None:
    text = """
version: 1
name: t
graph:
  input: {radius: 1, shape: [2]}
  operators:
    - {id: d, type: dense, units: 1, region: {weight: 3}}
    - {id: s, type: sine}
    - {id: l, type: huber, delta: 1/2}
perturbations: [{at: d, pass: forward, rms: 1/10, mean: 0}]
"""
    found = bc.coefficients(bc.build(bc.loads(text)))
    assert found.by_id("error_forward")["d"] is not None
    assert found.by_id("bias_forward_mean")["d"] is None
    assert found.by_id("bias_forward_fourth")["s"] is None
    assert float(found.bias_bound()) <= float(found.error_bound())  # type: ignore[arg-type]
    published = bc.coefficients(bc.build(bc.loads(text)), "published")
    assert published.refused
    assert "one of l jumps" in str(published.missing)
