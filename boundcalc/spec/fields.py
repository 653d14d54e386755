"""Field types that the spec's models share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic_core import PydanticCustomError

from boundcalc.errors import ExpressionError
from boundcalc.spec.expressions import Expression, parse


class Frozen(BaseModel):
    """A model that cannot be changed and refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


def refusal(error: ExpressionError) -> PydanticCustomError:
    """An expression's error in the form that carries pydantic's location."""
    return PydanticCustomError(
        "boundcalc",
        "{problem}",
        {"problem": error.problem, "expected": error.expected, "fix": error.fix},
    )


def _number(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    try:
        return parse(value)
    except ExpressionError as error:
        raise refusal(error) from None


def _nonnegative(value: Expression) -> Expression:
    # Expressions over symbols are checked when the symbols have values.
    if value.node[0] == "neg" or (value.node[0] == "number" and value.node[1] < 0):
        raise PydanticCustomError(
            "boundcalc",
            "{problem}",
            {"problem": "a negative number", "expected": "a number ≥ 0", "fix": None},
        )
    return value


_SCHEMA = WithJsonSchema(
    {
        "anyOf": [{"type": "number"}, {"type": "string", "maxLength": 1000}],
        "description": 'a number, a fraction "1/3", a symbol, or an expression over '
        "symbols, + - * / **, sqrt, exp, log, pi, min, max",
    }
)

#: Any real number or expression.
Real = Annotated[Expression, BeforeValidator(_number), _SCHEMA]

#: A number or expression that must not be negative.
Size = Annotated[Expression, BeforeValidator(_number), AfterValidator(_nonnegative), _SCHEMA]
