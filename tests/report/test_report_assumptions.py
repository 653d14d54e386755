"""Constants, regions and remarks on operators: Assumption 3 as a reader sees it."""

from __future__ import annotations

import pytest
import report_specs

import boundcalc as bc
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Block, Table
from boundcalc.report.coefficient_blocks import coefficient_blocks
from boundcalc.report.constants import operator_table
from boundcalc.report.derivations import formula_blocks
from boundcalc.report.figures import rates_figure
from boundcalc.report.gather import Findings, gather
from boundcalc.report.ledger import ledger_blocks
from boundcalc.report.levels import perturbation_table
from boundcalc.report.merging import merged_blocks
from boundcalc.report.rate_blocks import rate_blocks
from boundcalc.report.regions import met_norms, region_table
from boundcalc.report.remarks import measured_regions, operator_remarks
from boundcalc.report.render import markdown
from boundcalc.report.statements import statement_blocks
from boundcalc.report.uniform import uniform_table
from boundcalc.report.verdict_blocks import verdict_blocks


def graph(text: str) -> OperatorGraph:
    return bc.build(bc.loads(text))


def plain(content: object) -> str:
    """A cell without its marks."""
    text = str(markdown(content))
    for mark in ("<code>", "</code>", "$`", "`$"):
        text = text.replace(mark, "")
    return text


def rows(table: Table) -> dict[str, list[str]]:
    """First cell → the others; lines without a first cell are numbered."""
    found = {}
    for number, row in enumerate(table.rows):
        name, *cells = (plain(cell) for cell in row)
        found[name or f"line {number}"] = cells
    return found


def titles(table: Table) -> list[str]:
    return [plain(column.title) for column in table.columns]


def text_of(blocks: tuple[Block, ...]) -> str:
    pieces = []
    for block in blocks:
        contents = getattr(block, "items", None) or (getattr(block, "content", ""),)
        pieces += [plain(content) for content in contents]
    return "\n".join(pieces)


@pytest.fixture(scope="module")
def network() -> Findings:
    return gather(graph(report_specs.NETWORK))


@pytest.fixture(scope="module")
def visited() -> Findings:
    return gather(graph(report_specs.VISITED))


def test_an_operator_with_several_inputs_has_a_line_for_each(network: Findings) -> None:
    table = operator_table(network.graph)
    assert titles(table)[:3] == ["operator", "input", "a"]
    found = [[plain(cell) for cell in row] for row in table.rows]
    start = next(k for k, row in enumerate(found) if row[0] == "both")
    # b and B′ stand once; a and ℓ for each input: |1| and |−1|.
    assert found[start][:5] == [
        "both",
        "act left",
        "1<sub>p</sub>",
        "0<sub>p</sub>",
        "1<sub>p</sub>",
    ]
    assert found[start + 1][:5] == ["", "act right", "1<sub>p</sub>", "", "1<sub>p</sub>"]
    assert "An operator with several inputs has one line for each" in str(table.remarks)


def test_a_kink_is_said_and_its_jump_shown(network: Findings) -> None:
    table = operator_table(network.graph)
    assert titles(table)[-2:] == ["J", "K"]
    kink = rows(table)["kink"]
    by_title = dict(zip(titles(table)[1:], kink, strict=True))
    assert by_title["A"] == "none (kink)"
    assert by_title["A'"] == "none"
    assert by_title["J"] == "1<sub>p</sub>"
    assert by_title["K"] == "–"
    assert "its bound falls back to that of the error" in str(table.remarks)


def test_jumps_have_columns_only_where_there_are_kinks() -> None:
    assert "J" not in titles(operator_table(graph(report_specs.DEEP)))
    assert "input" not in titles(operator_table(graph(report_specs.DEEP)))


PAIRS = """
version: 1
name: pairs
graph:
  operators:
    - {id: a, constants: {jac_weight: 1}}
    - {id: b, inputs: [], constants: {jac_weight: 1}}
    - id: join
      inputs: [a, b]
      constants:
        jac_input: {a: 2, b: 3}
        hess_input: {a: {a: 5, b: 7}, b: {a: 11, b: 11}}
        third_input: {a: 13, b: 17}
"""


def test_constants_by_pair_are_listed_and_equal_ones_shown_once() -> None:
    found = [[plain(cell) for cell in row] for row in operator_table(graph(PAIRS)).rows]
    first, second = found[-2:]
    #      operator, input, a, b, ℓ, A, B, A′, B′
    assert first[:9] == ["join", "a", "2", "0", "2", "5, 7", "0", "13", "0"]
    assert second[:8] == ["", "b", "3", "", "3", "11", "0", "17"]


