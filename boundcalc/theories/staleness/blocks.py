"""Which operators each block of the pipeline holds."""

from __future__ import annotations

from dataclasses import dataclass

from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Node
from boundcalc.theories.staleness.queues import Queues
from boundcalc.theories.staleness.section import StalenessSection


@dataclass(frozen=True)
class Block:
    """One block of a chain.

    Attributes
    ----------
    number
        k, from 0.
    first, last
        Numbers of its operators, from 1, as in docs/theory.md.
    name
        The id of its first operator.
    """

    number: int
    first: int
    last: int
    name: str

    @property
    def operators(self) -> range:
        """The numbers of its operators."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True)
class Pipeline:
    """A chain cut into blocks, with its queues.

    Attributes
    ----------
    blocks
        All operators of the chain, in order.
    queues
        With as many lengths as there are blocks.
    """

    blocks: tuple[Block, ...]
    queues: Queues

    def block_of(self, operator: int) -> int:
        """The number of the block that holds an operator, which has a number from 1."""
        return next(block.number for block in self.blocks if operator in block.operators)


def pipeline_of(graph: OperatorGraph, section: StalenessSection) -> Pipeline:
    """The blocks and queues of a spec; O(N).

    Raises
    ------
    SpecError
        If the graph is no chain, a rule of the queues is broken, or the number of queues
        fits none of the ways to cut the chain.
    """
    if not graph.is_chain:
        raise SpecError(
            "a pipeline of blocks is a chain",
            where="graph",
            value=_off_chain(graph),
            expected="every operator reads the one before it alone, with weights of its own",
            fix="put the branches into one operator, or use another theory",
        )
    queues = Queues(tuple(section.queues.p), tuple(section.queues.m))
    firsts = _firsts(graph, section, queues.size)
    ends = (*(first - 1 for first in firsts[1:]), graph.size)
    blocks = tuple(
        Block(k, first, last, graph.ids[first - 1])
        for k, (first, last) in enumerate(zip(firsts, ends, strict=True))
    )
    return Pipeline(blocks, queues)


def trained(node: Node) -> bool:
    """Whether an operator has weights that are trained."""
    if not node.trainable:
        return False
    if node.operator is not None:
        return node.weights > 0
    return node.constants.jac_weight.node != ("number", 0)


def _firsts(graph: OperatorGraph, section: StalenessSection, size: int) -> tuple[int, ...]:
    if section.blocks is not None:
        return _named(graph, section.blocks, size)
    if size == graph.size:
        return tuple(range(1, size + 1))
    weighted = [v for v, node in enumerate(graph.nodes, 1) if trained(node)]
    if size == len(weighted):
        return (1, *weighted[1:])
    if size == 1:
        return (1,)
    raise SpecError(
        "the number of queues does not fit the graph",
        where="staleness.queues",
        value=f"K = {size} blocks, but {graph.size} operators, {len(weighted)} of them "
        "with trained weights",
        expected=f"K = {graph.size} or K = {len(weighted)}, or `staleness.blocks`",
        fix="name the first operator of every block: blocks: [id, …]",
    )


def _named(graph: OperatorGraph, names: list[str], size: int) -> tuple[int, ...]:
    if len(names) != size:
        raise SpecError(
            "the number of blocks is not that of the queues",
            where="staleness.blocks",
            value=f"{len(names)} blocks, K = {size} queues",
            expected="one queue length p and m for every block",
            fix="name one first operator for every entry of `queues.m`",
        )
    numbers = {name: v for v, name in enumerate(graph.ids, 1)}
    found: list[int] = []
    for k, name in enumerate(names):
        if name not in numbers:
            raise SpecError(
                "no operator of that name",
                where=f"staleness.blocks[{k}]",
                value=name,
                expected="the id of an operator",
                fix="repeats have a number: `f.3`",
            )
        found.append(numbers[name])
    if found[0] != 1:
        raise SpecError(
            "the first block does not begin with the first operator",
            where="staleness.blocks[0]",
            value=names[0],
            expected=graph.ids[0],
            fix=f"begin with {graph.ids[0]!r}",
        )
    for k in range(1, size):
        if found[k] <= found[k - 1]:
            raise SpecError(
                "blocks are not in the order of the chain",
                where=f"staleness.blocks[{k}]",
                value=names[k],
                expected=f"an operator after {names[k - 1]!r}",
                fix="sort them as the operators stand, each once",
            )
    return tuple(found)


def _off_chain(graph: OperatorGraph) -> str:
    for v, node in enumerate(graph.nodes):
        if node.reads != (v,):
            return f"operator {node.id!r} reads something else"
        if node.weights and node.group != v + 1:
            return f"operator {node.id!r} shares its weights"
    return ""
