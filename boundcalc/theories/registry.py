"""The theories: one line for each."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph, build
from boundcalc.graph.locate import located
from boundcalc.spec.loading import unknown_theory
from boundcalc.spec.model import Spec
from boundcalc.theories.base import Theory

#: ``theory: NAME`` → the module whose ``THEORY`` it is, imported when it is asked for.
THEORIES: Mapping[str, str | Theory] = {
    "perturbed": "boundcalc.theories.perturbed.theory",
    "staleness": "boundcalc.theories.staleness.theory",
    "shrinkage": "boundcalc.theories.shrinkage.theory",
    "distributed": "boundcalc.theories.distributed.theory",
}


def theory_named(
    name: str, where: str | None = None, *, theories: Mapping[str, str | Theory] = THEORIES
) -> Theory:
    """A theory by its name.

    Parameters
    ----------
    where
        The name's place in a spec, for messages.
    theories
        The registry; another one adds theories from outside this package.

    Raises
    ------
    SpecError
        If there is none of that name.

    Examples
    --------
    >>> theory_named("perturbed").title
    'Perturbed forward and backward passes'
    """
    if name not in theories:
        wrong = unknown_theory(name, theories)
        raise SpecError(
            wrong.problem, where=where, value=name, expected=wrong.expected, fix=wrong.fix
        )
    found = theories[name]
    if isinstance(found, Theory):
        return found
    chosen: Theory = importlib.import_module(found).THEORY
    return chosen


def theory_of(spec: Spec, *, theories: Mapping[str, str | Theory] = THEORIES) -> Theory:
    """The theory that a spec names; its own section is checked.

    Raises
    ------
    SpecError
        If there is no such theory, or its section does not fit.
    """
    theory = theory_named(spec.theory, spec.where("theory"), theories=theories)
    theory.own(spec)
    return theory


def build_for(
    spec: Spec, *, theories: Mapping[str, str | Theory] = THEORIES, **libraries: Any
) -> OperatorGraph:
    """The graph of a spec, as its theory needs it.

    Parameters
    ----------
    theories
        The registry.
    libraries
        As for :func:`boundcalc.graph.build.build`.

    Raises
    ------
    SpecError
        For anything in the spec that does not fit together, or that the theory refuses.
    """
    theory = theory_of(spec, theories=theories)
    graph = build(spec, lenient=theory.lenient, **libraries)
    with located(spec):
        theory.accepts(graph)
    return graph
