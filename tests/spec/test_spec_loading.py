from __future__ import annotations

import json
import os
import time
import tracemalloc
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spec_texts import DESIGN, DESIGN_DATA, SMALL, refused, told

import boundcalc.spec
from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.operators import OPERATORS
from boundcalc.spec.grammar import parse
from boundcalc.spec.loading import library_object, load, loads, with_values
from boundcalc.spec.model import Spec

SHIPPED = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))


def test_the_documented_example_loads() -> None:
    spec = loads(DESIGN)
    assert [section.id for section in spec.graph.operators] == ["f1", "block", "loss"]
    assert spec.graph.operators[1].repeat == 8
    assert spec.graph.operators[2].inputs == ["block.8"]
    assert spec.symbol_values["L"].evaluate(RATIONALS) == Fraction(1, 2)
    assert spec.perturbations[1].sites == ["block.1", "loss"]
    assert [section.pass_ for section in spec.perturbations] == ["forward", "backward"]
    assert spec.perturbations[1].every == 10
    assert spec.training is not None
    assert spec.training.step_size.evaluate(RATIONALS) == Fraction(1, 100)


def test_yaml_and_json_are_one_format(tmp_path: Path) -> None:
    text = json.dumps(DESIGN_DATA, indent=2, ensure_ascii=True)
    spec = loads(DESIGN)
    assert spec == loads(text) == loads(text, format="yaml") == loads(text.encode(), format="json")
    for name, content in {"a.yaml": DESIGN, "b.json": text, "c": DESIGN, "d": text}.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        assert load(tmp_path / name).folder == tmp_path
        assert load(str(tmp_path / name)).model_dump() == spec.model_dump()


def test_byte_order_marks_and_line_ends_do_not_matter() -> None:
    expected = loads(DESIGN)
    assert expected == loads(b"\xef\xbb\xbf" + DESIGN.encode())
    assert expected == loads(DESIGN.replace("\n", "\r\n"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_specs_load(path: Path) -> None:
    assert load(path).version == 1


def test_decimals_are_exact_in_both_formats() -> None:
    digits = "0.1000000000000000000000000000000000000001"
    yaml = SMALL + f"loss: {{pl: {digits}, smoothness: 0.1}}\n"
    text = (
        '{"version": 1, "name": "small", "graph": {"operators": [{"id": "f"}]},'
        f' "loss": {{"pl": {digits}, "smoothness": 0.1}}}}'
    )
    for spec in (loads(yaml), loads(text)):
        assert spec.loss.pl is not None
        assert spec.loss.smoothness is not None
        assert spec.loss.pl.evaluate(RATIONALS) == Fraction(digits)
        assert spec.loss.smoothness.evaluate(RATIONALS) == Fraction(1, 10)


def test_plain_floats_and_whole_numbers_stay_what_they_are() -> None:
    spec = loads(
        SMALL + "training: {step_size: 0.1, horizon: 1e4}\n"
        "simulation: {data: {points: [[0.1]]}, ewma: 0.5, check: {iterates: [0, 0.25, 1]}}\n"
    )
    assert spec.training is not None
    assert spec.simulation is not None
    assert (spec.training.horizon, type(spec.training.horizon)) == (10_000, int)
    assert (spec.simulation.ewma, type(spec.simulation.ewma)) == (0.5, float)
    assert spec.simulation.check.iterates == [0.0, 0.25, 1.0]


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "Off", "True", "NULL", "2020-01-01", "1:30", "0x10", "0o7", "1_000"]
)
def test_words_that_older_yaml_changes_stay_text(word: str) -> None:
    assert loads(SMALL.replace("small", word)).name == word


def test_nothing_is_null_and_keys_are_text() -> None:
    for word in ("", "~", "null"):
        assert loads(SMALL + f"symbols: {{C: {word}}}").symbols == {"C": None}
    spec = loads(SMALL.replace("{id: f}", "{id: '1'}, {id: g, constants: {jac_input: {1: 2}}}"))
    assert spec.graph.operators[1].constants.jac_input == {"1": parse(2)}


def test_aliases_are_values() -> None:
    spec = loads(
        "version: 1\nname: a\ngraph:\n  operators:\n"
        "    - {id: f, constants: &c {jac_input: &one 1, jac_weight: *one}}\n"
        "    - {id: g, constants: *c}\n"
    )
    first, second = spec.graph.operators
    assert first.constants == second.constants
    assert spec.where("graph.operators[1].constants.jac_weight") == (
        "<spec>:5: graph.operators[1].constants.jac_weight"
    )


