"""q and σ_e of a rounded gradient: the projection of Q(g) on g, and what is left.

For independent components g_j of one law, q = E[g Q(g)]/E[g²] and σ_e² = d E(Q(g) − qg)².
This is the one q for which Q(g) − qg is uncorrelated with g.  It is a *fit*: the statements of
the theory ask for E[e | past, g] = 0, which deterministic rounding breaks
(docs/theory-shrinkage.md, section 11.5; Theorem 11.8 says when the fit is right).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from boundcalc.arithmetic import FLOATS, Arithmetic
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.operators.base import Array
from boundcalc.perturbations.formats.table import FORMATS
from boundcalc.spec.expressions import Expression
from boundcalc.theories.shrinkage.deciding import decided
from boundcalc.theories.shrinkage.formats.laws import Tails, between, tails
from boundcalc.theories.shrinkage.formats.pieces import Pieces, pieces
from boundcalc.theories.shrinkage.section import FormatSection

#: Smallest standard deviation, whose square and that of a number over it are far from both ends
#: of double precision; and the largest one, in units of a format's largest number: beyond it
#: nearly everything saturates, and q is lost in the rounding of the moments.
SMALLEST, BEYOND = Fraction(1, 10**60), 10**6

#: Degrees of freedom: nearer to 2 the second moment is out in the tail, and q is lost as well.
FEWEST, MOST = Fraction(2001, 1000), Fraction(10**60)


@dataclass(frozen=True)
class Projection:
    """What follows from a format and a law.

    Attributes
    ----------
    q, noise
        q, and σ_e of the whole gradient; floating point, or a fraction where it is exact.
    vanishing, saturated
        The share of components that become 0, and that lie beyond the largest number.
    unbiased
        Whether rounding is unbiased for all components but those beyond the largest number.
    scale, dimension
        Of the law.
    """

    q: Any
    noise: float
    vanishing: float
    saturated: float
    unbiased: bool
    scale: float
    dimension: int


def project(section: FormatSection, graph: OperatorGraph) -> Projection:
    """The projection of a spec's format.

    Raises
    ------
    SpecError
        If every component becomes 0, so that there is no q > 0; if the law is out of range.
    """
    law = section.gradient
    top = BEYOND * Fraction(FORMATS[section.name].largest)
    scale = _ranged(graph, law.scale, "scale", SMALLEST, top)
    degrees = None
    if law.degrees is not None:
        degrees = _ranged(graph, law.degrees, "degrees", FEWEST, MOST)
    found = projected(
        pieces(FORMATS[section.name], section.rounding, section.flush),
        tails(law.distribution, scale, degrees),
        scale,
        law.dimension,
        unbiased=section.rounding == "stochastic" and not section.flush,
    )
    if not found.q > 0:
        raise SpecError(
            "every component of the gradient becomes 0",
            where="shrinkage.format.gradient.scale",
            value=law.scale.source,
            expected=f"a scale that {section.name} can hold",
            fix="scale the loss up before the backward pass, and the step down",
        )
    return found


def _ranged(
    graph: OperatorGraph, number: Expression, name: str, low: Fraction, high: Fraction
) -> float:
    """A number of the law, within the range in which its moments are computed accurately."""

    def inside(kind: Arithmetic) -> bool:
        value = number.evaluate(kind, graph.values(kind))
        return bool(value >= kind.number(low)) and bool(value <= kind.number(high))

    if decided(inside) is not True:
        raise SpecError(
            "a law without a variance, or nearly so, has no projection"
            if name == "degrees"
            else "beyond the range in which the projection is computed",
            where=f"shrinkage.format.gradient.{name}",
            value=number.source,
            expected=f"a number between {float(low):.6g} and {float(high):.6g}",
            fix="give `q` and `quantization_noise` themselves",
        )
    return float(number.evaluate(FLOATS, graph.values(FLOATS)))


def projected(
    rounding: Pieces, law: Tails, scale: float, dimension: int = 1, *, unbiased: bool = False
) -> Projection:
    """The projection, cell by cell: O(numbers of the format), no sampling.

    With x in [a, b), results v or v′ and t = (x − a)/(b − a), E[Q|x] = v + (v′ − v)t and
    E[Q²|x] = v² + (v′² − v²)t, so that only ∫xⁱp for i ≤ 2 is needed.

    Examples
    --------
    >>> from boundcalc.perturbations.formats.table import FORMATS
    >>> law = tails("gaussian", 1.0)
    >>> cut = projected(pieces(FORMATS["fp8_e4m3"], "toward_zero"), law, 1.0)
    >>> 0.95 < cut.q < 0.97
    True
    """
    mass, first, second = between(law, rounding.start, rounding.stop)
    v, rise = rounding.low, rounding.high - rounding.low
    length = np.where(np.isfinite(rounding.stop), rounding.stop - rounding.start, 1.0)
    slope, squares = rise / length, (rounding.high**2 - v**2) / length
    product = 2 * _sum(v * first + slope * (second - rounding.start * first))
    square = 2 * _sum(v**2 * mass + squares * (first - rounding.start * mass))
    saturated = 2 * float(mass[-1])
    exact_one = unbiased and saturated == 0.0
    q: Any = Fraction(1) if exact_one else product / scale**2
    if unbiased and not exact_one:
        q = min(q, 1.0)
    left = max(0.0, square - float(q) ** 2 * scale**2)
    down = mass - np.where(rise > 0, (first - rounding.start * mass) / length, 0.0)
    zero = 2 * _sum(np.where(v == 0, down, 0.0))
    return Projection(
        q=q,
        noise=float(np.sqrt(dimension * left)),
        vanishing=min(1.0, zero),
        saturated=saturated,
        unbiased=unbiased,
        scale=scale,
        dimension=dimension,
    )


def _sum(values: Array) -> float:
    from math import fsum

    return fsum(values.tolist())
