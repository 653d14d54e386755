"""The same graph with perturbations of other sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Perturbation
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import exact


def with_perturbations(
    graph: OperatorGraph, perturbations: Iterable[Perturbation]
) -> OperatorGraph:
    """The graph with these perturbations; constants that were evaluated stay known.

    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> graph = bc.build(bc.load(example("three-operators")))
    >>> len(with_perturbations(graph, ()).perturbations)
    0
    """
    new = replace(graph, perturbations=tuple(perturbations))
    # They depend on the operators alone.
    new._known.update(graph._known)
    return new


def scaled(perturbation: Perturbation, factor: Fraction) -> Perturbation:
    """A perturbation times a factor ≥ 0: E‖cδ‖^k = c^k E‖δ‖^k."""
    moments = perturbation.moments
    return replace(
        perturbation,
        rms=None if perturbation.rms is None else perturbation.rms * factor,
        mean=None if perturbation.mean is None else perturbation.mean * factor,
        fourth=None if perturbation.fourth is None else perturbation.fourth * factor,
        moments=None
        if moments is None
        else VectorMoments(
            moments.mean_squared * factor**2, moments.second * factor**2, moments.fourth * factor**4
        ),
        largest=_times(perturbation.largest, factor),
    )


def _times(size: float, factor: Fraction) -> float:
    """A size times a factor, rounded up."""
    if size == 0 or factor == 0:
        return 0.0
    try:
        return math.nextafter(float(Fraction(size) * factor), math.inf)
    except OverflowError:  # of an infinite size, or beyond float64
        return math.inf


def sized(
    perturbation: Perturbation,
    rms: Fraction,
    mean: Fraction,
    fourth: Fraction | None = None,
) -> Perturbation:
    """A perturbation at the same site and times with these moments instead of its own.

    Where ``fourth`` is left out, families that need it have no bias bound.
    """
    return replace(
        perturbation,
        rms=exact(rms),
        mean=exact(mean),
        fourth=None if fourth is None else exact(fourth),
        moments=None,
        largest=math.inf,
    )
