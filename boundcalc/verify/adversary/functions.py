"""The search over operators: chains of which only the constants are given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from boundcalc.errors import UnsupportedError
from boundcalc.graph import OperatorGraph, build
from boundcalc.operators.base import Array
from boundcalc.simulate.program import make_program
from boundcalc.simulate.start import initial_weights
from boundcalc.spec.loading import loads
from boundcalc.verify.adversary.chain import ScalarChain
from boundcalc.verify.adversary.instance import spline_spec
from boundcalc.verify.adversary.moments import law_of, moments, outcomes
from boundcalc.verify.adversary.optimise import Best, Score, climb
from boundcalc.verify.adversary.plan import plan
from boundcalc.verify.adversary.templates import function_shapes, random_start
from boundcalc.verify.adversary.turns import PARAMETERS
from boundcalc.verify.adversary.within import excess

_NUMBERS = 2**16  # outcomes × candidates of one batch
_DRAWN = 4  # batches of random candidates for each start
_STEPS = 60  # of a climb, at most
_CLIMB = 2**21  # outcomes × candidates of a climb, where steps are fewer
_DIGITS = (2, 3, 4, 6, 9)  # decimals that are tried for an instance, the fewest first
_KEPT = 1 - 1e-7  # of the value, when numbers are rounded


@dataclass(frozen=True)
class Found:
    """The end of a search, before it is held against bounds.

    ``zero`` is what is left of rounding where the value should vanish; the rest is as in
    :class:`~boundcalc.verify.adversary.attack.Attack`, ``history`` in values.
    """

    instance: str
    attained: float
    uncertainty: float
    evaluations: int
    history: tuple[float, ...]
    notes: tuple[str, ...] = ()
    zero: float = 1e-24


def search_functions(
    graph: OperatorGraph,
    *,
    bias: bool,
    starts: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None],
) -> Found:
    """The worst chain of splines; an interrupt keeps the best so far."""
    made = plan(graph)
    bests: list[tuple[ScalarChain, Best]] = []
    history: list[float] = []
    try:
        for chain in made.chains:
            best = Best(_score(chain, bias))
            bests.append((chain, best))
            for start in range(starts):
                _start(chain, best, rng)
                history.append(max(found.value for _, found in bests))
                progress(len(bests) * starts - starts + start + 1, starts * len(made.chains))
    except KeyboardInterrupt:
        if not history:
            raise
    chain, best = max(bests, key=lambda pair: pair[1].value)
    assert best.point is not None  # noqa: S101 - at least one start was made
    text, value = _rounded(graph, chain, best.point, bias)
    return Found(text, value, 0.0, sum(b.evaluations for _, b in bests), tuple(history), made.notes)


def _score(chain: ScalarChain, bias: bool) -> Score:
    return lambda z: chain.moments(z)[int(bias)]


def _start(chain: ScalarChain, best: Best, rng: np.random.Generator) -> None:
    """Random shapes, climbs from the best of them, then other shapes one function at a time."""
    low, high = chain.boxes()
    count = _batch(chain)
    steps = max(8, min(_STEPS, _CLIMB // (chain.parameters * chain.outcomes)))
    pool = np.concatenate([random_start(chain, rng, count) for _ in range(_DRAWN)])
    values = np.concatenate([best.values(part) for part in np.split(pool, _DRAWN)])
    for point in pool[np.argsort(-values)[:2]]:
        climb(best, point, low, high, steps=steps)
    for _ in range(2):
        before = best.value
        for k in rng.permutation(chain.functions):
            _swap(chain, best, int(k), count)
        if best.value <= before * (1 + 1e-6):
            break
    assert best.point is not None  # noqa: S101 - batches were evaluated
    climb(best, best.point, low, high, steps=steps)


def _swap(chain: ScalarChain, best: Best, k: int, count: int) -> None:
    """Every shape in place of function k."""
    shapes = function_shapes(chain, k)
    assert best.point is not None  # noqa: S101 - batches were evaluated
    points = np.repeat(best.point[None], len(shapes), axis=0)
    points[:, PARAMETERS * k : PARAMETERS * (k + 1)] = shapes
    for at in range(0, len(points), count):
        best.values(points[at : at + count])


def _batch(chain: ScalarChain) -> int:
    """Candidates that are evaluated at once."""
    return max(8, min(512, _NUMBERS // chain.outcomes))


def _rounded(graph: OperatorGraph, chain: ScalarChain, z: Array, bias: bool) -> tuple[str, float]:
    """The instance with the fewest decimals that lose nothing worth a word."""
    found = []
    for digits in _DIGITS:
        text = spline_spec(graph, chain, z, digits=digits)
        instance = build(loads(text))
        if not excess(graph, instance):
            found.append((exact_value(instance, bias=bias), text))
    if not found:
        raise UnsupportedError(
            "no instance within the constants could be written down",
            expected="constants of comparable size: instances are splines with decimal knots",
            fix="rescale the constants that are very large or very small",
        )
    most = max(value for value, _ in found)
    return next((text, value) for value, text in found if value >= most * _KEPT)


def exact_value(instance: OperatorGraph, *, bias: bool) -> float:
    """E‖ũ − u‖² or ‖E[ũ − u]‖² of an instance at its initial weights: the worst sample."""
    program = make_program(instance)
    law = law_of(instance)
    assert law is not None  # noqa: S101 - instances are written with such laws
    data = instance.data
    assert data is not None  # noqa: S101 - and with data
    found = outcomes(instance.perturbations, law, np.random.default_rng(0), draws=2**15)
    w = initial_weights(instance, program)[:1]
    result = moments(instance, program, w, data.features[None], data.labels[None], found)
    return float((result.bias if bias else result.error).max())
