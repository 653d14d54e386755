"""Shipped specs, JSON, blocks and figures."""

import json

import pytest
from theories.shrinkage.shrinkage_specs import quadratic

import boundcalc as bc
from boundcalc.report import plots
from boundcalc.resources import example
from boundcalc.theories.base import Options
from boundcalc.theories.plain import jsonable
from boundcalc.theories.registry import build_for
from boundcalc.theories.shrinkage.theory import THEORY

SPECS = ["low-precision-shrinkage", "fp8-underflow"]


@pytest.fixture(scope="module", params=SPECS)
def graph(request):
    return build_for(bc.load(example(request.param)))


@pytest.fixture(scope="module")
def answers(graph):
    found = {verb: getattr(THEORY, verb)(graph) for verb in ("compile", "rate", "budget")}
    found["simulate"] = THEORY.simulate(graph, Options())
    found["verify"] = THEORY.verify(graph, Options(), found["simulate"])
    return found


def test_every_claim_of_a_shipped_spec_holds(answers):
    assert answers["verify"].exit_code == 0
    assert answers["verify"].data["ok"] is True


def test_json_has_the_keys_of_the_contract(answers):
    data = jsonable(answers["rate"].data)["shrinkage"]
    assert isinstance(data["nonconvex"]["bound"], float)
    assert isinstance(data["pl"]["bound"], float)
    assert isinstance(data["pl"]["floor"], float)
    assert isinstance(data["raises_floor"], bool)
    for answer in answers.values():
        json.dumps(jsonable(answer.data), allow_nan=False)
        assert answer.blocks


def test_pl_is_null_without_a_constant():
    text = example("low-precision-shrinkage").read_text(encoding="utf-8")
    graph = build_for(bc.loads(text.replace("  pl: 1 ", "  # pl: 1 ")))
    assert jsonable(THEORY.rate(graph).data)["shrinkage"]["pl"] is None


def test_numbers_of_the_shipped_quadratic():
    graph = build_for(bc.load(example("low-precision-shrinkage")))
    found = THEORY.rate(graph).data["shrinkage"]
    assert found["nonconvex"]["exact"]["bound"] == "193/750"
    assert found["pl"]["floor"].exact == "61/500"
    assert found["exact"]["floor"].exact == "61/950"
    assert found["raises_floor"] is True
    assert found["exact"]["raises_floor"] is True


def test_cautions_are_said_first(answers, graph):
    said = answers["rate"].cautions
    assert any("can exceed 1" in caution for caution in said)
    fitted = graph.spec.own.get("format") is not None
    assert any("no uniform q_min" in caution for caution in said) is fitted


def test_the_ledger_names_every_assumption(graph):
    keys = [a.key for a in THEORY.assumptions(graph)]
    assert keys[:4] == ["A1", "A2", "Δ₀", "A4"]
    assert {"S1", "S2", "S3"} <= set(keys)
    assert ("S4" in keys) is (graph.spec.own.get("format") is not None)


SMALL = {"training": {"horizon": 300}, "simulation": {"replicas": 8}}
FORMAT = {"name": "fp4_e2m1", "rounding": "toward_zero", "gradient": {"scale": 1}}


@pytest.mark.parametrize(
    ("own", "stems"),
    [
        (
            {"q": "1/2", "quantization_noise": "3/5"},
            ["shrinkage-floor", "shrinkage-terms", "shrinkage-course"],
        ),
        ({"q": {"depends_on_past": True}, "q_min": "1/2"}, ["shrinkage-course"]),
        ({"format": FORMAT}, ["shrinkage-format", "shrinkage-course"]),
    ],
)
def test_figures_are_drawn(own, stems, tmp_path):
    graph = quadratic(own, **SMALL)
    answers = {"simulate": THEORY.simulate(graph, Options())}
    with plots.style():
        drawn = THEORY.figures(graph, answers, tmp_path)
    assert [figure.stem for figure in drawn] == stems
    for figure in drawn:
        assert (tmp_path / f"{figure.stem}.png").stat().st_size > 5_000
        assert (tmp_path / f"{figure.stem}.pdf").exists()
        assert figure.alt
