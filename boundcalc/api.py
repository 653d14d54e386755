"""The public functions: each stage of the pipeline on a spec or on a built graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from boundcalc.graph import OperatorGraph
from boundcalc.graph.locate import located
from boundcalc.spec import loading
from boundcalc.spec.model import Spec
from boundcalc.spec.only import only_passes

if TYPE_CHECKING:
    from boundcalc.errata.display import EvidenceTable
    from boundcalc.simulate.engines import EngineName
    from boundcalc.simulate.run import Progress
    from boundcalc.sweeps import SweepResult
    from boundcalc.sweeps.run import Values
    from boundcalc.theories.base import Theory
    from boundcalc.verify.adversary import Attack, Objective
    from boundcalc.verify.claims import Outcome

__all__ = [
    "adversary",
    "budget",
    "build",
    "certify",
    "coefficients",
    "errata",
    "explain",
    "explore",
    "load",
    "loads",
    "rates",
    "read_sweep",
    "refute",
    "report",
    "simulate",
    "sweep",
    "theories",
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


def load(path: str | Path, *, theories: Mapping[str, str | Theory] | None = None) -> Spec:
    """Read a spec from a YAML or JSON file; see :func:`boundcalc.spec.loading.load`.

    Parameters
    ----------
    path
        The file.
    theories
        The registry of theories, to add some; by default those of ``boundcalc theories``.

    Raises
    ------
    SpecError
        If the file cannot be read or breaks the format, with file, line and path.
    """
    from boundcalc.theories.registry import THEORIES

    return loading.load(path, theories=theories or THEORIES)


def loads(
    text: str | bytes,
    name: str = "<spec>",
    format: Literal["yaml", "json"] | None = None,  # noqa: A002 - the word of the interface
    *,
    theories: Mapping[str, str | Theory] | None = None,
) -> Spec:
    """Read a spec from text; see :func:`boundcalc.spec.loading.loads`.

    Parameters
    ----------
    text, name, format
        As there.
    theories
        As for :func:`load`.
    """
    from boundcalc.theories.registry import THEORIES

    return loading.loads(text, name, format, theories=theories or THEORIES)


def build(
    spec: Spec, *, theories: Mapping[str, str | Theory] | None = None, **libraries: Any
) -> OperatorGraph:
    """Compile a spec into an operator graph, as its theory needs it.

    Parameters
    ----------
    theories
        The registry of theories, to add some; by default those of ``boundcalc theories``.
    libraries
        As for :func:`boundcalc.graph.build.build`: ``folder``, ``operators``,
        ``distributions``, ``transforms``.

    Raises
    ------
    SpecError
        For anything in the spec that does not fit together, or that its theory refuses.
    """
    from boundcalc.theories.registry import THEORIES, build_for

    return build_for(spec, theories=theories or THEORIES, **libraries)


def as_graph(source: Spec | OperatorGraph) -> OperatorGraph:
    """A graph, built if it is not one yet."""
    return source if isinstance(source, OperatorGraph) else build(source)


def theories() -> dict[str, Theory]:
    """Every theory by the name that a spec gives it.

    >>> import boundcalc as bc
    >>> bc.theories()["perturbed"].citations[0].key
    'KZY'
    """
    from boundcalc.theories.registry import THEORIES, theory_named

    return {name: theory_named(name) for name in THEORIES}


def coefficients(source: Spec | OperatorGraph, family: str = "sharp") -> Any:
    """Variance and bias coefficients of one family; see :mod:`boundcalc.theories`.

    Of another theory than perturbed passes: what its statements are made of.

    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> graph = bc.build(bc.load(example("bilinear-erratum")))
    >>> bc.coefficients(graph, "sharp").error_bound()
    Number(0.0625, proved)
    """
    graph = as_graph(source)
    if graph.spec.theory != "perturbed":
        from boundcalc.theories.ask import ask

        return ask("compile", graph).value
    from boundcalc.theories.perturbed.coefficients import coefficients as compute

    return compute(graph, family)


def rates(source: Spec | OperatorGraph) -> Any:
    """The convergence statements of the spec's theory.

    Of perturbed passes the nonconvex and PL bounds of every family: a
    :class:`~boundcalc.rates.rate.Rates`, see :func:`boundcalc.rates.rate.rates`.
    """
    from boundcalc.theories.ask import ask

    return ask("rate", as_graph(source)).value


def budget(
    source: Spec | OperatorGraph,
    *,
    allocate: bool = False,
    formats: bool = False,
    calibrate: bool = False,
    progress: Progress | None = None,
) -> Any:
    """How large, how often, how many bits; see :func:`boundcalc.budgets.budget.budget`.

    Of another theory: its largest perturbation for a target; the options are for perturbed
    passes only.

    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> found = bc.budget(bc.load(example("logistic-nonconvex")))
    >>> found.magnitudes.scale.status
    <Status.PROVED: 'proved'>
    """
    graph = as_graph(source)
    if graph.spec.theory != "perturbed":
        from boundcalc.theories.ask import ask

        if allocate or formats or calibrate:
            only_passes(graph.spec, "bits, formats and calibration are")
        return ask("budget", graph).value
    from boundcalc.budgets.budget import budget as compute

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
) -> Any:
    """A simulated run; see :func:`boundcalc.simulate.run.simulate`.

    Of another theory than perturbed passes a :class:`~boundcalc.theories.runs.TheoryRun`.
    """
    from boundcalc.theories.ask import ask
    from boundcalc.theories.base import Options

    return ask("simulate", as_graph(source), Options(engine, threads, progress)).value


def verify(
    source: Spec | OperatorGraph,
    *,
    engine: EngineName = "auto",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Any:
    """Every bound against the simulation; see :func:`boundcalc.verify.verdicts.verify`.

    Of another theory than perturbed passes
    :class:`~boundcalc.theories.verdicts.TheoryVerdicts`.
    """
    from boundcalc.theories.ask import ask
    from boundcalc.theories.base import Options

    return ask("verify", as_graph(source), Options(engine, threads, progress)).value


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
    only_passes(graph.spec, "the search for the worst instance is")
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
    only_passes(graph.spec, "certificates are")
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


def errata(*ids: str) -> EvidenceTable:
    """Run the evidence of what is wrong in print; see :mod:`boundcalc.errata`.

    >>> import boundcalc as bc
    >>> [(row.erratum.id, row.erratum.status, row.holds) for row in bc.errata("E1")]
    [('E1', 'false as printed', True)]
    """
    from boundcalc.errata import run
    from boundcalc.errata.display import EvidenceTable
    from boundcalc.errata.select import chosen

    return EvidenceTable(run(erratum) for erratum in chosen(list(ids) or None))


def report(
    source: Spec | OperatorGraph, out: str | Path, *, progress: Progress | None = None
) -> Path:
    """Write the report into a folder; see :func:`boundcalc.report.write.write_report`."""
    from boundcalc.report.write import announced
    from boundcalc.theories.ask import write_report
    from boundcalc.theories.base import Options

    return announced(write_report(as_graph(source), Path(out), Options(progress=progress)))


def explore(source: Spec | OperatorGraph, out: str | Path) -> Path:
    """Write a page with live controls, one self-contained file; see :mod:`boundcalc.explore`."""
    from boundcalc.explore.page import write_page

    return write_page(as_graph(source), Path(out))


def explain(path: str, source: Spec | OperatorGraph | Path | str | None = None) -> Any:
    """Where the number at a path of a result comes from; see :mod:`boundcalc.explain`.

    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> found = bc.explain("rate.nonconvex.sharp.terms.sampling", example("logistic-nonconvex"))
    >>> type(found).__name__
    'Explanation'
    """
    from boundcalc.explain.explaining import explain as compute

    return compute(path, source)
