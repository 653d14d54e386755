"""OperatorGraph: operators, edges and perturbations as one frozen object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import networkx as nx

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.graph.numbers import ChainConstants, Levels, UniformConstants
from boundcalc.operators.base import Constants, Data, Operator, Region
from boundcalc.perturbations.base import Distribution
from boundcalc.perturbations.schedules import Schedule
from boundcalc.perturbations.vector import VectorMoments
from boundcalc.spec.expressions import Expression
from boundcalc.spec.model import Spec

CONSTANT_NAMES = (
    "jac_input",
    "jac_weight",
    "lip_input",
    "hess_input",
    "hess_mixed",
    "third_input",
    "third_mixed",
)


@dataclass(frozen=True)
class Node:
    """One operator in the graph.

    Attributes
    ----------
    id
        Its name.
    operator
        The library operator, or None for one that is given by constants only.
    constants
        What the sharp family uses.  Input constants of an operator that reads only
        data are 0 where nothing was given: they are never used.
    derived
        What the operator type itself proves on the region, or None without a type.
    stated
        Names of the constants that count for [KZY]'s uniform maxima.
    region
        The balls on which the constants hold.
    inputs, outputs, weights
        Sizes of y_{i−1}, y_i and w_i.
    where
        The place in the spec, for messages.
    """

    id: str
    operator: Operator | None
    constants: Constants
    derived: Constants | None
    stated: frozenset[str]
    region: Region
    inputs: int
    outputs: int
    weights: int
    where: str


@dataclass(frozen=True)
class Perturbation:
    """One perturbation at one site.

    Attributes
    ----------
    site
        The operator's number, 1 to N.
    direction
        ``forward``: δ added to the operator's output; ``backward``: ε added to the
        gradient that the operator passes back to its input.
    size
        Number of components.
    rms, mean
        √E‖·‖² and the size of the conditional mean, when given as such; otherwise
        they follow from ``moments``.
    fourth
        (E‖·‖⁴)^{1/4} when given as such, or None.
    moments
        Exact moments of a model, or None when given by rms, mean and fourth.
    distribution, probability
        What to sample: the model, and the probability with which a draw is added at all.
    schedule
        The steps at which the perturbation acts.
    where
        The place in the spec, for messages.
    """

    site: int
    direction: Literal["forward", "backward"]
    size: int
    rms: Expression | None
    mean: Expression | None
    fourth: Expression | None
    moments: VectorMoments | None
    distribution: Distribution | None
    probability: Expression | None
    schedule: Schedule
    where: str

    def level(self, kind: Arithmetic, values: Mapping[str, Scalar]) -> tuple[Any, Any, Any]:
        """(√E‖·‖², size of the mean, E‖·‖⁴ or None) in a number kind."""
        if self.moments is not None:
            second = self.moments.second.evaluate(kind, values)
            squared = self.moments.mean_squared.evaluate(kind, values)
            return kind.sqrt(second), kind.sqrt(squared), self.moments.fourth.evaluate(kind, values)
        assert self.rms is not None  # noqa: S101 - build() gives one or the other
        assert self.mean is not None  # noqa: S101 - the same
        fourth = None if self.fourth is None else self.fourth.evaluate(kind, values) ** 4
        return self.rms.evaluate(kind, values), self.mean.evaluate(kind, values), fourth


@dataclass(frozen=True)
class OperatorGraph:
    """The compiled graph that every later stage works on.

    Attributes
    ----------
    spec
        The spec it was built from.
    nodes
        Operators in topological order.
    edges
        A ``networkx.DiGraph`` over operator ids.
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
    """

    spec: Spec
    nodes: tuple[Node, ...]
    edges: nx.DiGraph[str]
    uniform: Mapping[str, Expression] | None
    perturbations: tuple[Perturbation, ...]
    symbols: Mapping[str, Expression]
    data: Data | None
    notes: tuple[str, ...] = field(default=())
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
        shared = rest[0].constants
        same = all(
            getattr(node.constants, name).node == getattr(shared, name).node
            for node in rest
            for name in CONSTANT_NAMES
        )
        return same and first.jac_weight.node == shared.jac_weight.node

    def predecessors(self, name: str) -> tuple[str, ...]:
        """Ids of the operators whose outputs ``name`` reads."""
        return tuple(self.edges.predecessors(name))

    def successors(self, name: str) -> tuple[str, ...]:
        """Ids of the operators that read the output of ``name``."""
        return tuple(self.edges.successors(name))

    def values(self, kind: Arithmetic) -> dict[str, Scalar]:
        """The symbols' values in a number kind."""
        return {name: value.evaluate(kind) for name, value in self.symbols.items()}

    def chain_constants(self, kind: Arithmetic) -> ChainConstants:
        """Per-operator constants for the sharp family; O(N).

        Raises
        ------
        SymbolError, InexactError
            Where the kind needs a value that is missing or irrational.
        """
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
        their dependence.
        """
        values = self.values(kind)
        chosen = range(len(self.perturbations)) if active is None else active
        zero = kind.number(0)
        forward: dict[int, list[tuple[Any, Any, Any]]] = {}
        backward: dict[int, list[tuple[Any, Any, Any]]] = {}
        for position in chosen:
            perturbation = self.perturbations[position]
            side = forward if perturbation.direction == "forward" else backward
            side.setdefault(perturbation.site, []).append(perturbation.level(kind, values))

        def column(side: dict[int, list[tuple[Any, Any, Any]]], part: int) -> tuple[Scalar, ...]:
            entries = (side.get(i, []) for i in range(self.size + 1))
            return tuple(sum((entry[part] for entry in here), zero) for here in entries)

        fourth = tuple(_fourth(forward.get(i, []), kind) for i in range(self.size + 1))
        return Levels(
            e=column(forward, 0),
            m=column(forward, 1),
            q=fourth,
            eps=column(backward, 0),
            n=column(backward, 1),
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
