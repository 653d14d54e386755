"""The network as a table, and repeats drawn together."""

from __future__ import annotations

import pytest
import report_specs
from hypothesis import given
from hypothesis import strategies as st

import boundcalc as bc
from boundcalc.graph import OperatorGraph
from boundcalc.report.gather import Findings, gather
from boundcalc.report.layers import WRITTEN_OUT, lines, totals
from boundcalc.report.network import described, network_blocks
from boundcalc.report.refusals import refusal
from boundcalc.report.render import markdown
from boundcalc.report.repeats import stretches

UNIFORM = "uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}"


def graph(text: str) -> OperatorGraph:
    return bc.build(bc.loads(text))


def bare(text: str) -> Findings:
    return Findings(graph(text), {}, None, "", None, "")


@pytest.fixture(scope="module")
def network() -> OperatorGraph:
    return graph(report_specs.NETWORK)


@given(st.text(alphabet="abc", max_size=40))
def test_stretches_cover_everything_once_and_repeat_what_they_say(keys: str) -> None:
    position = 0
    for stretch in stretches(keys):
        assert stretch.start == position
        pattern = keys[position : position + stretch.period]
        assert pattern * stretch.count == keys[position : stretch.stop]
        position = stretch.stop
    assert position == len(keys)


@given(st.text(alphabet="ab", min_size=1, max_size=5), st.integers(4, 30))
def test_what_is_repeated_is_drawn_together(pattern: str, count: int) -> None:
    (first, *rest) = stretches(pattern * count)
    assert rest == []
    assert len(pattern) % first.period == 0


def test_repeats_of_long_lists_are_found_in_one_pass() -> None:
    keys = [*range(50), *(("fc", "act", "act", "act", "sum") * 100_000), *range(50)]
    assert [s.count for s in stretches(keys) if s.count > 1] == [100_000]
    assert [s.count for s in stretches(["f"] * 500_000)] == [500_000]


def test_every_operator_of_a_small_network_has_a_line(network: OperatorGraph) -> None:
    found = lines(network)
    assert [line.first for line in found] == [line.last for line in found] == list(range(1, 13))
    by_id = {line.ids[0]: line for line in found}
    assert by_id["both"].reads == (4, 6)
    assert (by_id["left"].reads, by_id["right"].reads) == ((0,), (0,))
    assert (by_id["embed left"].remark, by_id["embed left"].owner) == ("shared", None)
    assert (by_id["embed right"].remark, by_id["embed right"].owner) == ("shared", "embed left")
    assert (by_id["mix"].remark, by_id["mix"].weights) == ("frozen", 20)
    assert by_id["act left"].remark == ""
    assert [by_id[name].shape for name in ("left", "both", "loss")] == ["3", "4", "1"]


def test_totals_count_shared_weights_once(network: OperatorGraph) -> None:
    found = totals(network)
    # 4·3 + 4 shared, 4·4 + 4 frozen, 4 + 1 in the head
    assert (found.weights, found.frozen, found.shared, found.unknown) == (16 + 20 + 5, 20, 1, 0)
    assert (found.operators, found.edges) == (12, 14)


def test_repeated_blocks_are_written_out_once() -> None:
    found = lines(graph(report_specs.BLOCKS))
    assert [line.numbers for line in found] == ["1", "2", "3", "4", "5–181", "182"]
    again = found[4]
    assert again.ids == ("block.2.fc", "block.60.sum")
    assert (again.type, again.repeats) == ("the 3 above, 59 times more", 3)


def test_operators_in_a_row_have_one_line() -> None:
    text = f"version: 1\nname: x\ngraph:\n  {UNIFORM}\n  operators: [{{id: f, repeat: 400}}]\n"
    first, rest = lines(graph(text))
    # The first reads the data, the others the one before.
    assert (first.numbers, first.reads) == ("1", (0,))
    assert (rest.numbers, rest.reads, rest.ids) == ("2–400", (), ("f.2", "f.400"))
    table = network_blocks(bare(text))[1]
    assert "the one before" in str(table)


def test_different_operators_are_not_called_alike() -> None:
    size = WRITTEN_OUT + 2
    operators = [
        f"{{id: f{k}, type: dense, units: {2 + k % 2}, region: {{weight: 1, input: 1}}}}"
        for k in range(size)
    ]
    joined = ", ".join(operators)
    text = f"version: 1\nname: x\ngraph: {{operators: [{joined}, {{id: z, type: quadratic,"
    text += " region: {input: 1}}]}\n"
    assert len(lines(graph(text))) == size + 1


def test_the_table_names_what_a_reader_looks_for(network: OperatorGraph) -> None:
    findings = Findings(network, {}, None, "", None, "")
    table = network_blocks(findings)[1]
    rows = [[str(markdown(cell)) for cell in row] for row in table.rows]
    assert rows[0][:4] == ["1", "<code>left</code>", "select", "data"]
    assert rows[6][3] == "<code>act left</code>, <code>act right</code>"
    assert rows[4][6] == "weights of <code>embed left</code>"
    assert rows[9][6] == "frozen"
    assert "41 weights, of which 20 keep their values" in str(table.remarks)
    assert "counted once" in str(table.remarks)


def test_without_types_sizes_are_not_claimed() -> None:
    table = network_blocks(bare(report_specs.DEEP))[1]
    assert "not known" in str(table.remarks)
    assert str(markdown(table.rows[0][4])) == "–"


def test_the_drawing_is_described_in_words(network: OperatorGraph) -> None:
    text = described(network)
    assert text.startswith("Graph of 12 operators by number, edges: data to 1; data to 2; 1 to 3;")
    assert text.endswith("7, 8 to 9; 9 to 10; 10 to 11; 11 to 12.")
    # Safe as an argument of \includegraphics and inside ![…].
    assert not set(text) & set("\\{}[]$&#^_~%")


def test_refused_families_have_one_paragraph_that_says_why() -> None:
    findings = gather(graph(report_specs.nasty_graph()))
    (paragraph,) = refusal(findings)
    text = str(markdown(paragraph.content))
    assert text.startswith("**Published and corrected** make no statement here.")
    assert "there are 2 outputs read by several operators and 2 operators with several" in text
    assert refusal(gather(graph(report_specs.DEEP))) == ()


def test_a_chain_with_a_kink_is_refused_for_the_kink() -> None:
    operators = "{id: a, type: tanh, bias: true}, {id: act, type: relu}, {id: z, type: softplus}"
    findings = gather(graph(f"version: 1\nname: x\ngraph: {{operators: [{operators}]}}\n"))
    (paragraph,) = refusal(findings)
    text = str(markdown(paragraph.content))
    assert "Lipschitz derivatives (Assumption 3), which <code>act</code> does not have." in text
