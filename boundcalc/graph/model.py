"""OperatorGraph: operators, edges and perturbations as one frozen object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.evaluate import evaluated
from boundcalc.graph.numbers import ChainConstants, GraphConstants, Levels, UniformConstants
from boundcalc.graph.parts import CONSTANT_NAMES, Merged, Node, Perturbation, Site
from boundcalc.operators.base import Data
from boundcalc.perturbations.dependence import Dependence
from boundcalc.showing import Plotted, Shown, Tabular
from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import Spec

if TYPE_CHECKING:
    import networkx as nx


@dataclass(frozen=True)
class OperatorGraph(Shown, Tabular, Plotted):
    """The compiled graph that every later stage works on.

    Attributes
    ----------
    spec
        The spec it was built from.
    nodes
        Operators in topological order; number v is ``nodes[v - 1]``.
    ends
        By edge number, from 1: (u, v) for the edge from operator u to operator v; 0 is
        the data.
    uniform
        [KZY]'s uniform constants when the spec gives them, else None.
    perturbations
        All of them, site by site.
    symbols
        Values of symbols; a symbol without one is missing here.
    data
        The samples, when the spec has a simulation.
    notes
        Remarks on how the graph was read that belong in every output.
    merged
        Runs of operators whose norms were taken together.
    sampled
        Whether derived constants hold on a region that was measured on the data, so
        that no bound from them is proved.
    """

    spec: Spec
    nodes: tuple[Node, ...]
    ends: tuple[tuple[int, int], ...]
    uniform: Mapping[str, Expression] | None
    perturbations: tuple[Perturbation, ...]
    symbols: Mapping[str, Expression]
    data: Data | None
    notes: tuple[str, ...] = field(default=())
    merged: tuple[Merged, ...] = ()
    sampled: bool = False
    #: Constants that were evaluated before, by kind: every stage asks for them anew.
    _known: dict[tuple[str, str], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def name(self) -> str:
        """The spec's name."""
        return self.spec.name

    @property
    def size(self) -> int:
        """N, the number of operators."""
        return len(self.nodes)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Operator ids in topological order."""
        return tuple(node.id for node in self.nodes)

    @property
    def is_uniform(self) -> bool:
        """Whether all operators have the same constants, those that no bound reads aside.

        The input constants of the first operator are such: the data is not perturbed.
        """
        first, rest = self.nodes[0].constants, self.nodes[1:]
        if not rest:
            return True
        if not self.is_smooth_chain:
            return False
        shared = rest[0].constants
        same = all(
            getattr(node.constants, name).node == getattr(shared, name).node
            for node in rest
            for name in CONSTANT_NAMES
        )
        return same and first.jac_weight.node == shared.jac_weight.node

    @cached_property
    def is_chain(self) -> bool:
        """Whether every operator reads the one before it alone, with weights of its own."""
        return all(
            node.reads == (v,) and (node.group == v + 1 or not node.weights)
            for v, node in enumerate(self.nodes)
        )

    @cached_property
    def smooth(self) -> bool:
        """Whether every Jacobian that a moving input can change is Lipschitz."""
        return all(
            node.constants.hess_input is not None and node.constants.hess_mixed is not None
            for node in self.nodes
        )

    @cached_property
    def is_smooth_chain(self) -> bool:
        """Whether it is a chain with all constants of Assumption 3 and no merged norms."""
        return (
            self.is_chain
            and not self.merged
            and all(
                getattr(node.constants, name) is not None
                for node in self.nodes
                for name in CONSTANT_NAMES
            )
        )

    @cached_property
    def edges(self) -> nx.DiGraph[str]:
        """The graph over operator ids, for drawing and for walking."""
        import networkx as nx

        graph: nx.DiGraph[str] = nx.DiGraph()
        graph.add_nodes_from(self.ids)
        graph.add_edges_from((self.ids[u - 1], self.ids[v - 1]) for u, v in self.ends[1:] if u)
        return graph

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """Where a perturbation reaches the gradient: outputs in order, then edges in order."""
        forward = (Site("forward", v, node.id) for v, node in enumerate(self.nodes[:-1], 1))
        backward = (
            Site("backward", edge, self.edge_label(edge))
            for edge in range(1, len(self.ends))
            if self.ends[edge][0]
        )
        return (*forward, *backward)

    def operator_of(self, site: Site) -> int:
        """The number of the operator that a site belongs to."""
        return site.index if site.direction == "forward" else self.ends[site.index][1]

    def edge_label(self, edge: int) -> str:
        """The id of the operator that passes back along an edge, or ``f1->f3``."""
        u, v = self.ends[edge]
        node = self.nodes[v - 1]
        if len(set(node.reads)) == 1:
            return node.id
        return f"{self.ids[u - 1]}->{node.id}"

    def predecessors(self, name: str) -> tuple[str, ...]:
        """Ids of the operators whose outputs ``name`` reads."""
        return tuple(self.edges.predecessors(name))

    def successors(self, name: str) -> tuple[str, ...]:
        """Ids of the operators that read the output of ``name``."""
        return tuple(self.edges.successors(name))

    def values(self, kind: Arithmetic) -> dict[str, Scalar]:
        """The symbols' values in a number kind."""
        return {name: value.evaluate(kind) for name, value in self.symbols.items()}

    def graph_constants(self, kind: Arithmetic) -> GraphConstants:
        """Constants by operator and slot for the sharp family; O(N + slot pairs).

        Raises
        ------
        SymbolError, InexactError
            Where the kind needs a value that is missing or irrational.
        """
        key = ("graph", kind.name)
        if key not in self._known:
            evaluate = _evaluator(kind, self.values(kind))
            self._known[key] = evaluated(self.nodes, self.merged, kind, evaluate)
        known: GraphConstants = self._known[key]
        return known

    def chain_constants(self, kind: Arithmetic) -> ChainConstants:
        """Constants by operator of a smooth chain, as closed forms and sums need them; O(N).

        Raises
        ------
        SymbolError, InexactError
            Where the kind needs a value that is missing or irrational.
        """
        assert self.is_smooth_chain  # noqa: S101 - callers have looked
        key = ("chain", kind.name)
        if key not in self._known:
            self._known[key] = self._chain_constants(kind)
        known: ChainConstants = self._known[key]
        return known

    def _chain_constants(self, kind: Arithmetic) -> ChainConstants:
        evaluate = _evaluator(kind, self.values(kind))
        columns = {
            name: (
                kind.number(0),
                *(evaluate(getattr(node.constants, name)) for node in self.nodes),
            )
            for name in CONSTANT_NAMES
        }
        return ChainConstants(
            a=columns["jac_input"],
            b=columns["jac_weight"],
            l=columns["lip_input"],
            A=columns["hess_input"],
            B=columns["hess_mixed"],
            A3=columns["third_input"],
            B3=columns["third_mixed"],
        )

    def uniform_constants(self, kind: Arithmetic, *, corrected: bool) -> UniformConstants:
        """[KZY]'s uniform constants, as maxima over operators where the spec has none.

        C_∇f = max of jac_input, jac_weight; L_f = max lip_input; L_∇f = max of
        hess_input, hess_mixed; L_∇²f = max of third_input, third_mixed; C_∇²f = max
        hess_mixed as Assumption 3 is printed, max of hess_input, hess_mixed when
        ``corrected`` (E2).  Uniform constants in the spec are raised to the constants
        that single operators state, since they bound all operators.
        """
        key = (f"uniform, corrected {corrected}", kind.name)
        if key not in self._known:
            self._known[key] = self._uniform_constants(kind, corrected)
        known: UniformConstants = self._known[key]
        return known

    def _uniform_constants(self, kind: Arithmetic, corrected: bool) -> UniformConstants:
        evaluate = _evaluator(kind, self.values(kind))
        uniform = self.uniform or {}

        def highest(key: str, *names: str) -> Scalar:
            found = [evaluate(uniform[key])] if key in uniform else []
            for node in self.nodes:
                found += [evaluate(getattr(node.constants, n)) for n in names if n in node.stated]
            return _maximum(kind, found)

        hess_op_names = ("hess_input", "hess_mixed") if corrected else ("hess_mixed",)
        return UniformConstants(
            size=self.size,
            jac=highest("jac", "jac_input", "jac_weight"),
            lip=highest("lip", "lip_input"),
            hess=highest("hess", "hess_input", "hess_mixed"),
            hess_op=highest("hess_op", *(() if uniform else hess_op_names)),
            third=highest("third", "third_input", "third_mixed"),
        )

    def levels(self, kind: Arithmetic, active: Iterable[int] | None = None) -> Levels:
        """Perturbation levels by operator, with the perturbations of one site added.

        Parameters
        ----------
        active
            Positions in ``perturbations`` that act; all of them if None.

        Notes
        -----
        Several perturbations at one site add in every norm (Minkowski), whatever
        their dependence; what is known of their sum given the sites before is what is
        known of each of them.
        """
        values = self.values(kind)
        chosen = range(len(self.perturbations)) if active is None else active
        zero = kind.number(0)
        forward: dict[int, list[tuple[Any, Any, Any]]] = {}
        weakest = [Dependence.INDEPENDENT] * (self.size + 1)
        backward: dict[int, list[tuple[Any, Any, Any]]] = {}
        for position in chosen:
            perturbation = self.perturbations[position]
            if perturbation.direction == "forward":
                here = forward.setdefault(perturbation.site, [])
                site = perturbation.site
                weakest[site] = min(weakest[site], perturbation.dependence)
            elif self.ends[perturbation.edge][0]:
                here = backward.setdefault(perturbation.edge, [])
            else:
                continue  # along an edge from the data: it never reaches the gradient
            here.append(perturbation.level(kind, values))

        def column(
            side: dict[int, list[tuple[Any, Any, Any]]], part: int, count: int
        ) -> tuple[Scalar, ...]:
            entries = (side.get(i, []) for i in range(count))
            return tuple(sum((entry[part] for entry in here), zero) for here in entries)

        nodes, edges = self.size + 1, len(self.ends)
        return Levels(
            e=column(forward, 0, nodes),
            m=column(forward, 1, nodes),
            q=tuple(_fourth(forward.get(i, []), kind) for i in range(nodes)),
            eps=column(backward, 0, edges),
            n=column(backward, 1, edges),
            dependence=tuple(weakest),
        )


def _fourth(entries: list[tuple[Any, Any, Any]], kind: Arithmetic) -> Scalar | None:
    """E‖Σδ‖⁴ by Minkowski in L⁴; None if one of them is unknown."""
    fourths = [entry[2] for entry in entries]
    if any(fourth is None for fourth in fourths):
        return None
    if len(fourths) <= 1:
        return fourths[0] if fourths else kind.number(0)
    return sum((kind.sqrt(kind.sqrt(fourth)) for fourth in fourths), kind.number(0)) ** 4


def _maximum(kind: Arithmetic, found: list[Scalar]) -> Scalar:
    result = kind.number(0)
    for value in found:
        result = kind.maximum(result, value)
    return result


def _evaluator(kind: Arithmetic, values: Mapping[str, Scalar]) -> Callable[[Expression], Scalar]:
    """Evaluation that does the work of repeated operators once."""
    known: dict[int, Scalar] = {}

    def evaluate(expression: Expression) -> Scalar:
        key = id(expression)
        if key not in known:
            known[key] = expression.evaluate(kind, values)
        return known[key]

    return evaluate
