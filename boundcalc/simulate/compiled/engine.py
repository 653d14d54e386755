"""The compiled engine: blocks of replicas run by a program in C made for one graph."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import numpy.typing as npt

from boundcalc.errors import SimulationError
from boundcalc.operators.base import Array
from boundcalc.simulate.compiled.build import compiler, library
from boundcalc.simulate.compiled.source import Source, make_source
from boundcalc.simulate.runner import Out, Runner
from boundcalc.simulate.settings import Problem
from boundcalc.simulate.train import MakeRunner
from boundcalc.simulate.transforms import Replacement

_HANDED = 2_000_000  # random numbers drawn in Python and handed over at once
_TOGETHER = 8  # at least STREAMS of c/random.h
_PENALTIES = {"none": 0, "squared": 1, "nonconvex": 2}

_INTEGERS = ("replicas", "samples", "batch", "every", "stride", "penalty", "optimizer", "seen")
_DOUBLES = ("step_size", "noise_std", "strength", "clip")
_POINTERS = (
    *("features", "labels", "row_features", "row_labels", "parameters", "kept", "laws"),
    *("noise", "rows", "active", "streams", "w", "states", "gradient"),
    *("before_w", "before_gradient", "memory", "shared", "drawn", "work", "loss", "norm"),
    *("reach", "met", "misfit", "parts", "centers", "weight_reach"),
)


class RunFields(ctypes.Structure):
    """``Run`` of c/run.h."""

    _fields_ = (
        *((name, ctypes.c_int64) for name in _INTEGERS),
        *((name, ctypes.c_double) for name in _DOUBLES),
        ("optimizer_parameters", ctypes.c_double * 4),
        ("secant", ctypes.c_double),
        *((name, ctypes.c_void_p) for name in _POINTERS),
    )


def compiled_runner(problem: Problem) -> MakeRunner | str:
    """What makes compiled runners for a problem, or why it cannot be compiled.

    Raises
    ------
    SimulationError
        If the compiler fails.
    """
    if compiler() is None:
        return "there is no C compiler"
    width = problem.features.shape[1]
    source = make_source(
        problem.program, problem.noise, problem.values, width, problem.settings.dtype
    )
    if isinstance(source, str):
        return source
    if problem.settings.batch is not None and any(source.remembers):
        return "transforms with memory are not compiled for minibatches"
    loaded = library(source.text, source.extra)
    for name, count in (("advance", 2), ("record", 1), ("see_weights", 0)):
        function = getattr(loaded, name)
        function.argtypes = (ctypes.POINTER(RunFields), *(ctypes.c_int64,) * count)
        function.restype = None
    shared = _Data(problem, source)

    def make(problem: Problem, replicas: range, out: Out) -> Runner:
        return CompiledRunner(problem, replicas, out, loaded, source, shared)

    return make


class _Data:
    """The samples and the constants as the source reads them; the same for all blocks."""

    def __init__(self, problem: Problem, source: Source) -> None:
        dtype = problem.settings.dtype
        self.row_features = np.ascontiguousarray(problem.features, dtype=dtype)
        self.row_labels = np.ascontiguousarray(problem.labels, dtype=dtype)
        self.features = blocked(self.row_features, source.lanes)
        self.labels = blocked(self.row_labels[:, None], source.lanes)
        self.parameters = source.parameters.astype(dtype)
        self.laws = source.laws
        self.kept = source.kept.astype(dtype)


def blocked(rows: Array, lanes: int) -> Array:
    """Rows ``(M, d)`` as ``(blocks, d, lanes)``; the last block is filled with the last row.

    >>> blocked(np.array([[1.0], [2.0], [3.0]]), 2).tolist()
    [[[1.0, 2.0]], [[3.0, 3.0]]]
    """
    missing = -len(rows) % lanes
    whole = np.concatenate([rows, np.repeat(rows[-1:], missing, axis=0)])
    blocks = whole.reshape(-1, lanes, rows.shape[1])
    return np.ascontiguousarray(blocks.transpose(0, 2, 1))


class CompiledRunner(Runner):
    """A block of replicas run by compiled code; the interpreter's lock is free meanwhile.

    O(R·M) a step for each operator.  Working memory is that of one block of samples, plus O(R·M)
    for transforms with memory.
    """

    def __init__(
        self,
        problem: Problem,
        replicas: range,
        out: Out,
        loaded: ctypes.CDLL,
        source: Source,
        data: _Data,
    ) -> None:
        super().__init__(problem, replicas, out)
        self._draws = source.draws
        self._library, self._kept = loaded, dict[str, npt.NDArray[Any]]()
        self._fields, settings = RunFields(), problem.settings
        program, count, dtype = problem.program, len(replicas), settings.dtype
        integers = {
            "replicas": count,
            "samples": len(problem.features),
            "batch": settings.batch or 0,
            "every": settings.record_every,
            "stride": settings.replicas,
            "penalty": _PENALTIES[program.regulariser.kind],
            "optimizer": settings.optimizer.code,
            "seen": 0,
            "step_size": settings.step_size,
            "noise_std": settings.noise_std,
            "strength": program.strength,
            "clip": settings.clip or 0.0,
            "secant": 0.0,
        }
        for name, value in integers.items():
            setattr(self._fields, name, value)
        for index, number in enumerate(settings.optimizer.parameters):
            self._fields.optimizer_parameters[index] = number
        for name in ("features", "labels", "row_features", "row_labels"):
            self._hand(name, getattr(data, name))
        for name in ("parameters", "laws", "kept"):
            self._hand(name, getattr(data, name))
        weights = program.weights
        self._hand("w", self.w)
        self._hand("states", self.states)
        for name in ("gradient", "before_w", "before_gradient"):
            self._hand(name, np.zeros((count, weights), dtype=dtype))
        self._hand("streams", self._states_of_streams())
        self._hand("shared", np.zeros((count, source.shared), dtype=dtype))
        drawn = (_TOGETHER, source.drawn, source.lanes)
        self._hand("drawn", np.zeros(drawn, dtype=dtype))
        spare = source.rows + problem.features.shape[1] + 1
        self._hand("work", np.zeros((spare, source.lanes), dtype=dtype))
        size = sum(source.remembers) * count * len(problem.features)
        self._hand("memory", np.zeros(size, dtype=dtype))
        self._hand("loss", out.loss[:, replicas.start :], view=True)
        self._hand("norm", out.gradient_norm[:, replicas.start :], view=True)
        self._hand_reaches()

    def advance(self, stop: int) -> None:
        """Do the steps t .. stop − 1."""
        settings = self.problem.settings
        each = len(self.w) * max(settings.batch or 0, self.w.shape[1] if settings.noise_std else 0)
        limit = max(1, _HANDED // max(1, each))
        while self.t < stop:
            until = min(stop, self.t + limit)
            self._hand_draws(until - self.t)
            self._library.advance(ctypes.byref(self._fields), self.t, until)
            self.t = until
            self._refuse_misfits()

    def finish(self) -> None:
        """Record the weights after the last step, and take over what was measured."""
        index = self.problem.settings.records - 1
        self._library.record(ctypes.byref(self._fields), index)
        self._library.see_weights(ctypes.byref(self._fields))
        self.secant.largest = self._fields.secant
        reach = self._kept["reach"]
        if self.problem.settings.track_inputs:
            self.input_reach.norm = np.sqrt(reach[:, 0])  # something was met at every place
            self.input_reach.low, self.input_reach.high = reach[:, 1], reach[:, 2]
        weights = np.sqrt(self._kept["weight_reach"])
        for row, (number, (_, center)) in zip(
            weights, self.problem.program.centers.items(), strict=True
        ):
            self.weight_reach.norm[number] = float(row[0])
            if center is not None:
                self.weight_reach.change[number] = float(row[1])
        for row, sampler in zip(self._kept["met"], self.noise.samplers, strict=True):
            if isinstance(sampler, Replacement):
                met = sampler.met
                met.low, met.high = float(row[1]), float(row[2])
                met.norm = float(row[0] if row[0] < 0 else np.sqrt(row[0]))

    def _refuse_misfits(self) -> None:
        """Raise what the NumPy transforms raise at a value that they cannot take."""
        for value, draw in zip(self._kept["misfit"], self._draws, strict=True):
            if draw.refusal is not None and not np.isnan(value):
                raise draw.refusal(float(value))

    def _hand(self, name: str, array: npt.NDArray[Any], *, view: bool = False) -> None:
        """Give C an array, which must live as long as the runner."""
        if not (view or array.flags.c_contiguous):
            raise SimulationError("an array for the compiled engine is not contiguous", value=name)
        self._kept[name] = array
        setattr(self._fields, name, array.ctypes.data)

    def _hand_reaches(self) -> None:
        program = self.problem.program
        empty = [-np.inf, np.inf, -np.inf]
        self._hand("reach", np.array([empty] * len(program.claims)).reshape(-1, 3))
        if not self.problem.settings.track_inputs:
            self._fields.reach = None
        self._hand("met", np.array([empty] * len(self.noise.perturbations)).reshape(-1, 3))
        self._hand("misfit", np.full(len(self.noise.perturbations), np.nan))
        parts, centers = [], np.zeros((len(program.centers), program.weights))
        for row, (part, center) in zip(centers, program.centers.values(), strict=True):
            parts.append([part.start, part.stop, int(center is not None)])
            if center is not None:
                row[part] = center
        self._hand("parts", np.array(parts, dtype=np.int64).reshape(-1, 3))
        self._hand("centers", centers)
        self._hand("weight_reach", np.zeros((len(program.centers), 2)))

    def _hand_draws(self, steps: int) -> None:
        """Which perturbations act in the next steps, and what is drawn for them in Python."""
        settings, weights = self.problem.settings, self.w.shape[1]
        active = self.noise.active(self.t, self.t + steps, settings.horizon)
        self._hand("active", np.ascontiguousarray(active, dtype=np.uint8))
        if settings.batch is not None:
            count, samples = settings.batch, len(self.problem.features)
            drawn = [
                np.stack([g.integers(samples, size=count) for _ in range(steps)])
                for g in self.sampling
            ]
            self._hand("rows", np.ascontiguousarray(np.stack(drawn, axis=1)))
        if settings.noise_std:
            normal = [g.standard_normal((steps, weights)) for g in self.sampling]
            self._hand("noise", np.ascontiguousarray(np.stack(normal, axis=1)))

    def _states_of_streams(self) -> npt.NDArray[np.uint64]:
        """``(R, perturbations, 2, 4)``: the states of all generators, values before events."""
        count = len(self.noise.perturbations)
        found = np.zeros((len(self.w), count, 2, 4), dtype=np.uint64)
        for kind, generators in enumerate((self.streams.values, self.streams.events)):
            for position, row in enumerate(generators):
                for r, generator in enumerate(row):
                    found[r, position, kind] = generator.bit_generator.state["state"]["state"]
        return found
