"""A graph's constants in flat arrays: the form for a million operators.

:class:`GraphArrays` holds what :class:`~boundcalc.graph.numbers.GraphConstants` holds, in about
110 bytes for an operator with one input and in no Python object.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import ArrayLike, NDArray

from boundcalc.graph import array_checks, columns, series
from boundcalc.graph.columns import Booleans, Floats, Integers
from boundcalc.graph.numbers import GraphConstants


@dataclass(frozen=True, eq=False)
class GraphArrays:
    """Constants of a directed acyclic graph (docs/theory.md, section 4.8), N operators.

    Operator v has the slots ``first[v]`` to ``first[v + 1]``, exclusive; slot k has one
    pair with each slot of its operator, from ``pairs[k]`` on.  NaN stands for a constant
    that does not exist.  Letters are those of
    :class:`~boundcalc.graph.numbers.GraphConstants`.

    Attributes
    ----------
    first
        ``(N + 2,)``: the first slot of each operator; entry 0 is the data, without slots.
    inputs, edges
        ``(slots,)``: the number of the operator that is read, 0 for the data, and of the
        edge, from 1; slots of one operator that read the same operator share an edge.
    a, l, J, A3, B
        ``(slots,)``.  What a slot that reads the data has is not used.
    A
        ``(pairs,)``.
    b, K, B3
        ``(N + 1,)``; entry 0 is not used.
    groups
        ``(N + 1,)``: the number of the weights that an operator uses.
    run_first, run_nodes
        ``(runs + 1,)``, ``(operators in runs,)``: the operators ``run_nodes[run_first[r]]``
        to ``run_nodes[run_first[r + 1] - 1]`` make run r.
    run_norm, run_affine
        ``(runs,)``: a bound on the norm of the product of a run's Jacobians, and whether
        all its operators are affine (docs/theory.md, Lemma 4.10).

    Raises
    ------
    SpecError
        If sizes do not fit, an operator reads itself, a later one or nothing, edges are
        not numbered as above, a constant is negative, infinite or missing, or a run is
        not one operator after the other.

    Examples
    --------
    >>> graph = GraphArrays.chain(size=3, a=1, b=1, l=1, A=1, B=1, A3=1, B3=1)
    >>> graph.size, graph.inputs.tolist(), graph.edges.tolist()
    (3, [0, 1, 2], [1, 2, 3])
    """

    first: Integers
    inputs: Integers
    edges: Integers
    a: Floats
    l: Floats  # noqa: E741 - the letter of the theory
    A: Floats
    J: Floats
    A3: Floats
    b: Floats
    B: Floats
    K: Floats
    B3: Floats
    groups: Integers
    run_first: Integers = field(default_factory=lambda: np.zeros(1, np.int64))
    run_nodes: Integers = field(default_factory=lambda: np.zeros(0, np.int64))
    run_norm: Floats = field(default_factory=lambda: np.zeros(0))
    run_affine: Booleans = field(default_factory=lambda: np.zeros(0, np.bool_))

    def __post_init__(self) -> None:
        for column in fields(self):
            convert = columns.CONVERSIONS[str(column.type)]
            value = np.ascontiguousarray(convert(getattr(self, column.name), column.name))
            object.__setattr__(self, column.name, value)
        array_checks.check_structure(self)
        array_checks.check_edges(self)
        array_checks.check_constants(self)
        array_checks.check_runs(self)

    @property
    def size(self) -> int:
        """N, the number of operators."""
        return len(self.first) - 2

    @property
    def edge_count(self) -> int:
        """The number of edges, those from the data included."""
        return int(self.edges.max())

    @cached_property
    def owners(self) -> Integers:
        """``(slots,)``: the operator that each slot belongs to."""
        return np.repeat(np.arange(self.size + 1), np.diff(self.first))

    @cached_property
    def pairs(self) -> Integers:
        """``(slots + 1,)``: the first pair of each slot."""
        counts = np.diff(self.first)[self.owners]
        return np.concatenate(([0], np.cumsum(counts)))

    @cached_property
    def leads(self) -> NDArray[np.bool_]:
        """``(slots,)``: whether a slot is the first one on its edge."""
        highest = np.maximum.accumulate(self.edges)
        return self.edges > np.concatenate(([0], highest[:-1]))

    @cached_property
    def smooth(self) -> NDArray[np.bool_]:
        """``(N + 1,)``: whether every A of an operator exists."""
        found = np.ones(self.size + 1, dtype=np.bool_)
        missing = np.isnan(self.A)
        if missing.any():
            owners = np.repeat(self.owners, np.diff(self.pairs))
            found[owners[missing]] = False
        return found

    @cached_property
    def run_from(self) -> Integers:
        """``(N + 1,)``: the number of the run that begins with an operator, or −1."""
        return self._at(self.run_first[:-1])

    @cached_property
    def run_to(self) -> Integers:
        """``(N + 1,)``: the number of the run that ends with an operator, or −1."""
        return self._at(self.run_first[1:] - 1)

    def _at(self, places: Integers) -> Integers:
        found = np.full(self.size + 1, -1)
        found[self.run_nodes[places]] = np.arange(len(places))
        return found

    @cached_property
    def data_edges(self) -> Integers:
        """Numbers of the edges from the data, along which nothing reaches the gradient."""
        return np.unique(self.edges[self.inputs == 0])

    @cached_property
    def members(self) -> Integers:
        """``(N + 1,)``: groups numbered from 0 in the order of their first operators."""
        own = self.groups[1:]
        if bool(np.all(np.diff(own) > 0)):
            return np.arange(-1, self.size)
        _, firsts, numbers = np.unique(own, return_index=True, return_inverse=True)
        ranks = np.empty(len(firsts), dtype=np.int64)
        ranks[np.argsort(firsts)] = np.arange(len(firsts))
        return np.concatenate(([-1], ranks[numbers]))

    @classmethod
    def from_constants(cls, constants: GraphConstants) -> GraphArrays:
        """The same constants, each rounded to the nearest float64.

        Raises
        ------
        SpecError
            Also where float64 has no number of the size of a constant.

        Examples
        --------
        >>> from fractions import Fraction as F
        >>> from boundcalc.graph import ChainConstants
        >>> row = (F(0), F(1), F(1, 3))
        >>> GraphArrays.from_constants(ChainConstants(*[row] * 7).graph).b
        array([0.        , 1.        , 0.33333333])
        """
        c, flat = constants, chain.from_iterable
        return cls(
            first=np.cumsum([0, *map(len, c.inputs)]),
            inputs=columns.integers(list(flat(c.inputs)), "inputs"),
            edges=columns.integers(list(flat(c.edges)), "edges"),
            a=columns.rounded(flat(c.a), "a"),
            l=columns.rounded(flat(c.l), "l"),
            A=columns.rounded(flat(flat(c.A)), "A"),
            J=columns.rounded(flat(c.J), "J"),
            A3=columns.rounded(flat(c.A3), "A3"),
            b=columns.rounded(c.b, "b"),
            B=columns.rounded(flat(c.B), "B"),
            K=columns.rounded(c.K, "K"),
            B3=columns.rounded(c.B3, "B3"),
            groups=columns.integers(c.groups, "groups"),
            run_first=np.cumsum([0, *(len(run.nodes) for run in c.runs)]),
            run_nodes=columns.integers([v for run in c.runs for v in run.nodes], "run_nodes"),
            run_norm=columns.rounded([run.norm for run in c.runs], "run_norm"),
            run_affine=np.array([run.affine for run in c.runs], dtype=np.bool_),
        )

    @classmethod
    def chain(
        cls,
        size: int | None = None,
        *,
        a: ArrayLike,
        b: ArrayLike,
        l: ArrayLike,  # noqa: E741 - the letter of the theory
        A: ArrayLike | None,
        B: ArrayLike | None,
        A3: ArrayLike | None,
        B3: ArrayLike | None,
        J: ArrayLike | None = None,
        K: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> GraphArrays:
        """A chain from arrays over its operators, 1 to N, or one number for all of them.

        Parameters
        ----------
        size
            N; needed where every constant is one number.
        a, b, l, A, B, A3, B3, J, K
            ``(N,)`` or one number ≥ 0; NaN or None where there is no such constant.
        groups
            ``(N,)``: operators with the same number share their weights; by default
            none do.

        Examples
        --------
        >>> GraphArrays.chain(a=[1, 2], b=1, l=[1, 2], A=1, B=1, A3=None, B3=None).size
        2
        """
        given = {"a": a, "l": l, "A": A, "J": J, "A3": A3, "B": B, "b": b, "K": K, "B3": B3}
        found = {name: columns.numbers(value, name) for name, value in given.items()}
        if size is None:
            size = max((len(column) for column in found.values() if column.ndim), default=0)
        columns.check_count(size, "size", "give the number of operators")
        spread = {
            name: columns.spread(column, name, size, "operators") for name, column in found.items()
        }
        order = np.arange(size + 2)
        own = order[1:-1] if groups is None else columns.integers(groups, "groups")
        return cls(
            first=np.maximum(order - 1, 0),
            inputs=order[:-2],
            edges=order[1:-1],
            a=spread["a"][1:],
            l=spread["l"][1:],
            A=spread["A"][1:],
            J=spread["J"][1:],
            A3=spread["A3"][1:],
            b=spread["b"],
            B=spread["B"][1:],
            K=spread["K"],
            B3=spread["B3"],
            groups=np.concatenate(([0], own)),
        )

    @classmethod
    def in_series(cls, *blocks: GraphArrays) -> GraphArrays:
        """Blocks one after the other: where a block reads 0, it reads the block before it.

        The last operator of a block is its output.  What reads 0 in a later block does not
        read the data then, so that its constants count: a block made from a graph whose
        first operator reads the data has none there, and is refused if that shows.

        Examples
        --------
        A residual block y + g(y), where the sum reads g and the input, and a loss:

        >>> none = [0.0] * 3
        >>> block = GraphArrays(
        ...     first=[0, 0, 1, 3], inputs=[0, 1, 0], edges=[1, 2, 3], a=[1, 1, 1],
        ...     l=[1, 1, 1], A=[1, 0, 0, 0, 0], J=none, A3=[1, 0, 0], b=[0, 1, 0],
        ...     B=[1, 0, 0], K=none, B3=[0, 1, 0], groups=[0, 1, 2],
        ... )
        >>> loss = GraphArrays.chain(1, a=1, b=0, l=1, A=1, B=0, A3=1, B3=0)
        >>> GraphArrays.in_series(block, block, loss).inputs.tolist()
        [0, 1, 0, 2, 3, 2, 4]
        """
        return cls(**series.joined([(block, 1) for block in blocks], shared_weights=False))

    @classmethod
    def repeated(
        cls, block: GraphArrays | GraphConstants, count: int, *, shared_weights: bool = False
    ) -> GraphArrays:
        """``count`` copies of a block :meth:`in_series`.

        Parameters
        ----------
        shared_weights
            Whether every copy uses the same weights, as an unrolled iteration does.

        Examples
        --------
        >>> block = GraphArrays.chain(2, a=1, b=1, l=1, A=1, B=1, A3=1, B3=1)
        >>> graph = GraphArrays.repeated(block, 3, shared_weights=True)
        >>> graph.inputs.tolist(), graph.groups.tolist()
        ([0, 1, 2, 3, 4, 5], [0, 1, 2, 1, 2, 1, 2])
        """
        columns.check_count(count, "count", "give the number of copies")
        arrays = block if isinstance(block, GraphArrays) else cls.from_constants(block)
        return cls(**series.joined([(arrays, count)], shared_weights=shared_weights))
