"""The graph as a drawing: operators in layers, bounds on Jacobians at the edges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from boundcalc.arithmetic import WIDE
from boundcalc.errors import SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.report import plots
from boundcalc.report.gather import Findings
from boundcalc.report.layers import type_name
from boundcalc.report.layout import Edge, Layout, layered
from boundcalc.report.numbers import UP, text_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Largest graph, and longest chain, that is drawn.
MOST_OPERATORS, MOST_IN_CHAIN = 30, 6

_HEIGHT = 7.6  # inches at most
_LAYER = 0.56  # inches from one layer to the next, where there is room
_MARGIN = 0.12
_GAP, _WIRE = 0.2, 0.12  # inches between boxes, and of an edge that passes them
_WIDEST, _NARROWEST = 1.5, 0.5  # of a box; graphs that are too wide for that are not drawn
_PADDING = 0.05  # inches from text to the border of a box
_TWO_LINES = 0.27  # inches of a box that holds a name and a type
_LONGEST = 60  # letters of a name that could fit
_SIZES = (8.5, 7.5)  # points of names, and of types and numbers at edges

_INK, _QUIET, _FILL, _MOVED = "#000000", "#555555", "#F4F4F4", "#D55E00"


@dataclass(frozen=True)
class _Plan:
    """Where everything is, in inches of the page; a chain runs to the right, others down."""

    layout: Layout
    width: float
    height: float
    step: float
    page: float
    upright: bool

    def at(self, layer: float, across: float) -> tuple[float, float]:
        """A place on the page: layers run down, or to the right in a chain."""
        if self.upright:
            top = self.page - _MARGIN - self.height / 2
            return plots.WIDTH / 2 + across, top - layer * self.step
        left = (plots.WIDTH - (self.layout.depth - 1) * self.step) / 2
        return left + layer * self.step, self.page / 2 + across


def graph_figure(findings: Findings) -> Figure | None:
    """The graph with its operators' names and types; None where it is too large."""
    graph = findings.graph
    if graph.size > (MOST_IN_CHAIN if graph.is_chain else MOST_OPERATORS):
        return None
    plan = _plan(graph)
    if plan is None:
        return None
    figure, panel = plots.canvas(plan.page)
    labels = _labels(graph)
    taken: list[tuple[float, float]] = []
    for edge in plan.layout.routes:
        _draw_edge(panel, plan, edge, labels.get(edge, ""), taken)
    moved = {p.site for p in graph.perturbations if p.direction == "forward"}
    for number in range(graph.size + 1):
        _draw_node(panel, plan, graph, number, number in moved)
    return figure


def _plan(graph: OperatorGraph) -> _Plan | None:
    edges = graph.ends[1:]
    if graph.is_chain:
        step = (plots.WIDTH - 2 * _MARGIN) / (graph.size + 1)
        layout = layered(graph.size + 1, edges, box=1.0, wire=_WIRE, gap=_GAP)
        return _Plan(layout, step - 0.38, 0.4, step, 0.4 + 2 * _MARGIN, upright=False)
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
    return _Plan(layout, width, height, step, page, upright=True)


def _labels(graph: OperatorGraph) -> dict[Edge, str]:
    """By edge: the bound on its Jacobian, and ε where a perturbation acts on the way back.

    Slots that read the same operator are added, as in the recurrence for V.
    """
    try:
        a = graph.graph_constants(WIDE).a
    except SymbolError:
        a = None
    back = {p.edge for p in graph.perturbations if p.direction == "backward"}
    found: dict[Edge, str] = {}
    for number, (u, v) in enumerate(graph.ends):
        if not u:
            continue
        reads = graph.nodes[v - 1].reads
        sizes = [] if a is None else [x for x, read in zip(a[v], reads, strict=True) if read == u]
        text = text_of(sum(sizes[1:], sizes[0]), 3, rounding=UP) if sizes else ""
        found[u, v] = " ".join(part for part in (text, "ε" * (number in back)) if part)
    return found


