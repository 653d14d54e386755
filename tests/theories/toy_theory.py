"""A theory with nothing in it but numbers that a test can choose."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from boundcalc.arithmetic import Number, Status
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Maths
from boundcalc.simulate.statistics import mean_interval
from boundcalc.spec.fields import Frozen, Size
from boundcalc.theories.base import Options, Theory, Verb
from boundcalc.theories.registry import THEORIES
from boundcalc.theories.runs import TheoryRun, run_answer
from boundcalc.theories.statements import quantity_answer, statement_answer
from boundcalc.theories.values import (
    Answer,
    Assumption,
    Citation,
    Composition,
    Drawn,
    Quantity,
    Statement,
)
from boundcalc.theories.verdicts import Claim, judged, verdict_answer

TEXT = """
version: 1
name: a toy & its <name>
theory: toy
toy: {size: 1/2}
graph: {operators: [{id: f}, {id: g}]}
simulation: {data: {points: [[0]]}, replicas: 2}
budget: {target: 1}
"""


def proved(value: Fraction | int, *, limit: bool = False) -> Number:
    return Number(Fraction(value), Status.PROVED, limit=limit)


class ToySection(Frozen):
    size: Size


class Toy(Theory):
    """All answers are given."""

    name = "toy"
    title = "A toy"
    summary = "Nothing but numbers."
    citations = (Citation("T", "A. Toymaker, Toys 1", "@misc{T, note = {toys}}"),)
    section = ToySection
    lenient = True
    compositions = (Composition("perturbed", "both errors add", "Theorem 1"),)

    def __init__(self, *, bound: int | None = 2, broken: Verb | None = None) -> None:
        self.limit = bound
        self.broken = broken

    def _check(self, verb: Verb) -> None:
        if verb == self.broken:
            raise SpecError(f"{verb} lacks a number", where="toy.size")

    def accepts(self, graph: OperatorGraph) -> None:
        if not graph.is_chain:
            raise SpecError("not a chain", where="graph.operators")

    def assumptions(self, graph: OperatorGraph) -> tuple[Assumption, ...]:
        return (Assumption("T1", "toys are small", "1/2", proved(Fraction(1, 2)), "stated"),)

    def compile(self, graph: OperatorGraph) -> Answer:
        self._check("compile")
        return quantity_answer(
            [Quantity("size", Maths("s"), "how large", proved(1), "it is small")]
        )

    def rate(self, graph: OperatorGraph) -> Answer:
        self._check("rate")
        bound = None if self.limit is None else proved(self.limit)
        found = Statement(
            key="toys",
            title="toys",
            quantity=r"\lVert x\rVert",
            formula=r"\frac{1}{s}",
            bound=bound,
            terms={"first_part": proved(1)},
            constants={"c0": proved(48), "c1": None},
            step_size_limit=proved(Fraction(1, 3), limit=True),
            refused="" if bound else "there is `no` toy",
            source="[T], Theorem 2",
            conditions=(("the ", Maths("x"), " is real"),),
        )
        return statement_answer("toy", [found])

    def budget(self, graph: OperatorGraph) -> Answer:
        self._check("budget")
        return quantity_answer(
            [Quantity("most", Maths("m"), "at most", None, "nothing is allowed")]
        )

    def simulate(self, graph: OperatorGraph, options: Options) -> Answer:
        self._check("simulate")
        options.report(1, 1)
        metrics = {"norm": mean_interval(np.array([1.0, 1.0, 1.0]), 0.999)}
        series = {"norm": np.array([[1.0, 3.0], [2.0, np.inf]])}
        return run_answer(
            TheoryRun(metrics, 7, 2, 3, 0.5, 0.999, at=np.array([0.0, 2.0]), series=series)
        )

    def verify(self, graph: OperatorGraph, options: Options, run: Answer | None = None) -> Answer:
        self._check("verify")
        made: TheoryRun = (run or self.simulate(graph, options)).value
        claims = [Claim("norm", "toys", proved(self.limit or 0), made.metrics["norm"])]
        return verdict_answer(judged(claims, made, [("other", "toys", "nobody asked")]))

    def figures(
        self, graph: OperatorGraph, answers: Mapping[Verb, Answer], folder: Path
    ) -> tuple[Drawn, ...]:
        for end in ("pdf", "png"):
            (folder / f"toy.{end}").write_bytes(b"")
        return (Drawn("toy", "Simulation", "toys over time", "A curve."),)


def registry(toy: Toy | None = None) -> dict[str, Any]:
    return {**THEORIES, "toy": toy or Toy()}
