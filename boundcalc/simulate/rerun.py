"""A run made again from its results file alone, and compared with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boundcalc.errors import DataError, SpecError
from boundcalc.graph import OperatorGraph, build
from boundcalc.simulate.differences import Difference, differences
from boundcalc.simulate.engines import EngineName
from boundcalc.simulate.results import Results, environment
from boundcalc.simulate.results_files import array_digest, external_files, file_names
from boundcalc.simulate.results_reader import read_results
from boundcalc.simulate.run import Progress, Run, simulate
from boundcalc.spec.loading import loads
from boundcalc.spec.model import Spec

#: Relative differences that rounding explains: another engine or another version of a library
#: adds in another order, which T steps may enlarge.
TOLERANCES = {"float64": 1e-9, "float32": 1e-3}

_ENGINES: dict[str, EngineName] = {"numpy": "numpy", "compiled": "compiled"}


@dataclass(frozen=True)
class Rerun:
    """A run and the same run again.

    Attributes
    ----------
    recorded, run
        What the file says, and the new run.
    differences
        Every quantity that is not the same to the last bit, the largest difference first.
    tolerance
        The relative difference that still counts as the same.
    changed
        Versions that are not those of the recorded run: name → (recorded, now).
    """

    recorded: Results
    run: Run
    differences: tuple[Difference, ...]
    tolerance: float
    changed: dict[str, tuple[str, str]]

    @property
    def identical(self) -> bool:
        """Whether every number is the same to the last bit."""
        return not self.differences

    @property
    def largest(self) -> float:
        """The largest relative difference; 0 if there is none."""
        return self.differences[0].relative if self.differences else 0.0

    @property
    def reproduced(self) -> bool:
        """Whether no difference is above the tolerance."""
        return self.largest <= self.tolerance

    @property
    def exit_code(self) -> int:
        """0 if reproduced, else 1."""
        return 0 if self.reproduced else 1

    @property
    def rounding(self) -> dict[str, float]:
        """The measured rounding errors of a run in single precision, by metric."""
        errors = {name: m.rounding for name, m in self.recorded.metrics.items()}
        return {name: error for name, error in errors.items() if error is not None}


def rerun(
    path: Path,
    *,
    folder: Path | None = None,
    engine: EngineName | None = None,
    threads: int | None = None,
    exact: bool = False,
    progress: Progress | None = None,
) -> Rerun:
    """Run a results file's spec again and compare every number that the file holds.

    Parameters
    ----------
    path
        The results file.
    folder
        Where the data and weights files lie that the spec names; the file's own folder if None.
    engine
        As for :func:`~boundcalc.simulate.run.simulate`; the recorded one if None.  Another
        engine agrees up to rounding only.
    threads
        Does not change the numbers.
    exact
        Whether only the same bits count as reproduced.
    progress
        Told how many steps are done.

    Raises
    ------
    DataError
        If the file cannot be read or contradicts itself, or if data are not those of the run:
        a file that has changed is named.
    SpecError, SimulationError
        If its spec is refused, or the engine cannot be had.
    """
    recorded = read_results(path)
    spec, top = _spec(recorded, path.name), path.parent if folder is None else folder
    _same_files(recorded, spec, top, path.name)
    graph = build(spec, folder=top)
    _same_data(recorded, graph, path.name)
    run = simulate(
        graph, engine=engine or _engine(recorded, path.name), threads=threads, progress=progress
    )
    now = environment()
    _same_steps(recorded, run, path.name)
    return Rerun(
        recorded=recorded,
        run=run,
        differences=differences(recorded, run),
        tolerance=0.0 if exact else TOLERANCES[recorded.precision],
        changed={
            name: (recorded.versions.get(name, "unknown"), value)
            for name, value in now.items()
            if recorded.versions.get(name) != value
        },
    )


def _spec(recorded: Results, where: str) -> Spec:
    """The file's spec, whose own settings must be those that the file says."""
    try:
        spec = loads(recorded.spec, name="spec", format="json")
    except SpecError as error:
        raise error.located(where) from None
    section, training = spec.simulation, spec.training
    if section is None or training is None:
        raise DataError(
            "the spec in the file has no simulation",
            where=where,
            fix="make the file again with `boundcalc simulate SPEC -o DIR`",
        )
    pairs = {
        "seed": (recorded.seed, section.seed),
        "replicas": (recorded.replicas, section.replicas),
        "horizon": (recorded.horizon, training.horizon),
        "confidence": (recorded.confidence, section.confidence),
        "precision": (recorded.precision, section.precision),
        "record_every": (recorded.every, section.record.every),
    }
    for name, (said, meant) in pairs.items():
        if said != meant:
            raise DataError(
                f"the file's {name!r} is not that of the spec in it",
                where=where,
                value=said,
                expected=str(meant),
                fix="use the file as it was written",
            )
    return spec


def _same_files(recorded: Results, spec: Spec, folder: Path, where: str) -> None:
    known = {file.name: file.sha256 for file in recorded.files}
    if set(known) != set(file_names(spec)):
        raise DataError(
            "the files listed are not those that the spec in the file names",
            where=where,
            value=", ".join(sorted(known)) or "none",
            expected=", ".join(file_names(spec)) or "none",
            fix="use the file as it was written",
        )
    for file in external_files(spec, folder):
        if file.sha256 != known[file.name]:
            raise DataError(
                f"the file {file.name!r} has changed since the run",
                where=where,
                value=f"SHA-256 {file.sha256}",
                expected=f"SHA-256 {known[file.name]}",
                fix="restore it, or name the folder with the old one: --folder DIR",
            )


def _same_data(recorded: Results, graph: OperatorGraph, where: str) -> None:
    data = graph.data
    if data is None or array_digest(data.features, data.labels) != recorded.data:
        raise DataError(
            "the data made from the spec are not those of the run",
            where=where,
            value=", ".join(f"{name} {text}" for name, text in environment().items()),
            expected=", ".join(f"{name} {text}" for name, text in recorded.versions.items()),
            fix="install the versions of the run: data generators may differ between them",
        )


def _engine(recorded: Results, where: str) -> EngineName:
    if recorded.engine not in _ENGINES:
        raise DataError(
            "an unknown engine",
            where=where,
            value=recorded.engine,
            expected="one of " + ", ".join(_ENGINES),
            fix="name one: --engine numpy",
        )
    return _ENGINES[recorded.engine]


def _same_steps(recorded: Results, run: Run, where: str) -> None:
    """Refuse records and weights of other shapes than those of the run."""
    known, final = set(run.trajectory.steps.tolist()), run.trajectory.final
    fits = set(recorded.steps.tolist()) <= known
    fits = fits and recorded.diverged.shape == run.trajectory.diverged.shape
    fits = fits and (recorded.final.shape[1] == final.shape[1] or not recorded.final.size)
    if not fits:
        raise DataError(
            "the records do not fit the spec in the file",
            where=where,
            expected="the recorded steps, replicas and weights of that spec",
            fix="use the file as it was written",
        )
