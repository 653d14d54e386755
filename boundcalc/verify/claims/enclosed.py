"""An instance once more, from its spec: constants, regions and moments exact, errors in balls.

The expectations are finite sums.  Numbers of the spec are rational; what is computed from them
is enclosed by Arb, as compositions of cubic splines have too many digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

import flint

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import InexactError
from boundcalc.verify.claims.local import Local, local
from boundcalc.verify.claims.ranges import rational

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph

_BITS = 1024
_OUTCOMES = 4096

#: (value, probability) of one perturbation.
Law = Sequence[tuple[Fraction, Fraction]]


@dataclass(frozen=True)
class Enclosed:
    """What is proved of an instance.

    Attributes
    ----------
    error, bias
        Enclosures of E‖ũ − u‖² and ‖E[ũ − u]‖².
    moments
        Moment of a claim → its exact value at every site.
    constants
        Row of constants of a claim → the operators' constants; None where there is none, and
        for the constants in y of an operator that reads the data, which no claim is about.
    """

    error: flint.arb
    bias: flint.arb
    moments: Mapping[str, tuple[Fraction, ...]]
    constants: Mapping[str, tuple[Fraction | None, ...]]


def enclosed(graph: OperatorGraph, rows: Mapping[str, str]) -> Enclosed | None:
    """What is proved of an instance, a chain of numbers; None where nothing is.

    Perturbations are independent of each other and take one or two values.  All states of all
    passes in which some perturbations are 0 lie in the regions, so (A3+) of docs/theory.md
    holds as well.

    Parameters
    ----------
    graph
        The instance.
    rows
        Row of constants of a claim → its name in a spec.
    """
    try:
        with flint.ctx.workprec(_BITS):
            return _enclosed(graph, rows)
    except InexactError:
        return None


def _enclosed(graph: OperatorGraph, rows: Mapping[str, str]) -> Enclosed | None:
    laws = _laws(graph)
    operators = [local(graph, i) for i in range(1, graph.size + 1)]
    chain = [x for x in operators if x is not None]
    if laws is None or len(chain) < graph.size or not graph.is_chain:
        return None
    if not _within(graph, chain, laws[0]):
        return None
    constants = {key: tuple(_constants(graph, name)) for key, name in rows.items()}
    return Enclosed(*_moments(chain, *laws), _powers(*laws), constants)


def _constants(graph: OperatorGraph, name: str) -> Iterator[Fraction | None]:
    for node in graph.nodes:
        own = getattr(node.constants, name)
        unread = node.reads == (0,) and name != "jac_weight"
        yield None if own is None or unread else Fraction(own.evaluate(RATIONALS))


def _laws(graph: OperatorGraph) -> tuple[list[Law], list[Law]] | None:
    """The laws of δ_1..δ_{N−1} and of ε_2..ε_N; None for laws of other kinds."""
    nothing: Law = ((Fraction(0), Fraction(1)),)
    forward, backward = [nothing] * (graph.size - 1), [nothing] * (graph.size - 1)
    for p in graph.perturbations:
        law = _law(p.distribution)
        place, column = (
            (p.site - 1, forward) if p.direction == "forward" else (p.site - 2, backward)
        )
        taken = 0 <= place < len(column) and column[place] is not nothing
        if law is None or p.probability is not None or p.size != 1 or taken:
            return None
        if 0 <= place < len(column):
            column[place] = law
    outcomes = 1
    for law in forward:
        outcomes *= len(law)
    return (forward, backward) if outcomes <= _OUTCOMES else None


def _law(distribution: object) -> Law | None:
    model = getattr(distribution, "model", None)
    if model not in ("constant", "two_point"):
        return None
    names = ("value", "magnitude", "low", "high", "p_high")
    given = {name: getattr(distribution, name, None) for name in names}
    x = {k: Fraction(v.evaluate(RATIONALS)) for k, v in given.items() if v is not None}
    if "value" in x:
        return ((x["value"], Fraction(1)),)
    if "magnitude" in x:
        half = Fraction(1, 2)
        return ((-x["magnitude"], half), (x["magnitude"], half))
    return ((x["low"], 1 - x["p_high"]), (x["high"], x["p_high"]))


def _within(graph: OperatorGraph, chain: Sequence[Local], forward: Sequence[Law]) -> bool:
    """Whether the regions hold all states, however many of the perturbations are switched off.

    |ỹ_i − y_i| ≤ ℓ_i |ỹ_{i−1} − y_{i−1}| + |δ_i| as long as both inputs lie in the region.
    """
    y, moved = flint.arb(0), flint.arb(0)
    for i, operator in enumerate(chain, start=1):
        radius = graph.nodes[i - 1].region.input
        if i > 1 and radius is not None:
            most = flint.arb(rational(Fraction(radius.evaluate(RATIONALS))))
            if not abs(y) + moved <= most:
                return False
        lip = graph.nodes[i - 1].constants.lip_input
        factor = Fraction(0) if lip is None or i == 1 else Fraction(lip.evaluate(RATIONALS))
        if i < len(chain):
            shift = max(abs(x) for x, _ in forward[i - 1])
            y, moved = operator.value(y), flint.arb(rational(factor)) * moved + rational(shift)
    return True


def _moments(
    chain: Sequence[Local], forward: Sequence[Law], backward: Sequence[Law]
) -> tuple[flint.arb, flint.arb]:
    """E‖ũ − u‖² and ‖E[ũ − u]‖²: the sum over all outcomes of δ, given which ũ is affine in ε.

    ṽ_{i−1} = f_i′ ṽ_i + ε_i has the mean f_i′ E ṽ_i + E ε_i and the variance
    f_i′² Var ṽ_i + Var ε_i.
    """
    N = len(chain)
    still = [(flint.arb(0), flint.arb(0))] * (N - 1)
    clean = [mean for mean, _ in _gradient(chain, [flint.arb(0)] * (N - 1), still)]
    noise = [_two(law) for law in backward]
    error, means = flint.arb(0), [flint.arb(0)] * N
    for outcome in product(*forward):
        p = flint.arb(1)
        for _, share in outcome:
            p *= rational(share)
        found = _gradient(chain, [flint.arb(rational(x)) for x, _ in outcome], noise)
        for i, ((mean, variance), exact) in enumerate(zip(found, clean, strict=True)):
            off = mean - exact
            error += p * (off * off + variance)
            means[i] += p * off
    bias = flint.arb(0)
    for mean in means:
        bias += mean * mean
    return error, bias


def _two(law: Law) -> tuple[flint.arb, flint.arb]:
    """E x and Var x."""
    mean = sum((p * x for x, p in law), Fraction(0))
    second = sum((p * x**2 for x, p in law), Fraction(0))
    return flint.arb(rational(mean)), flint.arb(rational(second - mean**2))


def _gradient(
    chain: Sequence[Local], delta: Sequence[flint.arb], noise: Sequence[tuple[flint.arb, flint.arb]]
) -> list[tuple[flint.arb, flint.arb]]:
    """Mean and variance of ũ_1..ũ_N given δ."""
    states = [flint.arb(0)]
    for operator, shift in zip(chain, delta, strict=False):
        states.append(operator.value(states[-1]) + shift)
    mean, variance = flint.arb(1), flint.arb(0)
    found = []
    for i in range(len(chain), 0, -1):
        slope, weight = chain[i - 1].slopes(states[i - 1])
        found.append((weight * mean, weight * weight * variance))
        if i > 1:
            mean = slope * mean + noise[i - 2][0]
            variance = slope * slope * variance + noise[i - 2][1]
    return found[::-1]


def _powers(forward: Sequence[Law], backward: Sequence[Law]) -> dict[str, tuple[Fraction, ...]]:
    def power(laws: Sequence[Law], k: int) -> tuple[Fraction, ...]:
        return tuple(sum((p * x**k for x, p in law), Fraction(0)) for law in laws)

    return {
        "forward": power(forward, 2),
        "backward": power(backward, 2),
        "forward_mean": tuple(x**2 for x in power(forward, 1)),
        "forward_fourth": power(forward, 4),
        "backward_mean": tuple(x**2 for x in power(backward, 1)),
    }
