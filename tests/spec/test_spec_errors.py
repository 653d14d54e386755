"""Every message says where, what was found, what was expected, and what to do."""

from __future__ import annotations

import pytest
from spec_texts import DESIGN, SMALL, refused, told

from boundcalc.errors import SpecError
from boundcalc.operators import OPERATORS
from boundcalc.perturbations import DISTRIBUTIONS
from boundcalc.spec.loading import library_object
from boundcalc.spec.places import Places, dotted

SECTION = "a section: `key: value` pairs"
NUMBER = "a number or an expression"
YAML = "`key: value` lines, indented with spaces"
YAML_FIX = "look at this line and the one above; put text with : # { [ * & in quotes"
JSON = "JSON: names and text in double quotes, no comments, no comma at an end"
BEGIN = ("`version:`, `name:` and `graph:`", "begin with the line `version: 1`")
SITE = "graph.operators[0].constants"
OPERATOR_KEYS = (
    "one of id, type, repeat, block, inputs, constants, region, dim, weights, initial, trainable"
)

_SECTIONS = "graph, loss, perturbations, training, simulation, budget, sweep"
TOP = f"version, name, theory, symbols, {_SECTIONS}"

#: Text of the documented example → its replacement, and what is then said.
SLIPS = {
    # Keys.
    ("horizon", "horizn"): (
        "15: training.horizn",
        "unknown key 'horizn'",
        "",
        "one of step_size, horizon, optimizer, clip",
        "did you mean 'horizon'?",
    ),
    ("loss: {smooth", "los: {smooth"): (
        "11: los",
        "unknown key 'los'",
        "",
        f"one of {TOP}",
        "did you mean 'loss'?",
    ),
    ("batch: 1", "zzz: 1"): (
        "11: loss.zzz",
        "unknown key 'zzz'",
        "",
        "one of smoothness, pl, initial_gap, gradient_noise, batch",
        "remove it",
    ),
    ("third_input: 1", "third_inptu: 1"): (
        "8: graph.operators[0].constants.third_inptu",
        "unknown key 'third_inptu'",
        "",
        "one of jac_input, jac_weight, lip_input, hess_input, hess_mixed, third_input, third_mixed",
        "did you mean 'third_input'?",
    ),
    ("repeat: 8", "scale: 8"): (
        "9: graph.operators[1].scale",
        "unknown key 'scale'",
        "",
        OPERATOR_KEYS,
        "parameters of a library operator need its `type:`",
    ),
    ("repeat: 8", "repaet: 8"): (
        "9: graph.operators[1].repaet",
        "unknown key 'repaet'",
        "",
        OPERATOR_KEYS,
        "did you mean 'repeat'?",
    ),
    ('rms: "1/10"', "half_width: 1"): (
        "13: perturbations[0].half_width",
        "unknown key 'half_width'",
        "",
        "one of at, pass, rms, mean, fourth, dependence, model, reach, memory, draw, probability, "
        "every, steps, first, last",
        "parameters of a perturbation model need its `model:`",
    ),
    ("pass: forward", "pass_: forward"): (
        "13: perturbations[0].pass_",
        "unknown key 'pass_'",
        "",
        "one of at, pass, rms, mean, fourth, dependence, model, reach, memory, draw, probability, "
        "every, steps, first, last",
        "did you mean 'pass'?",
    ),
    ("type: softplus", "type: softplus, parameters: {}"): (
        "10: graph.operators[2].parameters",
        "unknown key 'parameters'",
        "",
        OPERATOR_KEYS,
        "remove it",
    ),
    ("version: 1\n", ""): (
        "1",
        "missing key 'version'",
        "",
        "`version:`, which has no default",
        "add `version: …`",
    ),
    ("step_size: 1/100, horizon: 10000, ", ""): (
        "15: training",
        "missing keys 'step_size' and 'horizon'",
        "",
        "`step_size:` and `horizon:`, which have no default",
        "add `step_size: …`, `horizon: …`",
    ),
    ("jac: C, lip: C, hess: L", "hess: L"): (
        "5: graph.uniform",
        "missing keys 'jac' and 'lip'",
        "",
        "`jac:` and `lip:`, which have no default",
        "add `jac: …`, `lip: …`",
    ),
    ("horizon: 10000, optimizer", "horizon: 10, horizon: 20, optimizer"): (
        "15: training",
        "the key 'horizon' occurs twice",
        "on lines 15 and 15",
        "every key once",
        "remove one of the two, or rename it",
    ),
    # Values.
    ("version: 1", "version: 2"): (
        "1: version",
        "not one of the known values",
        "2",
        "1",
        "write version: 1, or use a release that reads this version",
    ),
    ("version: 1", "version: true"): ("1: version", "not a number", "true", "a whole number", ""),
    ("name: three operators", "name: 3"): (
        "2: name",
        "not text",
        "3",
        "text",
        'put it in quotes: "3"',
    ),
    ("name: three operators", "name: ''"): (
        "2: name",
        "this is too short",
        "",
        "at least 1 character",
        "",
    ),
    ("name: three operators", "name: " + "x" * 501): (
        "2: name",
        "this is too long",
        "x" * 501,
        "at most 500 characters",
        "",
    ),
    ("pass: forward", "pass: sideways"): (
        "13: perturbations[0].pass",
        "not one of the known values",
        "sideways",
        "'forward' or 'backward'",
        "",
    ),
    ("pass: forward", "pass: foward"): (
        "13: perturbations[0].pass",
        "not one of the known values",
        "foward",
        "'forward' or 'backward'",
        "did you mean 'forward'?",
    ),
    ("at: f1", "at: 1"): (
        "13: perturbations[0].at",
        "not of a kind that fits here",
        "1",
        "text, or a list",
        "",
    ),
    ("at: f1", "at: []"): (
        "13: perturbations[0].at",
        "this is too short",
        "a list of 0",
        "at least 1 entry",
        "",
    ),
    ("id: f1", "id: 1.50"): (
        "8: graph.operators[0].id",
        "not text",
        "1.50",
        "text",
        'put it in quotes: "1.50"',
    ),
    ("id: f1", 'id: "f1->f2"'): (
        "8: graph.operators[0].id",
        "not a usable name",
        "f1->f2",
        "printable characters, not empty, without '->' (which names an edge)",
        "",
    ),
    ("repeat: 8", "repeat: 0"): (
        "9: graph.operators[1].repeat",
        "the number is out of range",
        "0",
        "a number ≥ 1",
        "",
    ),
    ("horizon: 10000", "horizon: 1.5"): (
        "15: training.horizon",
        "not a whole number",
        "1.5",
        "a whole number",
        "",
    ),
    ("horizon: 10000", "horizon: '8'"): (
        "15: training.horizon",
        "not a number",
        "8",
        "a whole number",
        "",
    ),
    ("horizon: 10000", "horizon: [8]"): (
        "15: training.horizon",
        "not a whole number",
        "a list of 1",
        "a whole number",
        "",
    ),
    ("horizon: 10000", "horizon: 1e300"): (
        "15: training.horizon",
        "the number is out of range",
        "1e300",
        "a number ≤ 1000000000",
        "",
    ),
    ("horizon: 10000", "horizon: 1e999"): (
        "15: training.horizon",
        "the number has too many digits or too large an exponent",
        "1e999",
        "a finite number: 0, or between 1e-300 and 1e300 in size",
        "",
    ),
    ("horizon: 10000", "horizon: 010"): (
        "15: training.horizon",
        "a number with leading zeros",
        "010",
        "a decimal number",
        "remove the zeros, or put it in quotes if it is text",
    ),
    ('rms: "1/10"', "rms: .nan"): (
        "13: perturbations[0].rms",
        "not a finite number",
        ".nan",
        "a finite number",
        "put it in quotes if it is text",
    ),
    ('rms: "1/10"', "rms: -.inf"): (
        "13: perturbations[0].rms",
        "not a finite number",
        "-.inf",
        "a finite number",
        "put it in quotes if it is text",
    ),
    ('rms: "1/10"', "rms: NaN"): (
        "13: perturbations[0].rms",
        "not a finite number",
        "NaN",
        "a finite number",
        "",
    ),
    ('rms: "1/10"', "rms: -0.1"): (
        "13: perturbations[0].rms",
        "a negative number",
        "-0.1",
        "a number ≥ 0",
        "",
    ),
    ('rms: "1/10"', "rms: 1 - 2"): (
        "13: perturbations[0].rms",
        "a negative number",
        "1 - 2",
        "a number ≥ 0",
        "",
    ),
    ('rms: "1/10"', "rms: -C"): (
        "13: perturbations[0].rms",
        "a negative number",
        "-C",
        "a number ≥ 0",
        "",
    ),
    ('rms: "1/10"', "rms: 1/0"): (
        "13: perturbations[0].rms",
        "division by zero",
        "1/0",
        "",
        "check the symbols' values",
    ),
    ('rms: "1/10"', "rms: 2^3"): (
        "13: perturbations[0].rms",
        "the character '^' does not belong in an expression",
        "2^3",
        "numbers, symbols, + - * / **, sqrt, exp, log, pi, min, max",
        "write ** for a power",
    ),
    ('rms: "1/10"', "rms: true"): (
        "13: perturbations[0].rms",
        "not a number",
        "true",
        NUMBER,
        "",
    ),
    ("jac_input: 1, jac_weight", "jac_input: -1, jac_weight"): (
        f"8: {SITE}.jac_input",
        "a negative number",
        "-1",
        "a number ≥ 0",
        "",
    ),
    ("jac_input: 1, jac_weight", "jac_input: [1], jac_weight"): (
        f"8: {SITE}.jac_input",
        "not of a kind that fits here",
        "a list of 1",
        f"{NUMBER}, or {SECTION}",
        "",
    ),
    ("jac_input: 1, jac_weight", "jac_input: {f0: -1}, jac_weight"): (
        f"8: {SITE}.jac_input.f0",
        "a negative number",
        "-1",
        "a number ≥ 0",
        "",
    ),
    ("hess_input: 1, hess_mixed", "hess_input: {f0: {g: 1 +}}, hess_mixed"): (
        f"8: {SITE}.hess_input.f0.g",
        "not a number or an expression",
        "1 +",
        'a number, a fraction "1/3", a symbol, or an expression such as "2*sqrt(C)"',
        "",
    ),
    ("inputs: [block.8]", "inputs: block.8"): (
        "10: graph.operators[2].inputs",
        "not a list",
        "block.8",
        "a list",
        "",
    ),
    ("training: {step_size: 1/100, horizon: 10000, optimizer: sgd}", "training: 3"): (
        "15: training",
        "not a section",
        "3",
        SECTION,
        "",
    ),
    # Symbols.
    ('rms: "1/10"', "rms: 2*Cx"): (
        "13: perturbations[0].rms",
        "undeclared symbol 'Cx'",
        "2*Cx",
        "one of C, L",
        "did you mean 'C'?",
    ),
    ('rms: "1/10"', "rms: sigma"): (
        "13: perturbations[0].rms",
        "undeclared symbol 'sigma'",
        "sigma",
        "one of C, L",
        "declare it: symbols: {sigma: }",
    ),
    ("half_width: 0.3", "half_width: 2*sigma"): (
        "14: perturbations[1].half_width",
        "undeclared symbol 'sigma'",
        "2*sigma",
        "one of C, L",
        "declare it: symbols: {sigma: }",
    ),
    ("C: 1,", "C: 1, D: L,"): (
        "3: symbols.D",
        "the value of a symbol uses symbols",
        "L",
        'a number, such as 0.1 or "sqrt(2)/3"',
        "write the number, or use the expression where the symbol is used",
    ),
    ("C: 1,", "C: -1,"): ("3: symbols.C", "a negative number", "-1", "a number ≥ 0", ""),
    ("C: 1,", "C: 1, 1x: 1,"): (
        "3: symbols.1x",
        "not a usable name",
        "1x",
        "a letter, then letters, digits or _, at most 40 in all",
        "",
    ),
    **{
        ("C: 1,", f"C: 1, {name}: 1,"): (
            f"3: symbols.{name}",
            f"{name} cannot be a symbol",
            name,
            "a name without a meaning of its own, as exp, log, max, min, pi, sqrt have",
            f"rename it, to {name}_0 for example",
        )
        for name in ("pi", "sqrt", "lambda", "nan", "Infinity")
    },
    # YAML.
    ("graph:\n", "graph: !!python/object/apply:os.system\n"): (
        "4",
        "tags are not allowed",
        "tag:yaml.org,2002:python/object/apply:os.system",
        "plain values",
        "remove it",
    ),
    ("version: 1", "version: !!int 1"): (
        "1",
        "tags are not allowed",
        "tag:yaml.org,2002:int",
        "plain values",
        "remove it",
    ),
    ("loss: {", "<<: {"): (
        "11",
        "merge keys are not allowed",
        "<<",
        "`key: value`",
        "write the keys out, or give the whole section as an alias",
    ),
    ("horizon: 10000", "horizon: *h"): (
        "15: training.horizon",
        "an alias of nothing",
        "*h",
        "the alias of a value that has ended",
        "put &h before an earlier value",
    ),
    ("symbols: {", "symbols: &s {D: *s, "): (
        "3: symbols.D",
        "an alias inside itself",
        "*s",
        "the alias of a value that has ended",
        "write it out",
    ),
    ("loss: {", "? [1]\n: 2\nloss: {"): (
        "11",
        "a key is not text",
        "",
        "`key: value`",
        "put the key in quotes",
    ),
    ("loss: {", "---\nloss: {"): (
        "11",
        "a second document begins",
        "---",
        "one spec",
        "split the file",
    ),
    # Data.
    ("training: {", "simulation: {data: {generator: logistc}}\ntraining: {"): (
        "15: simulation.data",
        "this is no source of data",
        "a section",
        "generator: logistic, gaussian, uniform or tokens; points: …; or csv: …",
        "name one of them",
    ),
    (
        "training: {",
        "simulation: {data: {generator: logistic, dimension: 2, sampels: 3}}\ntraining: {",
    ): (
        "15: simulation.data.sampels",
        "unknown key 'sampels'",
        "",
        "one of samples, dimension, seed, generator",
        "did you mean 'samples'?",
    ),
    ("training: {", "simulation: {data: {csv: a.csv}}\ntraining: {"): (
        "15: simulation.data",
        "missing key 'label'",
        "",
        "`label:`, which has no default",
        "add `label: …`",
    ),
    ("training: {", "simulation: {data: {csv: a.csv, label: y, standardize: yes}}\ntraining: {"): (
        "15: simulation.data.standardize",
        "neither true nor false",
        "yes",
        "true or false",
        "",
    ),
    ("training: {", "simulation: {data: {points: [[1, q]]}}\ntraining: {"): (
        "15: simulation.data.points[0][1]",
        "undeclared symbol 'q'",
        "q",
        "one of C, L",
        "declare it: symbols: {q: }",
    ),
    ("training: {", "simulation: {data: {points: [[1]]}, initial_weights: {}}\ntraining: {"): (
        "15: simulation.initial_weights",
        "not of a kind that fits here",
        "an empty section",
        f"{NUMBER}, or 'zeros', or a list",
        "",
    ),
    ("training: {", "simulation: {data: {points: [[1]]}, ewma: 1}\ntraining: {"): (
        "15: simulation.ewma",
        "the number is out of range",
        "1",
        "a number < 1.0",
        "",
    ),
}


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip[1][:40])
def test_a_slip_in_the_documented_example(slip: tuple[str, str]) -> None:
    before, after = slip
    assert before in DESIGN
    where, *rest = SLIPS[slip]
    error = refused(DESIGN.replace(before, after, 1))
    assert told(error) == (f"my.yaml:{where}", *rest)
    assert "Traceback" not in str(error)
    assert "pydantic" not in str(error)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("my.yaml", "the spec is empty", "", *BEGIN)),
        ("# only a comment\n", ("my.yaml", "the spec is empty", "", *BEGIN)),
        ("[1, 2]", ("my.yaml", "this is not a spec", "a list of 2", *BEGIN)),
        ("hello", ("my.yaml", "this is not a spec", "hello", *BEGIN)),
        (
            "{}",
            (
                "my.yaml:1",
                "missing keys 'version', 'name' and 'graph'",
                "",
                "`version:`, `name:` and `graph:`, which have no default",
                "add `version: …`, `name: …`, `graph: …`",
            ),
        ),
        (
            "version: 1\nname: a\ngraph: {operators: []}",
            (
                "my.yaml:3: graph.operators",
                "this is too short",
                "a list of 0",
                "at least 1 entry",
                "",
            ),
        ),
        (
            "version: 1\nname: a\ngraph:\n",
            ("my.yaml:3: graph", "not a section", "nothing", SECTION, ""),
        ),
        (
            b"version: 1\nname: \xe9\n",
            (
                "my.yaml",
                "this is not a text file",
                "byte 0xe9 at offset 17",
                "YAML or JSON in UTF-8",
                "save the file as UTF-8 text",
            ),
        ),
        (
            b"\x89PNG\r\n\x1a\n\0\0",
            (
                "my.yaml",
                "this is not a text file",
                "byte 0x89 at offset 0",
                "YAML or JSON in UTF-8",
                "save the file as UTF-8 text",
            ),
        ),
        (
            "version: 1\0",
            (
                "my.yaml",
                "this is not a text file",
                "byte 0x00 at offset 10",
                "YAML or JSON in UTF-8",
                "save the file as UTF-8 text",
            ),
        ),
        (
            "version: \ud800",
            (
                "my.yaml",
                "this is not a text file",
                "byte 0xed at offset 9",
                "YAML or JSON in UTF-8",
                "save the file as UTF-8 text",
            ),
        ),
        (
            "a:\n\t- 1",
            (
                "my.yaml:2",
                "this is not YAML: found character that cannot start any token (column 1)",
                "",
                YAML,
                YAML_FIX,
            ),
        ),
        (
            "a: 1\nb: [1, 2\nc: 3",
            (
                "my.yaml:3",
                "this is not YAML: did not find expected ',' or ']' (column 1)",
                "",
                YAML,
                YAML_FIX,
            ),
        ),
        (
            "[" * 33,
            ("my.yaml:1", "the spec is nested too deeply", "", "at most 32 levels", "flatten it"),
        ),
    ],
)
def test_bad_texts(text: str | bytes, expected: tuple[str, ...]) -> None:
    error = refused(text)
    if "not YAML" in expected[1]:  # the parser's words differ between its versions
        assert told(error)[0] == expected[0]
        assert error.problem.startswith("this is not YAML: ")
        assert told(error)[3:] == expected[3:]
    else:
        assert told(error) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            '{"version": 1,\n "name": "a",\n "name": "b"}',
            (
                "my.yaml:3",
                "the key 'name' occurs twice",
                "on lines 2 and 3",
                "every key once",
                "remove one of the two, or rename it",
            ),
        ),
        (
            '{"version": 1,\n "loss": {"pl": NaN}}',
            ("my.yaml:2", "not a finite number", "NaN", "a finite number", ""),
        ),
        (
            '{"version": 1,\n "loss": {"pl": -Infinity}}',
            ("my.yaml:2", "not a finite number", "-Infinity", "a finite number", ""),
        ),
        (
            '{"version": 1,\n}',
            (
                "my.yaml:2",
                "this is not JSON: expecting property name enclosed in double quotes (column 1)",
                "",
                JSON,
                "look at this line and the one above",
            ),
        ),
        (
            '{"version": 1,\n "loss":\n {"pl": 1e999}}',
            (
                "my.yaml:3: loss.pl",
                "the number has too many digits or too large an exponent",
                "1e999",
                "a finite number: 0, or between 1e-300 and 1e300 in size",
                "",
            ),
        ),
        (
            '{"version": ' + "1" * 5000 + "}",
            (
                "my.yaml:1: version",
                "the expression is 5000 characters long",
                "1" * 5000,
                "at most 1000 characters",
                "",
            ),
        ),
        (
            '{"a": ' * 33 + "1" + "}" * 33,
            ("my.yaml:1", "the spec is nested too deeply", "", "at most 32 levels", "flatten it"),
        ),
        (
            '{"version": 1, "name": "a",\n"grph": 1}',
            (
                "my.yaml:2: grph",
                "unknown key 'grph'",
                "",
                f"one of {TOP}",
                "did you mean 'graph'?",
            ),
        ),
    ],
)
def test_bad_json(text: str, expected: tuple[str, ...]) -> None:
    error = refused(text, format="json")
    if "not JSON" in expected[1]:  # Python's words differ between its versions
        assert told(error)[0] is not None
        assert error.problem.startswith("this is not JSON: ")
        assert told(error)[3:] == expected[3:]
    else:
        assert told(error) == expected