def test_beyond_three_inputs_the_largest_stands_for_pairs() -> None:
    ids = "abcd"
    pairs = ", ".join(
        f"{u}: {{{', '.join(f'{v}: {1 + ids.index(u) * ids.index(v)}' for v in ids)}}}" for u in ids
    )
    operators = [f"{{id: {u}, inputs: [], constants: {{jac_weight: 1}}}}" for u in ids]
    text = f"version: 1\nname: x\ngraph: {{operators: [{', '.join(operators)}, {{id: join, "
    text += f"inputs: [a, b, c, d], constants: {{jac_input: 1, hess_input: {{{pairs}}}, "
    text += "third_input: 0}}]}\n"
    table = operator_table(graph(text))
    cells = [plain(row[5]) for row in table.rows if row[1] != ""]
    # The rows of A are 1 1 1 1, 1 2 3 4, 1 3 5 7, 1 4 7 10.
    assert cells == ["1", "10", "10", "10"]


def test_sources_are_a_column_only_where_they_differ(network: Findings) -> None:
    assert "source" not in titles(operator_table(network.graph))
    assert "Source of all: " in str(operator_table(network.graph).remarks)
    given = report_specs.VISITED.replace("type: gelu}", "type: gelu, constants: {hess_input: 2}}")
    found = rows(operator_table(graph(given)))
    assert found["act"][-1] == "derived; given A"
    assert found["fc"][-1] == "derived"


def test_regions_say_where_they_come_from(network: Findings) -> None:
    table = region_table(network)
    assert table is not None
    known = {name: cells[titles(table).index("known") - 1] for name, cells in rows(table).items()}
    assert known["left to right (2)"] == "data"
    assert known["embed left"] == known["kink"] == "propagated"
    weights = {
        name: cells[titles(table).index("weights") - 1] for name, cells in rows(table).items()
    }
    assert weights["mix"] == r"w=w^0"
    assert weights["head"] == r"\lVert w-w^0\rVert\le 0.1"
    assert weights["kink"] == "none"
    legend = str(table.remarks)
    assert "propagated: from the data through" in legend
    assert "measured" not in legend


def test_a_stated_region_is_named_even_where_more_is_known(network: Findings) -> None:
    table = region_table(network)
    assert table is not None
    known = titles(table).index("known") - 1
    assert rows(table)["head"][known] == "stated and propagated"
    # The ball is the spec's, which has no letter; the box follows from the operators before.
    cells = dict(zip(titles(table)[1:], rows(table)["head"], strict=True))
    assert cells["ball"] == "9"
    assert cells["box"].endswith("<sub>c</sub>")
    loose = report_specs.NETWORK.replace("input: 9", "input: 1/1000")
    table = region_table(Findings(graph(loose), {}, None, "", None, ""))
    assert table is not None
    assert rows(table)["head"][known] == "stated"
    # What the spec states has no letter.
    assert rows(table)["head"][titles(table).index("ball") - 1] == "0.001"


def test_a_box_that_says_no_more_than_the_ball_is_left_out(network: Findings) -> None:
    table = region_table(network)
    assert table is not None
    box = titles(table).index("box") - 1
    # After ReLU no component is negative.
    lower = [name for name, cells in rows(table).items() if cells[box].startswith("[0, ")]
    assert "line 10" in lower or "line 11" in lower
    ball = "version: 1\nname: x\ngraph: {operators: [{id: a, type: sine, bias: true}, "
    ball += "{id: b, type: quadratic, region: {input: 2}}]}\n"
    table = region_table(Findings(graph(ball), {}, None, "", None, ""))
    assert table is not None
    assert rows(table)["b"][:3] == ["1<sub>p</sub>", "–", "anywhere"]


def test_the_largest_inputs_of_the_run_stand_beside_claims(network: Findings) -> None:
    table = region_table(network)
    assert table is not None
    met = titles(table).index("met") - 1
    found = rows(table)
    assert found["left to right (2)"][met].endswith("<sub>s</sub>")
    assert found["head"][met].endswith("<sub>s</sub>")
    assert found["kink"][met] == "–"  # propagated: it holds by proof
    numbers = met_norms(network)
    head = network.graph.ids.index("head") + 1
    assert 0 < numbers[head, None] < 9


def test_without_a_run_nothing_was_met() -> None:
    quiet = Findings(graph(report_specs.NETWORK), {}, None, "", None, "")
    table = region_table(quiet)
    assert table is not None
    assert "met" not in titles(table)
    assert met_norms(quiet) == {}


def test_constants_only_have_no_table_of_regions() -> None:
    assert region_table(Findings(graph(report_specs.DEEP), {}, None, "", None, "")) is None


def test_measured_regions_make_everything_sampled(visited: Findings) -> None:
    table = region_table(visited)
    assert table is not None
    found = rows(table)
    known, ball = titles(table).index("known") - 1, titles(table).index("ball") - 1
    assert [found[name][known] for name in ("fc", "act", "loss")] == [
        "data",
        "measured",
        "measured",
    ]
    assert found["act"][ball].endswith("<sub>s</sub>")
    assert "The margin is 1.5" in plain(table.remarks[0])
    constants = operator_table(visited.graph)
    cells = [plain(cell) for row in constants.rows for cell in row]
    assert not any("<sub>c</sub>" in cell or "<sub>p</sub>" in cell for cell in cells)
    first = ledger_blocks(visited)[0]
    assert plain(first.content).startswith("**Nothing below is proved")
    assert "enlarged by the factor 1.5" in plain(first.content)


