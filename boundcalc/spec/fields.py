"""Field types that the spec's models share, and their own errors."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import ExpressionError, InexactError
from boundcalc.spec.expressions import Expression, rational
from boundcalc.spec.grammar import DecimalLiteral, parse


def custom_error(
    problem: str, expected: str | None = None, fix: str | None = None
) -> PydanticCustomError:
    """An error of ours in the form that carries pydantic's location."""
    context = {"problem": problem, "expected": expected, "fix": fix}
    return PydanticCustomError("boundcalc", "{problem}", context)


def refusal(error: ExpressionError) -> PydanticCustomError:
    """An expression's error in the form that carries pydantic's location."""
    return custom_error(error.problem, error.expected, error.fix)


class Frozen(BaseModel):
    """A model that cannot be changed, refuses unknown keys, and takes no value for another kind."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, allow_inf_nan=False
    )

    @field_validator("*", mode="before")
    @classmethod
    def _same_kind(cls, value: Any, info: ValidationInfo) -> Any:
        # pydantic would read true as 1, "8" as 8 and "yes" as true.
        if not isinstance(value, bool | str | float | list):
            return value
        kinds = _plain_kinds(cls, info.field_name or "")
        if kinds and not kinds & {bool, str}:
            items = value if isinstance(value, list) else [value]
            if any(isinstance(item, bool | str) for item in items):
                raise custom_error(
                    "not a number", "a number" if float in kinds else "a whole number"
                )
        if kinds == {bool} and not isinstance(value, bool):
            raise custom_error("neither true nor false", "true or false")
        if kinds and isinstance(value, DecimalLiteral):
            exact_value = value.expression.evaluate(RATIONALS)
            whole = float not in kinds and exact_value.denominator == 1
            return int(exact_value) if whole else float(value)
        return value


@cache
def _plain_kinds(model: type[BaseModel], name: str) -> frozenset[type]:
    """Which of bool, int, float and str a field takes; none if it takes anything else too."""
    found: set[Any] = set()
    stack: list[Any] = [model.model_fields[name].annotation]
    while stack:
        annotation = stack.pop()
        if get_origin(annotation) is Annotated:
            stack.append(get_args(annotation)[0])
        elif get_origin(annotation) is Literal:
            found.update(type(value) for value in get_args(annotation))
        elif get_args(annotation):
            stack.extend(get_args(annotation))
        elif annotation not in (type(None), ...):
            found.add(annotation)
    return frozenset(found) if found <= {bool, int, float, str} else frozenset()


def _number(value: Any) -> Expression:
    if isinstance(value, Expression):
        return value
    try:
        return parse(value)
    except ExpressionError as error:
        raise refusal(error) from None


def _nonnegative(value: Expression) -> Expression:
    return _not_negative(value, "a number ≥ 0")


def _positive(value: Expression) -> Expression:
    return _not_zero(_not_negative(value, "a number > 0"))


def _not_negative(value: Expression, expected: str) -> Expression:
    try:
        negative = _is_negative(value)
    except ExpressionError as error:
        raise refusal(error) from None
    if negative:
        raise custom_error("a negative number", expected)
    return value


def _is_negative(value: Expression) -> bool:
    """Whether it is certainly negative: irrational numbers and most symbols are left open."""
    if value.symbols:  # they stand for sizes, and are checked when they have values
        return bool(value.node[0] == "neg" and value.node[1][0] == "symbol")
    try:
        return bool(value.evaluate(RATIONALS) < 0)
    except InexactError:
        return False


def _not_zero(value: Expression) -> Expression:
    if not value.symbols and rational(value, {}) == 0:
        raise custom_error("zero", "a number > 0")
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

#: A number or expression that must be positive.
Positive = Annotated[Expression, BeforeValidator(_number), AfterValidator(_positive), _SCHEMA]
