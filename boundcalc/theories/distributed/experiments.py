"""Which algorithms stay bounded on f = Σ_j x_j⁴/4, whose curvature has no bound.

The setting of [COM]'s experiments: 8 agents, η = 0.1, steps η/√(k+1).  Every number here is a
share of runs at a stated horizon and escape radius: plain SGD under Cauchy noise escapes with
probability 1 if only one waits, so that a share without its horizon means nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from boundcalc.graph import build
from boundcalc.simulate.statistics import Metric, share_interval
from boundcalc.spec.loading import loads
from boundcalc.theories.distributed.algorithms import Algorithm, KeepOrDrop, RandK
from boundcalc.theories.distributed.noise_sampling import Noise
from boundcalc.theories.distributed.paths import Plan, Walk
from boundcalc.theories.distributed.schedules import Steps
from boundcalc.theories.distributed.simulator import walk
from boundcalc.theories.distributed.tails import median_interval
from boundcalc.theories.objective import Objective, objective_of

AGENTS, STEP, HORIZON, ESCAPE, REPLICAS = 8, 0.1, 1000, 1e6, 2000

_QUARTIC = """
version: 1
name: quartic
graph:
  operators:
    - {{id: half, type: square, bias: true, scale: 1/2}}
    - {{id: f, type: quadratic_cost, diagonal: {twos}}}
training: {{step_size: 1/10, horizon: 1}}
simulation:
  data: {{points: [{point}]}}
  replicas: 2
