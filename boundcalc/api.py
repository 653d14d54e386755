"""The public functions: each stage of the pipeline on a spec or on a built graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boundcalc.graph import OperatorGraph, build
from boundcalc.graph.locate import located
from boundcalc.spec.loading import load, loads
from boundcalc.spec.model import Spec

if TYPE_CHECKING:
    from boundcalc.budgets.results import Budget
    from boundcalc.errata import Evidence
    from boundcalc.rates import Rates
    from boundcalc.simulate import Run
    from boundcalc.simulate.engines import EngineName
    from boundcalc.simulate.run import Progress
    from boundcalc.sweeps import SweepResult
    from boundcalc.sweeps.run import Values
    from boundcalc.theories.perturbed.coefficients import Coefficients
    from boundcalc.verify import Verdicts
    from boundcalc.verify.adversary import Attack, Objective
    from boundcalc.verify.claims import Outcome

__all__ = [
    "adversary",
    "budget",
    "build",
    "certify",
    "coefficients",
    "errata",
    "load",
    "loads",
    "rates",
    "read_sweep",
    "refute",
    "report",
    "simulate",
    "sweep",
    "verify",
]


def sweep(
    spec: Spec | Path | str, over: Mapping[str, Values] | None = None, **options: Any
) -> SweepResult:
    """A grid of simulations that survives being killed; see :func:`boundcalc.sweeps.sweep`."""
    from boundcalc.sweeps import sweep as compute

    return compute(spec, over, **options)


def read_sweep(folder: str | Path) -> SweepResult:
    """What a sweep left in its folder; see :func:`boundcalc.sweeps.read_sweep`."""
    from boundcalc.sweeps import read_sweep as read

    return read(Path(folder))


def as_graph(source: Spec | OperatorGraph) -> OperatorGraph:
    """A graph, built if it is not one yet."""
    return source if isinstance(source, OperatorGraph) else build(source)


def coefficients(source: Spec | OperatorGraph, family: str = "sharp") -> Coefficients:
    """Variance and bias coefficients of one family; see :mod:`boundcalc.theories`.

    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> graph = bc.build(bc.load(example("bilinear-erratum")))
    >>> bc.coefficients(graph, "sharp").error_bound()
    Number(0.0625, proved)
    """
    from boundcalc.theories.perturbed.coefficients import coefficients as compute

    return compute(as_graph(source), family)


def rates(source: Spec | OperatorGraph) -> Rates:
    """Nonconvex and PL bounds of every family; see :func:`boundcalc.rates.rate.rates`."""
    from boundcalc.rates import rates as compute

    graph = as_graph(source)
    with located(graph.spec):
        return compute(graph)


def budget(
    source: Spec | OperatorGraph,
    *,
    allocate: bool = False,
    formats: bool = False,
    calibrate: bool = False,
    progress: Progress | None = None,
) -> Budget:
    """How large, how often, how many bits; see :func:`boundcalc.budgets.budget.budget`.

    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> found = bc.budget(bc.load(example("logistic-nonconvex")))
    >>> found.magnitudes.scale.status
    <Status.PROVED: 'proved'>
    """
    from boundcalc.budgets.budget import budget as compute

    graph = as_graph(source)
    with located(graph.spec):
        return compute(
            graph, allocate=allocate, formats=formats, calibrate=calibrate, progress=progress
        )


def simulate(
    source: Spec | OperatorGraph,
    *,
    engine: EngineName = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Run:
    """A simulated run; see :func:`boundcalc.simulate.run.simulate`."""
    from boundcalc.simulate import simulate as compute

    graph = as_graph(source)
    with located(graph.spec):
        return compute(graph, engine=engine, threads=threads, progress=progress)


def verify(
    source: Spec | OperatorGraph,
    *,
    engine: EngineName = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Verdicts:
    """Every bound against the simulation; see :func:`boundcalc.verify.verdicts.verify`."""
    from boundcalc.verify import verify as compute

    graph = as_graph(source)
    run = simulate(graph, engine=engine, threads=threads, progress=progress)
    with located(graph.spec):
        return compute(graph, run=run)


def adversary(
    source: Spec | OperatorGraph,
    objective: Objective = "error",
    *,
    starts: int = 8,
    seed: int = 0,
    progress: Progress | None = None,
) -> Attack:
    """The instance that comes closest to the bounds; see :mod:`boundcalc.verify.adversary`.

    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> attack = bc.adversary(bc.load(example("separable-erratum")), "bias", starts=1)
    >>> attack.violated, round(attack.attained, 12)
    (('published',), 0.0625)
    """
    from boundcalc.verify.adversary import search

    graph = as_graph(source)
    with located(graph.spec):
        return search(graph, objective=objective, starts=starts, seed=seed, progress=progress)


def certify(source: Spec | OperatorGraph, out: str | Path) -> Path:
    """Write a certificate of the sharp bounds; see :mod:`boundcalc.verify.certificate`.

    ``boundcalc check`` verifies it, and so does one file of plain Python
    (docs/certificates.md).
    """
    from boundcalc.files import write_text
    from boundcalc.verify.certificate.write import certificate, layout

    graph = as_graph(source)
    with located(graph.spec):
        write_text(Path(out), layout(certificate(graph)))
    return Path(out)


def refute(
    claim: str | Path,
    *,
    boxes: int = 2_000,
    starts: int = 4,
    seed: int = 0,
    progress: Progress | None = None,
) -> Outcome:
    """Whether a claim file follows from the sharp bounds; see :mod:`boundcalc.verify.claims`."""
    from boundcalc.verify.claims import load_claim
    from boundcalc.verify.claims import refute as check

    return check(load_claim(Path(claim)), boxes=boxes, starts=starts, seed=seed, progress=progress)


def errata(*ids: str) -> tuple[Evidence, ...]:
    """Run the evidence of what is wrong in print; see :mod:`boundcalc.errata`.

    >>> import boundcalc as bc
    >>> [(row.erratum.id, row.erratum.status, row.holds) for row in bc.errata("E1")]
    [('E1', 'false as printed', True)]
    """
    from boundcalc.errata import run
    from boundcalc.errata.select import chosen

    return tuple(run(erratum) for erratum in chosen(list(ids) or None))


def report(
    source: Spec | OperatorGraph, out: str | Path, *, progress: Progress | None = None
) -> Path:
    """Write the report into a folder; see :func:`boundcalc.report.write.write_report`."""
    from boundcalc.report import write_report

    graph = as_graph(source)
    with located(graph.spec):
        return write_report(graph, Path(out), progress=progress)
