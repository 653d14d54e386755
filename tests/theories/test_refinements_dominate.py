"""No outcome-by-outcome expectation is above the refined bounds (docs/theory.md, section 4.9).

Small chains and graphs, large and small noise, all outcomes enumerated; exact fractions for
polynomials.  The noise is independent, dependent with bounded conditional moments, or anything.
"""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from theories.small_graphs import Network, Node, Noise, cubic, drawn, sine, step, two_point

from boundcalc.arithmetic import FLOATS, RATIONALS
from boundcalc.perturbations import Dependence
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.refinements import (
    CONDITIONAL,
    INDEPENDENCE,
    MEAN_CAP,
    REFINEMENTS,
    SATURATION,
    Choice,
)

F = Fraction
INDEPENDENT = Dependence.INDEPENDENT


def simple(rng: random.Random, most: int = 4, *, zero: bool = True) -> F:
    """A small fraction of either sign."""
    return F(rng.randint(0 if zero else 1, most) * rng.choice([-1, 1]), rng.choice([1, 2, 3]))


def network(rng: random.Random, size: int, *, chain: bool, exact: bool) -> Network:
    """Operators of random shapes; every output is read."""
    nodes: list[Node] = []
    for v in range(1, size + 1):
        unread = [u for u in range(1, v) if all(u not in n.reads for n in nodes)]
        if v == 1 or (not chain and v < size and rng.random() < 0.1):
            reads: tuple[int, ...] = ()
        elif chain:
            reads = (v - 1,)
        elif v == size:
            reads = tuple(unread)
        else:
            reads = tuple(rng.choices(range(1, v), k=rng.choice([1, 1, 2, 2, 3])))
        if len(reads) == 2 and reads[0] != reads[1] and rng.random() < 0.3:
            nodes.append(Node(reads, (0, 0), None, simple(rng)))
            continue
        scale = F(1) if exact else 1.0
        if exact:
            shape = cubic(simple(rng), simple(rng), simple(rng) * rng.choice([0, 1]))
        else:
            make = rng.choice([sine, sine, step])
            shape = make(rng.uniform(-2, 2), rng.uniform(-2, 2))
        factors = tuple(scale * simple(rng, 2, zero=False) for _ in reads)
        nodes.append(Node(reads, factors, shape, scale * simple(rng, 2)))
    groups = list(range(size + 1))
    if not chain and rng.random() < 0.3:
        groups[rng.randint(2, size)] = 1
    return Network(tuple(nodes), tuple(groups))


def noise(rng: random.Random, size: int, kind: str, *, centred: bool, exact: bool) -> Noise:
    """Two values at each operator but the last, of sizes that differ by orders of magnitude."""
    scale = F(1) if exact else 1.0
    e, m, rules = [scale * 0], [scale * 0], []
    for v in range(1, size + 1):
        level = scale * F(rng.randint(1, 9), rng.choice([1, 10, 100, 1000]))
        if v == size or rng.random() < 0.15:
            level = scale * 0
        mean = scale * 0 if centred else level * F(rng.randint(0, 4), 4)
        e.append(level)
        m.append(mean)
        # What the past decides: the spread, and the sign of the mean.
        table = {
            s: (scale * F(rng.randint(1, 6), rng.randint(1, 6)), rng.choice([-1, 1]))
            for s in (-1, 0, 1)
        }

        def rule(
            past: Any, level: Any = level, mean: Any = mean, table: Any = table
        ) -> list[tuple[Any, Any]]:
            total = sum((x * (-1) ** k for k, x in enumerate(past)), 0)
            t, side = table[0 if kind == "independent" else (total > 0) - (total < 0)]
            return [(F(1), level)] if level == 0 else two_point(level, t, side * mean)

        rules.append(rule)
    known = INDEPENDENT if kind == "independent" else Dependence.CONDITIONAL
    return Noise(drawn(rules), tuple(e), tuple(m), known)


def bounds(
    g: Any, levels: Any, kind: Any, names: Any, *, centred: bool = False
) -> tuple[Any, Any, tuple[str, ...]]:
    choice = Choice(kind, names)
    second = sharp.centred(g, levels, kind, forward=centred, backward=False, choice=choice)
    mean = sharp.means(g, levels, second, kind, choice=choice)
    return second.total(), mean.total(), choice.names


