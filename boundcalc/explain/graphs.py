"""The compiled graph: operators with their constants and regions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.number import worst
from boundcalc.explain.entry import Captures, Entry, Input, Rule

if TYPE_CHECKING:
    from boundcalc.explain.results import Results
    from boundcalc.graph import OperatorGraph


def _constant(results: Results, at: Captures) -> Number | None:
    from boundcalc.report.notation import number_of

    graph = results.graph
    assert graph is not None  # noqa: S101 - results of a file are not asked
    node = graph.nodes[int(at["at0"])]
    expression = getattr(node.constants, at["constant"])
    number = None if expression is None else number_of(graph, expression)
    if number is None or not graph.sampled:
        return number
    return Number(number.value, worst(number.status, Status.SAMPLED))


_CONSTANTS = {
    "jac_input": "the largest norm of its Jacobian in the input: a",
    "jac_weight": "the largest norm of its Jacobian in the weights: b",
    "lip_input": "its Lipschitz constant in the input: ℓ",
    "hess_input": "the Lipschitz constant of its Jacobian in the input: A",
    "hess_mixed": "the Lipschitz constant, in the input, of its Jacobian in the weights: B",
    "third_input": "the Lipschitz constant of its second derivative in the input: A′",
    "third_mixed": "the Lipschitz constant of its mixed second derivative: B′",
    "jac_change": "the most by which its Jacobian in the input can change (kinks)",
    "mixed_change": "the most by which its Jacobian in the weights can change (kinks)",
}


def constant(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """A constant of an operator."""
    name = captures["constant"]
    words = _CONSTANTS.get(name, "a constant of an operator")
    if graph is not None and (why := _not_used(graph, int(captures["at0"]), name)):
        return Entry(
            f"a constant of operator number {int(captures['at0']) + 1} that is not used, as {why}: "
            "what stands in its place says nothing of the operator",
            kind="setting",
        )
    return Entry(
        f"a constant of operator number {int(captures['at0']) + 1}: {words}",
        source="docs/theory.md, section 1",
        inputs=(Input("f", "the operator", spec=f"graph.operators[{captures['at0']}]"),),
        kind="bound",
        number=_constant,
        conditions=("on the region of inputs and weights of the operator",),
    )


def _not_used(graph: OperatorGraph, index: int, constant: str) -> str:
    from boundcalc.report.constants import constant_sources
    from boundcalc.simulate.reach import sections_of

    node, section = graph.nodes[index], list(sections_of(graph))[index]
    source = dict(constant_sources(graph, node, section)).get(constant)
    return {"unused": "it reads data only", "frozen": "its weights are fixed"}.get(source or "", "")


def _slot(results: Results, at: Captures) -> Number | None:
    from boundcalc.report.notation import number_of

    graph = results.graph
    assert graph is not None  # noqa: S101 - results of a file are not asked
    # The positions are those of the operator, of its input, and of another input, in this order.
    operator, slot, *other = (int(at[key]) for key in at if key.startswith("at"))
    found = getattr(graph.nodes[operator].constants.slots[slot], at["constant"])
    if other:
        found = found[other[0]] if found else None
    number = None if found is None else number_of(graph, found)
    if number is None:
        return Number(0, Status.PROVED) if other else None
    return Number(number.value, worst(number.status, Status.SAMPLED)) if graph.sampled else number


_SLOT = Entry(
    "a constant of an operator with several inputs, for one of them",
    source="docs/theory.md, section 4.8",
    kind="bound",
    number=_slot,
)


def region(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """An end or a radius of a region."""
    del captures
    return Entry(
        "an end or the radius of the region, of inputs or of weights, on which the operator's "
        "constants hold",
        source="docs/networks.md",
        kind="bound",
        status="sampled" if graph is not None and graph.sampled else "computed",
    )


#: Where results have a graph.
_PLACES = ("compile.graph", "compile.{family}.graph", "graph")

GRAPHS: dict[str, Rule] = {}
for _at in _PLACES:
    GRAPHS |= {
        f"{_at}.chain": Entry("whether each operator reads the one before it only", kind="text"),
        f"{_at}.sampled": Entry(
            "whether some region was measured on the data, so that no bound is proved", kind="text"
        ),
        f"{_at}.operators#.constants.{{constant}}": constant,
        f"{_at}.operators#.constants.from.{{constant}}": Entry(
            "where a constant is from: stated in the spec, derived from the operator's type and "
            "region, or unused",
            kind="text",
        ),
        f"{_at}.operators#.constants.slots#.{{constant}}": _SLOT,
        f"{_at}.operators#.constants.slots#.{{constant}}#": _SLOT,
        f"{_at}.operators#.region.{{end}}": region,
        f"{_at}.operators#.region.from#": Entry("where the operator's region is from", kind="text"),
        f"{_at}.operators#.region.parts#.{{end}}": region,
        f"{_at}.operators#.shape#": Entry("a length of the operator's output", kind="count"),
        f"{_at}.operators#.weights": Entry("the operator's number of weights", kind="count"),
        f"{_at}.operators#.inputs#": Entry("what the operator reads", kind="text"),
        f"{_at}.operators#.{{key}}": Entry("what the operator is", kind="text"),
        f"{_at}.merged#.operators#": Entry(
            "an operator of a run whose norm was taken as one", kind="text"
        ),
        f"{_at}.merged#.{{key}}": Entry(
            "a norm of a run of operators, taken together or as the product of their norms",
            source="docs/theory.md, Lemma 4.10",
            kind="bound",
        ),
    }
