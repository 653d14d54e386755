"""Where boxes, edges and labels of a drawn graph are, in inches of the page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from boundcalc.graph import OperatorGraph
from boundcalc.report import plots
from boundcalc.report.layout import Edge, Layout, layered

_HEIGHT = 7.6  # inches at most
_LAYER = 0.56  # inches from one layer to the next, where there is room
_MARGIN = 0.12
_GAP, _WIRE = 0.2, 0.12  # inches between boxes, and of an edge that passes them
_WIDEST, _NARROWEST = 1.5, 0.5  # of a box; graphs that are too wide for that are not drawn
_STEEP = 0.1  # inches across, up to which a piece of an edge runs down

Point = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """The measures of a drawing, in inches.

    Attributes
    ----------
    layout
        Layers and places within them.
    width, height
        Of a box.
    step
        From one layer to the next.
    page
        Height of the whole drawing, which is as wide as a page's text.
    upright
        Whether layers run down; to the right in a chain.
    """

    layout: Layout
    width: float
    height: float
    step: float
    page: float
    upright: bool

    def at(self, layer: float, across: float) -> Point:
        """A place on the page."""
        if self.upright:
            top = self.page - _MARGIN - self.height / 2
            return plots.WIDTH / 2 + across, top - layer * self.step
        left = (plots.WIDTH - (self.layout.depth - 1) * self.step) / 2
        return left + layer * self.step, self.page / 2 + across


def make_plan(graph: OperatorGraph) -> Plan | None:
    """Boxes as wide as the page allows; None where that is too narrow to read."""
    edges = graph.ends[1:]
    if graph.is_chain:
        step = (plots.WIDTH - 2 * _MARGIN) / (graph.size + 1)
        layout = layered(graph.size + 1, edges, box=1.0, wire=_WIRE, gap=_GAP)
        return Plan(layout, step - 0.38, 0.4, step, 0.4 + 2 * _MARGIN, upright=False)
    width = _WIDEST
    while True:
        layout = layered(graph.size + 1, edges, box=width, wire=_WIRE, gap=_GAP)
        low, high = layout.extent
        if high - low + width <= plots.WIDTH - 2 * _MARGIN:
            break
        width *= 0.85
        if width < _NARROWEST:
            return None
    step = min(_LAYER, (_HEIGHT - 2 * _MARGIN) / layout.depth)
    height = 0.6 * step
    page = (layout.depth - 1) * step + height + 2 * _MARGIN
    return Plan(layout, width, height, step, page, upright=True)


def path_of(plan: Plan, edge: Edge) -> list[Point]:
    """From the border of one box, through the places between, to the border of the next."""
    route = plan.layout.routes[edge]
    start = _port(plan, edge, 0)
    end = _port(plan, edge, 1)
    half = plan.height / 2 if plan.upright else plan.width / 2
    # Past the boxes of a layer an edge runs straight, and bends only between layers.
    inner = [
        (x, y + side)
        for x, y in (plan.at(layer, across) for layer, across in route[1:-1])
        for side in (half, -half)
    ]
    (x0, y0), (x1, y1) = (
        plan.at(route[0][0], route[0][1] + start),
        plan.at(route[-1][0], route[-1][1] + end),
    )
    if plan.upright:
        return [(x0, y0 - half), *inner, (x1, y1 + half)]
    return [(x0 + half, y0), *inner, (x1 - half, y1)]


def _port(plan: Plan, edge: Edge, end: int) -> float:
    """How far from the middle of a box an edge leaves or arrives, so that edges spread."""
    routes = plan.layout.routes
    # By where they come from or go to, with the edge as a tie-break.
    mine = sorted(
        (other for other in routes if other[end] == edge[end]),
        key=lambda other: (routes[other][-2 if end else 1][1], other),
    )
    spread = min(0.7 * plan.width, 0.22 * (len(mine) - 1))
    if len(mine) == 1 or not plan.upright:
        return 0.0
    return spread * (mine.index(edge) / (len(mine) - 1) - 0.5)


def label_place(points: list[Point], taken: list[Point]) -> tuple[float, float, bool]:
    """A place along the edge that no other label has, near the middle if possible.

    And whether the edge runs down there.
    """
    pieces = list(pairwise(points))
    middle = len(pieces) // 2
    order = sorted(range(len(pieces)), key=lambda k: abs(k - middle))
    places = [
        (x0 + t * (x1 - x0), y0 + t * (y1 - y0), abs(x1 - x0) < _STEEP)
        for t in (0.5, 0.35, 0.65, 0.2, 0.8)
        for (x0, y0), (x1, y1) in (pieces[k] for k in order)
    ]
    for x, y, steep in places:
        if all(abs(x - other_x) > 0.36 or abs(y - other_y) > 0.12 for other_x, other_y in taken):
            return x, y, steep
    return places[0]
