"""The sharp bounds of graphs in arrays, from constants to bounds, against depth.

Nothing here asserts a time; docs/benchmarks.md has the numbers of one machine.
"""

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from boundcalc.arithmetic import FLOATS, WIDE
from boundcalc.graph import ChainConstants, Levels
from boundcalc.graph.arrays import GraphArrays
from boundcalc.graph.level_arrays import LevelArrays
from boundcalc.graph.numbers import GraphConstants
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.fast import fast_bounds

DEPTHS = [10**2, 10**3, 10**4, 10**5, 10**6]
HOW = {"forward_centred": True, "backward_centred": True, "capped": True}


def columns(size):
    """Constants around 1 that differ from operator to operator."""
    rng = np.random.default_rng(0)
    return {name: rng.uniform(0.95, 1.05, size) for name in ("a", "b", "l", "A", "B", "A3", "B3")}


def block():
    """Two operators: z = g(y), then y + z; 3 slots."""
    return GraphArrays(
        first=[0, 0, 1, 3],
        inputs=[0, 0, 1],
        edges=[1, 2, 3],
        a=[0.01, 1.0, 1.0],
        l=[0.01, 1.0, 1.0],
        A=[0.2, 0.0, 0.0, 0.0, 0.0],
        J=[np.nan] * 3,
        A3=[0.3, 0.0, 0.0],
        b=[0.0, 1.0, 0.0],
        B=[1.0, 0.0, 0.0],
        K=[np.nan] * 3,
        B3=[0.0, 0.5, 0.0],
        groups=[0, 1, 2],
    )


def chain(size):
    given = columns(size)
    return lambda: GraphArrays.chain(**given)


def residual(size):
    one = block()
    return lambda: GraphArrays.repeated(one, size // 2)


def bounds(make, *, compiled):
    """From constants to bounds: arrays made and checked, recurrences run."""
    graph = make()
    levels = LevelArrays.on(graph, e=0.1, eps=0.1)
    return fast_bounds(graph, levels, **HOW, compiled=compiled)


def measured(benchmark, size, function, *arguments, **options):
    found = benchmark.pedantic(
        function,
        arguments,
        options,
        rounds=max(3, min(20, 10**6 // size)),
        warmup_rounds=1,
    )
    benchmark.extra_info["operators"] = size
    return found


@pytest.mark.benchmark(group="sharp bounds, compiled")
@pytest.mark.parametrize("size", DEPTHS)
@pytest.mark.parametrize("graph", [chain, residual])
def test_compiled(benchmark, graph, size):
    pytest.importorskip("numba")
    assert measured(benchmark, size, bounds, graph(size), compiled=True).error > 0


@pytest.mark.benchmark(group="sharp bounds, the same without Numba")
@pytest.mark.parametrize("size", DEPTHS[:3])
@pytest.mark.parametrize("graph", [chain, residual])
def test_plain(benchmark, graph, size):
    assert measured(benchmark, size, bounds, graph(size), compiled=False).error > 0


def listed(kind, column):
    return (kind.number(0), *(kind.measured(float(value)) for value in column))


def chain_numbers(size, kind):
    return ChainConstants(**{name: listed(kind, x) for name, x in columns(size).items()}).graph


def residual_numbers(size, kind):
    g = GraphArrays.repeated(block(), size // 2)
    a, l, A3, B, A = (  # noqa: E741
        [kind.measured(x) for x in column.tolist()] for column in (g.a, g.l, g.A3, g.B, g.A)
    )

    def slots(column):
        return tuple(tuple(column[k] for k in range(*ends)) for ends in pairwise(g.first.tolist()))

    rows = [tuple(A[i:j]) for i, j in pairwise(g.pairs.tolist())]
    return GraphConstants(
        inputs=slots(g.inputs.tolist()),
        edges=slots(g.edges.tolist()),
        a=slots(a),
        l=slots(l),
        A=slots(rows),
        J=slots([None] * len(a)),
        A3=slots(A3),
        b=listed(kind, g.b[1:]),
        B=slots(B),
        K=(None,) * (size + 1),
        B3=listed(kind, g.B3[1:]),
        groups=tuple(g.groups.tolist()),
    )


def by_scalars(constants, levels, kind):
    second = sharp.centred(constants, levels, kind, forward=True, backward=True)
    return second.total(), sharp.means(constants, levels, second, kind, capped=True).total()


@pytest.mark.benchmark(group="sharp bounds, recurrences over Python numbers")
@pytest.mark.parametrize("graph", [chain_numbers, residual_numbers])
@pytest.mark.parametrize(
    ("kind", "size"),
    [(FLOATS, 10**2), (FLOATS, 10**3), (FLOATS, 10**4), (WIDE, 10**2), (WIDE, 10**3)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_scalars(benchmark, graph, kind, size):
    """The peer: the same recurrences, one Python number at a time; floats may overflow."""
    constants = graph(size, kind)
    zero, level = kind.number(0), kind.measured(0.1)
    edges = max(max(numbers, default=0) for numbers in constants.edges)
    none = (zero,) * (size + 1)
    levels = Levels(
        e=(zero, *[level] * size),
        m=none,
        q=none,
        eps=(zero, *[level] * edges),
        n=(zero,) * (edges + 1),
    )
    error, _ = measured(benchmark, size, by_scalars, constants, levels, kind)
    assert error > 0


FIRST = """
from boundcalc.graph.arrays import GraphArrays
from boundcalc.graph.level_arrays import LevelArrays
from boundcalc.theories.perturbed.fast import fast_bounds
graph = GraphArrays.chain(3, a=1, b=1, l=1, A=1, B=1, A3=1, B3=1)
how = {"forward_centred": True, "backward_centred": True, "capped": True}
fast_bounds(graph, LevelArrays.on(graph, e=1), **how, compiled=COMPILED)
"""


@pytest.mark.benchmark(group="first bounds of a process")
@pytest.mark.parametrize("how", ["plain", "compiled anew", "compiled before"])
def test_first_bounds(benchmark, tmp_path, how):
    """What a process pays once: imports, and compilation or the reading of compiled code."""
    if how != "plain":
        pytest.importorskip("numba")
    code = FIRST.replace("COMPILED", str(how != "plain"))
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    kept["NUMBA_CACHE_DIR"] = str(tmp_path)

    def run(**environment):
        subprocess.run([sys.executable, "-c", code], env=kept | environment, check=True)  # noqa: S603

    if how == "compiled anew":
        benchmark.pedantic(run, kwargs={"PYTHONDONTWRITEBYTECODE": "1"}, rounds=2)
    else:
        benchmark.pedantic(run, rounds=5, warmup_rounds=1)
