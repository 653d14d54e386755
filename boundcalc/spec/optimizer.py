"""The spec's ``training.optimizer``: how a gradient becomes a step."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import model_validator

from boundcalc.spec.fields import Frozen, Size


class OptimizerSection(Frozen):
    """A method and its parameters; a name alone is that method with its usual parameters."""

    type: Literal["sgd", "momentum", "heavy_ball", "nesterov", "adam"]
    momentum: Size | None = None
    beta1: Size | None = None
    beta2: Size | None = None
    epsilon: Size | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, raw: Any) -> Any:
        return {"type": raw} if isinstance(raw, str) else raw
