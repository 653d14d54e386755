"""Run experiments, draw them, and say what they show; all files of one folder."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcalc.errors import OutputError
from boundcalc.experiments.base import Experiment, Results
from boundcalc.experiments.findings import Finding
from boundcalc.experiments.registry import chosen
from boundcalc.experiments.running import run_sweep
from boundcalc.experiments.settings import CONFIDENCE, Setting
from boundcalc.files import make_folder, write_text
from boundcalc.report import plots

if TYPE_CHECKING:
    from boundcalc.simulate.engines import EngineName

VERDICT = "verdict.json"

#: Called with the name of a sweep, and settings done and in all.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Outcome:
    """One experiment, run.

    Attributes
    ----------
    experiment
        What was run.
    findings
        What it shows.
    seconds
        Of this start and of earlier ones in the same folder.
    settings
        How many were simulated in all.
    folder
        Where figure.png, figure.pdf, verdict.json and the sweeps are.
    """

    experiment: Experiment
    findings: tuple[Finding, ...]
    seconds: float
    settings: int
    folder: Path


def reproduce(
    names: Sequence[str] = (),
    out: Path | str = "section-7",
    *,
    quick: bool = False,
    workers: int | None = None,
    engine: EngineName = "auto",
    progress: Progress | None = None,
) -> list[Outcome]:
    """Reproduce figures and appendices of [KZY], section 7.

    Parameters
    ----------
    names
        ``figure-2`` to ``figure-9``, ``appendix-a1`` to ``appendix-a3``; all of them by default.
    out
        Folder of the results, with one folder for each experiment.  A start in the same folder
        goes on where an earlier one was interrupted.
    quick
        A smaller horizon, four replicas and fewer settings.
    workers
        Processes; by default one for each processor, 0 runs in this process.
    engine
        See :func:`boundcalc.simulate.run.simulate`.
    progress
        Told how many settings of a sweep are done.

    Raises
    ------
    UnsupportedError
        For an unknown name.
    OutputError
        If the folder cannot be written to, or holds a run of the other size.
    SimulationError
        If a setting failed.
    """
    experiments = chosen(names)
    folder = make_folder(Path(out))
    found = []
    for experiment in experiments:
        own = make_folder(folder / experiment.name)
        with timed(own, quick) as seconds:
            results = _results(experiment, own, quick, workers, engine, progress)
            findings = tuple(experiment.findings(results))
            with plots.style():
                plots.save(experiment.draw(results), own / "figure")
            count = sum(len(settings) for settings in results.values())
            outcome = Outcome(experiment, findings, seconds(), count, own)
            text = json.dumps(described(outcome, results, quick), indent=2, ensure_ascii=False)
            write_text(own / VERDICT, text + "\n")
        found.append(outcome)
    return found


@contextmanager
def timed(folder: Path, quick: bool) -> Iterator[Callable[[], float]]:
    """The seconds of all starts in a folder, this one's up to now; kept even if it is cut short.

    Raises
    ------
    OutputError
        If a run of the other size has filled the folder.
    """
    marker, size, before = folder / "run.json", "quick" if quick else "full", 0.0
    if marker.exists():
        try:
            known = json.loads(marker.read_text(encoding="utf-8"))
            same, before = known["size"] == size, float(known["seconds"])
        except (ValueError, TypeError, KeyError):
            same = False
        if not same:
            raise OutputError(
                f"this folder does not hold a {size} run",
                where=str(folder),
                fix="choose another folder with -o",
            )
    began = time.perf_counter()

    def seconds() -> float:
        return before + time.perf_counter() - began

    try:
        yield seconds
    finally:
        write_text(marker, json.dumps({"size": size, "seconds": round(seconds(), 3)}) + "\n")


def _results(
    experiment: Experiment,
    folder: Path,
    quick: bool,
    workers: int | None,
    engine: EngineName,
    progress: Progress | None,
) -> Results:
    results: dict[str, list[Setting]] = {}
    for plan in experiment.sweeps:
        name = plan.spec

        def report(done: int, total: int, name: str = name) -> None:
            if progress is not None:
                progress(name, done, total)

        results[name] = run_sweep(
            plan,
            folder / "sweeps" / name,
            quick=quick,
            workers=workers,
            engine=engine,
            progress=report,
        )
    return results


def described(outcome: Outcome, results: Results, quick: bool) -> dict[str, Any]:
    """verdict.json: what was run, where, and every finding; numbers are `sampled`."""
    experiment = outcome.experiment
    return {
        "name": experiment.name,
        "title": experiment.title,
        "paper": experiment.paper,
        "quick": quick,
        "status": "sampled",
        "confidence": CONFIDENCE,
        "settings": outcome.settings,
        "seconds": round(outcome.seconds, 1),
        "machine": machine(),
        "findings": [asdict(finding) for finding in outcome.findings],
        "points": {spec: [_point(s) for s in settings] for spec, settings in results.items()},
    }


def _point(setting: Setting) -> dict[str, Any]:
    from boundcalc.experiments.findings import finite

    norm, floor, plateau = setting.norm, setting.floor, setting.plateau
    return {
        "values": dict(setting.values),
        "stable_gradient_norm": [finite(v) for v in (norm.mean, norm.lo, norm.hi)],
        "stable_iteration_complexity": finite(setting.wait.mean),
        "settled": setting.settled,
        "diverged_replicas": setting.diverged,
        "sharp_floor": floor.value,
        "sharp_floor_status": str(floor.status.value),
        "refused": floor.refused,
        "predicted": None if plateau is None else plateau.norm,
    }


def machine() -> str:
    """The processor in words, with the number of cores that this process may use.

    >>> machine().endswith(("core", "cores"))
    True
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        named = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
        model = next(named, model)
    except OSError:
        pass
    return f"{model}, {cores} core{'s' if cores != 1 else ''}"
