"""The public functions: each stage of the pipeline on a spec or on a built graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from boundcalc.graph import OperatorGraph, build
from boundcalc.graph.locate import located
from boundcalc.spec.loading import load, loads
from boundcalc.spec.model import Spec

if TYPE_CHECKING:
    from boundcalc.rates import Rates
    from boundcalc.simulate import Run
    from boundcalc.simulate.run import Progress
    from boundcalc.theories.perturbed.coefficients import Coefficients
    from boundcalc.verify import Verdicts

__all__ = ["build", "coefficients", "load", "loads", "rates", "report", "simulate", "verify"]


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


def simulate(source: Spec | OperatorGraph, *, progress: Progress | None = None) -> Run:
    """A simulated run; see :func:`boundcalc.simulate.run.simulate`."""
    from boundcalc.simulate import simulate as compute

    graph = as_graph(source)
    with located(graph.spec):
        return compute(graph, progress=progress)


def verify(source: Spec | OperatorGraph, *, progress: Progress | None = None) -> Verdicts:
    """Every bound against the simulation; see :func:`boundcalc.verify.verdicts.verify`."""
    from boundcalc.verify import verify as compute

    graph = as_graph(source)
    with located(graph.spec):
        return compute(graph, progress=progress)


def report(
    source: Spec | OperatorGraph, out: str | Path, *, progress: Progress | None = None
) -> Path:
    """Write the report into a folder; see :func:`boundcalc.report.write.write_report`."""
    from boundcalc.report import write_report

    graph = as_graph(source)
    with located(graph.spec):
        return write_report(graph, Path(out), progress=progress)
