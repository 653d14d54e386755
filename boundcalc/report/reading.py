"""What the sharp family's numbers say, as facts: shares, ratios, sites and tolerances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from heapq import nlargest
from operator import itemgetter
from typing import Any

from boundcalc.arithmetic import WIDE, Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import converted, in_best_kind
from boundcalc.arithmetic.combine import added, quotient, square_root
from boundcalc.graph import OperatorGraph, Site
from boundcalc.report.notation import number_of
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.coefficients import Coefficients
from boundcalc.theories.perturbed.families import FAST_OPERATORS

#: Operators whose share of the error is named.
SHARES = 3


@dataclass(frozen=True)
class Tolerance:
    """One site and what acting there alone does.

    Attributes
    ----------
    coefficient
        C: a perturbation of root mean square e there makes E‖ũ−u‖² at most C e².
    alone
        The e at which C e² reaches the bound on ‖u‖²; relative tolerances are divided by
        the radius of the ball that holds the output.
    """

    site: Site
    coefficient: Number
    alone: Number


@dataclass(frozen=True)
class Reading:
    """Facts about one graph.

    Attributes
    ----------
    largest
        U: ‖u‖ ≤ U for every sample and weights of the region.
    error, bias
        Roots of the bounds on E‖ũ−u‖² and ‖E[ũ−u]‖²; None without perturbations.
    error_ratio, bias_ratio
        The same divided by U.
    shares
        (id of the first operator of a group of weights, share of the bound on E‖ũ−u‖²) of
        the three largest, the largest first.
    sharing
        How many groups have a share.
    forward, backward
        The site with the largest coefficient of each direction, or None without any.
    relative
        The output with the smallest tolerance relative to its size; None where some
        output is not known to be bounded.
    """

    largest: Number
    error: Number | None
    bias: Number | None
    error_ratio: Number | None
    bias_ratio: Number | None
    shares: tuple[tuple[str, Number], ...]
    sharing: int
    forward: Tolerance | None
    backward: Tolerance | None
    relative: Tolerance | None


def reading(coefficients: Coefficients) -> Reading | None:
    """The facts, from the coefficients of the sharp family; None where symbols lack values.

    Examples
    --------
    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: two operators
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... perturbations: [{at: f1, pass: forward, rms: 1, mean: 0}]
    ... '''))
    >>> facts = reading(bc.coefficients(graph))
    >>> print(facts.largest, facts.error, facts.shares[0][0], facts.shares[0][1])
    1.41422 1.41422 f1 0.5
    """
    graph, bounds = coefficients.graph, coefficients.bounds
    if coefficients.missing:
        return None
    U = largest_gradient(graph)
    error = None if bounds is None or bounds.error is None else square_root(bounds.error)
    bias = None if bounds is None or bounds.bias is None else square_root(bounds.bias)
    parts = {name: n for name, n in contributions(coefficients).items() if n.value != 0}
    sites = {side: _sites(coefficients, side) for side in ("forward", "backward")}
    largest = {side: max(found, key=_size, default=None) for side, found in sites.items()}
    return Reading(
        largest=U,
        error=error,
        bias=bias,
        error_ratio=_ratio(error, U),
        bias_ratio=_ratio(bias, U),
        shares=_shares(parts),
        sharing=len(parts),
        forward=_tolerance(largest["forward"], U),
        backward=_tolerance(largest["backward"], U),
        relative=_relative(graph, sites["forward"], U),
    )


def largest_gradient(graph: OperatorGraph) -> Number:
    """U with ‖u‖ ≤ U: U² = Σ_g (Σ_{v ∈ g} b_v V_v)², by u_g = Σ ∇_w f_vᵀ v_v and ‖v_v‖ ≤ V_v."""

    def compute(kind: Arithmetic) -> Scalar:
        c, zero = graph.graph_constants(kind), kind.number(0)
        V = sharp.adjoint_norms(c, kind)
        parts = (sum((c.b[v] * V[v] for v in group), zero) for group in c.members)
        return kind.sqrt(sum((part**2 for part in parts), zero))

    if graph.size > FAST_OPERATORS:
        return Number(compute(WIDE), _status(graph, Status.COMPUTED))
    found, proved = in_best_kind(compute, graph.size)
    return Number(found, _status(graph, Status.PROVED if proved else Status.COMPUTED))


def contributions(coefficients: Coefficients) -> dict[str, Number]:
    """Id of the first operator of each group of weights → its part of the bound on E‖ũ−u‖²."""
    graph, bounds = coefficients.graph, coefficients.bounds
    if bounds is None:
        return {}
    # In the order of the groups' first operators, as the bounds have them.
    leaders = dict.fromkeys(node.group for node in graph.nodes)
    return {
        graph.ids[leader - 1]: part
        for leader, part in zip(leaders, bounds.contributions, strict=False)
    }


def _shares(parts: Mapping[str, Number]) -> tuple[tuple[str, Number], ...]:
    named = nlargest(SHARES, parts.items(), key=_size)
    if not named:
        return ()
    whole = added(parts.values())
    return tuple((name, quotient(part, whole)) for name, part in named)


def _sites(coefficients: Coefficients, side: str) -> list[tuple[Site, Number]]:
    """Every site of one direction that has a coefficient above 0."""
    column = f"error_{side}"
    numbers = coefficients.columns[column]
    return [
        (site, number)
        for site, number in zip(coefficients.sites(column), numbers, strict=True)
        if number is not None and _wide(number.value) > 0
    ]


def _size(entry: tuple[Any, Number]) -> Scalar:
    """For an order: enclosures overlap where numbers are equal."""
    return _wide(entry[1].value)


def _tolerance(entry: tuple[Site, Number] | None, U: Number) -> Tolerance | None:
    """U/√C of one site."""
    if entry is None:
        return None
    site, coefficient = entry
    return Tolerance(site, coefficient, quotient(U, square_root(coefficient)))


def _relative(
    graph: OperatorGraph, forward: list[tuple[Site, Number]], U: Number
) -> Tolerance | None:
    """The smallest U/(√C radius), radius that of the ball that holds the output.

    None where a radius is not known, or symbols in it have no value.
    """
    radii = [graph.nodes[site.index - 1].domain.radius for site, _ in forward]
    if any(radius is None or radius.symbols - set(graph.symbols) for radius in radii):
        return None
    values = graph.values(WIDE)
    found = [
        (_wide(entry[1].value) * radius.evaluate(WIDE, values) ** 2, k, radius)
        for k, (entry, radius) in enumerate(zip(forward, radii, strict=True))
        if radius is not None and radius.evaluate(WIDE, values) > 0
    ]
    if not found:
        return None
    _, k, radius = max(found, key=itemgetter(0, 1))
    worst = _tolerance(forward[k], U)
    size = number_of(graph, radius)
    assert worst is not None  # noqa: S101 - there is an entry
    assert size is not None  # noqa: S101 - its symbols have values
    return Tolerance(worst.site, worst.coefficient, quotient(worst.alone, size))


def _ratio(size: Number | None, U: Number) -> Number | None:
    return None if size is None or U.value == 0 else quotient(size, U)


def _wide(value: Scalar) -> Scalar:
    """The same number with an unbounded exponent."""
    return converted(value, WIDE)


def _status(graph: OperatorGraph, status: Status) -> Status:
    return Status.SAMPLED if graph.sampled else status
