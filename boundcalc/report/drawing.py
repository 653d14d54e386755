"""The graph as a drawing: operators in layers, bounds on Jacobians at the edges."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from boundcalc.arithmetic import WIDE
from boundcalc.errors import SpecError, SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.report import plots
from boundcalc.report.layers import type_name
from boundcalc.report.layout import Edge
from boundcalc.report.numbers import UP, text_of
from boundcalc.report.placing import Plan, Point, label_place, make_plan, path_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Largest graph, and longest chain, that is drawn.
MOST_OPERATORS, MOST_IN_CHAIN = 30, 6

_PADDING = 0.05  # inches from text to the border of a box
_TWO_LINES = 0.27  # inches of a box that holds a name and a type
_LONGEST = 60  # letters of a name that could fit
_SIZES = (8.5, 7.5)  # points of names, and of types and numbers at edges

_INK, _QUIET, _FILL, _MOVED = "#000000", "#555555", "#F4F4F4", "#D55E00"


def graph_figure(graph: OperatorGraph) -> Figure | None:
    """The graph with its operators' names and types; None where it is too large."""
    if graph.size > (MOST_IN_CHAIN if graph.is_chain else MOST_OPERATORS):
        return None
    plan = make_plan(graph)
    if plan is None:
        return None
    figure, panel = plots.canvas(plan.page)
    labels = _labels(graph)
    taken: list[Point] = []
    for edge in plan.layout.routes:
        _draw_edge(panel, plan, edge, labels.get(edge, ""), taken)
    moved = {p.site for p in graph.perturbations if p.direction == "forward"}
    for number in range(graph.size + 1):
        _draw_node(panel, plan, graph, number, number in moved)
    return figure


def _labels(graph: OperatorGraph) -> dict[Edge, str]:
    """By edge: the bound on its Jacobian, and ε where a perturbation acts on the way back.

    Slots that read the same operator are added, as in the recurrence for V.
    """
    try:
        a = graph.graph_constants(WIDE).a
    except (SymbolError, SpecError):  # a symbol without a value, an operator without constants
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


def _draw_edge(panel: Axes, plan: Plan, edge: Edge, label: str, taken: list[Point]) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    points = path_of(plan, edge)
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
        _draw_label(panel, plan, points, label, taken)


def _draw_label(
    panel: Axes,
    plan: Plan,
    points: list[Point],
    label: str,
    taken: list[Point],
) -> None:
    """Beside an edge that runs down, on one that runs across, above one of a chain."""
    x, y, steep = label_place(points, taken)
    taken.append((x, y))
    beside = plan.upright and steep
    panel.text(
        x + (0.05 if beside else 0.0),
        y + (0.0 if plan.upright else 0.09),
        label,
        fontsize=_SIZES[1],
        color=_MOVED if "ε" in label else _INK,
        horizontalalignment="left" if beside else "center",
        verticalalignment="center",
        bbox={"facecolor": "none" if beside else "white", "edgecolor": "none", "pad": 0.6},
        zorder=5,
    )


def _draw_node(panel: Axes, plan: Plan, graph: OperatorGraph, number: int, moved: bool) -> None:
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


def _texts(plan: Plan, graph: OperatorGraph, number: int, moved: bool) -> list[str]:
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
