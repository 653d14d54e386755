"""Error and bias bounds from levels alone, in any number kind, arrays of levels included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.arithmetic.floats import Floats
from boundcalc.graph import OperatorGraph
from boundcalc.graph.numbers import GraphConstants, Levels
from boundcalc.theories.perturbed import sharp
from boundcalc.theories.perturbed.families import Family, Sharp
from boundcalc.theories.perturbed.forward import forward_sizes
from boundcalc.theories.perturbed.refinements import ON_ALL_PASSES, Choice
from boundcalc.theories.perturbed.sums import SumCoefficients, bias_bound, error_bound


class Plain(Floats):
    """float64 without numpy's overhead for scalars; arrays go to numpy.

    Only for searches: what they find is evaluated again in a kind that proves.
    """

    def sqrt(self, x: Scalar) -> Scalar:
        """The square root."""
        return x**0.5

    def minimum(self, x: Scalar, y: Scalar) -> Scalar:
        """The smaller of two."""
        if isinstance(x, np.ndarray) or isinstance(y, np.ndarray):
            return np.minimum(x, y)
        # NaN, of an overflow, stays NaN.
        return x if x <= y or x != x else y


PLAIN = Plain()


class Moments:
    """Bounds on E‖ũ−u‖² and ‖E[ũ−u]‖² of one family on one graph as functions of levels.

    The bounds of :meth:`~boundcalc.theories.perturbed.families.Family.bounds`, O(N + slot
    pairs) each, without the plain recurrences that are printed beside them.
    """

    def __init__(self, graph: OperatorGraph, family: Family) -> None:
        self._graph, self._family = graph, family
        self._allowed: frozenset[str] = frozenset()
        if isinstance(family, Sharp):
            self._allowed = family.refinements - (ON_ALL_PASSES if graph.sampled else frozenset())
        self._columns: dict[str, SumCoefficients] = {}

    def __call__(
        self, kind: Arithmetic, levels: Levels, *, forward: bool, backward: bool
    ) -> tuple[Scalar, Scalar]:
        """Error and bias.

        Parameters
        ----------
        forward, backward
            Whether every perturbation of the pass has conditional mean zero.  In arrays it has
            to be the same for all entries.
        """
        if not isinstance(self._family, Sharp):
            columns = self._coefficients(kind)
            return error_bound(columns, levels, kind), bias_bound(columns, levels, kind)
        c = self._graph.graph_constants(kind)
        if c.kinked and _has_arrays(levels):
            c = _where_moved(c, forward_sizes(c, levels, kind, centred=forward))
        choice = Choice(kind, self._allowed)
        second = sharp.centred(c, levels, kind, forward=forward, backward=backward, choice=choice)
        mean = sharp.means(c, levels, second, kind, choice=choice)
        return second.total(), mean.total()

    def _coefficients(self, kind: Arithmetic) -> SumCoefficients:
        if kind.name not in self._columns:
            self._columns[kind.name] = self._family.coefficients(self._graph, kind)
        return self._columns[kind.name]


def _has_arrays(levels: Levels) -> bool:
    return any(isinstance(x, np.ndarray) for x in (*levels.e, *levels.m))


def _where_moved(c: GraphConstants, s: tuple[Scalar, ...]) -> GraphConstants:
    """The same constants with the jump of a kink 0 in the entries in which nothing moves.

    The recurrences ask whether an array vanishes as a whole.
    """
    J, K = list(c.J), list(c.K)
    for v in c.kinked:
        moves = np.any([np.asarray(s[u]) != 0 for u in c.inputs[v]], axis=0)
        J[v] = tuple(None if x is None else np.where(moves, x, 0.0) for x in c.J[v])
        jump = c.K[v]
        K[v] = None if jump is None else np.where(moves, jump, 0.0)
    return replace(c, J=tuple(J), K=tuple(K))
