"""The optimizer of a spec as stochastic unified momentum (SUM)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph

#: Method of ``training.optimizer`` → s of SUM; None where the spec says it.
UNIFIED: dict[str, Fraction | None] = {
    "sgd": Fraction(1, 2),
    "heavy_ball": Fraction(0),
    "momentum": Fraction(0),
    "nesterov": Fraction(1),
    "unified_momentum": None,
}

_MOMENTUM = Fraction(9, 10)  # where the spec leaves it out, as the simulator has it
_UNIFIED_S = Fraction(1)


@dataclass(frozen=True)
class Method:
    """SUM: y⁺ = x − αg, yˢ⁺ = x − sαg, x⁺ = y⁺ + β(yˢ⁺ − yˢ), with yˢ = x before the first step.

    s = 0 is the heavy ball, s = 1 Nesterov's method, β = 0 plain SGD whatever s is.

    Attributes
    ----------
    beta, s
        β in [0, 1) and s ≥ 0.
    scale
        α = scale · ``training.step_size``: 1, but 1 − β for ``momentum``, whose average of
        gradients has total weight 1.
    """

    beta: Scalar
    s: Scalar
    scale: Scalar


def method_in(graph: OperatorGraph, kind: Arithmetic) -> Method:
    """The method of a spec in a number kind.

    Raises
    ------
    SpecError
        If β is 1 or more, so that no step is admissible.
    """
    training = graph.spec.training
    if training is None or training.optimizer.type == "sgd":
        half = kind.number(Fraction(1, 2))
        return Method(beta=kind.number(0), s=half, scale=kind.number(1))
    section, values = training.optimizer, graph.values(kind)

    def number(name: str, usual: Fraction) -> Scalar:
        stated = getattr(section, name, None)
        return kind.number(usual) if stated is None else stated.evaluate(kind, values)

    beta = number("momentum", _MOMENTUM)
    if not beta < 1:
        raise SpecError(
            "no step size is admissible for this momentum",
            where="training.optimizer.momentum",
            value=str(section.momentum),
            expected="β < 1: the limit of every theorem has the factor 1 − β",
            fix="choose a momentum below 1",
        )
    fixed = UNIFIED[section.type]
    s = number("s", _UNIFIED_S) if fixed is None else kind.number(fixed)
    averaged = section.type == "momentum"
    return Method(beta=beta, s=s, scale=1 - beta if averaged else kind.number(1))


def is_plain(graph: OperatorGraph) -> bool:
    """Whether the spec's training is SGD without momentum."""
    training = graph.spec.training
    return training is None or training.optimizer.type == "sgd"


def check_method(graph: OperatorGraph) -> None:
    """Refuse training that no statement here is about.

    Raises
    ------
    SpecError
        For an optimizer that is not SUM, and for clipping.
    """
    training = graph.spec.training
    if training is None:
        return
    if training.optimizer.type not in UNIFIED:
        raise SpecError(
            "staleness is bounded for SGD and stochastic unified momentum only",
            where="training.optimizer",
            value=training.optimizer.type,
            expected="one of " + ", ".join(UNIFIED),
            fix="choose one of these",
        )
    if training.clip is not None:
        raise SpecError(
            "the theorems are about gradients as they come; clipping shortens them",
            where="training.clip",
            value=str(training.clip),
            expected="no `clip`",
            fix="remove it",
        )