SETS = [REFINEMENTS, *((name,) for name in REFINEMENTS)]


def check(rng: random.Random, kind: str, *, chain: bool, exact: bool) -> set[str]:
    """One random case; returns the refinements that were used with all of them allowed."""
    size, centred = rng.randint(2, 5), rng.random() < 0.6
    net = network(rng, size, chain=chain, exact=exact)
    law = noise(rng, size, kind, centred=centred, exact=exact)
    error, bias = law.moments(net)
    g = net.constants(law.amplitude)
    levels, number = law.levels(g), RATIONALS if exact else FLOATS
    slack, zero = (F(1), F(0)) if exact else (1 + 1e-9, 1e-20)
    for names in SETS:
        most = bounds(g, levels, number, names)
        assert error <= most[0] * slack + zero, (net, law, names)
        assert bias <= most[1] * slack + zero, (net, law, names)
    if centred:
        floats = bounds(g, levels, FLOATS, REFINEMENTS, centred=True)
        assert error <= floats[0] * (1 + 1e-9) + 1e-20, (net, law)
        assert bias <= floats[1] * (1 + 1e-9) + 1e-20, (net, law)
    return set(bounds(g, levels, number, REFINEMENTS)[2])


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("chain", [True, False])
@pytest.mark.parametrize("kind", ["independent", "conditional"])
def test_no_expectation_is_above_a_refined_bound(kind: str, chain: bool, exact: bool) -> None:
    rng = random.Random(f"{kind} {chain} {exact}")  # noqa: S311 - no secret
    used: set[str] = set()
    for _ in range(60):
        used |= check(rng, kind, chain=chain, exact=exact)
    own = INDEPENDENCE if kind == "independent" else CONDITIONAL
    assert used >= {MEAN_CAP, own}  # not vacuous
    assert SATURATION in used or exact


def positive(rng: random.Random, size: int, *, chain: bool) -> Network:
    """Operators whose derivatives are all positive, so that nothing cancels for small noise."""
    nodes: list[Node] = []
    for v in range(1, size + 1):
        unread = {u for u in range(1, v) if all(u not in n.reads for n in nodes)}
        reads: tuple[int, ...] = () if v == 1 else (v - 1,)
        if not chain and v > 2:
            others = unread if v == size else rng.sample(range(1, v), rng.randint(0, 1))
            reads = tuple(sorted({v - 1, *others} if rng.random() < 0.8 else unread))
        if len(reads) == 2 and rng.random() < 0.3:
            nodes.append(Node(reads, (0, 0), None, F(1)))
            continue
        third = F(rng.randint(0, 2)) if len(reads) < 2 else F(0)
        shape = cubic(F(rng.randint(1, 3), 2), F(rng.randint(0, 3), 2), third)
        nodes.append(Node(reads, tuple(F(rng.randint(1, 3), 2) for _ in reads), shape, F(1, 2)))
    return Network(tuple(nodes), tuple(range(size + 1)))


def at_cuts(net: Network, e: Any) -> tuple[Any, ...]:
    """A level at every operator that no edge passes by."""
    edges = [(u, v) for v, node in enumerate(net.nodes, 1) for u in node.reads]
    free = [all(not u < c < v for u, v in edges) for c in range(1, net.size)]
    return (0 * e, *(e if on else 0 * e for on in free), 0 * e)


@pytest.mark.parametrize("kind", ["independent", "conditional"])
@pytest.mark.parametrize("chain", [True, False])
def test_small_noise_attains_the_refined_bias(chain: bool, kind: str) -> None:
    # To leading order the bias is ½ Σ_j e_j² ∂²u/∂y_j²: every term of the bound is needed.
    rng = random.Random(f"{kind} {chain}")  # noqa: S311 - no secret
    gains = []
    for _ in range(25):
        net = positive(rng, rng.randint(2, 6), chain=chain)
        levels = at_cuts(net, F(1, 10**6))
        rules = [
            (lambda past, e=e: [(F(1, 2), e), (F(1, 2), -e)] if e else [(F(1), e)])
            for e in levels[1:]
        ]
        none = (F(0),) * len(levels)
        known = INDEPENDENT if kind == "independent" else Dependence.CONDITIONAL
        law = Noise(drawn(rules), levels, none, known)
        _, bias = law.moments(net)
        g = net.constants(law.amplitude)
        refined = bounds(g, law.levels(g), FLOATS, REFINEMENTS, centred=True)[1]
        plain = bounds(g, law.levels(g), FLOATS, (SATURATION, MEAN_CAP), centred=True)[1]
        assert bias <= refined * (1 + 1e-9)
        assert bias >= refined * (1 - 1e-3), net
        gains.append(plain / refined if refined else 1)
    assert max(gains) > 1.2


