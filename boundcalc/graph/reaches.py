"""Where the values of every site lie, in both passes.

Forward: the region of the operator's output, as the build propagates it.  Backward: along
the edge from u to v goes z = Σ_k ∇_k f_vᵀ ṽ_v over the slots k of v that read u.  With
Ṽ_N = 1 and a_{v,k} = sup ‖∇_k f_v‖ over everything that the perturbed pass visits,

    ‖z‖ ≤ (Σ_k a_{v,k}) Ṽ_v ,    Ṽ_u = Σ_{v reads u} ((Σ_k a_{v,k}) Ṽ_v + sup ‖ε_{v,u}‖),

by the triangle inequality, from the loss backwards.  Everything is rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from boundcalc.graph.changes import Change, Known, change, norm_of
from boundcalc.graph.model import OperatorGraph
from boundcalc.graph.parts import Node
from boundcalc.graph.place import Placed, at_sites
from boundcalc.graph.ranges import Range, not_below, range_of
from boundcalc.operators.rounding import above
from boundcalc.perturbations.transform import Largest, Reach
from boundcalc.spec.expressions import Expression

#: ``("forward", operator)`` or ``("backward", edge)``, as in :attr:`OperatorGraph.sites`.
SiteKey: TypeAlias = tuple[str, int]


@dataclass(frozen=True)
class Ball:
    """A bound on a norm.

    Attributes
    ----------
    radius
        The bound; None where there is none.
    why
        Why there is none.
    """

    radius: Fraction | None
    why: str = ""

    def plus(self, other: Ball) -> Ball:
        """A bound on the norm of a sum.

        >>> Ball(Fraction(1)).plus(Ball(Fraction(1, 2))).radius
        Fraction(3, 2)
        """
        if self.radius is None or other.radius is None:
            return self if self.radius is None else other
        return ball(self.radius + other.radius)


def ball(radius: Fraction | float) -> Ball:
    """A ball whose radius is at most one float longer, so that numbers stay short."""
    size = above(Fraction(radius)) if isinstance(radius, Fraction) else radius
    return (
        Ball(None, "numbers exceed the range of float64")
        if size == math.inf
        else Ball(Fraction(size))
    )


#: What acts along an edge: takes the edge and the ball of what is pulled back along it, and
#: gives that of what arrives.
Arriving: TypeAlias = Callable[[int, Ball], Ball]


def site_reaches(graph: OperatorGraph) -> dict[SiteKey, Reach]:
    """For every site: a set that holds each value that a transform placed there would be given.

    The transform would come last at its site, after the perturbations that are there.  All
    perturbations of the graph are taken into account, wherever they sit; a further
    transform at an *earlier* site would enlarge the reaches after it, so that transforms at
    several sites need a build with all of them.

    Parameters
    ----------
    graph
        A compiled spec, perturbed or not.

    Returns
    -------
    dict
        By direction and number of the operator or edge, for all of ``graph.sites``.  Where
        nothing is known the reach has neither ball nor box.

    Notes
    -----
    O(N + edges).  On regions that were measured (``graph.sampled``) it holds as far as they do.

    Examples
    --------
    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: two slopes
    ... graph:
    ...   input: {radius: 3}
    ...   operators:
    ...     - {id: f1, type: tanh}
    ...     - {id: f2, type: identity}
    ...     - {id: f3, type: softplus}
    ... '''))
    >>> reaches = site_reaches(graph)
    >>> f"{float(reaches['forward', 1].high):.4f} {float(reaches['backward', 3].radius):.4f}"
    '0.9951 0.7301'
    """
    found: dict[SiteKey, Reach] = {}
    for v, node in enumerate(graph.nodes[:-1], 1):
        found["forward", v] = range_of(node.domain).reach(node.shape)
    added: dict[int, list[Ball]] = {}
    for p in graph.perturbations:
        if p.direction == "backward":
            added.setdefault(p.edge, []).append(_largest(p.largest, p.where))

    def arriving(edge: int, pulled: Ball) -> Ball:
        for size in added.get(edge, ()):
            pulled = pulled.plus(size)
        u = graph.ends[edge][0]
        found["backward", edge] = Range(pulled.radius).reach(graph.nodes[u - 1].shape)
        return pulled

    pull_back(graph, arriving)
    return {(site.direction, site.index): found[site.direction, site.index] for site in graph.sites}


def backward_changes(
    graph: OperatorGraph, placed: Sequence[Placed]
) -> dict[tuple[int, int], Change]:
    """By position of the section and number of the edge: every transform that goes back.

    Raises
    ------
    SpecError
        If a transform needs to know more of the values along its edge.
    """
    found: dict[tuple[int, int], Change] = {}
    known: Known = {}
    at = at_sites(placed, "backward", graph.size)
    if not any(item.transform for here in at.values() for _, item in here):
        return found

    def arriving(edge: int, pulled: Ball) -> Ball:
        u = graph.ends[edge][0]
        shape = graph.nodes[u - 1].shape
        size = graph.nodes[u - 1].outputs
        for position, item in at.get(edge, ()):
            if item.transform is None:
                most = norm_of(Largest(item.largest, math.inf), size)
            else:
                made = change(item, Range(pulled.radius), shape, pulled.why, known)
                found[position, edge] = made
                most = norm_of(made.largest, size)
            pulled = pulled.plus(_largest(most, item.where))
        return pulled

    pull_back(graph, arriving)
    return found


def pull_back(graph: OperatorGraph, arriving: Arriving) -> None:
    """Bounds on what goes back along every edge, from the loss backwards; O(N + edges).

    Parameters
    ----------
    arriving
        Called once for each edge that does not begin at the data.
    """
    sizes = _Sizes(graph.symbols)
    reached: list[Ball] = [ball(0.0) for _ in range(graph.size)] + [ball(1.0)]
    for v in range(graph.size, 0, -1):
        node = graph.nodes[v - 1]
        if node.reads == (0,):
            continue
        for edge in dict.fromkeys(node.edges):
            u = graph.ends[edge][0]
            slots = [k for k, own in enumerate(node.edges) if own == edge]
            pulled = _times(sizes.of(node, slots), reached[v])
            reached[u] = reached[u].plus(arriving(edge, pulled))


class _Sizes:
    """Σ_k a_{v,k}, evaluated once for operators that share their constants."""

    def __init__(self, symbols: Mapping[str, Expression]) -> None:
        self._symbols = symbols
        self._known: dict[int, tuple[Expression, Ball]] = {}

    def of(self, node: Node, slots: list[int]) -> Ball:
        total = ball(0.0)
        for k in slots:
            own = node.constants.slots
            size = own[k].jac_input if own else node.constants.jac_input
            total = total.plus(self._ball(size, node))
        return total

    def _ball(self, size: Expression, node: Node) -> Ball:
        key = id(size)
        if key not in self._known:
            # The expression too, so that its id stays its own.
            self._known[key] = (size, self._number(size.substitute(self._symbols), node))
        return self._known[key][1]

    def _number(self, size: Expression, node: Node) -> Ball:
        if size.symbols:
            names = ", ".join(sorted(size.symbols))
            return Ball(None, f"jac_input of {node.id} is {size.source}: {names} has no value")
        number = not_below(size)
        if number is None:
            return Ball(None, f"jac_input of {node.id} exceeds the range of float64")
        return ball(number)


def _times(size: Ball, reached: Ball) -> Ball:
    if size.radius is None or reached.radius is None:
        return size if size.radius is None else reached
    return ball(size.radius * reached.radius)


def _largest(most: float, where: str) -> Ball:
    return Ball(None, f"{where}, before it, is unbounded") if most == math.inf else ball(most)
