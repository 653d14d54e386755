"""Where the values of a graph lie: balls and boxes, propagated from the data forward."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from boundcalc.arithmetic import FLOATS, RATIONALS
from boundcalc.errors import BoundcalcError
from boundcalc.operators.base import Array, Data, Domain, Region, rows_radius
from boundcalc.operators.regions import smaller
from boundcalc.operators.rounding import has_measured, lower, rounded_up, upper
from boundcalc.perturbations.transform import Largest
from boundcalc.spec.expressions import Expression, bounded, exact, measured, root
from boundcalc.spec.sections import InputSection, RegionSection

_BITS = 200  # of a radius that stays exact
_LENGTH = 400  # letters of a radius that stays symbolic


def data_domain(
    section: InputSection, data: Data | None, values: Mapping[str, Expression]
) -> Domain:
    """Where the samples lie: what the spec says, else what the data shows.

    Samples are the float64 numbers that were read or drawn.
    """
    radius, low, high = section.radius, -math.inf, math.inf
    if data is not None:
        low, high = float(data.features.min()), float(data.features.max())
        radius = rows_radius(data.features) if radius is None else radius
    stated = _box(section.low, section.high, values)
    return Domain(
        radius,
        low if section.low is None else stated[0],
        high if section.high is None else stated[1],
    )


def stated_domain(section: RegionSection, values: Mapping[str, Expression]) -> Domain:
    """What an operator's section says about its input."""
    return Domain(section.input, *_box(section.low, section.high, values))


def outside(stated: Domain, features: Array) -> str:
    """What of a stated set the samples ``(M, d)`` contradict; empty where they lie in it."""
    longest = float(np.sqrt(np.max(np.sum(features**2, axis=1))))
    low, high = float(features.min()), float(features.max())
    found = []
    if stated.radius is not None and not stated.radius.symbols:
        radius = upper(stated.radius)
        if longest > radius * (1 + 1e-12):
            found.append(f"a norm of {longest:.4g} against {radius:.4g}")
    if low < stated.low:
        found.append(f"a component of {low:.4g} below {stated.low:.4g}")
    if high > stated.high:
        found.append(f"a component of {high:.4g} above {stated.high:.4g}")
    return ", ".join(found)


def _box(
    low: Expression | None, high: Expression | None, values: Mapping[str, Expression]
) -> tuple[float, float]:
    """Floats around what a spec says, infinite where it says nothing."""
    return (
        -math.inf if low is None else lower(low.substitute(values)),
        math.inf if high is None else upper(high.substitute(values)),
    )


def met(first: Domain, second: Domain, size: int) -> Domain:
    """The intersection of two sets of vectors of ``size`` components."""
    if first.radius is None or second.radius is None:
        radius = second.radius if first.radius is None else first.radius
    else:
        radius = smaller(first.radius, second.radius)
    low, high = max(first.low, second.low), min(first.high, second.high)
    return Domain(radius, low, high).within(size)


def moved(domain: Domain, amplitude: float, size: int) -> Domain:
    """Where y + δ lies, every component of δ at most ``amplitude`` in size.

    The amplitude is a formula in floating point, of a few operations: it is rounded up.
    """
    if amplitude == 0.0:
        return domain
    if math.isinf(amplitude):
        return Domain()
    radius, amplitude = domain.radius, rounded_up(amplitude)
    if radius is not None:
        radius = radius + bounded(rounded_up(amplitude * math.sqrt(size)))
    low, high = domain.low - amplitude, domain.high + amplitude
    return Domain(radius, float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf)))


def grown(domain: Domain, largest: Largest) -> Domain:
    """Where Q(y) lies, from where y lies and bounds on Q(y) − y."""
    radius = domain.radius
    if radius is not None and largest.norm > 0.0:
        radius = None if math.isinf(largest.norm) else radius + bounded(largest.norm)
    if largest.component == 0.0:
        return Domain(radius, domain.low, domain.high)
    low, high = domain.low - largest.component, domain.high + largest.component
    return Domain(radius, float(np.nextafter(low, -np.inf)), float(np.nextafter(high, np.inf)))


def settled(domain: Domain, values: Mapping[str, Expression]) -> Domain:
    """The same set with its radius as one number, so that it does not grow with the depth."""
    if domain.radius is None:
        return domain
    return Domain(settled_size(domain.radius, values), domain.low, domain.high)


def settled_size(size: Expression, values: Mapping[str, Expression]) -> Expression | None:
    """A size as one number where its symbols have values; None where it got too long."""
    size = size.substitute(values)
    if size.symbols:
        return size if len(size.source) <= _LENGTH else None
    try:
        value: Any = size.evaluate(RATIONALS)
        if value.numerator.bit_length() + value.denominator.bit_length() <= _BITS:
            return exact(Fraction(value))
    except BoundcalcError:
        pass
    if has_measured(size):
        return measured(rounded_up(float(size.evaluate(FLOATS))))
    number = upper(size)
    return bounded(number) if math.isfinite(number) else None


def together(parts: list[Domain], sizes: list[int]) -> Domain:
    """Where several values lie as one vector: ‖(y₁, y₂)‖² = ‖y₁‖² + ‖y₂‖²."""
    if len(parts) == 1:
        return parts[0]
    low, high = min(part.low for part in parts), max(part.high for part in parts)
    radii = [part.radius for part in parts]
    if any(radius is None for radius in radii):
        return Domain(None, low, high).within(sum(sizes))
    squares = [radius**2 for radius in radii if radius is not None]
    total = squares[0]
    for square in squares[1:]:
        total = total + square
    return Domain(root(total), low, high)


def visited_domain(outputs: Array, margin: Expression, values: Mapping[str, float]) -> Domain:
    """What outputs (R, M, m) show, enlarged: a measurement, not a proof."""
    factor = float(margin.evaluate(FLOATS, values))
    norm = float(np.sqrt(np.max(np.sum(outputs**2, axis=-1), initial=0.0)))
    low, high = float(outputs.min()), float(outputs.max())
    around, half = (low + high) / 2, (high - low) / 2
    return Domain(
        measured(rounded_up(factor * norm)) if norm else exact(0),
        around - factor * half,
        around + factor * half,
    )


def region_of(
    section: RegionSection,
    inputs: Domain,
    parts: tuple[Domain, ...],
    center: Array | None,
    change: Expression | None,
) -> Region:
    """The region of one operator: where its input and its weights lie."""
    return Region(
        input=inputs.radius,
        weight=section.weight,
        low=inputs.low,
        high=inputs.high,
        parts=parts,
        center=center,
        change=change,
    )
