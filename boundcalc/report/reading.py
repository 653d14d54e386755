"""What the sharp family's numbers say, as facts: shares, ratios, sites and tolerances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from heapq import nlargest

from boundcalc.arithmetic import WIDE, Number, Scalar, Status
from boundcalc.graph import OperatorGraph, Site
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.coefficients import Coefficients

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
    error = None if bounds is None else _root(bounds.error)
    bias = None if bounds is None else _root(bounds.bias)
    parts = {name: n for name, n in contributions(coefficients).items() if n.value != 0}
    sites = {side: _sites(coefficients, side) for side in ("forward", "backward")}
    largest = {side: max(found, key=_size, default=None) for side, found in sites.items()}
    return Reading(
        largest=U,
        error=error,
        bias=bias,
        error_ratio=_ratio(error, U),
        bias_ratio=_ratio(bias, U),
        shares=_shares(parts, _status(graph)),
        sharing=len(parts),
        forward=_tolerance(largest["forward"], U),
        backward=_tolerance(largest["backward"], U),
        relative=_relative(graph, sites["forward"], U),
    )


def largest_gradient(graph: OperatorGraph) -> Number:
    """U with ‖u‖ ≤ U: U² = Σ_g (Σ_{v ∈ g} b_v V_v)², by u_g = Σ ∇_w f_vᵀ v_v and ‖v_v‖ ≤ V_v."""
    c = graph.graph_constants(WIDE)
    V, zero = sharp.adjoint_norms(c, WIDE), WIDE.number(0)
    parts = (sum((c.b[v] * V[v] for v in group), zero) for group in c.members)
    return Number(WIDE.sqrt(sum((part**2 for part in parts), zero)), _status(graph))


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


def _shares(parts: Mapping[str, Number], status: Status) -> tuple[tuple[str, Number], ...]:
    whole = sum((_wide(n.value) for n in parts.values()), WIDE.number(0))
    named = nlargest(SHARES, parts.items(), key=lambda entry: entry[1].value)
    return tuple((name, Number(_wide(n.value) / whole, status)) for name, n in named)


def _sites(coefficients: Coefficients, side: str) -> list[tuple[Site, Number]]:
    """Every site of one direction that has a coefficient above 0."""
    column = f"error_{side}"
    numbers = coefficients.columns[column]
    return [
        (site, number)
        for site, number in zip(coefficients.sites(column), numbers, strict=True)
        if number is not None and number.value > 0
    ]


def _size(entry: tuple[Site, Number]) -> Scalar:
    return entry[1].value


def _tolerance(entry: tuple[Site, Number] | None, U: Number) -> Tolerance | None:
    """U/√C of one site."""
    if entry is None:
        return None
    site, coefficient = entry
    return Tolerance(
        site, coefficient, Number(U.value / WIDE.sqrt(_wide(coefficient.value)), U.status)
    )


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
    sizes = [radius.evaluate(WIDE, values) for radius in radii if radius is not None]
    found = [
        (_wide(entry[1].value) * size**2, k, size)
        for k, (entry, size) in enumerate(zip(forward, sizes, strict=True))
        if size > 0
    ]
    if not found:
        return None
    _, k, size = max(found)
    worst = _tolerance(forward[k], U)
    assert worst is not None  # noqa: S101 - there is an entry
    return Tolerance(worst.site, worst.coefficient, Number(worst.alone.value / size, U.status))


def _root(square: Number | None) -> Number | None:
    if square is None:
        return None
    status = Status.COMPUTED if square.status is Status.PROVED else square.status
    return Number(WIDE.sqrt(_wide(square.value)), status)


def _ratio(size: Number | None, U: Number) -> Number | None:
    if size is None or U.value == 0:
        return None
    return Number(size.value / U.value, U.status)


def _wide(value: Scalar) -> Scalar:
    """The same number with an unbounded exponent."""
    return WIDE.number(value) if isinstance(value, Fraction | int) else value


def _status(graph: OperatorGraph) -> Status:
    return Status.SAMPLED if graph.sampled else Status.COMPUTED