"""


def quartic(size: int = 1) -> Objective:
    """f = Σ_j x_j⁴/4 in so many dimensions, as a graph.

    >>> loss, gradient = quartic(2).both(np.array([[1.0, 2.0]]))
    >>> loss.tolist(), gradient.tolist()
    ([4.25], [[1.0, 8.0]])
    """
    text = _QUARTIC.format(twos=[2] * size, point=[0] * size)
    return objective_of(build(loads(text), lenient=True))


#: The laws of the noise, scale 1, by name.
NOISES = {
    "Gaussian": Noise("gaussian", np.ones(AGENTS), np.zeros(AGENTS)),
    "affine": Noise("affine", np.ones(AGENTS), np.ones(AGENTS)),
    **{
        f"Student, ν = {nu:g}": Noise("student", np.ones(AGENTS), np.zeros(AGENTS), nu)
        for nu in (5.0, 2.0, 1.5, 1.0)
    },
}

#: The algorithms, by name; compression keeps a component with probability 1/(1+ω).
ALGORITHMS = {
    "SGD": Algorithm("dsgd"),
    **{
        f"compressed, ω = {omega:g}": Algorithm("dcsgd", KeepOrDrop(np.full(AGENTS, omega)))
        for omega in (1.0, 7.0, 63.0)
    },
    "sign": Algorithm("dsignsgd"),
    "normalised": Algorithm("normalised"),
    "clipped at 10": Algorithm("clipped", server_clip=10.0),
}


@dataclass(frozen=True)
class Share:
    """One setting and what became of its runs.

    Attributes
    ----------
    algorithm, noise
        Their names.
    start, size
        Every component of x_0, and d.
    horizon, escape, replicas
        T, the escape radius, and how many runs.
    bounded
        The share of runs with ‖x_k‖ ≤ radius for all k ≤ T, Clopper and Pearson's interval.
    final
        The median of f(x_T) over all runs, +∞ for those that escaped.
    """

    algorithm: str
    noise: str
    start: float
    size: int
    horizon: int
    escape: float
    replicas: int
    bounded: Metric
    final: Metric


def plan(
    algorithm: Algorithm,
    noise: Noise,
    steps: Steps | None = None,
    *,
    horizon: int = HORIZON,
    escape: float = ESCAPE,
    replicas: int = REPLICAS,
    seed: int = 0,
    every: int | None = None,
) -> Plan:
    """One run of the experiments; steps are 0.1/√(k+1) unless said otherwise."""
    return Plan(
        algorithm=algorithm,
        noise=noise,
        steps=Steps("inverse_sqrt", STEP) if steps is None else steps,
        horizon=horizon,
        replicas=replicas,
        seed=seed,
        escape=escape,
        every=horizon if every is None else every,
    )


def shares(
    algorithms: Sequence[str] = tuple(ALGORITHMS),
    noises: Sequence[str] = tuple(NOISES),
    *,
    starts: Sequence[float] = (3.0, 5.0),
    confidence: float = 0.95,
    horizon: int = HORIZON,
    escape: float = ESCAPE,
    replicas: int = REPLICAS,
    seed: int = 0,
) -> tuple[Share, ...]:
    """The share of bounded runs for every combination, in one dimension.

    All combinations meet the same noise of a law (common random numbers).

    Raises
    ------
    KeyError
        For a name that is neither in ``ALGORITHMS`` nor in ``NOISES``.

    Examples
    --------
    >>> sign, plain = shares(["sign", "SGD"], ["Student, ν = 1"], starts=[5.0], replicas=64)
    >>> sign.bounded.mean, plain.bounded.mean < 0.2
    (1.0, True)
    """
    problem = quartic()
    found = []
    for start in starts:
        for noise in noises:
            for name in algorithms:
                chosen = plan(
                    ALGORITHMS[name],
                    NOISES[noise],
                    horizon=horizon,
                    escape=escape,
                    replicas=replicas,
                    seed=seed,
                )
                met = walk(problem.both, np.array([start]), chosen)
                found.append(_share(name, noise, start, 1, chosen, met, confidence))
    return tuple(found)


def compression_shares(
    kept: Sequence[int] = (16, 8, 4, 2, 1),
    *,
    size: int = 16,
    start: float = 1.0,
    noise: str = "Gaussian",
    confidence: float = 0.95,
    horizon: int = HORIZON,
    replicas: int = REPLICAS,
    seed: int = 0,
) -> tuple[Share, ...]:
    """Rand-k with steps 0.1/√(k+1), beside rand-k with normalised steps, in ``size`` dimensions.

    The normalised step is 2ϵs_k/((L0 + L1‖∇f‖)(1 + A)) with ϵ = ½, s_k = 1/√(k+1), L1 = 1,
    L0 = 4 and A = ω/N: the noise has no part that grows with ∇f.

    Examples
    --------
    >>> plain, normalised = compression_shares([1], start=5.0, replicas=64, horizon=50)
    >>> plain.bounded.mean, normalised.bounded.mean
    (0.0, 1.0)
    """
    problem = quartic(size)
    found = []
    for k in kept:
        normalised = Steps(
            "normalised",
            STEP,
            numerator=1 / (1 + (size / k - 1) / AGENTS),
            L0=4.0,
            L1=1.0,
            decay=True,
        )
        for steps in (Steps("inverse_sqrt", STEP), normalised):
            chosen = plan(
                Algorithm("dcsgd", RandK(k)),
                NOISES[noise],
                steps,
                horizon=horizon,
                replicas=replicas,
                seed=seed,
            )
            met = walk(problem.both, np.full(size, start), chosen)
            name = f"rand-{k}, ω = {size / k - 1:g}"
            if steps.kind == "normalised":
                name += ", normalised step"
            found.append(_share(name, noise, start, size, chosen, met, confidence))
    return tuple(found)


def sensitivity(
    *,
    start: float = 3.0,
    horizons: Sequence[int] = (100, 300, 1000, 3000, 10000),
    radii: Sequence[float] = (30.0, 1e2, 1e6),
    confidence: float = 0.95,
    replicas: int = REPLICAS,
    seed: int = 0,
) -> tuple[Share, ...]:
    """SGD under Cauchy noise: how the share depends on the horizon and on the escape radius.

    A run of the longest horizon answers for the shorter ones, whose steps are its first.
    """
    problem, found = quartic(), []
    for radius in radii:
        longest = plan(
            ALGORITHMS["SGD"],
            NOISES["Student, ν = 1"],
            horizon=max(horizons),
            escape=radius,
            replicas=replicas,
            seed=seed,
        )
        met = walk(problem.both, np.array([start]), longest)
        for horizon in horizons:
            stayed = (met.escaped < 0) | (met.escaped > horizon)
            short = replace(longest, horizon=horizon)
            share = _share("SGD", "Student, ν = 1", start, 1, short, met, confidence)
            bounded = share_interval(int(stayed.sum()), replicas, confidence)
            found.append(replace(share, bounded=bounded))
    return tuple(found)


def _share(
    algorithm: str, noise: str, start: float, size: int, chosen: Plan, met: Walk, confidence: float
) -> Share:
    return Share(
        algorithm=algorithm,
        noise=noise,
        start=start,
        size=size,
        horizon=chosen.horizon,
        escape=chosen.escape,
        replicas=chosen.replicas,
        bounded=share_interval(int(met.bounded.sum()), chosen.replicas, confidence),
        final=median_interval(met.loss[-1], confidence),
    )


def markdown(found: Sequence[Share]) -> str:
    """Shares as a table: a row for each noise and start, a column for each algorithm.

    >>> print(markdown(shares(["sign"], ["Gaussian"], starts=[3.0], replicas=64, horizon=10)))
    | noise | x₀ | sign |
    |---|---|---|
    | Gaussian | 3 | 100 [94.3, 100] |
    """
    columns = list(dict.fromkeys(share.algorithm for share in found))
    rows: dict[tuple[str, float], dict[str, str]] = {}
    for share in found:
        cell = (
            f"{_percent(share.bounded.mean)} [{_down(share.bounded.lo)}, {_up(share.bounded.hi)}]"
        )
        rows.setdefault((share.noise, share.start), {})[share.algorithm] = cell
    lines = [
        "| noise | x₀ | " + " | ".join(columns) + " |",
        "|---|---|" + "---|" * len(columns),
    ]
    for (noise, start), cells in rows.items():
        texts = " | ".join(cells.get(name, "–") for name in columns)
        lines.append(f"| {noise} | {start:g} | {texts} |")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.4g}"


def _down(share: float) -> str:
    return f"{np.floor(1000 * share) / 10:g}"


def _up(share: float) -> str:
    return f"{np.ceil(1000 * share) / 10:g}"
