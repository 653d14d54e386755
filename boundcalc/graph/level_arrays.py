"""Perturbation levels in flat arrays, for a :class:`~boundcalc.graph.arrays.GraphArrays`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from boundcalc.errors import SpecError
from boundcalc.graph import columns
from boundcalc.graph.arrays import GraphArrays
from boundcalc.graph.columns import Floats
from boundcalc.graph.numbers import Levels


@dataclass(frozen=True, eq=False)
class LevelArrays:
    """How large the perturbations are (docs/theory.md, section 1).

    Attributes
    ----------
    e, m
        ``(N + 1,)``: √E‖δ_i‖² and the size of the conditional mean of δ_i; entry 0 is
        the data and not used.
    eps, n
        ``(edges + 1,)``: √E‖ε_i‖² and the size of the conditional mean of ε_i by edge;
        0 for edges from the data, which never reach the gradient.

    Examples
    --------
    >>> from boundcalc.graph.arrays import GraphArrays
    >>> graph = GraphArrays.chain(size=3, a=1, b=1, l=1, A=1, B=1, A3=1, B3=1)
    >>> levels = LevelArrays.on(graph, e=[0.1, 0.2, 0.3], eps=0.1)
    >>> levels.eps
    array([0. , 0. , 0.1, 0.1])
    >>> levels.forward_centred, levels.backward_centred
    (True, True)
    """

    e: Floats
    m: Floats
    eps: Floats
    n: Floats

    def __post_init__(self) -> None:
        for name in ("e", "m", "eps", "n"):
            column = np.ascontiguousarray(columns.numbers(getattr(self, name), name))
            object.__setattr__(self, name, column)
            columns.check_magnitudes(column, name, "entry")

    @classmethod
    def on(
        cls,
        graph: GraphArrays,
        *,
        e: ArrayLike = 0.0,
        m: ArrayLike = 0.0,
        eps: ArrayLike = 0.0,
        n: ArrayLike = 0.0,
    ) -> LevelArrays:
        """Levels from arrays, or one number for all of them.

        Parameters
        ----------
        e, m
            By operator, ``(N,)``, from operator 1.
        eps, n
            By edge, ``(edges,)``, from edge 1.

        Raises
        ------
        SpecError
            If an array does not fit, a level is negative or not finite, or a mean exceeds
            the root mean square.
        """
        given: dict[str, Floats] = {}
        for name, value in (("e", e), ("m", m)):
            given[name] = columns.spread(
                columns.numbers(value, name), name, graph.size, "operators"
            )
        for name, value in (("eps", eps), ("n", n)):
            column = columns.numbers(value, name)
            given[name] = columns.spread(column, name, graph.edge_count, "edges")
            given[name][graph.data_edges] = 0.0
        found = cls(**given)
        columns.check_means(found.m, found.e, "m", "e")
        columns.check_means(found.n, found.eps, "n", "eps")
        return found

    @classmethod
    def from_levels(cls, levels: Levels, graph: GraphArrays) -> LevelArrays:
        """The same levels, each rounded to the nearest float64."""
        found = {name: columns.rounded(getattr(levels, name), name) for name in ("e", "m")}
        for name in ("eps", "n"):
            found[name] = columns.rounded(getattr(levels, name), name)
            found[name][graph.data_edges] = 0.0
        return cls(**found)

    def check_fits(self, graph: GraphArrays) -> None:
        """Refuse levels of another graph.

        Raises
        ------
        SpecError
            If the numbers of operators or edges differ.
        """
        for name, size in (("e", graph.size), ("eps", graph.edge_count)):
            for column in (name, "m" if name == "e" else "n"):
                if len(getattr(self, column)) != size + 1:
                    raise SpecError(
                        f"levels {column} are not those of the graph",
                        value=len(getattr(self, column)),
                        expected=f"{size + 1} entries",
                    )

    @property
    def forward_centred(self) -> bool:
        """Whether every δ_i that reaches the gradient has conditional mean zero."""
        return not self.m[1:-1].any()

    @property
    def backward_centred(self) -> bool:
        """Whether every ε_i that reaches the gradient has conditional mean zero."""
        return not self.n.any()
