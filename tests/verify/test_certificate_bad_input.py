"""Whatever a file holds, the checker answers with a verdict and never with a traceback."""

import copy
import json

import pytest
from certificate_specs import EVERYTHING, chain
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner
from verify.test_certificate_mutations import sealed

import boundcalc as bc
from boundcalc.verify.certificate import checker
from boundcalc.verify.certificate.checker import Rejected, Unreadable
from boundcalc.verify.certificate.write import certificate, layout

DOCUMENT = certificate(bc.build(bc.loads(EVERYTHING)))
TEXT = layout(DOCUMENT)
SMALL = certificate(bc.build(bc.loads(chain(mean="0"))))

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["1", "0", "1/2", "3*2^7", "-1", "1e9", "2*2^-99999", "\ud800", "9" * 200]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def places(value, path=()):
    yield path
    entries = value.items() if isinstance(value, dict) else ()
    entries = enumerate(value) if isinstance(value, list) else entries
    for key, entry in entries:
        yield from places(entry, (*path, key))


PLACES = [path for path in places(SMALL) if path]


def verdict(data):
    try:
        checker.check(data)
    except Rejected:
        return 1
    except Unreadable:
        return 2
    return 0


def changed(path, value):
    found = copy.deepcopy(SMALL)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return found


@given(st.binary(max_size=200))
def test_bytes(data):
    assert verdict(data) == 2


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), JSON)
def test_anything_at_any_place(path, value):
    document = changed(path, value)
    for given_anew in (False, True):
        verdict(json.dumps(sealed(document, given=given_anew)).encode())


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_any_json(value):
    assert verdict(json.dumps(value).encode()) == 2


@pytest.mark.parametrize("length", range(0, len(TEXT) - 1, max(1, len(TEXT) // 60)))
def test_truncated(length):
    assert verdict(TEXT[:length].encode()) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"format": "boundcalc certificate"}',
        '{"format": "boundcalc certificate", "version": 2}',
        '{"format": "boundcalc certificate", "version": true}',
        '{"format": "another", "version": 1}',
        TEXT.replace('"version": 1', '"version": 1, "version": 1'),
        TEXT.replace('"rule":', '"rule":"size","rule":', 1),
        TEXT.replace('"version": 1', '"version": 1, "x": NaN'),
        TEXT.replace('"version": 1', '"version": 1, "x": -Infinity'),
        TEXT.replace('"version": 1', '"version": 1, "x": 1.5'),
        TEXT.replace('"version": 1', '"version": 1, "x": ' + "9" * 5000),
        TEXT.replace('"version": 1', '"version": 1, "x": ' + "9" * 17),
        TEXT.replace('"version": 1', '"version": 1, "x": ' + "[" * 100_000 + "]" * 100_000),
        '{"a":' * 100_000,
        "\ufeff" + TEXT,
    ],
    ids=range(18),
)
def test_unreadable(text):
    assert verdict(text.encode()) == 2


def test_too_large(monkeypatch):
    monkeypatch.setattr(checker, "BYTES", len(TEXT.encode()) - 1)
    assert verdict(TEXT.encode()) == 2


@pytest.mark.parametrize("number", [*"+-/*^x", "", "1/0", "0/1", "2/4", "01", "1/", "/1", "1.0"])
def test_numbers_that_are_none(number):
    with pytest.raises(Rejected):
        checker.read(number)


@pytest.mark.parametrize(
    "number",
    [
        "9" * 91,
        "1*2^32769",
        "1*2^-32769",
        "1*2^99999999",
        "1*2^--1",
        "1*2^-",
        "2*2^200",
        "1*2^3",
        "1*2^",
        "1/3*2^200",
        "\u0661",
        " 1",
        "1_0",
        "3" * 40 + "*2^1",
        None,
        1,
        1.5,
        [],
    ],
)
def test_numbers_that_are_too_large_or_not_written_in_the_one_way(number):
    with pytest.raises(Rejected):
        checker.read(number)


def test_forward_references_and_references_to_itself():
    for offset in (0, 1, 5):
        document = copy.deepcopy(SMALL)
        k = next(k for k, step in enumerate(document["steps"]) if step["operands"])
        document["steps"][k]["operands"][0] = k + offset
        with pytest.raises(Rejected, match="out of range"):
            checker.check(json.dumps(sealed(document)).encode())


def test_a_rule_where_its_assumption_does_not_hold():
    document = copy.deepcopy(SMALL)
    document["inputs"]["levels"][0]["m"][0] = "1/100"
    with pytest.raises(Rejected):
        checker.check(json.dumps(sealed(document, given=True)).encode())
    inputs = checker.Inputs(document["inputs"])
    with pytest.raises(Rejected, match="forward means"):
        checker.Proof(inputs).apply(
            {"rule": "size.centred", "at": [0, 1], "operands": [], "result": "1/10"}
        )


def test_numbers_beyond_the_range_are_refused_by_the_writer():
    from boundcalc.errors import UnsupportedError

    text = (
        "version: 1\nname: n\ngraph:\n  uniform: {jac: 1e60, lip: 1e60, hess: 1, hess_op: 1, "
        "third: 1}\n  operators: [{id: f, repeat: 400}]\n"
        "perturbations: [{at: f.1, pass: forward, rms: 1, mean: 0}]\n"
    )
    with pytest.raises(UnsupportedError, match="range"):
        certificate(bc.build(bc.loads(text)))


def application():
    import typer

    from boundcalc.cli.certify import certify, check

    app = typer.Typer()
    app.command()(certify)
    app.command()(check)
    return app


def test_commands(tmp_path):
    spec, place, code = tmp_path / "s.yaml", tmp_path / "c.json", tmp_path / "checker.py"
    spec.write_text(EVERYTHING)
    run = CliRunner()
    said = run.invoke(
        application(), ["certify", str(spec), "-o", str(place), "--checker", str(code)]
    )
    assert said.exit_code == 0, said.output
    assert "claims E l(w_T) - l* <= " in said.output
    assert code.read_text().startswith('"""Checks a boundcalc certificate')
    said = run.invoke(application(), ["check", str(place)])
    assert said.exit_code == 0
    assert said.output.startswith("accepted")
    said = run.invoke(application(), ["check", str(place), "--json"])
    found = json.loads(said.output)
    assert found["verdict"] == "accepted"
    assert [claim["quantity"] for claim in found["proved"]] == ["error", "bias", "nonconvex", "pl"]
    place.write_text(place.read_text().replace('"result":"1"', '"result":"2"', 1))
    assert run.invoke(application(), ["check", str(place)]).exit_code == 1
    place.write_text("not JSON")
    assert run.invoke(application(), ["check", str(place)]).exit_code == 2
    assert run.invoke(application(), ["check", str(tmp_path / "none")]).exit_code == 2
    said = run.invoke(application(), ["certify", str(spec), "-o", str(place), "--json"])
    assert json.loads(said.output)["claims"].keys() == {"error", "bias", "nonconvex", "pl"}
