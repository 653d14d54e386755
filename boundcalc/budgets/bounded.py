"""Largest perturbations at sites whose regions they enlarge: of laws whose size is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.combine import square_root
from boundcalc.arithmetic.number import worst
from boundcalc.budgets.inversion_search import truncated
from boundcalc.budgets.question import Question, highest, lowest
from boundcalc.budgets.regions import depends
from boundcalc.budgets.results import Allowance, Magnitudes
from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph, build
from boundcalc.spec.expressions import exact
from boundcalc.spec.model import PerturbationSection

#: Sites times operators, up to which every site is searched: each takes dozens of builds.
MOST = 300

#: How the answer is rounded down, and the widest step of a search, in logarithms.
_CLOSE, _TRIES, _WIDEST = Fraction(1, 2**44), 64, 64

_LAWS = {
    ("rms", "alone"): "as uniform noise",
    ("mean", "alone"): "as a constant shift",
    ("rms", "given"): "as uniform noise in place of what is there",
    ("mean", "given"): "as a constant shift on top of what is there",
}

#: Bounds by size, and the size's factor: f(h), κ with ‖·‖ = κh.
Bound = Callable[[Fraction], Number | None]


def bounded(asked: Question, found: Magnitudes) -> Magnitudes:
    """The same, with regions that a forward perturbation enlarges counted.

    Where constants after a site hold on a region that follows from the data, moments alone say
    nothing about where values go.  There the largest rms is that of uniform noise, and the
    largest mean that of a constant shift: both can be written into the spec, which is built with
    them.

    Notes
    -----
    Some dozen builds for each number; none on graphs without such regions.  On large graphs
    these numbers are 0 and `undetermined`.
    """
    graph = asked.graph
    sites = [s for s in graph.sites if s.direction == "forward" and depends(graph, s.label)]
    labels = {site.label: site.index for site in sites}
    searched = len(sites) * graph.size <= MOST
    allowances = tuple(
        a
        if a.direction == "backward" or a.label not in labels
        else (_searched(asked, a, labels[a.label]) if searched else _open(a))
        for a in found.allowances
    )
    notes = found.notes
    if sites:
        notes = (
            *notes,
            "forward values at "
            + ", ".join(list(labels)[:3])
            + (f" and {len(sites) - 3} more" if len(sites) > 3 else "")
            + " are those of uniform noise (rms) and of a constant shift (mean), which enlarge the "
            "regions on which constants hold"
            if searched
            else "the graph is too large to search forward sites whose regions depend on the law",
        )
    return replace(found, allowances=allowances, notes=notes)


def _open(allowance: Allowance) -> Allowance:
    none = Number(Fraction(0), Status.UNDETERMINED, limit=True)
    given = None if allowance.given is None else none
    return replace(allowance, alone=none, given=given, note="not determined")


def _searched(asked: Question, allowance: Allowance, site: int) -> Allowance:
    quantity = allowance.quantity
    alone = given = _largest(asked, quantity, site, [], allowance.alone)
    if asked.graph.perturbations:
        others = _others(asked.graph, site, quantity)
        given = _largest(asked, quantity, site, others, alone)
    law = _LAWS[quantity, "given" if asked.graph.perturbations else "alone"]
    notes = [law]
    if alone is None:
        notes.append("alone any value is admissible")
    elif alone.value == 0:
        notes.append("alone none is admissible")
    if asked.graph.perturbations and given is not None and given.value == 0:
        notes.append("given the others, none is admissible")
    return replace(
        allowance,
        alone=alone,
        given=given if asked.graph.perturbations else None,
        note="; ".join(notes),
    )


def _others(graph: OperatorGraph, site: int, quantity: str) -> list[PerturbationSection]:
    """The spec's perturbations one by one; without those that uniform noise replaces."""
    found = []
    for p in graph.perturbations:
        forward = p.direction == "forward"
        if quantity == "rms" and forward and p.site == site:
            continue
        section = graph.spec.perturbations[int(p.where.split("[")[1].rstrip("]"))]
        label = graph.ids[p.site - 1] if forward else graph.edge_label(p.edge)
        found.append(section.model_copy(update={"at": label}))
    return found


def _largest(
    asked: Question,
    quantity: str,
    site: int,
    others: Sequence[PerturbationSection],
    near: Number | None,
) -> Number | None:
    """The largest rms or mean, rounded down, and not far from ``near``; None where any will do."""
    graph, target = asked.graph, lowest(asked.target.value)
    label, size = graph.ids[site - 1], graph.nodes[site - 1].outputs
    keys = {"model": "uniform"} if quantity == "rms" else {"model": "constant"}
    name = "half_width" if quantity == "rms" else "value"

    def bound(h: Fraction) -> Number | None:
        section = PerturbationSection.model_validate(
            {"at": label, "pass": "forward", **keys, name: exact(h)}
        )
        sections = [*others, section] if h else list(others)
        new = graph.spec.model_copy(update={"perturbations": sections})
        try:
            return asked.bound(build(new))
        except BoundcalcError:
            return None  # a format or an operator does not bear it

    still = bound(Fraction(0))
    factor = (size / 3) ** 0.5 if quantity == "rms" else size**0.5
    guess = 1.0 if near is None or not float(near) > 0 else float(near) / factor
    h: Fraction | None = Fraction(0)
    if still is not None and highest(still.value) < target:
        h = _root(bound, target, math.log(guess))
    if h is None:
        return None
    found = bound(h)
    status = Status.PROVED if found is None else worst(asked.target.status, found.status)
    # uniform: rms² = n h²/3; constant: ‖c‖² = n h²
    square = size * h**2 / (3 if quantity == "rms" else 1)
    return replace(square_root(Number(square, status)), limit=True, status=status)


def _root(bound: Bound, target: Fraction, guess: float) -> Fraction | None:
    """The largest size with an admissible bound, by Brent's method on its logarithm."""
    from scipy.optimize import brentq

    known: dict[float, float] = {}

    def excess(logarithm: float) -> float:
        if logarithm not in known:
            found = bound(Fraction(math.exp(logarithm)))
            ratio = math.inf if found is None else float(highest(found.value) / target - 1)
            known[logarithm] = ratio
        return known[logarithm]

    low = high = guess
    step = 0.25
    while excess(low) > 0:
        low, high, step = low - step, low, 2 * step
        if step > _WIDEST:
            return Fraction(0)
    step = 0.25
    while excess(high) <= 0:
        low, high, step = high, high + step, 2 * step
        if step > _WIDEST:
            return None
    while excess(high) == math.inf and high - low > 1e-13:
        # Beyond some size nothing can be built.
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) <= 0 else (low, middle)
    start = low if excess(high) == math.inf else brentq(excess, low, high, xtol=1e-14, rtol=1e-13)
    h = truncated(Fraction(math.exp(start)))
    for _ in range(_TRIES):
        found = bound(h)
        if found is not None and highest(found.value) <= target:
            return h
        h = truncated(h * (1 - _CLOSE))
    return Fraction(0)
