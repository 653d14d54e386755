"""A run as one self-contained record, from which it can be made again."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import numpy.typing as npt

from boundcalc.operators.base import Array
from boundcalc.simulate.iterates import IterateCheck
from boundcalc.simulate.results_files import ExternalFile, array_digest, external_files
from boundcalc.simulate.results_spec import spec_text
from boundcalc.simulate.run import Run
from boundcalc.simulate.statistics import Metric

Ints = npt.NDArray[np.int64]

#: Version of the results format.
FORMAT = 1

MOST_NUMBERS = 4_000_000  # of one array of the record: 32 MB
_PACKAGES = ("numpy", "scipy")


@dataclass(frozen=True)
class IterateRecord:
    """Error and bias at one iterate, as :class:`~boundcalc.simulate.iterates.IterateCheck`.

    Attributes
    ----------
    step, draws, scale
        See there.
    samples
        Row numbers of the data.
    error, bias
        ``(3, samples)``: the sampled value and the ends of its interval.
    """

    step: int
    draws: int
    scale: float
    samples: tuple[int, ...]
    error: Array
    bias: Array


@dataclass(frozen=True)
class Results:
    """What a results file holds.

    Attributes
    ----------
    name, spec
        The spec's name, and the spec as canonical JSON.
    files
        The data and weights files that the run read.
    data
        Digest of features and labels as the run used them.
    seed, bootstrap_seed
        Of the run, and of bootstrap intervals.
    versions
        Of boundcalc, NumPy, SciPy and Python, and the platform.
    engine, precision, threads
        As the run was made; only the first two matter to the numbers.
    horizon, replicas, confidence, seconds
        T, R, the confidence of each interval, and how long it took.
    every
        The run recorded every so many steps.
    thinned
        The file keeps every so many of these records, and the last one; 1 is all.
    steps, loss, gradient_norm
        The records kept: ``(records,)`` and ``(records, R)``.
    diverged
        ``(R,)``: the first recorded step whose loss was not finite, or −1.
    final
        w^(T) of the first replicas, ``(replicas kept, k)``; all of them unless that is large.
    digests
        SHA-256 of all of ``loss``, ``gradient_norm`` and ``final``, before thinning.
    metrics, checks
        What was measured.
    """

    name: str
    spec: str
    files: tuple[ExternalFile, ...]
    data: str
    seed: int
    bootstrap_seed: int
    versions: Mapping[str, str]
    engine: str
    precision: str
    threads: int
    horizon: int
    replicas: int
    confidence: float
    seconds: float
    every: int
    thinned: int
    steps: Ints
    loss: Array
    gradient_norm: Array
    diverged: Ints
    final: Array
    digests: Mapping[str, str]
    metrics: Mapping[str, Metric]
    checks: tuple[IterateRecord, ...]


def results_of(run: Run) -> Results:
    """The record of a run.

    Raises
    ------
    SimulationError
        If the spec has no exact text.
    DataError
        If a file that the spec names has gone since the run.

    Notes
    -----
    Arrays of more than 4 million numbers are thinned: of loss and gradient norm every k-th
    record and the last stay, of the final weights the first replicas.  Digests are of all.
    """
    graph, section, trajectory = run.graph, run.graph.spec.simulation, run.trajectory
    assert section is not None  # noqa: S101 - there is a run
    assert graph.data is not None  # noqa: S101 - the same
    kept = kept_records(len(trajectory.steps), run.replicas)
    weights = max(1, trajectory.final.shape[1])
    return Results(
        name=graph.spec.name,
        spec=spec_text(graph.spec),
        files=external_files(graph.spec),
        data=array_digest(graph.data.features, graph.data.labels),
        seed=run.seed,
        bootstrap_seed=run.seed,
        versions=environment(),
        engine=run.engine,
        precision=run.precision,
        threads=run.threads,
        horizon=run.steps,
        replicas=run.replicas,
        confidence=run.confidence,
        seconds=run.seconds,
        every=section.record.every,
        thinned=1 if len(kept) < 2 else int(kept[1] - kept[0]),
        steps=trajectory.steps[kept],
        loss=trajectory.loss[kept],
        gradient_norm=trajectory.gradient_norm[kept],
        diverged=trajectory.diverged,
        final=trajectory.final[: max(1, MOST_NUMBERS // weights)],
        digests={
            "loss": array_digest(trajectory.loss),
            "gradient_norm": array_digest(trajectory.gradient_norm),
            "final": array_digest(trajectory.final),
        },
        metrics=dict(run.metrics),
        checks=tuple(_record(check) for check in run.checks),
    )


def kept_records(records: int, replicas: int) -> Ints:
    """Which records a file keeps: every k-th with the smallest k that fits, and the last.

    >>> kept_records(5, 2).tolist()
    [0, 1, 2, 3, 4]
    >>> kept_records(10, 1_000_000).tolist()
    [0, 3, 6, 9]
    """
    most = max(2, MOST_NUMBERS // replicas)
    every = max(1, -(-(records - 1) // (most - 1)))
    return np.append(np.arange(0, records - 1, every, dtype=np.int64), records - 1)


def environment() -> dict[str, str]:
    """Versions of what the numbers depend on."""
    import boundcalc

    found = {"boundcalc": boundcalc.__version__, "python": platform.python_version()}
    found |= {package: version(package) for package in _PACKAGES}
    return {**found, "platform": f"{platform.system()} {platform.machine()}"}


def _record(check: IterateCheck) -> IterateRecord:
    return IterateRecord(
        step=check.step,
        draws=check.draws,
        scale=check.scale,
        samples=check.samples,
        error=np.stack([check.error, check.error_lo, check.error_hi]),
        bias=np.stack([check.bias, check.bias_lo, check.bias_hi]),
    )
