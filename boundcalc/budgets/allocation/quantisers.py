"""Uniform quantisers at the sites of a graph: what bits cost, and what they leave of the noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np

from boundcalc.arithmetic import RATIONALS
from boundcalc.budgets.allocation.evaluator import Array, Moments
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph, Perturbation, Site
from boundcalc.perturbations.dependence import Dependence
from boundcalc.perturbations.schedules import from_keys
from boundcalc.perturbations.transform import Reach
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.budget import AllocationSection
from boundcalc.spec.expressions import exact

Rounding = Literal["nearest", "stochastic"]


@dataclass(frozen=True)
class Quantiser:
    """b bits spread evenly over [−M, M]: 2^b points, h = 2M/(2^b − 1) apart.

    Attributes
    ----------
    site
        Where it acts.
    size, magnitude
        n components, and M, at least the size of each.
    weight
        What one bit costs.
    rounding
        ``stochastic``: to one of the two neighbours, independently for every component, with
        conditional mean zero; ``nearest``.
    """

    site: Site
    size: int
    magnitude: Fraction
    weight: Fraction
    rounding: Rounding

    def spacing(self, bits: int) -> Fraction:
        """h.

        >>> Quantiser(Site("forward", 1, "f1"), 4, Fraction(3), Fraction(1), "nearest").spacing(2)
        Fraction(2, 1)
        """
        return 2 * self.magnitude / Fraction(2**bits - 1)

    def moments(self, bits: int) -> VectorMoments:
        """Upper bounds over all values in the range.

        Nearest: every |δ_j| ≤ h/2, so ‖δ‖² ≤ n h²/4, whatever the means.  Stochastic: with
        probability p up by (1 − p)h and else down by ph, so the mean is 0, the variance
        p(1 − p)h² ≤ h²/4, and the fourth moment v(1 − 3v)h⁴ ≤ h⁴/12 for v = p(1 − p) ≤ 1/4;
        components are independent, so
        E‖δ‖⁴ = Σ_i E δ_i⁴ + Σ_{i≠j} E δ_i² E δ_j² ≤ n h⁴/12 + n(n − 1) h⁴/16.

        >>> site = Site("forward", 1, "f1")
        >>> made = Quantiser(site, 2, Fraction(1), Fraction(1), "stochastic").moments(1)
        >>> str(made.mean_squared), str(made.second), str(made.fourth)
        ('0', '2', '14/3')
        """
        h2, n = self.spacing(bits) ** 2, self.size
        second = n * h2 / 4
        if self.rounding == "nearest":
            return VectorMoments(exact(second), exact(second), exact(second**2))
        fourth = h2**2 * (Fraction(n, 12) + Fraction(n * (n - 1), 16))
        return VectorMoments(exact(Fraction(0)), exact(second), exact(fourth))

    def rms_squared(self, bits: int) -> Fraction:
        """n h²/4."""
        return self.size * self.spacing(bits) ** 2 / 4

    def perturbation(self, graph: OperatorGraph, bits: int) -> Perturbation:
        """What it does to the graph, at every step."""
        forward = self.site.direction == "forward"
        return Perturbation(
            site=graph.operator_of(self.site),
            direction=self.site.direction,
            size=self.size,
            rms=None,
            mean=None,
            fourth=None,
            moments=self.moments(bits),
            distribution=None,
            probability=None,
            schedule=from_keys({}),
            where="budget.allocation",
            edge=0 if forward else self.site.index,
            dependence=Dependence.CONDITIONAL if forward else Dependence.ANY,
        )


def site_key(site: Site) -> str:
    """What ``weights`` calls a site.

    >>> site_key(Site("backward", 3, "f3"))
    'backward:f3'
    """
    return f"{site.direction}:{site.label}"


def quantisers(
    graph: OperatorGraph,
    section: AllocationSection,
    reaches: Mapping[tuple[str, int], Reach],
) -> tuple[list[Quantiser], dict[str, str]]:
    """A quantiser for every site whose range is known, and why the other sites have none.

    Parameters
    ----------
    reaches
        (direction, index) of a site → a set that holds its values.

    Raises
    ------
    SpecError
        If ``weights`` names an unknown site.
    """
    given = section.weights or {}
    unknown = sorted(set(given) - {site_key(site) for site in graph.sites})
    if unknown:
        labels = [site_key(site) for site in graph.sites[:12]]
        raise SpecError(
            "a weight for an unknown site",
            where="budget.allocation.weights",
            value=unknown[0],
            expected="a site such as " + ", ".join(labels),
            fix="name sites as in the budget's tables: forward:ID or backward:ID",
        )
    values = graph.values(RATIONALS) if any(w.symbols for w in given.values()) else {}
    made, left_out = [], {}
    for site in graph.sites:
        reach = reaches.get((site.direction, site.index))
        if reach is None or reach.magnitude is None:
            left_out[site_key(site)] = "no range is known: nothing bounds the values there"
            continue
        weight = given.get(site_key(site))
        cost = Fraction(reach.size) if weight is None else weight.evaluate(RATIONALS, values)
        made.append(Quantiser(site, reach.size, reach.magnitude, cost, section.rounding))
    return made, left_out


@dataclass(frozen=True)
class Columns:
    """Quantisers as arrays, by site.

    With r = √n M/(2^b − 1), the root mean square that b bits leave, b = log₂(1 + c/r) for
    c = √n M; b may be any real number.

    Attributes
    ----------
    weight, top
        w and c.
    mean, fourth
        Size of the mean and (E‖·‖⁴)^{1/4}, per unit of r.
    low, high
        Limits of ln r: most and least bits.
    """

    weight: Array
    top: Array
    mean: Array
    fourth: Array
    low: Array
    high: Array

    def moments(self, x: Array) -> Moments:
        """Levels at ln r = x."""
        r = np.exp(x)
        return Moments(r, r * self.mean, r * self.fourth)

    def bits(self, x: Array) -> Array:
        """b = log₂(1 + c/r), to full precision for many bits and few."""
        found: Array = np.log1p(self.top * np.exp(-x)) / np.log(2)
        return found

    def logs(self, bits: Array) -> Array:
        """ln r for a number of bits."""
        found: Array = np.log(self.top) - np.log(np.expm1(bits * np.log(2)))
        return found

    def cost(self, x: Array) -> Array:
        """Σ w b."""
        found: Array = self.bits(x) @ self.weight
        return found


def columns(made: Sequence[Quantiser], least: int, most: int) -> Columns:
    """The arrays of quantisers whose magnitudes are positive."""
    size = np.array([float(q.size) for q in made])
    top = np.sqrt(size) * np.array([float(q.magnitude) for q in made])
    stochastic = np.array([q.rounding == "stochastic" for q in made])
    # (E‖δ‖⁴)^{1/4}/√(E‖δ‖²) = ((4n/3 + n(n − 1))/n²)^{1/4}
    spread = ((4 / 3 + size - 1) / size) ** 0.25
    found = Columns(
        weight=np.array([float(q.weight) for q in made]),
        top=top,
        mean=np.where(stochastic, 0.0, 1.0),
        fourth=np.where(stochastic, spread, 1.0),
        low=np.empty(0),
        high=np.empty(0),
    )
    low, high = (found.logs(np.full(len(made), float(b))) for b in (most, least))
    return Columns(found.weight, top, found.mean, found.fourth, low, high)