def test_the_first_problem_of_the_file_is_told_and_the_others_counted() -> None:
    text = DESIGN.replace("horizon", "horizn").replace("pass: forward", "pass: up")
    error = refused(text.replace("mean: 0", "mean: -1").replace("C: 1", "C: [1]"))
    assert told(error) == (
        "my.yaml:3: symbols.C",
        "not a number (and 3 more problems)",
        "a list of 1",
        NUMBER,
        "",
    )
    many = refused(SMALL + "perturbations: [" + "{}, " * 5000 + "]")
    assert many.problem == "missing keys 'at' and 'pass' (and over 100 more problems)"


@pytest.mark.parametrize(
    ("library", "name", "parameters", "expected"),
    [
        (
            OPERATORS,
            "softplus",
            {"scal": 1},
            (
                "graph.operators[2].scal",
                "unknown key 'scal'",
                "",
                "one of scale, bias",
                "did you mean 'scale'?",
            ),
        ),
        (
            OPERATORS,
            "softplus",
            {"scale": -1},
            ("graph.operators[2].scale", "a negative number", "-1", "a number ≥ 0", ""),
        ),
        (
            OPERATORS,
            "softplus",
            {"scale": "2*sigma"},
            (
                "graph.operators[2].scale",
                "undeclared symbol 'sigma'",
                "2*sigma",
                "one of C",
                "declare it: symbols: {sigma: }",
            ),
        ),
        (
            OPERATORS,
            "dense",
            {},
            (
                "graph.operators[2]",
                "missing key 'units'",
                "",
                "`units:`, which has no default",
                "add `units: …`",
            ),
        ),
        (
            DISTRIBUTIONS,
            "uniform",
            {},
            (
                "graph.operators[2]",
                "uniform is given none of its parameters",
                "an empty section",
            ),
        ),
    ],
)
def test_bad_parameters_of_library_objects(
    library: dict[str, type], name: str, parameters: dict[str, object], expected: tuple[str, ...]
) -> None:
    with pytest.raises(SpecError) as caught:
        library_object(library[name], parameters, "graph.operators[2]", {"C"})
    said = told(caught.value)
    assert said[: len(expected)] == expected


def test_paths_as_text() -> None:
    assert dotted(("a", "b c", 0, "block.1")) == "a['b c'][0].block.1"
    assert Places().where() is None
    assert Places("a.yaml").where("b") == "a.yaml: b"
