"""One perturbed site at a time on any graph, by running the recurrences with unit levels.

On a chain :mod:`~boundcalc.theories.perturbed.sites` has the same numbers in O(N); on a
graph there is no shorter way than one run for each site, O(N + slot pairs) each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from boundcalc.arithmetic import FLOATS, WIDE, Arithmetic, Number, Scalar, Status
from boundcalc.errors import InexactError
from boundcalc.graph import GraphConstants, Levels, Site
from boundcalc.theories.perturbed import sharp

#: Operators above which all sites run at once, in float64.
TOGETHER = 64
#: Most numbers in a column of states of all sites at once.
MAX_STATES = 20_000_000


def reaching(g: GraphConstants, kinks: frozenset[int]) -> frozenset[int]:
    """Operators whose output, perturbed, moves the input of one of ``kinks``."""
    found: set[int] = set()
    for u in range(g.size - 1, 0, -1):
        if any(v in kinks or v in found for v, _ in g.consumers[u]):
            found.add(u)
    return frozenset(found)


def too_many(operators: int, sites: int) -> bool:
    """Whether coefficients of every site would take too long and too much memory."""
    return operators > TOGETHER and (operators + 1) * sites > MAX_STATES


def site_columns(
    g: GraphConstants, sites: Sequence[Site], kind: Arithmetic
) -> dict[str, list[Scalar | None]]:
    """Coefficients of every site alone, in the order of the sites of each direction.

    A forward site that reaches a kink has none: what it does is not proportional to its
    size.

    Returns
    -------
    Column name → one number for each forward or each backward site.
    """
    rows = _unit_totals(g, sites, kind)
    kinks = reaching(g, g.kinked)
    bends = reaching(g, g.kinked | _bent(g))
    columns: dict[str, list[Scalar | None]] = {
        "error_forward": [],
        "error_backward": [],
        "bias_forward_mean": [],
        "bias_forward_fourth": [],
        "bias_backward_mean": [],
    }
    for site, (error, mean, curvature) in zip(sites, rows, strict=True):
        if site.direction == "backward":
            columns["error_backward"].append(error)
            columns["bias_backward_mean"].append(mean)
        else:
            smooth = site.index not in kinks
            columns["error_forward"].append(error if smooth else None)
            # Without A′ a bias is bounded by sizes alone, not by means and their curvature.
            bent = site.index in bends
            columns["bias_forward_mean"].append(None if bent else mean)
            columns["bias_forward_fourth"].append(None if bent else curvature)
    return columns


def _bent(g: GraphConstants) -> frozenset[int]:
    """Operators with a second derivative that has no Lipschitz constant."""
    return frozenset(
        v
        for v in range(1, g.size + 1)
        if g.B3[v] is None or any(third is None for third in g.A3[v])
    )


def response_matrix(
    g: GraphConstants, sites: Sequence[Site], kind: Arithmetic
) -> list[list[Scalar]]:
    """M by rows, one for each group of weights: the sizes that a unit at each site causes.

    docs/theory.md, Theorem 4.5 (a), holds for graphs too: the recurrences are linear.
    """
    columns = []
    for site in sites:
        second = sharp.general(g, unit_levels(g, [site], kind), kind)
        columns.append([kind.sqrt(value) for value in second.gradient[1:]])
    return [list(row) for row in zip(*columns, strict=True)]


def unit_levels(g: GraphConstants, sites: Sequence[Site], kind: Arithmetic) -> Levels:
    """Levels of 1 at one site and 0 elsewhere; for several sites in arrays, one entry each."""
    edges = 1 + max(edge for slots in g.edges for edge in slots)
    zero, one = kind.number(0), kind.number(1)
    if len(sites) > 1:
        zero = np.zeros(len(sites))
    e, eps = [zero] * (g.size + 1), [zero] * edges
    for position, site in enumerate(sites):
        side = e if site.direction == "forward" else eps
        if len(sites) == 1:
            side[site.index] = one
        else:
            column = np.zeros(len(sites))
            column[position] = 1.0
            side[site.index] = column
    none, silent = (zero,) * (g.size + 1), (zero,) * edges
    return Levels(e=tuple(e), m=none, q=none, eps=tuple(eps), n=silent)


def _unit_totals(
    g: GraphConstants, sites: Sequence[Site], kind: Arithmetic
) -> list[tuple[Scalar, Scalar, Scalar]]:
    """(error, squared bias of a unit mean, squared bias of a unit size) of every site."""
    if g.size <= TOGETHER or kind.exact or len(sites) < 2:
        return [_one(g, site, kind) for site in sites]
    if kind is not WIDE:
        return _enclosed_totals(g, sites, kind)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        found = _all_totals(converted(g), sites)
    rows: list[tuple[Scalar, Scalar, Scalar]] = []
    for site, row in zip(sites, found, strict=True):
        # What left the range of float64 is done again with an unbounded exponent.
        safe = np.isfinite(row).all() and np.all((row > 1e-250) | (row == 0.0))
        if safe:
            rows.append((WIDE.measured(row[0]), WIDE.measured(row[1]), WIDE.measured(row[2])))
        else:
            rows.append(_one(g, site, kind))
    return rows


def _all_totals(floats: GraphConstants, sites: Sequence[Site]) -> NDArray[np.float64]:
    """The three totals of every site at once, in float64."""
    levels = unit_levels(floats, sites, FLOATS)
    return np.stack(np.broadcast_arrays(*_totals(floats, levels, FLOATS)), axis=1)


def _enclosed_totals(
    g: GraphConstants, sites: Sequence[Site], kind: Arithmetic
) -> list[tuple[Scalar, Scalar, Scalar]]:
    """Enclosures of the totals, from float64 and its proved error.

    The recurrences add, multiply and take minima of numbers ≥ 0, so that relative errors add up
    along a path of operations, as in :func:`~boundcalc.theories.perturbed.fast.fast_bounds`:
    n = 6T + 16 roundings at most, T = 4 slots + 6 N.  Here constants are rounded up, which is
    off by up to two roundings where the nearest float64 is off by one, and a square may be off
    by an ulp, two roundings: γ_{2n}.  All this holds as long as nothing over- or underflows,
    and NumPy says whether anything did.

    Raises
    ------
    InexactError
        If a number left the range in which float64 keeps 53 bits.
    """
    try:
        with np.errstate(over="raise", invalid="raise", under="raise"):
            found = _all_totals(rounded_up(g), sites)
    except FloatingPointError:
        raise InexactError("a number left the range of float64") from None
    slots = sum(len(reads) for reads in g.inputs)
    n = Fraction(2 * (6 * (4 * slots + 6 * g.size) + 16), 2**53)
    gamma = n / (1 - n)

    def enclosure(value: float) -> Scalar:
        exact = Fraction(value)
        return kind.between(exact / (1 + gamma), exact / (1 - gamma))  # type: ignore[attr-defined]

    return [(enclosure(row[0]), enclosure(row[1]), enclosure(row[2])) for row in found.tolist()]


def _one(g: GraphConstants, site: Site, kind: Arithmetic) -> tuple[Scalar, Scalar, Scalar]:
    return _totals(g, unit_levels(g, [site], kind), kind)


def _totals(g: GraphConstants, unit: Levels, kind: Arithmetic) -> tuple[Scalar, Scalar, Scalar]:
    second = sharp.general(g, unit, kind)
    curvature = sharp.means(g, unit, second, kind, capped=False).total()
    none, silent = (kind.number(0),) * len(unit.e), (kind.number(0),) * len(unit.eps)
    # The same units as means: with nothing of their own size they meet no curvature.
    mean = Levels(e=none, m=unit.e, q=none, eps=silent, n=unit.eps)
    still = sharp.general(g, mean, kind)
    return second.total(), sharp.means(g, mean, still, kind, capped=False).total(), curvature


def converted(g: GraphConstants) -> GraphConstants:
    """The same constants in float64."""
    return _mapped(g, float)


def rounded_up(g: GraphConstants) -> GraphConstants:
    """Enclosed constants as float64 that are at least as large, of a type that reports underflow.

    Raises
    ------
    InexactError
        If one is outside the range in which float64 keeps 53 bits.
    """
    known: dict[int, np.float64] = {}  # operators that repeat share their constants

    def above(value: Scalar) -> np.float64:
        key = id(value)
        if key not in known:
            found = Number(value, Status.PROVED).json()
            if isinstance(found, str) or (found != 0 and abs(found) < sys.float_info.min):
                raise InexactError("a constant is outside the range of float64", value=found)
            known[key] = np.float64(found)
        return known[key]

    return _mapped(g, above)


def _mapped(g: GraphConstants, number: Callable[[Scalar], object]) -> GraphConstants:
    def entry(value: object) -> object:
        if isinstance(value, tuple):
            return tuple(entry(inner) for inner in value)
        return None if value is None else number(value)

    names = ("a", "l", "A", "J", "A3", "b", "B", "K", "B3")
    columns: dict[str, object] = {name: entry(getattr(g, name)) for name in names}
    runs = tuple(replace(run, norm=number(run.norm)) for run in g.runs)
    return GraphConstants(
        inputs=g.inputs,
        edges=g.edges,
        groups=g.groups,
        runs=runs,
        **columns,  # type: ignore[arg-type]
    )
