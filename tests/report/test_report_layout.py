"""Drawings of graphs: layers, gaps and routes."""

from __future__ import annotations

from itertools import pairwise

import pytest
import report_specs
from hypothesis import given, settings
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.report import plots
from boundcalc.report.drawing import MOST_IN_CHAIN, MOST_OPERATORS, graph_figure
from boundcalc.report.gather import Findings
from boundcalc.report.layout import Layout, layered
from boundcalc.report.placing import label_place, make_plan, path_of

BOX, WIRE, GAP = 1.0, 0.1, 0.25


@st.composite
def graphs(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """Nodes 0 to n − 1, each but 0 read from at least one smaller one."""
    count = draw(st.integers(2, 12))
    edges = [
        (u, v)
        for v in range(1, count)
        for u in draw(st.sets(st.integers(0, v - 1), min_size=1, max_size=3))
    ]
    return count, edges


def lay(count: int, edges: list[tuple[int, int]]) -> Layout:
    return layered(count, edges, box=BOX, wire=WIRE, gap=GAP)


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_layers_are_longest_paths_and_routes_cross_every_layer(
    graph: tuple[int, list[tuple[int, int]]],
) -> None:
    count, edges = graph
    found = lay(count, edges)
    for v in range(1, count):
        assert found.layer[v] == 1 + max(found.layer[u] for u, w in edges if w == v)
    assert set(edges) == set(found.routes)
    for (u, v), route in found.routes.items():
        assert [layer for layer, _ in route] == list(range(found.layer[u], found.layer[v] + 1))
        assert (route[0][1], route[-1][1]) == (found.across[u], found.across[v])


@settings(max_examples=25, deadline=None)
@given(graphs())
def test_boxes_and_passing_edges_keep_their_distance(
    graph: tuple[int, list[tuple[int, int]]],
) -> None:
    count, edges = graph
    found = lay(count, edges)
    rows: dict[int, list[tuple[float, float]]] = {}
    for layer, x in zip(found.layer, found.across, strict=True):
        rows.setdefault(layer, []).append((x, BOX))
    for route in found.routes.values():
        for layer, x in route[1:-1]:
            rows[layer].append((x, WIRE))
    for row in rows.values():
        for (x, width), (y, other) in pairwise(sorted(row)):
            assert y - x >= (width + other) / 2 + GAP - 1e-5


def test_a_chain_is_straight_and_a_diamond_symmetric() -> None:
    assert lay(4, [(0, 1), (1, 2), (2, 3)]).across == (0.0,) * 4
    assert lay(4, [(0, 1), (0, 2), (1, 3), (2, 3)]).across == (0.0, -0.625, 0.625, 0.0)


def test_a_skip_passes_beside_what_it_skips_and_runs_straight() -> None:
    found = lay(5, [(0, 1), (1, 2), (2, 3), (0, 3), (3, 4)])
    crossing = [x for _, x in found.routes[0, 3]][1:-1]
    assert crossing[0] == pytest.approx(crossing[1], abs=1e-3)
    assert abs(crossing[0] - found.across[1]) >= BOX / 2 + GAP
    assert found.across[0] == pytest.approx(found.across[4], abs=0.05)


def test_a_long_edge_is_straight_though_its_ends_are_apart() -> None:
    """A cost at every step of a chain, all added at the end."""
    steps = [(0, 1), (1, 2), (2, 3), (3, 4)]
    costs = [(k, k + 4) for k in range(1, 5)]
    found = lay(10, [*steps, *costs, *((k + 4, 9) for k in range(1, 5))])
    for route in found.routes.values():
        passed = [x for _, x in route[1:-1]]
        assert max(passed, default=0) - min(passed, default=0) < 0.05


def test_the_order_has_no_crossing_that_is_not_needed() -> None:
    # Written in the order that crosses: 3 reads 2, 4 reads 1.
    found = lay(5, [(0, 1), (0, 2), (2, 3), (1, 4)])
    same_side = (found.across[1] < found.across[2]) == (found.across[4] < found.across[3])
    assert same_side


def build(text: str) -> Findings:
    return Findings(bc.build(bc.loads(text)), {}, None, "", None, "")


@pytest.mark.parametrize("name", ["NETWORK", "nasty_graph", "SYMBOLIC", "TINY"])
def test_graphs_that_fit_are_drawn(name: str) -> None:
    text = getattr(report_specs, name)
    findings = build(text if isinstance(text, str) else text())
    with plots.style():
        figure = graph_figure(findings.graph)
    assert figure is not None
    words = [text.get_text() for text in figure.axes[0].texts]
    for number in range(1, findings.graph.size + 1):
        assert any(word.split()[0] == str(number) for word in words)
    assert "data" in words
    for text in figure.axes[0].texts:
        # A name that is read as mathematics could run commands of its own.
        assert not text.get_parse_math() or text.get_text().strip("0123456789.e+- ε") == ""


def test_perturbed_places_are_marked() -> None:
    with plots.style():
        figure = graph_figure(build(report_specs.NETWORK).graph)
    assert figure is not None
    words = [text.get_text() for text in figure.axes[0].texts]
    assert [word for word in words if "δ" in word] == ["3 embed left δ", "7 both δ", "11 head δ"]
    # The jump of ReLU does not enlarge its slope: a = 1 along the edge from kink to skip.
    assert [word for word in words if "ε" in word][:1] == ["1 ε"]
    assert "dense, w of 3" in words


def test_slots_that_read_the_same_operator_have_one_edge() -> None:
    with plots.style():
        figure = graph_figure(build(report_specs.nasty_graph()).graph)
    assert figure is not None
    assert "2 ε" in [text.get_text() for text in figure.axes[0].texts]


def test_large_graphs_and_long_chains_are_not_drawn() -> None:
    assert graph_figure(build(report_specs.BLOCKS).graph) is None
    uniform = "uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}"
    head = f"version: 1\nname: x\ngraph:\n  {uniform}\n  operators:\n"
    chain = head + f"    - {{id: f, repeat: {MOST_IN_CHAIN + 1}}}\n"
    assert graph_figure(build(chain).graph) is None
    leaves = [f"b{k}" for k in range(14)]  # side by side, boxes would be too narrow to read
    assert len(leaves) + 2 <= MOST_OPERATORS
    wide = head + "    - {id: a}\n" + "".join(f"    - {{id: {b}, inputs: [a]}}\n" for b in leaves)
    assert (
        graph_figure(build(wide + f"    - {{id: z, inputs: [{', '.join(leaves)}]}}\n").graph)
        is None
    )


def test_a_drawing_stays_on_its_page() -> None:
    plan = make_plan(build(report_specs.NETWORK).graph)
    assert plan is not None
    points = [point for edge in plan.layout.routes for point in path_of(plan, edge)]
    for x, y in points:
        assert 0 < x < plots.WIDTH
        assert 0 < y < plan.page
    for u, v in plan.layout.routes:
        path = path_of(plan, (u, v))
        assert path[0][1] > path[-1][1]  # edges run down


def test_labels_avoid_each_other() -> None:
    path = [(0.0, 1.0), (0.0, 0.0)]
    x, y, steep = label_place(path, [])
    assert (x, y, steep) == (0.0, 0.5, True)
    assert label_place(path, [(0.0, 0.5)])[1] == pytest.approx(0.65)
    assert not label_place([(0.0, 1.0), (1.0, 0.0)], [])[2]
