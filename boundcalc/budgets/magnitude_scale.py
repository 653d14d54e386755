"""The largest common factor of a spec's perturbations."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from boundcalc.arithmetic import Arithmetic, Number, Scalar
from boundcalc.budgets.inversion import Inverter
from boundcalc.budgets.inversion_groups import Groups, timed
from boundcalc.budgets.inversion_levers import Lever, alone
from boundcalc.budgets.levels import scaled, with_perturbations
from boundcalc.budgets.question import Question, highest
from boundcalc.graph import OperatorGraph
from boundcalc.graph.numbers import Levels
from boundcalc.theories.perturbed.families import FAST_OPERATORS


class ScaledScene:
    """All perturbations of a graph times one factor, group by group of steps."""

    def __init__(self, inverter: Inverter, groups: Groups, active: tuple[tuple[int, ...], ...]):
        self._asked, self._moments = inverter.asked, inverter.moments
        self.groups, self._active = groups, active
        self._known: dict[tuple[str, int], Levels] = {}

    def sizes(self, kind: Arithmetic, lever: Lever, x: Scalar) -> list[tuple[Scalar, Scalar]]:
        """Error and bias by group."""
        del lever
        return [self._at(kind, group, x) for group in range(len(self._active))]

    def _at(self, kind: Arithmetic, group: int, x: Scalar) -> tuple[Scalar, Scalar]:
        graph = self._asked.graph
        if graph.size > FAST_OPERATORS:
            return self._large(group, x)
        key = (kind.name, group)
        if key not in self._known:
            self._known[key] = graph.levels(kind, self._active[group])
        levels = times(self._known[key], x)
        forward, backward = levels.forward_centred, levels.backward_centred
        return self._moments(kind, levels, forward=forward, backward=backward)

    def _large(self, group: int, x: Scalar) -> tuple[Scalar, Scalar]:
        found = self._asked.family.bounds(
            scaled_graph(self._asked.graph, highest(x)), self._active[group]
        )
        assert found.error is not None  # noqa: S101 - a family that refuses was refused before
        assert found.bias is not None  # noqa: S101 - the same
        return found.error.value, found.bias.value


def times(levels: Levels, x: Scalar) -> Levels:
    """Every level times x: E‖xδ‖⁴ = x⁴ E‖δ‖⁴."""
    return replace(
        levels,
        e=tuple(value * x for value in levels.e),
        m=tuple(value * x for value in levels.m),
        q=tuple(None if value is None else value * x**4 for value in levels.q),
        eps=tuple(value * x for value in levels.eps),
        n=tuple(value * x for value in levels.n),
    )


def scaled_graph(graph: OperatorGraph, factor: Fraction) -> OperatorGraph:
    """The graph with its perturbations times a factor."""
    return with_perturbations(graph, [scaled(p, factor) for p in graph.perturbations])


def largest_scale(inverter: Inverter) -> tuple[Number | None, Number | None, str | None]:
    """The factor, the bound at it, and what is to be said where there is none.

    Some ten evaluations of the bound, O(N + slot pairs) each.

    Raises
    ------
    SpecError
        If the family has no bound for the spec's perturbations, such as one without fourth
        moments.
    """
    asked: Question = inverter.asked
    graph = asked.graph
    if not graph.perturbations:
        return None, None, "the spec perturbs nothing, so that there is nothing to scale"
    as_given = asked.bound(graph)  # refuses what the family cannot bound
    groups, active = timed(graph, graph.spec.training.horizon)  # type: ignore[union-attr]
    scene = ScaledScene(inverter, groups, active)
    lever = Lever("forward", 1, alone, biased=True)
    found = inverter.one(scene, lever)
    if found.size is None:
        return None, as_given, "any common factor of the perturbations is admissible"
    factor = Number(found.size, found.status, limit=True)
    note = None
    if found.size == 0:
        note = "no common factor is admissible: the bound jumps as soon as anything is perturbed"
    return factor, asked.bound(scaled_graph(graph, found.size)), note
