"""What one value of a file means: YAML 1.2's core schema, without octal and hexadecimal."""

from __future__ import annotations

import re
from typing import Any

from boundcalc.errors import SpecError
from boundcalc.spec.grammar import DecimalLiteral

MAX_TEXT = 10_000  # characters of one value

_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def scalar(text: str, plain: bool) -> Any:
    """The value that text stands for; what is in quotes, so not ``plain``, is text.

    Raises
    ------
    SpecError
        If it is a number that no spec may hold, or too long; without a place.

    Examples
    --------
    >>> scalar("12", plain=True), scalar("12", plain=False), scalar("1e-1", plain=True)
    (12, '12', 1e-1)
    """
    check_length(text)
    if not plain:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) < 300 and _INTEGER.fullmatch(text):
        return int(text)
    if _NOT_FINITE.fullmatch(text):
        raise SpecError(
            "not a finite number",
            value=text,
            expected="a finite number",
            fix="put it in quotes if it is text",
        )
    if not _DECIMAL.fullmatch(text):
        return text
    if re.match(r"[-+]?0[0-9]", text):
        raise SpecError(
            "a number with leading zeros",
            value=text,
            expected="a decimal number",
            fix="remove the zeros, or put it in quotes if it is text",
        )
    return DecimalLiteral(text)


def check_length(text: str) -> None:
    """Raise SpecError if a value or key is too long."""
    if len(text) > MAX_TEXT:
        raise SpecError(
            f"this is {len(text)} characters long",
            value=text,
            expected=f"at most {MAX_TEXT}",
            fix="shorten it",
        )