def test_proved_regions_have_no_warning(network: Findings) -> None:
    assert measured_regions(network.graph) == ()


def test_remarks_name_what_is_special(network: Findings) -> None:
    text = text_of(operator_remarks(network.graph))
    assert "**Shared weights.** embed left and embed right use the same 16 numbers." in text
    assert "**Frozen weights.** mix keeps its values" in text
    assert "**Kinks.** The Jacobian of kink jumps." in text
    assert operator_remarks(graph(report_specs.DEEP)) == ()


def test_norms_taken_together_are_listed_with_what_they_save() -> None:
    layers = "".join(
        f"    - {{id: f{k}, type: dense, units: 4, initial: {{normal: 1, seed: {k}}}, "
        "region: {weight_change: 1/1000}}\n"
        for k in range(4)
    )
    text = "version: 1\nname: x\ngraph:\n  input: {shape: [4], radius: 1}\n  operators:\n"
    found = graph(text + layers + "    - {id: z, type: quadratic_cost, diagonal: [1, 1, 1, 1]}\n")
    (run,) = found.merged
    (table,) = merged_blocks(found)
    assert isinstance(table, Table)
    ((name, (together, product, saved)),) = rows(table).items()
    assert name == "f1 to f3 (3)"
    norm = float(run.norm.evaluate(bc.arithmetic.FLOATS))
    assert float(together.split("<")[0]) == pytest.approx(norm, rel=1e-4)
    assert float(product.split("<")[0]) == pytest.approx(run.product, rel=1e-4)
    assert float(saved.split("<")[0]) == pytest.approx(run.product / norm, rel=1e-2)
    formulas = text_of(formula_blocks(gather(found)))
    assert "Where norms were taken together" in formulas


def test_edges_are_named_by_both_ends(network: Findings) -> None:
    places = [plain(row[0]) for row in perturbation_table(network.graph).rows]
    assert "kink → skip" in places
    assert "head" in places
    table = next(block for block in coefficient_blocks(network) if isinstance(block, Table))
    found = rows(table)
    assert [name for name in found if name.isdigit()] == [str(k) for k in range(1, 13)]
    labels = [plain(row[1]) for row in table.rows]
    # Edges follow the operator that they lead to.
    start = labels.index("skip")
    assert labels[start : start + 4] == ["skip", "both → skip", "kink → skip", "mix"]


def test_coefficients_at_kinks_are_none_and_explained(network: Findings) -> None:
    table = next(block for block in coefficient_blocks(network) if isinstance(block, Table))
    by_label = {plain(row[1]): [plain(cell) for cell in row[2:]] for row in table.rows}
    assert by_label["both"][0] == "none"
    assert by_label["both"][1] == "–"
    assert by_label["mix"][0] != "none"
    assert any("reaches a kink" in plain(remark) for remark in table.remarks)


@pytest.mark.parametrize(
    ("inputs", "labels"), [("[a, b]", ["a", "b", "a → z", "b → z"]), ("[b, b]", ["a", "b", "z"])]
)
def test_edges_have_rows_where_there_are_several(inputs: str, labels: list[str]) -> None:
    """Two slots that read one operator are one edge, which has the reader's name."""
    text = "version: 1\nname: x\ngraph:\n"
    text += "  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}\n"
    text += f"  operators: [{{id: a}}, {{id: b}}, {{id: z, inputs: {inputs}}}]\n"
    found = gather(graph(text))
    table = next(block for block in coefficient_blocks(found) if isinstance(block, Table))
    assert [plain(row[1]) for row in table.rows] == labels


def test_formulas_of_a_graph_are_those_of_graphs(network: Findings) -> None:
    text = text_of(formula_blocks(network))
    assert "Family published" not in text
    assert r"D_{v,u}=J" in text
    smooth = text_of(formula_blocks(gather(graph(PAIRS))))
    assert r"D_{v,u}=J" not in smooth
    chain = text_of(formula_blocks(gather(graph(report_specs.DEEP))))
    assert "Family published" in chain


def test_statements_refuse_once(network: Findings) -> None:
    blocks = statement_blocks(network)
    assert [block.kind for block in blocks] == ["paragraph", "theorem", "paragraph"]


def test_refused_families_have_no_columns_and_no_claims(network: Findings) -> None:
    rates = [block for block in rate_blocks(network) if isinstance(block, Table)]
    assert [titles(table) for table in rates] == [["term", "sharp"]]
    assert "published" not in text_of(verdict_blocks(network))
    assert "uniform" not in str([getattr(b, "caption", "") for b in ledger_blocks(network)])
    figure = rates_figure(network)
    assert figure is not None
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["sharp"]


def test_uniform_constants_of_measured_regions_are_sampled(visited: Findings) -> None:
    cells = [plain(cell) for row in uniform_table(visited.graph).rows for cell in row[1:]]
    assert all(cell.endswith("<sub>s</sub>") for cell in cells)
