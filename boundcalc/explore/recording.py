"""A graph's bounds as programs in the symbols of its template.

What runs here are the recurrences of :mod:`boundcalc.theories.perturbed`, as the ordinary
calculation runs them, on numbers that write down what is done with them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from boundcalc.arithmetic import WIDE, Scalar
from boundcalc.arithmetic.outputs import Outputs, RangeError, in_range, outputs
from boundcalc.arithmetic.tape import Recorded, Tape
from boundcalc.explore.moments import centred
from boundcalc.explore.usage import symbols_of
from boundcalc.graph import OperatorGraph
from boundcalc.graph.numbers import Levels
from boundcalc.rates.inputs import problem_in
from boundcalc.theories.perturbed import sharp, sums
from boundcalc.theories.perturbed.families import FAST_OPERATORS, Family, Sharp
from boundcalc.theories.perturbed.refinements import ON_ALL_PASSES, Choice

#: A number, the position of a program's result as a list of one, or nothing.
Entry: TypeAlias = float | list[int] | None


def rounded(value: Scalar) -> float:
    """A constant in float64.

    Raises
    ------
    RangeError
        If float64 cannot hold it with all its bits.
    """
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not in_range(found) or (found == 0 and value != 0):
        raise RangeError("a number is outside float64's range")
    return found


@dataclass
class Recorder:
    """A tape with the graph's constants on it, and the results of one program after the other.

    Parameters
    ----------
    graph
        The template's graph.
    live
        Symbols that are inputs.
    """

    graph: OperatorGraph
    live: Sequence[str]
    tape: Tape = field(default_factory=lambda: Tape(WIDE))
    results: list[Scalar] = field(default_factory=list)
    constants_move: bool = field(init=False)
    _levels: dict[tuple[int, ...], Levels] = field(default_factory=dict)

    def __post_init__(self) -> None:
        graph, tape = self.graph, self.tape
        for name in self.live:
            tape.named(name)
        known = {name: value for name, value in graph.symbols.items() if name not in tape.symbols}
        self.graph = replace(graph, symbols=known, perturbations=centred(graph))
        self.constants_move = constants_move(self.graph, self.live)
        with tape.signed():
            # Expressions of the spec may subtract; what they stand for is a size.
            self.graph.graph_constants(tape)
            if self.graph.is_smooth_chain:
                self.graph.chain_constants(tape)
                for corrected in (False, True):
                    self.graph.uniform_constants(tape, corrected=corrected)

    def keep(self, result: Scalar) -> Entry:
        """What stands for a number in a model: itself, or the place of a result in a list."""
        if result is None:
            return None
        if not isinstance(result, Recorded):
            return rounded(result)
        self.results.append(result)
        return [len(self.results) - 1]

    def finished(self) -> Outputs | None:
        """The program of the results since the last one; None where all are numbers."""
        results, self.results = self.results, []
        return outputs(self.tape, results) if results else None

    def levels(self, active: Iterable[int]) -> Levels:
        """The levels while some perturbations act."""
        key = tuple(active)
        if key not in self._levels:
            with self.tape.signed():
                self._levels[key] = self.graph.levels(self.tape, key)
        return self._levels[key]

    def moments(self, family: Family, active: Iterable[int]) -> tuple[Scalar, Scalar | None]:
        """Bounds on E‖ũ − u‖² and ‖E[ũ − u]‖², as :meth:`Family.best_bounds` has them."""
        graph, tape, active = self.graph, self.tape, list(active)
        levels = self.levels(active)
        if not (self.constants_move or _moving(levels)):
            bounds = family.best_bounds(graph, active)
            assert bounds.error is not None  # noqa: S101 - the family covers the graph
            return bounds.error.value, None if bounds.bias is None else bounds.bias.value
        if not isinstance(family, Sharp):
            columns = family.coefficients(graph, tape)
            return sums.error_bound(columns, levels, tape), sums.bias_bound(columns, levels, tape)
        # Graphs that are large do without the same refinements as in compiled floating point.
        few = graph.sampled or graph.size > FAST_OPERATORS
        allowed = family.refinements - ON_ALL_PASSES if few else family.refinements
        choice = Choice(tape, allowed)
        constants = graph.graph_constants(tape)
        second = sharp.centred(
            constants,
            levels,
            tape,
            forward=levels.forward_centred,
            backward=levels.backward_centred,
            choice=choice,
        )
        return second.total(), sharp.means(constants, levels, second, tape, choice=choice).total()


def constants_move(graph: OperatorGraph, live: Sequence[str]) -> bool:
    """Whether a constant of some operator depends on symbols that are inputs."""
    inputs = frozenset(live)
    stated = symbols_of(graph.uniform or {})
    seen = {id(node.constants): node.constants for node in graph.nodes}
    for constants in seen.values():
        for value in vars(constants).values():
            stated |= symbols_of(value)
        for slot in constants.slots:
            stated |= symbols_of(vars(slot))
    return not inputs.isdisjoint(stated)


def _moving(levels: Levels) -> bool:
    every = (levels.e, levels.m, levels.q, levels.eps, levels.n)
    return any(isinstance(x, Recorded) for column in every for x in column)


def problem_numbers(recorder: Recorder) -> dict[str, Entry]:
    """The objective's constants and the step size, as results."""
    with recorder.tape.signed():
        p = problem_in(recorder.graph, recorder.tape)
    named = {"L": p.L, "mu": p.mu, "gap": p.gap, "sigma": p.sigma, "step": p.step}
    return {key: recorder.keep(x) for key, x in named.items()}


def guards(recorder: Recorder) -> list[dict[str, Any]]:
    """What must not be negative for the spec to make sense, as results with a message."""
    found = []
    tape = recorder.tape
    with tape.signed():
        values = recorder.graph.values(tape)
        for p in recorder.graph.perturbations:
            sides = [(p.mean, p.rms, "mean", "rms"), (p.rms, p.fourth, "rms", "fourth")]
            for low, high, x, y in sides:
                if low is None or high is None or low.symbols == high.symbols:
                    continue
                difference = high.evaluate(tape, values) - low.evaluate(tape, values)
                message = f"{p.where}: {x} is larger than {y}"
                found.append({"at": recorder.keep(difference), "message": message})
    return found
