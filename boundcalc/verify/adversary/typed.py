"""The search over weights, samples and noise, where operators have types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from boundcalc.graph import OperatorGraph, build
from boundcalc.operators.base import Array
from boundcalc.spec.loading import loads
from boundcalc.verify.adversary.functions import Found
from boundcalc.verify.adversary.moments import (
    MAX_OUTCOMES,
    Law,
    Moments,
    TwoValues,
    moments,
    outcomes,
)
from boundcalc.verify.adversary.optimise import Best, climb
from boundcalc.verify.adversary.settings import FREE, Places, Setting, make_setting
from boundcalc.verify.adversary.spec_text import spec_text
from boundcalc.verify.adversary.within import excess

_NUMBERS = 2**18  # outcomes × candidates × samples × width of one batch
_CLIMBED = 2**19  # numbers of one gradient by differences, at most, for climbs


@dataclass(frozen=True)
class Effort:
    """How much is tried in one start: less where a pass takes longer.

    Attributes
    ----------
    samples, pool, steps
        Samples, random candidates, and batches of steps from the best of them.
    draws, final
        Draws of a noise with too many outcomes, during the search and for its result.
    """

    samples: int = 8
    pool: int = 48
    steps: int = 12
    draws: int = 256
    final: int = 8192

    @classmethod
    def of(cls, widths: tuple[int, ...]) -> Effort:
        """By the numbers of one pass."""
        return cls() if sum(widths) <= 400 else cls(2, 12, 6, 32, 512)


def search_typed(
    graph: OperatorGraph,
    *,
    bias: bool,
    starts: int,
    rng: np.random.Generator,
    progress: Callable[[int, int], None],
) -> Found:
    """The worst weights, sample and noise; an interrupt keeps the best so far."""
    setting = make_setting(graph)
    data = graph.data
    assert data is not None  # noqa: S101 - make_setting() has looked
    effort = Effort.of(setting.program.widths)
    count = min(effort.samples, len(data.labels))
    rows = np.sort(rng.choice(len(data.labels), size=count, replace=False))
    tried: list[tuple[float, Array, Array]] = []
    history: list[float] = []
    evaluations = 0
    try:
        for start in range(starts):
            signs = np.ones(setting.signs) if start == 0 else rng.choice([-1.0, 1.0], setting.signs)
            best = Best(_score(setting, signs, rows, bias), cost=_cost(setting, signs, len(rows)))
            _start(setting, best, rng)
            evaluations += best.evaluations
            assert best.point is not None  # noqa: S101 - batches were evaluated
            point, value, more = best.point, best.value, 0
            signs, value, more = _flipped(setting, point, signs, value, rows, bias, rng)
            evaluations += more
            tried.append((value, point, signs))
            history.append(max(value for value, _, _ in tried))
            progress(start + 1, starts)
    except KeyboardInterrupt:
        if not tried:
            raise
    _, point, signs = max(tried, key=lambda entry: entry[0])
    return _found(setting, point, signs, rows, bias, evaluations, tuple(history))


def _score(setting: Setting, signs: Array, rows: Places, bias: bool) -> Callable[[Array], Array]:
    found = outcomes(
        setting.graph.perturbations,
        setting.law(signs),
        np.random.default_rng(1),
        draws=Effort.of(setting.program.widths).draws,
    )
    data = setting.graph.data
    assert data is not None  # noqa: S101 - make_setting() has looked
    x, labels = data.features[rows][None], data.labels[rows][None]
    width = max(setting.program.widths)
    size = max(1, _NUMBERS // (len(found.probability) * len(rows) * width))

    def score(points: Array) -> Array:
        values = np.empty(len(points))
        for at in range(0, len(points), size):
            w = setting.weights.projected(points[at : at + size])
            m = moments(setting.graph, setting.program, w, x, labels, found)
            best = (m.bias if bias else m.error).max(axis=1)
            values[at : at + size] = np.where(m.outside, -np.inf, best)
        return values

    return score


def _cost(setting: Setting, signs: Array, rows: int) -> int:
    """Numbers that one evaluation computes."""
    random = sum(
        not c.fixed
        for p, own in zip(setting.graph.perturbations, setting.law(signs), strict=True)
        for c in own
        if p.direction == "forward"
    )
    return int(min(2**random, MAX_OUTCOMES)) * rows * sum(setting.program.widths)


def _start(setting: Setting, best: Best, rng: np.random.Generator) -> None:
    """Random weights of several sizes, the spec's own among them, then the way up."""
    d, effort = len(setting.weights.free), Effort.of(setting.program.widths)
    own = setting.weights.start[setting.weights.free]
    best.values(own[None])
    if d == 0:
        return
    size = 10 ** rng.uniform(-1.5, 0.5, size=(effort.pool, 1))
    pool = np.clip(own + size * rng.standard_normal((effort.pool, d)), -FREE, FREE)
    values = best.values(pool)
    low, high = np.full(d, -FREE), np.full(d, FREE)
    low, high = np.minimum(low, own), np.maximum(high, own)
    if d * best.cost <= _CLIMBED:
        for point in pool[np.argsort(-values)[:2]]:
            climb(best, point, low, high, steps=40)
        assert best.point is not None  # noqa: S101 - batches were evaluated
        climb(best, best.point, low, high, steps=40)
        return
    step = 1.0
    for _ in range(effort.steps):
        assert best.point is not None  # noqa: S101 - batches were evaluated
        before = best.value
        sizes = step * 10 ** rng.uniform(-2, 0, size=(effort.pool // 3, 1))
        moves = sizes * rng.standard_normal((len(sizes), d))
        best.values(np.clip(best.point + moves, low, high))
        step *= 1.5 if best.value > before else 0.6


def _flipped(
    setting: Setting,
    point: Array,
    signs: Array,
    value: float,
    rows: Places,
    bias: bool,
    rng: np.random.Generator,
) -> tuple[Array, float, int]:
    """Signs reversed one by one while that helps; at most 32 of them are tried."""
    tried = 0
    for k in rng.permutation(len(signs))[:32]:
        other = signs.copy()
        other[k] = -other[k]
        found = float(_score(setting, other, rows, bias)(point[None])[0])
        tried += 1
        if found > value:
            signs, value = other, found
    return signs, value, tried


def _found(
    setting: Setting,
    point: Array,
    signs: Array,
    rows: Places,
    bias: bool,
    evaluations: int,
    history: tuple[float, ...],
) -> Found:
    """The instance, and its value with noise of its own where outcomes are drawn."""
    w = setting.weights.projected(point[None])
    law = setting.law(signs)
    data = setting.graph.data
    assert data is not None  # noqa: S101 - make_setting() has looked
    found = outcomes(
        setting.graph.perturbations,
        law,
        np.random.default_rng(2),
        draws=Effort.of(setting.program.widths).final,
    )
    parts: list[Moments] = [
        moments(
            setting.graph,
            setting.program,
            w,
            data.features[[row]][None],
            data.labels[[row]][None],
            found,
        )
        for row in rows
    ]
    values = [float((m.bias if bias else m.error)[0, 0]) for m in parts]
    worst = int(np.argmax(values))
    text = _instance(setting, w[0], int(rows[worst]), law)
    made = build(loads(text), folder=setting.graph.spec.folder)
    outside = excess(setting.graph, made)
    assert not outside, outside  # noqa: S101 - a part of the data, and laws with the same moments
    return Found(
        instance=text,
        attained=values[worst],
        uncertainty=float(parts[worst].spread[int(bias)][0, 0]),
        evaluations=evaluations,
        history=history,
        zero=1e-24 * (1.0 + float(np.sum(w**2))),
    )


def _instance(setting: Setting, w: Array, row: int, law: Law) -> str:
    graph = setting.graph
    spec, data = graph.spec, graph.data
    assert data is not None  # noqa: S101 - make_setting() has looked
    simulation: dict[str, Any] = {
        "data": {
            "points": [[float(x) for x in data.features[row]]],
            "labels": [float(data.labels[row])],
        },
        "replicas": 2,
        "check": {"iterates": [0], "samples": 1, "draws": 16384},
    }
    free = [float(x) for x in w[setting.weights.free]]
    if free:
        simulation["initial_weights"] = free
    return spec_text(
        spec,
        {
            "name": f"Instance of {spec.name}"[:500],
            "perturbations": _perturbations(graph, law),
            "training": {"step_size": "1e-30", "horizon": 1},
            "simulation": simulation,
        },
    )


def _perturbations(graph: OperatorGraph, law: Law) -> list[dict[str, Any]]:
    """One entry for each perturbation; components share a law, as the format has it."""
    made = []
    for p, own in zip(graph.perturbations, law, strict=True):
        place = graph.ids[p.site - 1] if p.direction == "forward" else _edge(graph, p.edge)
        made.append({"at": place, "pass": p.direction, **_model(own[0])})
    return made


def _edge(graph: OperatorGraph, edge: int) -> str:
    u, v = graph.ends[edge]
    if not u:
        return graph.ids[v - 1]
    return f"{graph.ids[u - 1]}->{graph.ids[v - 1]}"


def _model(c: TwoValues) -> dict[str, Any]:
    if c.fixed:
        return {"model": "constant", "value": float(c.high if c.p == 1.0 else c.low)}
    if c.low == -c.high and c.p == 0.5:
        return {"model": "two_point", "magnitude": float(c.high)}
    return {
        "model": "two_point",
        "low": float(c.low),
        "high": float(c.high),
        "p_high": float(c.p),
    }
