"""Questions about small graphs, and the bounds that plain specs have through ``rates``."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest

from boundcalc import build, load, loads
from boundcalc.budgets.question import Question, highest, question
from boundcalc.budgets.results import Allowance
from boundcalc.graph import OperatorGraph
from boundcalc.rates import rates
from boundcalc.rates import steps as search
from boundcalc.rates.rate import Rate
from boundcalc.resources import example
from boundcalc.spec.budget import BudgetSection
from boundcalc.theories.perturbed.families import FAMILIES

F = Fraction

#: Uniform constants that differ from each other, so that no two can be confused.
CONSTANTS = {"jac": "11/10", "lip": "6/5", "hess": "3/4", "hess_op": "4/5", "third": "1/2"}


#: Means are zero.
CENTRED = (
    "at: f.1, pass: forward, rms: 1/100, mean: 0, fourth: 1/50",
    "at: f.3, pass: backward, rms: 1/50, mean: 0",
)


@dataclass(frozen=True)
class Case:
    """A chain f.1 … f.N with perturbations as text, and what is asked."""

    size: int = 3
    perturbations: tuple[str, ...] = ()
    constants: dict[str, str] = field(default_factory=lambda: CONSTANTS)
    L: str = "1"
    mu: str | None = "1/10"
    gap: str = "1"
    sigma: str = "0"
    batch: int = 1
    step: str = "1/5"
    horizon: int = 20
    budget: str = "tolerance: 1/10"

    def text(self, perturbations: tuple[str, ...] | None = None, budget: bool = False) -> str:
        listed = self.perturbations if perturbations is None else perturbations
        pl = "" if self.mu is None else f"pl: {self.mu}, "
        lines = [
            "version: 1",
            "name: a case",
            "graph:",
            "  uniform: {" + ", ".join(f"{k}: {v}" for k, v in self.constants.items()) + "}",
            f"  operators: [{{id: f, repeat: {self.size}}}]",
            f"loss: {{smoothness: {self.L}, {pl}initial_gap: {self.gap}, "
            f"gradient_noise: {self.sigma}, batch: {self.batch}}}",
            f"training: {{step_size: {self.step}, horizon: {self.horizon}}}",
            *(["perturbations:", *(f"  - {{{item}}}" for item in listed)] if listed else []),
            *([f"budget: {{{self.budget}}}"] if budget else []),
        ]
        return "\n".join(lines) + "\n"

    def graph(self) -> OperatorGraph:
        return build(loads(self.text(budget=True)))

    def ask(self) -> Question:
        return question(self.graph())

    def asking(self, budget: str) -> Case:
        return replace(self, budget=budget)

    def rate(self, asked: Question, perturbations: tuple[str, ...]) -> Any:
        """The bound that :func:`boundcalc.rates` has for a spec with these perturbations."""
        best_nonconvex = asked.best and asked.regime == "nonconvex"
        case = replace(self, mu=None) if best_nonconvex else self
        found = rated(build(loads(case.text(perturbations))), asked)
        if asked.best:
            assert found.best_step is not None
            return found.best_step[1].value
        assert found.bound is not None, found.refused
        return found.bound.value


def rated(graph: OperatorGraph, asked: Question) -> Rate:
    """One family's rate; the search for a best step is cut short where it is not asked for."""
    name = asked.family.name
    with pytest.MonkeyPatch.context() as patch:
        if not asked.best or asked.regime == "nonconvex":
            patch.setattr(search, "_GRID", 3)
            patch.setattr(search, "_ROUNDS", 1)
        found: Rate = getattr(rates(graph, families={name: FAMILIES[name]}), asked.regime)[name]
    return found


def shipped(name: str, **budget: Any) -> Question:
    """The question of a shipped spec with a budget section added."""
    spec = load(example(name))
    section = BudgetSection.model_validate(budget)
    return question(build(spec.model_copy(update={"budget": section})))


def share(asked: Question, bound: Any) -> float:
    """(bound − unperturbed)/(target − unperturbed): 1 where the target is reached."""
    base = highest(asked.baseline.value)
    target = highest(asked.target.value)
    return float((highest(bound) - base) / (target - base))


def site_text(a: Allowance, rms: Fraction, mean: Fraction, fourth: Fraction | None = None) -> str:
    fourth = rms if fourth is None else fourth
    last = f", fourth: {fourth}" if a.direction == "forward" else ""
    return f"at: {a.label}, pass: {a.direction}, rms: {rms}, mean: {mean}{last}"


def alone_text(a: Allowance, value: Fraction) -> str:
    return site_text(a, value, value if a.quantity == "mean" else F(0))


def exactly(value: Any) -> Fraction:
    assert value is not None
    assert value.limit
    assert isinstance(value.value, Fraction)
    return value.value
