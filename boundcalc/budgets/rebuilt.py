"""The largest common factor where larger perturbations enlarge the regions of the constants."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from boundcalc.arithmetic import Number
from boundcalc.arithmetic.number import worst
from boundcalc.budgets.inversion_search import truncated
from boundcalc.budgets.question import Question, highest, lowest
from boundcalc.budgets.results import Magnitudes
from boundcalc.graph import build
from boundcalc.perturbations import DISTRIBUTIONS
from boundcalc.spec.expressions import Expression
from boundcalc.spec.grammar import parse
from boundcalc.spec.model import PerturbationSection, Spec

#: Relative precision of the factor, and how often it is made smaller by that.
_CLOSE, _TRIES = Fraction(1, 2**44), 64


def scaled_spec(spec: Spec, factor: Fraction) -> Spec | None:
    """The spec with its perturbations times a factor; None where a transform has no sizes.

    >>> from boundcalc import load
    >>> from boundcalc.resources import example
    >>> spec = scaled_spec(load(example("logistic-nonconvex")), Fraction(2))
    >>> str(spec.perturbations[0].parameters["half_width"])
    '(sigma_f/sqrt(10) * 2)'
    """
    sections = [_scaled(section, factor) for section in spec.perturbations]
    if any(section is None for section in sections):
        return None
    return spec.model_copy(update={"perturbations": sections})


def _scaled(section: PerturbationSection, factor: Fraction) -> PerturbationSection | None:
    if section.model is None:
        given = {name: getattr(section, name) for name in ("rms", "mean", "fourth")}
        sizes = {name: size * factor for name, size in given.items() if size is not None}
        return section.model_copy(update=sizes)
    model = DISTRIBUTIONS.get(section.model)
    if model is None:
        return None
    parameters = {
        name: _expression(value) * factor if name in model.lengths else value
        for name, value in section.parameters.items()
    }
    return section.model_copy(update={"parameters": parameters})


def _expression(value: object) -> Expression:
    return value if isinstance(value, Expression) else parse(value)  # type: ignore[arg-type]


def rebuilt(asked: Question, found: Magnitudes) -> Magnitudes:
    """The same with the largest common factor such that the spec, built with it, meets the target.

    A factor above 1 enlarges the regions that bounded perturbations enlarge, and with them the
    constants; a factor below 1 makes them smaller.  So the true factor lies between 1 and the
    one that the constants of the spec as it is would allow.

    Parameters
    ----------
    found
        With the factor for these constants.

    Notes
    -----
    One build if no constant changes, else about a dozen: Brent's method on the bound over the
    target, then rounded down until the bound is certainly at most the target.
    """
    if found.scale is None or found.scale.value == 0:
        return found
    scale = highest(found.scale.value)
    first = _bound(asked, scale)
    if first is None:
        note = (
            "the common factor is one of moments, on the regions of the spec: what a transform "
            "does follows from its format"
        )
        return replace(found, notes=(*found.notes, note))
    assert found.scaled_bound is not None  # noqa: S101 - there is a factor
    # Enclosures are not equal to themselves; the same calculation has the same ends.
    if highest(first.value) == highest(found.scaled_bound.value):
        return found
    scale, bound = _root(asked, scale)
    note = (
        "the common factor counts that larger perturbations enlarge the regions on which the "
        "constants hold"
    )
    status = worst(found.scale.status, bound.status)
    return replace(
        found,
        scale=Number(scale, status, limit=True),
        scaled_bound=bound,
        notes=(*found.notes, note),
    )


def _root(asked: Question, found: Fraction) -> tuple[Fraction, Number]:
    from scipy.optimize import brentq

    target = lowest(asked.target.value)
    ends = sorted((0.0, math.log(found)))

    def excess(logarithm: float) -> float:
        bound = _bound(asked, Fraction(math.exp(logarithm)))
        assert bound is not None  # noqa: S101 - the caller has looked
        return float(Fraction(highest(bound.value)) / target - 1)

    low, high = (excess(end) for end in ends)
    if high <= 0:
        start = ends[1]
    elif low >= 0:
        start = ends[0]
    else:
        start = brentq(excess, *ends, xtol=1e-15, rtol=1e-14)
    factor = Fraction(math.exp(start))
    for _ in range(_TRIES):
        bound = _bound(asked, factor)
        if bound is not None and highest(bound.value) <= target:
            return factor, bound
        factor = truncated(factor * (1 - _CLOSE))
    raise AssertionError("the bound does not fall with the factor")


def _bound(asked: Question, factor: Fraction) -> Number | None:
    """The bound of the spec times a factor, with the constants of its own regions."""
    spec = scaled_spec(asked.graph.spec, factor)
    return None if spec is None else asked.bound(build(spec))
