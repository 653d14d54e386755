"""Numbers that a spec states: constants, the objective and the training of a template."""

from __future__ import annotations

from typing import Any

from boundcalc.arithmetic import FLOATS
from boundcalc.explore.controls import Control
from boundcalc.explore.draft import Draft, is_zero, rational_text
from boundcalc.explore.usage import symbols_of
from boundcalc.spec.expressions import Expression
from boundcalc.spec.grammar import parse

#: Which constants a factor of its own has, in LaTeX and in words, by key of the spec.
CONSTANTS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "jac": (r"C_{\nabla f}", "Jacobians", ("jac", "jac_input", "jac_weight")),
    "lip": (r"L_f", "Lipschitz constants", ("lip", "lip_input")),
    "second": (
        r"L_{\nabla f}",
        "second derivatives",
        ("hess", "hess_op", "hess_input", "hess_mixed"),
    ),
    "third": (r"L_{\nabla^2 f}", "third derivatives", ("third", "third_input", "third_mixed")),
}

#: The objective's constants: LaTeX, words, and what stands in where the spec says nothing.
OBJECTIVE: dict[str, tuple[str, str, str | None]] = {
    "smoothness": ("L", "smoothness", "1"),
    "pl": (r"\mu", "PL constant", None),
    "initial_gap": (r"\Delta_0", "initial gap", "1"),
    "gradient_noise": (r"\sigma", "gradient noise", "0"),
}


def scale_constants(made: Draft) -> None:
    """Constants that the spec states, times a factor for all of one order."""
    graph = made.data["graph"]
    stated: set[str] = set()
    group = {key: name for name, (_, _, keys) in CONSTANTS.items() for key in keys}

    def times(value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {key: times(inner, name) for key, inner in value.items()}
        if is_zero(value):
            return value
        stated.add(name)
        return f"({value}) * {made.names(f'{name}_constants')}"

    def section(raw: dict[str, Any]) -> None:
        if "constants" in raw:
            raw["constants"] = {key: times(v, group[key]) for key, v in raw["constants"].items()}
        for inner in raw.get("block", []):
            section(inner)

    if "uniform" in graph:
        graph["uniform"] = {
            key: times(value, group[key]) for key, value in graph["uniform"].items()
        }
    for raw in graph["operators"]:
        section(raw)
    for name, (latex, words, _) in CONSTANTS.items():
        if name in stated:
            symbol = made.names(f"{name}_constants")
            control = Control(
                f"constants:{name}",
                "constants",
                f"all {words}, times",
                latex,
                1.0,
                0.25,
                4.0,
                "log",
                symbol,
                text="1",
            )
            made.add(control)


def free_objective(made: Draft) -> None:
    """Smoothness, PL constant, initial gap, gradient noise and batch."""
    loss = made.source.spec.loss
    raw = made.data.setdefault("loss", {})
    for key, (latex, words, assumed) in OBJECTIVE.items():
        expression: Expression | None = getattr(loss, key)
        note = ""
        if expression is None:
            if assumed is None:
                continue
            expression = parse(assumed)
            note = f"the spec has no loss.{key}: the page begins with {assumed}"
            made.notes.append(note)
        raw[key] = _valued(made, "objective", key, expression, words, latex, note)
    size = loss.batch
    raw["batch"] = size
    made.controls["batch"] = Control(
        "batch", "objective", "batch size", "M", size, 1, max(1024, 64 * size), "integer",
        ("loss", "batch"),
    )  # fmt: skip


def free_training(made: Draft) -> None:
    """Step size and horizon, as numbers of their own whatever they are in the spec."""
    training = made.source.spec.training
    raw = made.data.setdefault("training", {})
    if training is None:
        made.notes.append("the spec has no training: the page begins with step 1/10, horizon 1000")
    step = parse("1/10") if training is None else training.step_size
    value = float(step.evaluate(FLOATS, made.source.values(FLOATS)))
    smoothness = _number(made, "smoothness")
    low, high = min(value, 1 / smoothness) / 1e3, max(value, 1 / smoothness) * 4
    symbol, note = made.names("step_size"), ""
    text: float | str = step.source
    if step.symbols:
        text, note = value, f"the spec has {step.source}; here it moves by itself"
    control = Control(
        "step_size", "training", "step size", r"\gamma", value, low, high, "log", symbol, note,
        None if step.symbols else rational_text(step),
    )  # fmt: skip
    raw["step_size"] = made.add(control, text)
    horizon = 1000 if training is None else training.horizon
    raw["horizon"] = horizon
    made.controls["horizon"] = Control(
        "horizon", "training", "horizon", "T", horizon, 1,
        min(10**9, max(10**6, 100 * horizon)), "integer", ("training", "horizon"),
    )  # fmt: skip


def _number(made: Draft, key: str) -> float:
    expression = getattr(made.source.spec.loss, key)
    return (
        1.0
        if expression is None
        else float(expression.evaluate(FLOATS, made.source.values(FLOATS)))
    )


def _valued(
    made: Draft,
    group: Any,
    key: str,
    expression: Expression,
    words: str,
    latex: str,
    note: str,
) -> str:
    """The text of a quantity: a symbol with its value, or what it is in others times a factor."""
    symbol = made.names(key)
    if symbols_of(expression):
        control = Control(
            key, group, f"{words}, times", latex, 1.0, 1e-2, 1e2, "log", symbol, note, text="1"
        )
        made.add(control)
        return f"({expression.source}) * {symbol}"
    value = float(expression.evaluate(FLOATS))
    text = rational_text(expression)
    scale: Any = "log" if value else "linear"
    low, high = (value / 1e3, value * 1e3) if value else (0.0, 1.0)
    if key == "gradient_noise" and value:
        scale, low, high = "linear", 0.0, 4 * value
    control = Control(key, group, words, latex, value, low, high, scale, symbol, note, text)
    return made.add(control, expression.source)
