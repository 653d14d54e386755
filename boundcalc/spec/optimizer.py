"""The spec's ``training.optimizer``: how a gradient becomes a step."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from boundcalc.errors import ExpressionError
from boundcalc.spec.expressions import Expression, rational
from boundcalc.spec.fields import Frozen, Positive, Size, custom_error, refusal

#: Method → the parameters that it reads.
PARAMETERS: dict[str, tuple[str, ...]] = {
    "sgd": (),
    "momentum": ("momentum",),
    "heavy_ball": ("momentum",),
    "nesterov": ("momentum",),
    "adam": ("beta1", "beta2", "epsilon"),
    "unified_momentum": ("momentum", "s"),
}


def _below_one(value: Expression) -> Expression:
    try:
        found = None if value.symbols else rational(value, {})
    except ExpressionError as error:
        raise refusal(error) from None
    if found is not None and found >= 1:
        raise custom_error(
            "a decay that is not below 1",
            "a number in [0, 1)",
            "with 1 no gradient would ever enter, or none would ever leave",
        )
    return value


#: How much of an average stays from one step to the next, in [0, 1).
Decay = Annotated[Size, AfterValidator(_below_one)]


class OptimizerSection(Frozen):
    """A method and its parameters; a name alone is that method with its usual parameters.

    ``sgd`` has none; ``momentum`` (averaged), ``heavy_ball`` and ``nesterov`` have ``momentum``,
    usually 0.9; ``unified_momentum`` has that and ``s``, usually 1: 0 is the heavy ball, 1 is
    Nesterov's method; ``adam`` has ``beta1``, ``beta2`` and ``epsilon``, usually 0.9, 0.999 and
    1e-8.
    """

    type: Literal["sgd", "momentum", "heavy_ball", "nesterov", "adam", "unified_momentum"]
    momentum: Decay | None = None
    s: Size | None = None
    beta1: Decay | None = None
    beta2: Decay | None = None
    epsilon: Positive | None = None

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """A name alone fits, too."""
        section = dict(handler(core_schema))
        text = section.pop("description")
        return {"description": text, "anyOf": [{"enum": list(PARAMETERS)}, section]}

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, raw: Any) -> Any:
        return {"type": raw} if isinstance(raw, str) else raw

    @model_validator(mode="after")
    def _only_its_own(self) -> Self:
        known = PARAMETERS[self.type]
        for key in sorted(self.model_fields_set - {"type", *known}):
            if getattr(self, key) is None:
                continue
            methods = " | ".join(name for name, keys in PARAMETERS.items() if key in keys)
            wanted = ", ".join(f"`{name}`" for name in known)
            raise custom_error(
                f"`{key}` is not a parameter of {self.type}",
                f"only {wanted}" if known else "no parameters",
                f"remove `{key}`, or use type: {methods}",
            )
        return self
