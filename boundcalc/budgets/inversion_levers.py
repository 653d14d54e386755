"""One perturbation's size as the only variable, everything else as it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from boundcalc.arithmetic import WIDE, Arithmetic, Scalar
from boundcalc.budgets.inversion_groups import Groups
from boundcalc.budgets.inversion_moments import PLAIN, Moments
from boundcalc.graph import OperatorGraph
from boundcalc.graph.numbers import Levels
from boundcalc.perturbations.dependence import Dependence


@dataclass(frozen=True)
class Lever:
    """A perturbation of variable size at one site.

    Attributes
    ----------
    direction, index
        The site: an operator, or an edge.
    moments
        ``(kind, x)`` → √E‖·‖², the size of the mean, and (E‖·‖⁴)^(1/4), nondecreasing in x.
    biased
        Whether the mean is positive for x > 0.
    dependence
        Of a forward perturbation on those before it.
    """

    direction: Literal["forward", "backward"]
    index: int
    moments: Callable[[Arithmetic, Scalar], tuple[Scalar, Scalar, Scalar]]
    biased: bool
    dependence: Dependence = Dependence.ANY


class Scene:
    """Everything but the lever: groups of steps, and the levels in each without its site's.

    Parameters
    ----------
    base
        ``(kind, group)`` → levels.
    on
        By group: whether the lever acts.
    lone
        Whether nothing else is perturbed.
    """

    def __init__(
        self,
        groups: Groups,
        base: Callable[[Arithmetic, int], Levels],
        on: Sequence[bool],
        moments: Moments,
        *,
        lone: bool,
    ) -> None:
        self.groups, self.on, self._lone = groups, tuple(on), lone
        self._base, self._moments = base, moments
        self._known: dict[tuple[str, int], Levels] = {}
        self._means: dict[int, tuple[frozenset[int], frozenset[int]]] = {}

    def sizes(self, kind: Arithmetic, lever: Lever, x: Scalar) -> list[tuple[Scalar, Scalar]]:
        """Error and bias by group at one size."""
        found = []
        for group in range(len(self.on)):
            levels = self._with(kind, group, lever, x)
            forward, backward = levels.forward_centred, levels.backward_centred
            found.append(self._moments(kind, levels, forward=forward, backward=backward))
        return found

    def form(self, lever: Lever) -> tuple[tuple[bool, bool], ...]:
        """By group: whether the forward, the backward means are all zero for x > 0."""
        return tuple(self._centred(lever, group) for group in range(len(self.on)))

    def many(self, levers: Sequence[Lever], x: np.ndarray[Any, Any]) -> list[tuple[Any, Any]]:
        """The same for several levers of one :meth:`form`, each at its own size, as arrays.

        What depends on which perturbations vanish (the refinements for independent ones) is
        taken as where all levers act at once: an upper bound of the single ones.  A single
        perturbation is as good as independent of those before it, for there are none.
        """
        values = [lever.moments(PLAIN, size) for lever, size in zip(levers, x, strict=True)]
        found = []
        for group, (forward, backward) in enumerate(self.form(levers[0])):
            levels = self._levels(PLAIN, group)
            columns = {name: list(getattr(levels, name)) for name in ("e", "m", "q", "eps", "n")}
            dependence = list(levels.dependence or [])
            for j, (lever, (e, m, fourth)) in enumerate(zip(levers, values, strict=True)):
                own = (e, m, fourth**4) if self.on[group] else (0.0, 0.0, 0.0)
                names = ("e", "m", "q") if lever.direction == "forward" else ("eps", "n")
                for name, value in zip(names, own, strict=False):
                    column = columns[name]
                    if not isinstance(column[lever.index], np.ndarray):
                        column[lever.index] = np.full(
                            len(levers), float(column[lever.index] or 0.0)
                        )
                    column[lever.index][j] = value
                if dependence and not self._lone and lever.direction == "forward":
                    weakest = min(dependence[lever.index], lever.dependence)
                    dependence[lever.index] = weakest
            made = Levels(
                **{name: tuple(column) for name, column in columns.items()},
                dependence=tuple(dependence) or None,
            )
            found.append(self._moments(PLAIN, made, forward=forward, backward=backward))
        return found

    def _levels(self, kind: Arithmetic, group: int) -> Levels:
        key = (kind.name, group)
        if key not in self._known:
            self._known[key] = self._base(kind, group)
        return self._known[key]

    def _with(self, kind: Arithmetic, group: int, lever: Lever, x: Scalar) -> Levels:
        zero = kind.number(0)
        e, m, fourth = lever.moments(kind, x) if self.on[group] else (zero, zero, zero)
        return replaced(self._levels(kind, group), lever, e, m, fourth)

    def _centred(self, lever: Lever, group: int) -> tuple[bool, bool]:
        if group not in self._means:
            # Not in float64, where a size may be out of range and a mean may vanish.
            levels = self._levels(WIDE, group)
            size = len(levels.e) - 1
            self._means[group] = (
                frozenset(i for i in range(1, size) if levels.m[i] != 0),
                frozenset(i for i in range(2, len(levels.n)) if levels.n[i] != 0),
            )
        forward, backward = self._means[group]
        biased = lever.biased and self.on[group]
        if lever.direction == "forward":
            return not (forward - {lever.index}) and not biased, not backward
        return not forward, not (backward - {lever.index}) and not biased


def replaced(levels: Levels, lever: Lever, e: Scalar, m: Scalar, fourth: Scalar) -> Levels:
    """The levels with those of the lever's site replaced."""

    def at(column: tuple[Scalar, ...], value: Scalar) -> tuple[Scalar, ...]:
        return (*column[: lever.index], value, *column[lever.index + 1 :])

    if lever.direction == "backward":
        return replace(levels, eps=at(levels.eps, e), n=at(levels.n, m))
    dependence = levels.dependence
    if dependence is not None:
        dependence = at(dependence, lever.dependence)
    return replace(
        levels,
        e=at(levels.e, e),
        m=at(levels.m, m),
        q=at(levels.q, None if fourth is None else fourth**4),
        dependence=dependence,
    )


def silent(graph: OperatorGraph, kind: Arithmetic) -> Levels:
    """No perturbations."""
    zero = kind.number(0)
    nodes, edges = (zero,) * (graph.size + 1), (zero,) * len(graph.ends)
    independent = (Dependence.INDEPENDENT,) * (graph.size + 1)
    return Levels(nodes, nodes, nodes, edges, edges, independent)


def alone(kind: Arithmetic, x: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """Mean zero, fourth moment as small as it can be."""
    return x, kind.number(0), x


def shift(kind: Arithmetic, x: Scalar) -> tuple[Scalar, Scalar, Scalar]:
    """A deterministic shift: mean, rms and fourth moment agree."""
    del kind
    return x, x, x
