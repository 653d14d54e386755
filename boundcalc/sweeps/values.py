"""The values of an axis: lists and ranges in text, every value exact.

Each value is kept as the text that a spec would have: it is what tables and messages show,
and reading it gives the value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from boundcalc.errors import SpecError
from boundcalc.spec.expressions import Expression, rational
from boundcalc.spec.grammar import parse
from boundcalc.spec.plain import json_text
from boundcalc.spec.reading import plain_data
from boundcalc.spec.scalars import scalar

MAX_POINTS = 100_000  # of a whole sweep

_PLAIN = re.compile(r"[\w.+\-*/()]([\w.+\-*/() ]*[\w.+\-*/()])?")
_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_BRACKETS = {"(": ")", "[": "]", "{": "}"}
_RANGE = "FIRST:LAST:COUNT for equal distances, FIRST:LAST:COUNT:log for equal ratios"


def read_value(text: str) -> Any:
    """What a value's text means in a spec.

    >>> read_value("1/2"), read_value("3"), read_value("0.1"), read_value("[1, a]")
    ('1/2', 3, 0.1, [1, 'a'])
    """
    if _PLAIN.fullmatch(text):
        return scalar(text, plain=True)
    return plain_data(text, "sweep", "yaml")[0]


def text_of(value: Any) -> str:
    """The text of a value that Python gave.

    Raises
    ------
    SpecError
        If a spec cannot hold it.

    Examples
    --------
    >>> text_of(0.1), text_of(Fraction(1, 3)), text_of("C/2"), text_of(True), text_of([1, "a"])
    ('0.1', '1/3', 'C/2', 'true', '[1,"a"]')
    """
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Expression):
        return value.source
    if isinstance(value, Fraction):
        return str(value)
    if hasattr(value, "tolist"):  # NumPy's numbers and arrays
        value = value.tolist()
    try:
        text = json_text(value)
    except (TypeError, ValueError):
        raise SpecError(
            "not a value that a spec can hold",
            where="sweep",
            value=value,
            expected="a finite number, text, a list or a section",
        ) from None
    # JSON may hold these in a string as they are, YAML must not.
    return _NOT_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def listed(values: Sequence[Any] | str) -> tuple[str, ...]:
    """The values of an axis as texts.

    Parameters
    ----------
    values
        Text with commas and ranges; or a list of values, which is taken as it is.

    Raises
    ------
    SpecError
        If there are none, or a range is not one.

    Examples
    --------
    >>> listed("1/2, 1/4"), listed("max(1, C), sgd"), listed([0.5, "a"])
    (('1/2', '1/4'), ('max(1, C)', 'sgd'), ('0.5', 'a'))
    >>> listed("0:1:3"), listed("1/100:1:3:log"), listed("1:2:3:log")
    (('0', '0.5', '1'), ('1/100', '0.1', '1'), ('1', '1.41421', '2'))
    """
    if isinstance(values, str):
        texts = tuple(text for item in _split(values) for text in _spread(item))
    else:
        texts = tuple(text_of(value) for value in values)
    if not texts or "" in texts:
        raise SpecError(
            "no values" if not texts or texts == ("",) else "an empty value",
            where="sweep",
            value=values,
            expected=f"values with commas between them, or {_RANGE}",
        )
    return texts


def _split(text: str) -> Iterator[str]:
    """The parts between commas that are in no brackets and no quotes."""
    start, closing, quote = 0, [""], ""
    for at, character in enumerate(text):
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _BRACKETS:
            closing.append(_BRACKETS[character])
        elif character == closing[-1]:
            closing.pop()
        elif character == "," and len(closing) == 1:
            yield text[start:at].strip()
            start = at + 1
    yield text[start:].strip()


def _spread(item: str) -> Iterator[str]:
    """The values of a range, or the one value that it is."""
    parts = [part.strip() for part in item.split(":")]
    if len(parts) not in (3, 4) or item[0] in "\"'[{" or not re.fullmatch("[0-9]+", parts[2]):
        yield item
        return
    count = int(parts[2][:20])
    first, last = (_end(part, item) for part in parts[:2])
    logarithmic = parts[3:] == ["log"]
    if not 2 <= count <= MAX_POINTS:
        raise SpecError(
            f"a range of {count} values",
            where="sweep",
            value=item,
            expected=f"2 to {MAX_POINTS} values",
        )
    if parts[3:] and not logarithmic:
        raise SpecError("not a range", where="sweep", value=item, expected=_RANGE)
    if logarithmic and min(first, last) <= 0:
        raise SpecError(
            "equal ratios between numbers that are not positive",
            where="sweep",
            value=item,
            expected="both ends above 0",
            fix="write FIRST:LAST:COUNT for equal distances",
        )
    yield parts[0]
    yield from (_geometric if logarithmic else _linear)(first, last, count)
    yield parts[1]


def _end(text: str, item: str) -> Fraction:
    expression = parse(text)
    value = None if expression.symbols else rational(expression, {})
    if value is None:
        raise SpecError(
            "an end of a range is not an exact number",
            where="sweep",
            value=item,
            expected="numbers such as 0.1 or 1/3 on both sides of the colon",
            fix="list the values with commas; put a word with colons in quotes",
        )
    return value


def _linear(first: Fraction, last: Fraction, count: int) -> Iterator[str]:
    """first + i·(last − first)/(count − 1) between the ends, exact."""
    for i in range(1, count - 1):
        yield _exact_text(first + i * (last - first) / (count - 1))


def _geometric(first: Fraction, last: Fraction, count: int) -> Iterator[str]:
    """first·(last/first)^(i/(count − 1)) between the ends.

    Exact where the common ratio is rational; else rounded to six digits, or to 17 where six
    do not keep the values apart: the rounded number is the value.
    """
    ratio = last / first
    root = Fraction(_root(ratio.numerator, count - 1), _root(ratio.denominator, count - 1))
    if root ** (count - 1) == ratio:
        yield from (_exact_text(first * root**i) for i in range(1, count - 1))
        return
    logs = [_log(first) + i / (count - 1) * _log(ratio) for i in range(count)]
    texts = [f"{math.exp(x):.6g}" for x in logs]
    if len(set(texts)) < count:
        texts = [f"{math.exp(x):.17g}" for x in logs]
    yield from texts[1:-1]


def _root(value: int, order: int) -> int:
    """The whole number nearest to value^(1/order)."""
    if value.bit_length() > 900:
        return 0  # no double holds it; 0 is not the root, and the value is rounded
    return round(math.pow(value, 1 / order))


def _log(value: Fraction) -> float:
    return math.log(value.numerator) - math.log(value.denominator)


def _exact_text(value: Fraction) -> str:
    """A decimal where that is exact and short, else a fraction."""
    decimal = f"{float(value):.12g}" if abs(value) < 10**12 else str(value)
    if "e" not in decimal and Fraction(decimal) == value:
        return decimal
    return str(value)
