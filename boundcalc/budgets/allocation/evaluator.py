"""Bounds of many assignments of levels, in floating point."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import FLOATS, WIDE, Arithmetic, Scalar
from boundcalc.arithmetic.doubles import DOUBLES
from boundcalc.budgets.allocation.recording import Recording, coefficients, recorded
from boundcalc.budgets.question import Question
from boundcalc.graph import Site
from boundcalc.rates import statements, steps
from boundcalc.rates.bound import wide
from boundcalc.rates.inputs import limit_value, problem, problem_as
from boundcalc.rates.statements import Level

Array: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Levels of every site, ``(S,)``, or of several assignments, ``(P, S)``.

    Attributes
    ----------
    rms, mean, fourth
        √E‖·‖², the size of the mean, and (E‖·‖⁴)^{1/4}, which the sharp family does not use.
    """

    rms: Array
    mean: Array
    fourth: Array

    def of(self, rows: slice | int | npt.NDArray[np.intp]) -> Moments:
        """Some of the assignments."""
        return Moments(self.rms[rows], self.mean[rows], self.fourth[rows])


class Bounding(Protocol):
    """What a search for an assignment needs: bounds of many, in floating point."""

    def weight(self, levels: Moments) -> int:
        """How much work one bound is, in elementary operations."""

    def bound(self, levels: Moments) -> float:
        """The bound of one assignment."""

    def bounds(self, levels: Moments) -> Array:
        """The bounds of several assignments."""


@dataclass
class Evaluator:
    """The bound of a question as a function of the levels of its sites.

    Floating point; :meth:`~boundcalc.budgets.question.Question.admissible` decides in the end.
    A site whose levels are 0 is still taken as perturbed, which a bound with kinks notices.

    Parameters
    ----------
    asked
        The question; its graph's own perturbations are left out.
    sites
        Where there may be perturbations.
    kind
        ``DOUBLES``, or ``WIDE`` where constants leave the range of float64.
    step
        Of the training run; by default the spec's.
    """

    asked: Question
    sites: tuple[Site, ...]
    kind: Arithmetic = DOUBLES
    step: Scalar | None = None
    _recorded: dict[tuple[bool, bool], Recording] = field(default_factory=dict, repr=False)
    _numbers: list[Scalar] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        self._numbers = [self._number(c) for c in coefficients(self.asked)(self.step)]

    def _number(self, value: Scalar) -> Scalar:
        return value if self.kind is WIDE else float(value)

    def at(self, step: Scalar) -> Evaluator:
        """The same at another step; what was recorded stays."""
        return Evaluator(self.asked, self.sites, self.kind, step, self._recorded)

    def recording(self, levels: Moments) -> Recording:
        """The program for levels, by whether the passes have means."""
        key = self._key(levels)
        if key not in self._recorded:
            self._recorded[key] = recorded(
                self.asked,
                self.sites,
                forward_means=key[0],
                backward_means=key[1],
                kind=self.kind,
            )
        return self._recorded[key]

    def _key(self, levels: Moments) -> tuple[bool, bool]:
        moved = levels.mean != 0
        return bool(moved[..., self._forward].any()), bool(moved[..., ~self._forward].any())

    @cached_property
    def _forward(self) -> npt.NDArray[np.bool_]:
        return np.array([site.direction == "forward" for site in self.sites])

    def weight(self, levels: Moments) -> int:
        """Instructions that one bound takes."""
        return len(self.recording(levels).program)

    def inputs(self, levels: Moments, recording: Recording) -> list[Scalar]:
        """The program's inputs for one or several assignments."""
        columns = (
            *(levels.rms[..., j] for j in range(len(self.sites))),
            *(levels.mean[..., j] for j in recording.means),
            *(levels.fourth[..., j] for j in recording.fourths),
        )
        if levels.rms.ndim > 1:
            return [*columns, *self._numbers]
        made = WIDE.measured if self.kind is WIDE else float
        return [*(made(float(column)) for column in columns), *self._numbers]

    def bound(self, levels: Moments) -> float:
        """The bound of one assignment."""
        recording = self.recording(levels)
        return float(recording.program.value(self.inputs(levels, recording), self.kind))

    def frozen(self, levels: Moments) -> Evaluator:
        """Without minima: the sides that are taken at one assignment are taken everywhere.

        For assignments with means in the same passes; never below the bound itself.
        """
        recording = self.recording(levels)
        program = recording.program.frozen(self.inputs(levels, recording), self.kind)
        made = {self._key(levels): replace(recording, program=program)}
        return Evaluator(self.asked, self.sites, self.kind, self.step, made)

    def bounds(self, levels: Moments) -> Array:
        """The bounds of several assignments."""
        found = np.empty(len(levels.rms))
        for rows in self._alike(levels):
            part = levels.of(rows)
            recording = self.recording(part)
            used = recording.program
            if self.kind is WIDE:
                values = [
                    float(used.value(self.inputs(part.of(k), recording), WIDE))
                    for k in range(len(part.rms))
                ]
            else:
                values = used.value(self.inputs(part, recording), FLOATS)
            found[rows] = values
        return found

    def _alike(self, levels: Moments) -> list[npt.NDArray[np.intp]]:
        """Rows of assignments by which passes have means."""
        moved = levels.mean != 0
        code = moved[:, self._forward].any(axis=1) * 2 + moved[:, ~self._forward].any(axis=1)
        return [np.flatnonzero(code == value) for value in np.unique(code)]

    def best_step(self, levels: Moments) -> Scalar:
        """The step that a question with ``step_size: best`` takes for one assignment."""
        recording = self.recording(levels)
        inputs = self.inputs(levels, recording)[:-3]
        extra, bias = (
            wide(recording.program.value([*inputs, *self._units(k)], self.kind)) for k in (1, 2)
        )
        p = problem_as(problem(self.asked.graph), WIDE)
        descent = self.asked.family.descent
        if self.asked.regime == "nonconvex":
            level = Level(error=extra, bias=bias, unbiased=True)
            return statements.best_nonconvex_step(p, descent, [level], [WIDE.number(1)])

        at = coefficients(self.asked)

        def bound(step: Scalar) -> Scalar:
            c0, c1, c2 = at(step)
            return c0 + c1 * extra + c2 * bias

        limit = wide(limit_value(p, self.asked.family))
        return steps.search(bound, limit) or limit

    def _units(self, position: int) -> list[Scalar]:
        return [self._number(WIDE.number(int(k == position))) for k in range(3)]


def stacked(levels: Sequence[Moments]) -> Moments:
    """Several assignments as one array."""
    return Moments(
        np.stack([part.rms for part in levels]),
        np.stack([part.mean for part in levels]),
        np.stack([part.fourth for part in levels]),
    )
