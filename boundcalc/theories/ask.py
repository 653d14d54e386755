"""Asking the theory that a graph's spec names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.locate import located
from boundcalc.theories.base import Options, Theory, Verb
from boundcalc.theories.registry import THEORIES, theory_of
from boundcalc.theories.values import Answer

if TYPE_CHECKING:
    from boundcalc.report.write import Written


def ask(
    verb: Verb,
    graph: OperatorGraph,
    options: Options | None = None,
    *,
    theories: Mapping[str, str | Theory] = THEORIES,
) -> Answer:
    """The answer of the graph's theory to one command.

    Parameters
    ----------
    verb
        ``compile``, ``rate``, ``budget``, ``simulate`` or ``verify``.
    options
        How to simulate.
    theories
        The registry.

    Raises
    ------
    BoundcalcError
        If the spec lacks something, with file and line.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> answer = ask("rate", bc.build(bc.load(example("logistic-nonconvex"))))
    >>> sorted(answer.data)
    ['horizon', 'nonconvex', 'notes', 'pl', 'step_size']
    """
    options = options or Options()
    with located(graph.spec):
        theory = theory_of(graph.spec, theories=theories)
        match verb:
            case "compile":
                return theory.compile(graph)
            case "rate":
                return theory.rate(graph)
            case "budget":
                return theory.budget(graph)
            case "simulate":
                return theory.simulate(graph, options)
            case "verify":
                return theory.verify(graph, options)
    raise BoundcalcError("unknown command", value=verb)


def write_report(
    graph: OperatorGraph,
    out: Path,
    options: Options | None = None,
    *,
    engine: str | None = "auto",
    theories: Mapping[str, str | Theory] = THEORIES,
) -> Written:
    """The report of the graph's theory as a folder of files.

    Parameters
    ----------
    out
        The folder, made if it is not there.
    engine
        Name of a TeX engine, ``auto`` for the first that is installed, None for no PDF.

    Raises
    ------
    OutputError
        If the folder cannot be written; nothing is half-written then.
    """
    from boundcalc.report.write import write_document

    with located(graph.spec):
        theory = theory_of(graph.spec, theories=theories)
        chosen = options or Options()
        return write_document(
            out,
            lambda folder: theory.compose(graph, folder, chosen),
            engine=engine,
            spec=graph.spec,
        )
