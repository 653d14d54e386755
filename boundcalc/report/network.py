"""What the network is: its operators, in a table for readers who know networks."""

from __future__ import annotations

from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Block, Code, Column, Content, Maths, Paragraph, Piece, Table
from boundcalc.report.gather import Findings
from boundcalc.report.layers import Line, Totals, lines, totals
from boundcalc.report.notation import plural
from boundcalc.report.rows import name_width, shortened_rows

_READS = 6  # inputs that are named


def network_blocks(findings: Findings) -> tuple[Block, ...]:
    """What runs, operator by operator."""
    graph = findings.graph
    return (Paragraph(_passes(graph)), _table(graph))


def _passes(graph: OperatorGraph) -> Content:
    shape = "Each operator reads the one before it, the first one the data."
    if not graph.is_chain:
        shape = (
            "An operator may read several others, and be read by several; the first ones read "
            "the data."
        )
    return (
        "Operator ",
        Maths("j"),
        " computes ",
        Maths("y_j=f_j(y,w_j)"),
        " from what it reads, ",
        Maths("y"),
        ", and its weights ",
        Maths("w_j"),
        f". {shape} The last one is the loss of one sample. Training runs the operators in this "
        "order, then back from the loss, and each operator with weights contributes the "
        "gradient in them. Perturbations are added to outputs on the way forward, ",
        Maths(r"\delta"),
        ", and to what operators pass back, ",
        Maths(r"\varepsilon"),
        ".",
    )


def _table(graph: OperatorGraph) -> Table:
    found = lines(graph)
    shown, note = shortened_rows(tuple(_row(graph, line) for line in found), "lines")
    columns = [
        Column("no."),
        Column("operator", name_width(graph.ids, 3.2)),
        Column("type", 2.9),
        Column("reads", 3.2),
        Column("output"),
        Column("weights"),
    ]
    remarked = any(line.remark or line.owner for line in found)
    if remarked:
        columns.append(Column("remark", 2.6))
    else:
        shown = tuple(row[:-1] for row in shown)
    return Table(
        caption="The operators. A shape such as 3×28×28 is that of the output for one sample.",
        columns=tuple(columns),
        rows=shown,
        remarks=(counted(totals(graph)), *note),
    )


def _row(graph: OperatorGraph, line: Line) -> tuple[Content, ...]:
    if line.repeats:
        return line.numbers, _ids(line), line.type, "likewise", "", "", ""
    return (
        line.numbers,
        _ids(line),
        line.type,
        _reads(graph, line),
        Maths(line.shape.replace("×", r"\times ")) if line.shape else "–",
        "–" if line.weights is None else str(line.weights),
        _remark(line),
    )


def _ids(line: Line) -> Content:
    if line.first == line.last:
        return Code(line.ids[0])
    return Code(line.ids[0]), " to ", Code(line.ids[1])


def _reads(graph: OperatorGraph, line: Line) -> Content:
    if not line.reads:
        return "the one before"
    pieces: list[Piece] = []
    for u in line.reads[:_READS]:
        pieces += [", "] if pieces else []
        pieces.append(Code(graph.ids[u - 1]) if u else "data")
    if len(line.reads) > _READS:
        pieces.append(f", … ({len(line.reads)} in all)")
    return tuple(pieces)


def _remark(line: Line) -> Content:
    if line.owner is None:
        return line.remark
    return f"{'frozen, ' if line.remark == 'frozen' else ''}weights of ", Code(line.owner)


def counted(found: Totals) -> str:
    """The size of the network in one or two sentences."""
    if found.unknown == found.operators:
        return (
            f"In all {plural(found.operators, 'operator')} and {plural(found.edges, 'edge')}. The "
            "spec gives constants only, so sizes and numbers of weights are not known."
        )
    text = (
        f"In all {plural(found.operators, 'operator')}, {plural(found.edges, 'edge')} and "
        f"{plural(found.weights, 'weight')}"
    )
    if found.frozen:
        text += f", of which {found.frozen} keep their values"
    text += "; weights that operators share are counted once." if found.shared else "."
    if found.unknown:
        text += f" Of {plural(found.unknown, 'operator')} only constants are known."
    return text


def described(graph: OperatorGraph) -> str:
    """The drawing of the graph in words, for those who do not see it."""
    edges = [
        f"{', '.join(str(u) if u else 'data' for u in dict.fromkeys(node.reads))} to {v}"
        for v, node in enumerate(graph.nodes, 1)
    ]
    return f"Graph of {plural(graph.size, 'operator')} by number, edges: {'; '.join(edges)}."