def _draw_edge(
    panel: Axes, plan: _Plan, edge: Edge, label: str, taken: list[tuple[float, float]]
) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    points = _points(plan, edge)
    vertices, codes = [points[0]], [Path.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(points):
        # Tangents along the layers' direction: an edge that goes straight stays straight.
        if plan.upright:
            bends = [(x0, (y0 + y1) / 2), (x1, (y0 + y1) / 2)]
        else:
            bends = [((x0 + x1) / 2, y0), ((x0 + x1) / 2, y1)]
        vertices += [*bends, (x1, y1)]
        codes += [Path.CURVE4] * 3
    panel.add_patch(
        FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle="-|>",
            mutation_scale=7,
            linewidth=0.8,
            color=_QUIET,
            shrinkA=0,
            shrinkB=0,
        )
    )
    if label:
        x, y = _label_place(points, taken)
        taken.append((x, y))
        lifted = 0.0 if plan.upright else 0.09
        panel.text(
            x,
            y + lifted,
            label,
            fontsize=_SIZES[1],
            color=_MOVED if "ε" in label else _INK,
            horizontalalignment="center",
            verticalalignment="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
            zorder=5,
        )


def _points(plan: _Plan, edge: Edge) -> list[tuple[float, float]]:
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


def _port(plan: _Plan, edge: Edge, end: int) -> float:
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


def _label_place(
    points: list[tuple[float, float]], taken: list[tuple[float, float]]
) -> tuple[float, float]:
    """A place along the edge that no other label has, near the middle if possible."""
    pieces = list(pairwise(points))
    middle = len(pieces) // 2
    order = sorted(range(len(pieces)), key=lambda k: abs(k - middle))
    places = [
        (x0 + t * (x1 - x0), y0 + t * (y1 - y0))
        for t in (0.5, 0.35, 0.65, 0.2, 0.8)
        for (x0, y0), (x1, y1) in (pieces[k] for k in order)
    ]
    for x, y in places:
        if all(abs(x - other_x) > 0.36 or abs(y - other_y) > 0.12 for other_x, other_y in taken):
            return x, y
    return places[0]


def _draw_node(panel: Axes, plan: _Plan, graph: OperatorGraph, number: int, moved: bool) -> None:
    from matplotlib.patches import FancyBboxPatch

    x, y = plan.at(plan.layout.layer[number], plan.layout.across[number] if plan.upright else 0.0)
    panel.add_patch(
        FancyBboxPatch(
            (x - plan.width / 2, y - plan.height / 2),
            plan.width,
            plan.height,
            boxstyle="round,pad=0,rounding_size=0.04",
            facecolor="white" if number == 0 else _FILL,
            edgecolor=_MOVED if moved else _QUIET,
            linestyle="--" if number == 0 else "-",
            linewidth=1.2 if moved else 0.8,
            zorder=3,
        )
    )
    texts = _texts(plan, graph, number, moved)
    offset = 0.2 * plan.height if len(texts) == 2 else 0.0
    for line, text in enumerate(texts):
        panel.text(
            x,
            y + (offset if line == 0 else -offset),
            text,
            fontsize=_SIZES[line],
            color=_INK if line == 0 else _QUIET,
            style="normal" if line == 0 else "italic",
            horizontalalignment="center",
            verticalalignment="center_baseline",
            parse_math=False,
            zorder=6,
        )


def _texts(plan: _Plan, graph: OperatorGraph, number: int, moved: bool) -> list[str]:
    """Number and name, and the type below them, or beside them where there is room."""
    if number == 0:
        return ["data"]
    node = graph.nodes[number - 1]
    head, sign = f"{number} ", " δ" if moved else ""
    kind = "" if node.operator is None else type_name(node)
    if node.group != number:
        kind += f", w of {node.group}"
    room = plan.width - 2 * _PADDING
    name = plots.printable(node.id)
    if plan.height < _TWO_LINES:
        beside = f" · {kind}" if kind else ""
        if plots.text_width(head + name + sign + beside, _SIZES[0]) <= room:
            return [head + name + sign + beside]
        return [_cut(head, name, sign, room, _SIZES[0])]
    below = [_cut("", kind, "", room, _SIZES[1])] if kind else []
    return [_cut(head, name, sign, room, _SIZES[0]), *below]


def _cut(head: str, name: str, sign: str, room: float, size: float) -> str:
    """A line with as much of the name as fits into so many inches."""
    if plots.text_width(head + name + sign, size) <= room:
        return head + name + sign
    kept = min(len(name), _LONGEST)
    while kept and plots.text_width(f"{head}{name[:kept]}…{sign}", size) > room:
        kept -= 1
    return f"{head}{name[:kept]}…{sign}" if kept else f"{head}{sign}".strip()