@pytest.mark.parametrize("size", [2, 3, 4])
def test_opposite_slopes_attain_saturation(size: int) -> None:
    # sin has slope 1 at 0 and −1 at π: every adjoint turns round, every Jacobian moves by 2.
    nodes = [Node((), (), cubic(F(1), F(0), F(0)), 0.0)]
    nodes += [Node((v,), (1.0,), sine(1.0, 1.0), 0.0) for v in range(1, size)]
    net = Network(tuple(nodes), tuple(range(size + 1)))
    pi = 3.141592653589793
    odd = tuple(pi if v == size - 1 else 0.0 for v in range(1, size + 1))
    law = Noise(((1.0, odd),), (0.0, *odd), (0.0, *odd), INDEPENDENT)
    error, bias = law.moments(net)
    g = net.constants(law.amplitude)
    most = bounds(g, law.levels(g), FLOATS, REFINEMENTS)
    assert error == bias == pytest.approx(4 * size)
    assert most[:2] == pytest.approx((4 * size, 4 * size))
    assert most[2][0] == SATURATION


def test_independence_is_needed() -> None:
    # docs/theory.md, section 4.9: f_2 = f_3 = y²/2 at 0, δ_2 = 0.1 sign δ_1.
    square = cubic(F(0), F(1), F(0))
    net = Network(
        (
            Node((), (), cubic(F(1), F(0), F(0)), F(0)),
            Node((1,), (F(1),), square, F(0)),
            Node((2,), (F(1),), square, F(0)),
        ),
        (0, 1, 2, 3),
    )
    e, half = F(1, 10), F(1, 2)
    law = Noise(
        ((half, (e, e, F(0))), (half, (-e, -e, F(0)))), (F(0), e, e, F(0)), (F(0),) * 4, INDEPENDENT
    )
    assert sum(p * net.gradient(d)[0] for p, d in law.outcomes) == F(1, 100)
    g = net.constants(law.amplitude)
    wrong = sharp.means(
        g,
        law.levels(g),
        sharp.general(g, law.levels(g), RATIONALS),
        RATIONALS,
        choice=Choice(RATIONALS, (INDEPENDENCE,)),
    )
    assert float(wrong.beta[1]) == pytest.approx(0.0015)
    # Theorem 4.2 asks for unconditional means only, superposition for conditional ones.
    bias = law.moments(net)[1]
    x = law.levels(g, Dependence.ANY)
    assert bias <= bounds(g, x, RATIONALS, (SATURATION, MEAN_CAP))[1]
    assert bias > bounds(g, x, RATIONALS, REFINEMENTS)[1]
    conditional = replace(x, m=(F(0), F(0), e, F(0)))
    assert bias <= bounds(g, conditional, RATIONALS, REFINEMENTS)[1]


def test_a_skip_edge_is_no_cut() -> None:
    # docs/theory.md, section 4.9: y_3 = y_1 y_2, so v̂_2 = y_1 does not depend on y_2.
    net = Network(
        (
            Node((), (), cubic(F(1), F(0), F(0)), F(0)),
            Node((1,), (F(1),), cubic(F(0), F(1), F(0)), F(0)),
            Node((1, 2), (0, 0), None, F(0)),
        ),
        (0, 1, 2, 3),
    )
    e, half = F(1, 10), F(1, 2)
    law = Noise(
        ((half, (e, F(0), F(0))), (half, (-e, F(0), F(0)))),
        (F(0), e, F(0), F(0)),
        (F(0),) * 4,
        INDEPENDENT,
    )
    found = sum(p * net.gradient(d)[0] for p, d in law.outcomes)
    assert found == F(3, 2) * e**2
    g = net.constants(law.amplitude)
    assert found**2 <= bounds(g, law.levels(g), RATIONALS, (INDEPENDENCE,))[1]
