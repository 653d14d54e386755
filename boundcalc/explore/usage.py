"""Where a spec uses its symbols: what may move, and what numbers were computed from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from boundcalc.errors import ExpressionError
from boundcalc.perturbations import DISTRIBUTIONS
from boundcalc.spec.expressions import Expression
from boundcalc.spec.grammar import parse
from boundcalc.spec.model import PerturbationSection, Spec
from boundcalc.spec.sections import OperatorSection

#: Parameters of laws that scale or shift a draw without a condition on other parameters.
_FREE = frozenset({"half_width", "std", "magnitude", "center", "value"})


def fixed_symbols(spec: Spec) -> dict[str, str]:
    """Symbols that cannot move, with the reason: something else was computed from their values.

    A symbol may move that enters constants, moments of perturbations, the objective and the
    step size only: these stay expressions in a built graph.

    >>> from boundcalc import load
    >>> from boundcalc.resources import example
    >>> fixed_symbols(load(example("resnet-blocks")))
    {'blocks': 'the number of operators depends on it'}
    >>> fixed_symbols(load(example("logistic-nonconvex")))
    {}
    """
    found: dict[str, str] = {}
    for name, reason in _uses(spec):
        found.setdefault(name, reason)
    return {name: found[name] for name in spec.symbols if name in found}


def _uses(spec: Spec) -> Iterator[tuple[str, str]]:
    for section in _operators(spec.graph.operators):
        if isinstance(section.repeat, str):
            yield section.repeat, "the number of operators depends on it"
    for section in _operators(spec.graph.operators):
        for part, words in (
            (section.parameters, "is a parameter of an operator of the library"),
            (section.region, "is in a region, on which constants were computed"),
            (section.initial, "is in the initial weights"),
        ):
            for name in symbols_of(part):
                yield name, f"it {words}"
    for name in (*symbols_of(spec.graph.input), *symbols_of(spec.graph.margin)):
        yield name, "it says where the data lie"
    for perturbation in spec.perturbations:
        yield from _of_perturbation(perturbation)
    if spec.simulation is not None:
        for name in symbols_of(spec.simulation.data):
            yield name, "the data depend on it"


def _of_perturbation(section: PerturbationSection) -> Iterator[tuple[str, str]]:
    for name in symbols_of(section.reach):
        yield name, "it says where a transformed value lies"
    if section.probability is not None:
        for name in section.probability.symbols:
            yield name, "it is in a probability"
    law = section.model in DISTRIBUTIONS
    for key, value in section.parameters.items():
        if not (law and key in _FREE):
            for name in symbols_of(value):
                yield name, f"it is in `{key}` of a perturbation model"


def _operators(sections: list[OperatorSection]) -> Iterator[OperatorSection]:
    for section in sections:
        yield section
        yield from _operators(section.block or [])


def symbols_of(value: Any) -> frozenset[str]:
    """Every symbol in a section, or in data that hold texts of expressions."""
    if isinstance(value, Expression):
        return value.symbols
    if isinstance(value, BaseModel):
        return frozenset().union(*(symbols_of(inner) for inner in value.__dict__.values()))
    if isinstance(value, dict):
        return frozenset().union(*(symbols_of(inner) for inner in value.values()))
    if isinstance(value, list | tuple):
        return frozenset().union(*(symbols_of(inner) for inner in value))
    if isinstance(value, str):
        try:
            return parse(value).symbols
        except ExpressionError:
            return frozenset()
    return frozenset()
