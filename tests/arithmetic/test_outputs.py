"""Programs with several results: against rationals, and as text that a browser runs."""

from __future__ import annotations

import json
import math
import random
from fractions import Fraction
from typing import Any

import browser_tools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boundcalc.arithmetic import RATIONALS, WIDE
from boundcalc.arithmetic.javascript import CHUNK, PRELUDE, javascript, number
from boundcalc.arithmetic.outputs import Outputs, RangeError, in_range, outputs
from boundcalc.arithmetic.tape import Open, Recorded, Tape
from boundcalc.errors import SymbolError
from boundcalc.spec.grammar import parse

browser = browser_tools.browser

NAMES = ("x", "y", "z")

#: What combines numbers, by the letter that stands for it.
STEPS = "+-*/2smM"


def calculated(code: bytes, kind: Any, inputs: list[Any]) -> list[Any]:
    """A calculation that a text of bytes describes, over any number kind; all its numbers."""
    row = [*inputs, kind.number(Fraction(1, 3)), kind.number(2)]
    for k in range(0, len(code) - 2, 3):
        x, y = row[code[k] % len(row)], row[code[k + 1] % len(row)]
        step = STEPS[code[k + 2] % len(STEPS)]
        row.append(_step(step, x, y, kind))
    return row


def _step(step: str, x: Any, y: Any, kind: Any) -> Any:
    match step:
        case "+":
            return x + y
        case "-":
            return x - y
        case "*":
            return x * y
        case "/":
            return x / (y**2 + 1)
        case "2":
            return x**2
        case "s":
            return kind.sqrt(y**2)
        case "m":
            return kind.minimum(x, y)
        case _:
            return kind.maximum(x, y)


def recorded(code: bytes, kind: Any = RATIONALS) -> Outputs:
    tape = Tape(kind)
    inputs = [tape.named(name) for name in NAMES]
    with tape.signed():
        return outputs(tape, calculated(code, tape, inputs))


CODES = st.binary(min_size=3, max_size=60)
VALUES = st.integers(-12, 12).map(lambda n: Fraction(n, 4))


@settings(max_examples=150)
@given(code=CODES, x=VALUES, y=VALUES, z=VALUES)
def test_a_program_gives_what_rationals_give(code, x, y, z):
    values = dict(zip(NAMES, (x, y, z), strict=True))
    expected = calculated(code, RATIONALS, [x, y, z])
    largest = max(1.0, *(abs(float(value)) for value in expected if abs(value) < 1e300))
    found = recorded(code).values({name: float(value) for name, value in values.items()})
    for ours, theirs in zip(found, expected, strict=True):
        if abs(theirs) < 1e100:
            assert math.isclose(ours, float(theirs), rel_tol=1e-9, abs_tol=1e-11 * largest**2)


@settings(max_examples=100)
@given(code=CODES)
def test_no_instruction_is_there_twice_and_none_for_nothing(code):
    made = recorded(code)
    rows = made.program.instructions
    assert len({row for row in rows if row[0] != 0}) == sum(row[0] != 0 for row in rows)
    needed = set(made.places)
    for i in range(len(rows) - 1, -1, -1):
        if i in needed:
            operation, x, y = rows[i]
            if operation > 1:
                needed |= {x, y} if operation in (2, 4, 8, 9) else {x}
    assert needed == set(range(len(rows)))


def test_sums_of_constants_and_powers_do_not_cancel():
    # (1 + p + p²) − 1 for p = 1e-12: a float holds 1 + p to four digits of p only.
    tape = Tape(WIDE)
    p = tape.named("p")
    made = outputs(tape, [(1 + p + p**2) - 1])
    assert made.values({"p": 1e-12}) == [1e-12 + 1e-24]


def test_an_input_that_nothing_needs_has_no_name():
    tape = Tape(RATIONALS)
    tape.named("unused")
    made = outputs(tape, [tape.named("x") * 2])
    assert made.names == ("x",)
    assert made.values({"x": 3.0}) == [6.0]


def test_constants_that_float64_does_not_hold_are_refused():
    for power in (400, -320):
        tape = Tape(WIDE)
        with pytest.raises(RangeError):
            outputs(tape, [tape.named("x") * WIDE.number(10) ** power])


def test_what_overflows_is_infinite():
    tape = Tape(RATIONALS)
    made = outputs(tape, [tape.named("x") ** 64])
    assert made.values({"x": 1e10}) == [math.inf]
    assert in_range(0.0)
    assert not in_range(1e-310)


def test_a_symbol_is_an_input_once_it_is_named():
    tape = Tape(RATIONALS)
    with pytest.raises(SymbolError):
        tape.symbol("C")
    assert isinstance(tape.named("C"), Recorded)
    assert tape.symbol("C") is tape.named("C")


def test_expressions_of_a_spec_are_recorded_with_their_signs():
    tape = Tape(RATIONALS)
    for name in ("a", "b"):
        tape.named(name)
    text = "sqrt((a - b)**2) + max(a - 3, 0) - min(0, b - 5)/2"
    with tape.signed():
        made = outputs(tape, [parse(text).evaluate(tape)])
    assert made.values({"a": 1.0, "b": 4.0}) == [3.5]
    assert made.values({"a": 5.0, "b": 7.0}) == [4.0]
    # Outside, what is compared with 0 is a size.
    x = tape.symbol("a")
    assert tape.maximum(Fraction(0), x) is x


def test_a_comparison_is_left_open():
    tape = Tape(RATIONALS)
    found = tape.named("x") < 0
    assert isinstance(found, Open)
    with pytest.raises(TypeError, match="when the program runs"):
        bool(found)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_the_shortest_text_of_themselves(value):
    text = number(value)
    assert float(text) == value
    assert len(text) <= len(repr(value))
    assert text[0] != "0" or value == 0


def random_code(rng: random.Random, steps: int) -> bytes:
    return bytes(rng.randrange(256) for _ in range(3 * steps))


def test_a_browser_computes_what_python_computes(browser):
    """Bit by bit: sums, products, roots, minima and maxima are rounded the same way."""
    rng = random.Random(8)  # noqa: S311 - programs, no secrets
    programs = [recorded(random_code(rng, steps)) for steps in [*range(1, 60), 700, 1500]]
    assert max(map(len, programs)) > CHUNK
    texts = ",".join(javascript(made) for made in programs)
    inputs = [rng.uniform(-3, 3) for _ in NAMES]
    page = browser.new_page()
    found = page.evaluate(
        f"""(inputs) => {{
          {PRELUDE}
          const names = {json.dumps(NAMES)};
          const values = Object.fromEntries(names.map((name, k) => [name, inputs[k]]));
          return [{texts}].map((program) => {{
            const v = new Float64Array(program.size);
            program.inputs.forEach((name, slot) => (v[slot] = values[name]));
            program.parts.forEach((part) => part(v));
            return program.outputs.map((place) => String(v[place]));
          }});
        }}""",
        inputs,
    )
    page.close()
    for made, texts in zip(programs, found, strict=True):
        expected = made.values(dict(zip(NAMES, inputs, strict=True)))
        for ours, theirs in zip(texts, expected, strict=True):
            x = float(ours)
            # −0 and 0 are one number; a power is a product in the page.
            assert (
                x == theirs
                or math.isnan(x) == math.isnan(theirs) is True
                or (math.isclose(x, theirs, rel_tol=1e-12))
            )
