"""Allocations whose quantisers enlarge the regions that the ranges and the constants come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from boundcalc.arithmetic import Number
from boundcalc.budgets.allocation.allocate import allocate
from boundcalc.budgets.allocation.quantisers import Quantiser, quantisers
from boundcalc.budgets.levels import with_perturbations
from boundcalc.budgets.offers import enlarged
from boundcalc.budgets.question import Question, at_most
from boundcalc.budgets.results import Allocation, SiteBits
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph, build
from boundcalc.graph.reaches import SiteKey, site_reaches
from boundcalc.perturbations.number_format import NumberFormat
from boundcalc.perturbations.transform import Reach
from boundcalc.spec.expressions import exact
from boundcalc.spec.model import PerturbationSection

#: By how much ranges are enlarged from one round to the next.
_MARGINS = tuple(Fraction(k, 64) for k in (0, 1, 1, 4, 4, 16, 16, 32))

#: Most bits of a uniform format; quantisers with more move values by less.
_BITS = 16


def settled_allocation(asked: Question) -> Allocation:
    """Bits for quantisers whose ranges hold every value on passes that all of them perturb.

    Rounding before a site enlarges the set of its values, and the regions on which constants
    hold.  The first round takes the graph without any; each further one the graph with the
    quantisers of the round before.  A round is accepted when, with its own quantisers in the
    spec, every value stays within its range and the bound at most the target; the cheapest one
    that is accepted is returned.

    Raises
    ------
    SpecError
        If most bits everywhere are not enough, or no round is accepted.

    Notes
    -----
    Eight rounds, each a build and an allocation; one where no operator has a type, for nothing
    depends on how far values move there.
    """
    spec = asked.graph.spec
    graph = build(spec.model_copy(update={"perturbations": []}))
    reaches: Mapping[SiteKey, Reach] = site_reaches(graph)
    first = allocate(replace(asked, graph=graph), reaches)
    if all(node.operator is None for node in graph.nodes):
        return first
    found, best = first, None
    for margin in _MARGINS:
        pairs = _pairs(asked, graph, reaches, found)
        sections = [quantiser_section(q, site.bits) for q, site in pairs]
        new = build(spec.model_copy(update={"perturbations": sections}))
        met = {key: reach for key, reach in _met(new).items() if reach is not None}
        bound = _bound(asked, new, pairs)
        if _held(pairs, met) and at_most(bound, asked.target):
            cheaper = best is None or found.cost.value < best.cost.value
            best = replace(found, bound=bound) if cheaper else best
        graph, reaches = new, {**reaches, **{k: enlarged(r, 1 + margin) for k, r in met.items()}}
        found = allocate(replace(asked, graph=graph), reaches)
    if best is None:
        raise SpecError(
            "no allocation settles: rounding enlarges the ranges as fast as bits are added",
            where="budget.allocation",
            expected=f"ranges that stay as they are within {len(_MARGINS)} rounds",
            fix="raise budget.allocation.least_bits, or state regions for the operators",
        )
    # Nothing is smaller than ranges and constants without any rounding: what these cost at
    # least, every allocation does.
    return replace(best, relaxed_cost=first.relaxed_cost, lower_cost=first.lower_cost)


def _pairs(
    asked: Question, graph: OperatorGraph, reaches: Mapping[SiteKey, Reach], found: Allocation
) -> list[tuple[Quantiser, SiteBits]]:
    """Quantisers and their bits."""
    made, _ = quantisers(graph, asked.section.allocation, reaches)
    by_site = {(q.site.direction, q.site.label): q for q in made}
    return [(by_site[site.direction, site.label], site) for site in found.sites]


def quantiser_section(quantiser: Quantiser, bits: int) -> PerturbationSection:
    """The quantiser in a spec; what leaves the range is clipped, and shows in :func:`_held`."""
    site = quantiser.site
    return PerturbationSection.model_validate(
        {
            "at": site.label,
            "pass": site.direction,
            "model": NumberFormat.model,
            "format": "uniform",
            "bits": min(bits, _BITS),
            "low": exact(-quantiser.magnitude),
            "high": exact(quantiser.magnitude),
            "rounding": quantiser.rounding,
            "overflow": "saturate",
        }
    )


def _met(graph: OperatorGraph) -> dict[SiteKey, Reach | None]:
    """By site: where the values lie that its quantiser is given."""
    return {
        (p.direction, p.site if p.direction == "forward" else p.edge): p.reach
        for p in graph.perturbations
    }


def _held(pairs: Sequence[tuple[Quantiser, SiteBits]], met: Mapping[SiteKey, Reach]) -> bool:
    """Whether no value leaves the range of its quantiser."""
    for q, _ in pairs:
        reach = met.get((q.site.direction, q.site.index))
        if reach is None or reach.magnitude is None or reach.magnitude > q.magnitude:
            return False
    return True


def _bound(
    asked: Question, graph: OperatorGraph, pairs: Sequence[tuple[Quantiser, SiteBits]]
) -> Number:
    """The bound with these quantisers on the constants of a graph that contains them."""
    made = [q.perturbation(graph, site.bits) for q, site in pairs]
    return asked.bound(with_perturbations(graph, made))
