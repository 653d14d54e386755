"""What a sweep found: its points, each read from the folder when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from boundcalc.operators.base import Array
from boundcalc.showing import Gridded, Shown, Tabular
from boundcalc.simulate.statistics import Metric
from boundcalc.spec.model import Spec
from boundcalc.sweeps.grid import Grid
from boundcalc.sweeps.overrides import override
from boundcalc.sweeps.record import Details, details_of


@dataclass(frozen=True)
class Point:
    """One point of a sweep: one choice of settings and one seed.

    Attributes
    ----------
    index
        Its number: the axes in their order, the last one fastest, then the seeds.
    settings
        Path in the spec → the value it was given, as text.
    seed
        Of the simulation.
    metrics
        Name → mean over replicas with its interval, all `sampled`; empty if it failed.
    confidence
        Of every interval.
    steps, replicas
        Of the run; 0 if it failed.
    diverged
        How many replicas left the finite numbers.
    diverged_step
        The first recorded step at which one did, or None.
    engine, precision
        Of the run.
    error
        Why there is no result, or None.
    """

    index: int
    settings: Mapping[str, str]
    seed: int
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    confidence: float = float("nan")
    steps: int = 0
    replicas: int = 0
    diverged: int = 0
    diverged_step: int | None = None
    engine: str = ""
    precision: str = ""
    error: str | None = None
    file: Path | None = field(default=None, compare=False, repr=False)

    @property
    def diverged_share(self) -> float:
        """The share of replicas that diverged; NaN if the point failed."""
        return self.diverged / self.replicas if self.replicas else float("nan")

    @property
    def status(self) -> str:
        """``finite``, ``diverged`` if a replica did, or ``failed``."""
        if self.error is not None:
            return "failed"
        return "diverged" if self.diverged else "finite"

    def details(self) -> Details:
        """The trajectory, thinned, and every metric replica by replica; read from the disk.

        Raises
        ------
        OutputError
            If the point's file is damaged, or it failed and has no trajectory.
        """
        return details_of(self.file, self.index, self.error)


@dataclass(frozen=True)
class SweepResult(Shown, Tabular, Gridded):
    """A sweep: its grid and the points that are done.

    Attributes
    ----------
    folder
        Where the results are.
    spec
        The spec, before any setting is changed.
    grid
        The axes and seeds.
    points
        Those that are done, in the order of their index: all of them unless the sweep was
        interrupted.
    versions
        Package → version that made the numbers.
    """

    folder: Path
    spec: Spec
    grid: Grid
    points: tuple[Point, ...]
    versions: Mapping[str, str]

    @property
    def complete(self) -> bool:
        """Whether every point is done."""
        return len(self.points) == self.grid.size

    @property
    def failed(self) -> tuple[Point, ...]:
        """The points that raised an error."""
        return tuple(point for point in self.points if point.error is not None)

    def spec_of(self, point: Point) -> Spec:
        """The spec that was simulated at a point, for bounds and rates at the same settings."""
        values = {**self.grid.values_at(point.index), "simulation.seed": point.seed}
        return override(self.spec, values)

    def table(self) -> list[dict[str, object]]:
        """One row for each point: index, settings, seed, status and metrics with intervals."""
        from boundcalc.sweeps.table import rows

        return rows(self.grid, self.points)

    def metric(self, name: str) -> Array:
        """A metric's means on the grid: one dimension for each axis, then the seeds.

        NaN where a point is missing, failed, or has no such metric.
        """
        from boundcalc.sweeps.table import on_grid

        return on_grid(self.grid, self.points, name)