def test_places_are_lines_of_the_file() -> None:
    spec = loads(DESIGN, name="my.yaml")
    assert spec.where("perturbations[1].half_width") == "my.yaml:14: perturbations[1].half_width"
    assert spec.where(("graph", "operators", 2)) == "my.yaml:10: graph.operators[2]"
    assert spec.where("training.nothing.here") == "my.yaml:15: training.nothing.here"
    assert spec.where() == "my.yaml:1"
    assert Spec.model_validate({**DESIGN_DATA}).where("graph") == "graph"
    text = json.dumps(DESIGN_DATA, indent=1)
    line = text[: text.index("half_width")].count("\n") + 1
    place = loads(text, name="a.json").where("perturbations[1].half_width")
    assert place == f"a.json:{line}: perturbations[1].half_width"


def test_parameters_of_library_objects_are_collected() -> None:
    spec = loads(DESIGN.replace("type: softplus", "type: softplus, scale: 0.30, bias: true"))
    parameters = spec.graph.operators[2].parameters
    made = library_object(OPERATORS["softplus"], parameters, "graph.operators[2]", {"C"})
    assert made.scale == parse("0.30")  # type: ignore[attr-defined]
    assert made.bias is True  # type: ignore[attr-defined]
    assert list(spec.perturbations[1].parameters) == ["half_width"]


def test_parameters_that_are_words_are_not_symbols() -> None:
    for word in ("stochastic", "fp8-e4m3", "nearest_even", "1x", "a b"):
        spec = loads(DESIGN.replace("half_width: 0.3", f"format: {word}"))
        assert spec.perturbations[1].parameters == {"format": word}


