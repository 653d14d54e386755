"""Hypothesis strategies for exact constants and levels of graphs."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from strategies import SHARES, SIZES, perturbed_chains, rows

from boundcalc.graph import Levels
from boundcalc.graph.numbers import GraphConstants, Run

F = Fraction


@st.composite
def runs(draw: Any, c: GraphConstants) -> Any:
    """Disjoint runs of operators that have one slot and feed the next one only."""
    found: list[Run] = []
    taken: set[int] = set()
    code = iter(draw(st.binary(min_size=3 * c.size, max_size=3 * c.size)))
    for v in range(1, c.size + 1):
        nodes, length = [v], 2 + next(code) % 3
        while len(nodes) < length and len(c.consumers[nodes[-1]]) == 1:
            nodes.append(c.consumers[nodes[-1]][0][0])
        product, share, affine = F(1), SHARES[next(code) % len(SHARES)], next(code) % 2 == 0
        for w in nodes:
            product *= c.a[w][0]
        alone = all(len(c.inputs[w]) == 1 for w in nodes) and taken.isdisjoint(nodes)
        if len(nodes) > 1 and alone and share > 0:
            taken.update(nodes)
            found.append(Run(tuple(nodes), share * product, affine))
    return tuple(found)


@st.composite
def chains_with_runs(draw: Any, **options: bool) -> Any:
    """A chain as a graph, with runs."""
    c, x = draw(perturbed_chains(**options))
    return replace(c.graph, runs=draw(runs(c.graph))), x


@st.composite
def graphs(draw: Any, *, forward_centred: bool = False, backward_centred: bool = False) -> Any:
    """Branches, joins, slots that read twice, shared weights, kinks, missing constants, zeros."""
    N = draw(st.integers(1, 7))
    code = list(draw(st.binary(min_size=9 * N, max_size=9 * N)))
    inputs: list[tuple[int, ...]] = [()]
    edges: list[tuple[int, ...]] = [()]
    groups, count = [0], 0
    for v in range(1, N + 1):
        read = tuple(code.pop() % v for _ in range(1 + code.pop() % 3))
        number = {u: count + k for k, u in enumerate(dict.fromkeys(read), 1)}
        count += len(number)
        inputs.append(read)
        edges.append(tuple(number[u] for u in read))
        groups.append(groups[code.pop() % v] or v)
    sizes = [len(read) for read in inputs]
    pool = iter(draw(rows(sum(5 * p + p * p + 3 for p in sizes) + 3)))
    gaps = iter(draw(st.binary(min_size=99, max_size=99)) * 9)

    def one(*, optional: bool = False) -> Any:
        value = next(pool)
        return None if optional and next(gaps) % 11 == 0 else value

    def slots(p: int, *, optional: bool = False) -> Any:
        return tuple(one(optional=optional) for _ in range(p))

    constants = GraphConstants(
        inputs=tuple(inputs),
        edges=tuple(edges),
        a=tuple(slots(p) for p in sizes),
        l=tuple(slots(p) for p in sizes),
        A=tuple(tuple(slots(p, optional=True) for _ in range(p)) for p in sizes),
        J=tuple(slots(p) for p in sizes),
        A3=tuple(slots(p, optional=True) for p in sizes),
        b=slots(N + 1),
        B=tuple(slots(p, optional=True) for p in sizes),
        K=slots(N + 1),
        B3=slots(N + 1, optional=True),
        groups=tuple(groups),
    )
    constants = replace(constants, runs=draw(runs(constants)))
    e, eps = draw(rows(N, SIZES)), draw(rows(count, SIZES))
    share = draw(rows(N + count, SHARES))
    m = [F(0) if forward_centred else x * t for x, t in zip(e, share[:N], strict=True)]
    n = [F(0) if backward_centred else x * t for x, t in zip(eps, share[N:], strict=True)]
    zero = F(0)
    # What the edges from the data have is not read.
    levels = Levels((zero, *e), (zero, *m), (zero,) * (N + 1), (zero, *eps), (zero, *n))
    return constants, levels
