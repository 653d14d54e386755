"""Where the operators of a graph stand in a drawing: in layers, edges through free places.

The method of Sugiyama, Tagawa and Toda (IEEE Transactions on Systems, Man, and Cybernetics
11, 1981): layers by longest path, a place for each layer that an edge crosses, order within
layers by barycentres, then coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_SWEEPS = 12
_REWEIGHTED = 12  # times that coordinates are solved for
_STRAIGHT = {0: 1.0, 1: 2.0, 2: 8.0}  # weight of an edge by how many of its ends are no operators

Array = npt.NDArray[np.float64]
Edge = tuple[int, int]


@dataclass(frozen=True)
class Layout:
    """Places of operators and edges.

    Attributes
    ----------
    layer, across
        By operator number, 0 the data: the layer, and the place within it.
    routes
        By edge: (layer, place) of its beginning, of every layer it crosses, and its end.
    """

    layer: tuple[int, ...]
    across: tuple[float, ...]
    routes: dict[Edge, tuple[tuple[int, float], ...]]

    @property
    def depth(self) -> int:
        """The number of layers."""
        return max(self.layer) + 1

    @property
    def extent(self) -> tuple[float, float]:
        """The smallest and the largest place of an operator or of a route."""
        places = [*self.across, *(x for route in self.routes.values() for _, x in route)]
        return min(places), max(places)


def layered(count: int, edges: Sequence[Edge], *, box: float, wire: float, gap: float) -> Layout:
    """A layout of nodes 0 to ``count − 1``, for edges from smaller to larger numbers.

    For graphs that fit on a page: O(sweeps · edges² ) for the order and a few least-squares
    problems for the coordinates.

    Parameters
    ----------
    box, wire
        Widths of a node and of an edge that crosses a layer.
    gap
        Between neighbours.

    Examples
    --------
    >>> found = layered(4, [(0, 1), (0, 2), (1, 3), (2, 3)], box=1, wire=0, gap=1)
    >>> found.layer, list(found.across)
    ((0, 1, 1, 2), [0.0, -1.0, 1.0, 0.0])
    """
    layer = _layers(count, edges)
    items = list(layer)  # layers of the nodes, then of the places on long edges
    chains: dict[Edge, list[int]] = {}
    for u, v in dict.fromkeys(edges):
        places = list(range(len(items), len(items) + layer[v] - layer[u] - 1))
        items += range(layer[u] + 1, layer[v])
        chains[u, v] = [u, *places, v]
    links = [link for chain in chains.values() for link in pairwise(chain)]
    rows = _ordered(items, links)
    widths = [box if k < count else wire for k in range(len(items))]
    across = _coordinates(rows, links, widths, gap, count)
    routes = {
        edge: tuple((items[k], float(across[k])) for k in chain) for edge, chain in chains.items()
    }
    return Layout(tuple(layer), tuple(float(x) for x in across[:count]), routes)


def _layers(count: int, edges: Sequence[Edge]) -> list[int]:
    """By node: the length of the longest path to it."""
    layer = [0] * count
    for u, v in sorted(edges, key=lambda edge: edge[1]):
        layer[v] = max(layer[v], layer[u] + 1)
    return layer


def _ordered(items: list[int], links: Sequence[Edge]) -> list[list[int]]:
    """Items by layer, in an order with few crossings."""
    rows: list[list[int]] = [[] for _ in range(max(items) + 1)]
    for k, layer in enumerate(items):
        rows[layer].append(k)
    before: dict[int, list[int]] = {k: [] for k in range(len(items))}
    after: dict[int, list[int]] = {k: [] for k in range(len(items))}
    for u, v in links:
        before[v].append(u)
        after[u].append(v)
    best = [list(row) for row in rows]
    fewest = _crossings(best, links)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        neighbours = before if down else after
        for row in rows if down else reversed(rows):
            place = {k: x for some in rows for x, k in enumerate(some)}
            row.sort(key=lambda k: _barycentre(k, neighbours, place))
        found = _crossings(rows, links)
        if found < fewest:
            best, fewest = [list(row) for row in rows], found
    return best


def _barycentre(k: int, neighbours: dict[int, list[int]], place: dict[int, int]) -> float:
    """The mean place of the neighbours, or the item's own where it has none."""
    found = neighbours[k] or [k]
    return sum(place[other] for other in found) / len(found)


def _crossings(rows: list[list[int]], links: Sequence[Edge]) -> int:
    place = {k: (layer, x) for layer, row in enumerate(rows) for x, k in enumerate(row)}
    ends = [(place[u], place[v][1]) for u, v in links]
    return sum(
        (layer, (x - other_x) * (y - other_y) < 0) == (other, True)
        for position, ((layer, x), y) in enumerate(ends)
        for (other, other_x), other_y in ends[:position]
    )


def _coordinates(
    rows: list[list[int]], links: Sequence[Edge], widths: list[float], gap: float, count: int
) -> Array:
    """Places that keep the order and the gaps and make edges short, long ones straight.

    Minimises Σ w|x_u − x_v| by reweighted least squares, which from equally good places
    chooses the middle.  The unknowns are the first place of each layer and the gaps, so that
    the order becomes bounds.
    """
    from scipy.optimize import lsq_linear

    size = len(widths)
    design, floor = np.zeros((size, size)), np.full(size, -np.inf)
    for row in rows:
        for position, k in enumerate(row):
            design[k, row[: position + 1]] = 1.0
            if position:
                floor[k] = (widths[row[position - 1]] + widths[k]) / 2 + gap
    weights = np.array([_STRAIGHT[(u >= count) + (v >= count)] for u, v in links])
    differences = np.array([design[u] - design[v] for u, v in links]).reshape(len(links), size)
    across = np.zeros(size)
    scale = np.ones(len(links))
    for _ in range(_REWEIGHTED):
        sides = np.sqrt(weights * scale)
        # The middle of the drawing is 0: without this any shift would do.
        matrix = np.vstack([differences * sides[:, None], 1e-4 * design])
        found = lsq_linear(matrix, np.zeros(len(matrix)), (floor, np.full(size, np.inf)))
        across = design @ found.x
        scale = 1.0 / (np.abs(differences @ found.x) + 0.02)
    middle = (across.min() + across.max()) / 2
    # Rounded, so that drawings do not depend on the last digits; + 0.0 makes −0 to 0.
    return np.asarray(np.round(across - middle, 6) + 0.0)