def test_values_of_symbols_can_be_replaced() -> None:
    spec = loads(DESIGN, name="my.yaml")
    changed = with_values(spec, {"C": "1/3", "L": 0.1})
    assert changed.symbols == {"C": parse("1/3"), "L": parse(0.1)}
    assert changed.where("loss") == spec.where("loss")
    assert changed.folder == spec.folder
    assert spec.symbols["C"] == parse(1)
    assert with_values(spec, {}) == spec


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (
            {"CC": "1"},
            ("my.yaml:3: symbols", "unknown symbol 'CC'", "", "one of C, L", "did you mean 'C'?"),
        ),
        (
            {"zeta": "1"},
            (
                "my.yaml:3: symbols",
                "unknown symbol 'zeta'",
                "",
                "one of C, L",
                "declare it: symbols: {zeta: }",
            ),
        ),
        (
            {"C": "-1"},
            ("my.yaml:3: symbols.C", "a negative number", "-1", "a number ≥ 0", ""),
        ),
        (
            {"C": "L"},
            (
                "my.yaml:3: symbols.C",
                "the value of a symbol uses symbols",
                "L",
                'a number, such as 0.1 or "sqrt(2)/3"',
                "write the number, or use the expression where the symbol is used",
            ),
        ),
    ],
)
def test_bad_values_of_symbols(values: dict[str, str], expected: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as caught:
        with_values(loads(DESIGN, name="my.yaml"), values)
    assert told(caught.value) == expected


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    def refusal(path: Path) -> tuple[str | None, str, str, str, str]:
        with pytest.raises(SpecError) as caught:
            load(path)
        return told(caught.value)

    missing = tmp_path / "missing.yaml"
    assert refusal(missing) == (str(missing), "there is no such file", "", "", "check the path")
    assert refusal(tmp_path) == (
        str(tmp_path),
        "this is a folder",
        "",
        "a YAML or JSON file",
        "name a file in it",
    )
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for special in (pipe, Path(os.devnull)):
        assert refusal(special) == (
            str(special),
            "this is not a regular file",
            "",
            "a YAML or JSON file",
            "copy its content to a file first",
        )
    assert refusal(Path("a\0b"))[1].startswith("the file cannot be read")
    assert refusal(tmp_path / ("x" * 300))[1] == "the file cannot be read: File name too long"
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(10**12)  # a terabyte that occupies nothing: it must not be read
    start = time.perf_counter()
    assert refusal(huge) == (
        "huge.yaml",
        "the spec is too large",
        "1000000000000 bytes",
        "at most 1000000 bytes",
        "use `repeat` for equal operators, and a CSV file for data",
    )
    assert time.perf_counter() - start < 0.1


def test_ten_megabytes_of_text_are_refused_at_once() -> None:
    start = time.perf_counter()
    assert refused("a" * 10_000_000).value.text == "10000000 bytes"  # type: ignore[attr-defined]
    assert refused("ä" * 600_000).problem == "the spec is too large"
    assert time.perf_counter() - start < 0.1


SECONDS = 10  # the slowest takes 1 s on a quiet machine

BILLION_LAUGHS = "a: &a [1,2,3,4,5,6,7,8,9]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20)
)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (BILLION_LAUGHS, "the spec has too many values"),
        (
            "a: &a " + "[" * 20 + "]" * 20 + "\nb: " + "[" * 20 + "*a" + "]" * 20,
            "the spec is nested",
        ),
        ("a: &a [*a]", "an alias inside itself"),
        ("[" * 900_000, "the spec is nested too deeply"),
        ("{a: " * 240_000, "the spec is nested too deeply"),
        ("- " * 400_000, "the spec is nested too deeply"),
        ("- 1\n" * 240_000, "the spec has too many values"),
        ("? " * 400_000, "a key is not text"),
        ("'" * 900_000, "this is 449999 characters long"),
        ("a: |\n " + "x" * 900_000, "this is 900000 characters long"),
        ("x" * 20_000 + ": 1", "this is"),
        ('"\\' * 400_000, "this is not YAML"),
        ("&a " * 300_000, "this is not YAML"),
        ("# " * 400_000, "the spec is empty"),
        ("\n" * 900_000, "the spec is empty"),
        (SMALL + "perturbations: [" + "{}, " * 20_000 + "]", "missing keys"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_bombs_in_yaml(text: str, problem: str | None) -> None:
    start = time.perf_counter()
    error = refused(text, format="yaml")
    assert time.perf_counter() - start < SECONDS
    assert problem is None or error.problem.startswith(problem)


def test_a_billion_laughs_take_neither_time_nor_memory() -> None:
    tracemalloc.start()
    start = time.perf_counter()
    error = refused(BILLION_LAUGHS)
    assert time.perf_counter() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert told(error) == (
        "my.yaml:6: f[1]",
        "the spec has too many values",
        "",
        "at most 200000 once aliases are written out",
        "use `repeat`",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[" * 900_000, "the spec is nested too deeply"),
        ('{"a":' * 190_000, "the spec is nested too deeply"),
        ('"\\' * 400_000, "this is not JSON"),
        ('"' * 900_000, "this is not JSON"),
        ("1" * 900_000, "this is 900000 characters long"),
        ("[" + "1," * 300_000 + "1]", "the spec has too many values"),
        ("[" + "]" * 900_000, "this is not JSON"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_bombs_in_json(text: str, problem: str) -> None:
    start = time.perf_counter()
    error = refused(text, format="json")
    assert time.perf_counter() - start < SECONDS
    assert error.problem.startswith(problem)
    assert error.where is not None
    assert error.where.startswith("my.yaml:1")


@given(
    st.text(max_size=60)
    | st.text(alphabet="{}[]:,-?&*!|>'\"%@`#\n ab1.", max_size=60)
    | st.binary(max_size=60)
)
def test_any_text_is_refused_with_its_place(text: str | bytes) -> None:
    for choice in ("yaml", "json"):
        error = refused(text, format=choice)
        assert error.where is not None
        assert error.where.startswith("my.yaml")
        assert error.problem


@given(st.data())
def test_a_damaged_spec_is_loaded_or_refused(data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(DESIGN) - 1))
    character = data.draw(st.sampled_from("{}[]:,-?&*!|>'\"%#\n\t\0 a1é"))
    try:
        loads(DESIGN[:position] + character + DESIGN[position + 1 :])
    except SpecError as error:
        assert error.where is not None  # noqa: PT017 - both outcomes are right


def test_a_thousand_operators_load_quickly() -> None:
    rows = "\n".join(
        f"    - {{id: f{i}, constants: {{jac_input: 1.0{i}, jac_weight: 1/{i + 1}, "
        "hess_input: 2*C, hess_mixed: 1, third_input: 0.5, third_mixed: 1}}"
        for i in range(1000)
    )
    text = f"version: 1\nname: long\nsymbols: {{C: 1}}\ngraph:\n  operators:\n{rows}\n"
    start = time.perf_counter()
    assert len(loads(text).graph.operators) == 1000
    assert time.perf_counter() - start < SECONDS  # 0.2 s on a quiet machine


def test_public_names() -> None:
    assert boundcalc.spec.__all__ == [
        "Expression",
        "Spec",
        "check_symbols",
        "json_schema",
        "library_object",
        "load",
        "loads",
        "parse",
        "with_values",
    ]
    for name in boundcalc.spec.__all__:
        assert getattr(boundcalc.spec, name).__name__ == name
    with pytest.raises(AttributeError):
        boundcalc.spec.nothing  # noqa: B018 - the access is the test
