"""Why the published and corrected families say nothing about some graphs."""

from __future__ import annotations

from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Code, Paragraph, Piece, Strong
from boundcalc.report.gather import Findings
from boundcalc.report.layers import shared_groups
from boundcalc.report.notation import plural

_NAMED = 3  # operators with kinks that are named
#: Constants that the expansions of [KZY] need.
_EXPANDED = ("hess_input", "hess_mixed", "third_input", "third_mixed")


def refused_families(findings: Findings) -> tuple[str, ...]:
    """Names of the families that do not cover the graph."""
    return tuple(name for name, found in findings.coefficients.items() if found.refused)


def refusal(findings: Findings) -> tuple[Paragraph, ...]:
    """One paragraph for all of them; none where every family covers the graph."""
    refused = refused_families(findings)
    if not refused:
        return ()
    graph = findings.graph
    pieces: list[Piece] = [
        Strong(" and ".join(refused).capitalize()),
        " make no statement here. ",
        *(_kinks(graph) if graph.is_chain else _branches(graph)),
    ]
    return (Paragraph(tuple(pieces)),)


def _branches(graph: OperatorGraph) -> tuple[Piece, ...]:
    return (
        "[KZY] states and proves its theorems for chains, in which each operator reads only the "
        f"one before it and has weights of its own. Here {_unlike_a_chain(graph)}. Errors that "
        "come together again, by two paths or through shared weights, add before they are squared, "
        "which a sum along one path does not see: the published coefficients may be too small. The "
        "sharp family covers graphs (docs/theory.md, section 4.8).",
    )


def _unlike_a_chain(graph: OperatorGraph) -> str:
    """What the graph has that a chain has not, counted."""
    readers = [0] * (graph.size + 1)
    for u, _ in graph.ends[1:]:
        readers[u] += 1
    counts = (
        (sum(count > 1 for count in readers[1:]), "output", "read by several operators"),
        (sum(len(n.reads) > 1 for n in graph.nodes), "operator", "with several inputs"),
        (len(shared_groups(graph)), "set", "of weights used more than once"),
    )
    found = [f"{plural(count, noun)} {what}" for count, noun, what in counts if count]
    if readers[0] > 1:
        found.append(f"{plural(readers[0], 'operator')} that read the data")
    if not found:
        return "the order is another one"
    listed = ", ".join(found[:-1]) + " and " + found[-1] if len(found) > 1 else found[0]
    return f"there {'is' if listed.startswith('1 ') else 'are'} {listed}"


def _kinks(graph: OperatorGraph) -> tuple[Piece, ...]:
    """A chain is refused where Assumption 3 fails."""
    ids = [
        node.id
        for node in graph.nodes
        if any(getattr(node.constants, name) is None for name in _EXPANDED)
    ]
    named: list[Piece] = []
    for name in ids[:_NAMED]:
        named += [", "] if named else []
        named.append(Code(name))
    if len(ids) > _NAMED:
        named.append(f" and {len(ids) - _NAMED} more")
    return (
        "[KZY] assumes Lipschitz Jacobians with Lipschitz derivatives (Assumption 3), which ",
        *named,
        f" {'does' if len(ids) == 1 else 'do'} not have. The sharp family bounds the error of such "
        "operators to first order (docs/theory.md, section 4.8, Kinks).",
    )


def chain_or_graph(graph: OperatorGraph) -> str:
    """``a chain of 3 operators``, or ``a graph of 11 operators and 15 edges``."""
    size = plural(graph.size, "operator")
    if graph.is_chain:
        return f"a chain of {size}"
    return f"a graph of {size} and {plural(len(graph.ends) - 1, 'edge')}"
