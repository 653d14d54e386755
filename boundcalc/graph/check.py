"""Numbers that symbols had hidden: constants and levels must be ≥ 0, moments in order."""

from __future__ import annotations

from typing import Any

from boundcalc.arithmetic import WIDE
from boundcalc.errors import SpecError, SymbolError
from boundcalc.graph.model import OperatorGraph
from boundcalc.graph.parts import CONSTANT_NAMES, NoConstants


def check_numbers(graph: OperatorGraph) -> None:
    """Constants and levels must be numbers ≥ 0 once symbols have values."""
    values = graph.values(WIDE)

    def known(expression: Any, where: str) -> Any:
        try:
            value = expression.evaluate(WIDE, values)
        except SymbolError:
            return None
        except SpecError as error:
            raise error.located(where) from None
        if value < 0:
            raise SpecError(
                "a negative number",
                where=where,
                value=f"{expression} = {value}",
                expected="a number ≥ 0",
                fix="check the values under `symbols`",
            )
        return value

    for key, expression in (graph.uniform or {}).items():
        known(expression, f"graph.uniform.{key}")
    seen: set[int] = set()
    for node in graph.nodes:
        if id(node.constants) in seen or isinstance(node.constants, NoConstants):
            continue  # repeats share theirs
        seen.add(id(node.constants))
        for name in CONSTANT_NAMES:
            expression = getattr(node.constants, name)
            if expression is not None and id(expression) not in seen:
                seen.add(id(expression))
                known(expression, f"{node.where}.constants.{name}")
    training = graph.spec.training
    if training is not None and known(training.step_size, "training.step_size") == 0:
        raise SpecError(
            "a step size of 0",
            where="training.step_size",
            value=str(training.step_size),
            expected="a number > 0",
        )
    for key in ("smoothness", "pl", "initial_gap", "gradient_noise"):
        if (expression := getattr(graph.spec.loss, key)) is not None:
            known(expression, f"loss.{key}")
    for perturbation in graph.perturbations:
        where = perturbation.where
        if perturbation.probability is not None:
            p = known(perturbation.probability, f"{where}.probability")
            if p is not None and p > 1:
                raise SpecError(
                    "a probability above 1",
                    where=f"{where}.probability",
                    value=str(perturbation.probability),
                    expected="a number between 0 and 1",
                )
        if perturbation.rms is None or perturbation.mean is None:
            continue
        rms = known(perturbation.rms, f"{where}.rms")
        mean = known(perturbation.mean, f"{where}.mean")
        fourth = (
            None if perturbation.fourth is None else known(perturbation.fourth, f"{where}.fourth")
        )
        if mean is not None and rms is not None and mean > rms:
            raise _out_of_order("mean", perturbation.mean, "rms", perturbation.rms, where)
        if fourth is not None and rms is not None and rms > fourth:
            raise _out_of_order("rms", perturbation.rms, "fourth", perturbation.fourth, where)


def _out_of_order(low: str, x: Any, high: str, y: Any, where: str) -> SpecError:
    return SpecError(
        f"{low} is larger than {high}",
        where=f"{where}.{low}",
        value=f"{low} {x}, {high} {y}",
        expected="mean ≤ rms ≤ fourth, since ‖E δ‖ ≤ √E‖δ‖² ≤ (E‖δ‖⁴)^(1/4)",
        fix=f"lower `{low}` or raise `{high}`",
    )
