"""A graph's constants and levels in flat arrays: the form for a million operators.

:class:`GraphArrays` holds what :class:`~boundcalc.graph.numbers.GraphConstants` holds, and
:class:`LevelArrays` what :class:`~boundcalc.graph.numbers.Levels` holds, about 150 bytes for
an operator with one input, and no Python object for any of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from boundcalc.errors import SpecError
from boundcalc.graph import array_checks
from boundcalc.graph.numbers import GraphConstants, Levels

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


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

    Raises
    ------
    SpecError
        If sizes do not fit, an operator reads itself, a later one or nothing, edges are
        not numbered as above, or a constant is negative, infinite or missing.

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

    def __post_init__(self) -> None:
        for field in fields(self):
            kind = np.int64 if field.type == "Integers" else np.float64
            object.__setattr__(self, field.name, _array(getattr(self, field.name), kind, field.name))
        array_checks.check_structure(self)
        array_checks.check_edges(self)
        array_checks.check_constants(self)

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
        if len(self.edges) == self.edge_count:
            return np.ones(len(self.edges), dtype=np.bool_)
        found = np.zeros(len(self.edges), dtype=np.bool_)
        found[np.unique(self.edges, return_index=True)[1]] = True
        return found

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
            inputs=_integers(flat(c.inputs)),
            edges=_integers(flat(c.edges)),
            a=_floats(flat(c.a), "a"),
            l=_floats(flat(c.l), "l"),
            A=_floats(flat(flat(c.A)), "A"),
            J=_floats(flat(c.J), "J"),
            A3=_floats(flat(c.A3), "A3"),
            b=_floats(c.b, "b"),
            B=_floats(flat(c.B), "B"),
            K=_floats(c.K, "K"),
            B3=_floats(c.B3, "B3"),
            groups=_integers(c.groups),
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
        given = {"a": a, "b": b, "l": l, "A": A, "B": B, "A3": A3, "B3": B3, "J": J, "K": K}
        columns = {name: _float_array(value, name) for name, value in given.items()}
        if size is None:
            size = max((len(column) for column in columns.values() if column.ndim), default=0)
        array_checks.check_count(size, "size", "give the number of operators, or an array")
        columns = {name: _spread(column, name, size) for name, column in columns.items()}
        by_operator = {name: np.concatenate(([0.0], columns.pop(name))) for name in ("b", "K", "B3")}
        numbers = np.arange(size + 2)
        return cls(
            first=np.concatenate(([0], numbers[:-1])),
            inputs=numbers[:-2],
            edges=numbers[1:-1],
            groups=numbers[:-1] if groups is None else np.concatenate(([0], np.asarray(groups))),
            **columns,
            **by_operator,
        )
