"""What moves, what does not and why; the recorded programs in Python."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import Any

import pytest
from engine_specs import SHIPPED, TEXTS, graph_named
from engine_tools import agree, exported_graph, in_float64, made, random_settings

import boundcalc as bc
from boundcalc.errors import SpecError
from boundcalc.explore.depth import at_depth, repeated
from boundcalc.explore.model import Explorer, explorer
from boundcalc.explore.ranges import enclosure
from boundcalc.explore.script import programs_text
from boundcalc.resources import examples
from boundcalc.spec.grammar import parse
from boundcalc.theories.perturbed.families import FAMILIES

NAMES = (*SHIPPED, *TEXTS)


def chain(operators: str, *, symbols: str = "{}", perturbations: str = "", more: str = "") -> Any:
    text = f"""
version: 1
name: chain
symbols: {symbols}
graph: {{operators: [{operators}]}}
loss: {{smoothness: 1, initial_gap: 1, gradient_noise: 0}}
perturbations: [{perturbations}]
training: {{step_size: 1/4, horizon: 100}}
{more}"""
    return bc.build(bc.loads(text))


def plain_operator(name: str, jac: str = "1") -> str:
    return (
        f"{{id: {name}, constants: {{jac_input: {jac}, jac_weight: 1, hess_input: 1, hess_mixed: 1,"
        " third_input: 1, third_mixed: 1}}"
    )


def controls(found: Explorer) -> dict[str, dict[str, Any]]:
    return {control["key"]: control for control in found.model["controls"]}


def symbol_values(found: Explorer, settings: dict[str, float]) -> dict[str, float]:
    keys = found.model["symbolKeys"]
    values = {key: control["value"] for key, control in controls(found).items()} | settings
    return {symbol: values[key] for key, symbol in keys.items() if isinstance(symbol, str)}


def exported(found: Explorer, settings: dict[str, float]) -> str:
    """The template with settings, without the engine."""
    data = json.loads(json.dumps(found.model["template"]))
    for key, value in settings.items():
        place = found.model["symbolKeys"][key]
        if isinstance(place, str):
            data["symbols"][place] = value
    return json.dumps(data)


def recorded_moments(found: Explorer, family: str, settings: dict[str, float]) -> list[Any]:
    """Error and bias from the program, with all perturbations acting."""
    variants = found.model["variants"]
    own = next(v for v in variants if v["layout"]["name"] == "d0")
    level = own["layout"]["families"][family]["levels"][-1]
    program = found.programs.get(f"d0_{family}")
    values = [] if program is None else program.values(symbol_values(found, settings))
    entries = (level["error"], level["bias"])
    return [values[e[0]] if isinstance(e, list) else e for e in entries]


@pytest.mark.parametrize("name", NAMES)
def test_recorded_programs_are_the_ordinary_calculation(name):
    """In Python, without a browser: at the spec's own setting and at others."""
    found = made(name)
    for settings in random_settings(name, 3, 3):
        settings.pop("depth", None)
        if name == "symbols in constants":
            settings["symbol:m"] = 1e-3  # a mean above the root mean square is refused
        graph = graph_named(name)
        if settings:
            graph = exported_graph(name, exported(found, settings))
        for family in found.model["families"]:
            bounds = FAMILIES[family].best_bounds(graph)
            error, bias = recorded_moments(found, family, settings)
            assert agree(error, in_float64(bounds.error))
            assert agree(bias, in_float64(bounds.bias))


@pytest.mark.parametrize("name", NAMES)
def test_every_control_starts_inside_its_range(name):
    found = made(name)
    keys = [control["key"] for control in found.model["controls"]]
    assert len(keys) == len(set(keys))
    for control in found.model["controls"]:
        assert control["min"] <= control["value"] <= control["max"]
        assert control["scale"] != "log" or control["min"] > 0
        assert math.isfinite(control["max"])
    assert json.loads(json.dumps(found.model, allow_nan=False)) == json.loads(
        json.dumps(found.model)
    )
    assert set(found.model["symbolKeys"]) == set(keys)


#: Shipped specs of this theory; that of residual blocks takes long to build at every depth.
FITTING = [
    pytest.param(name, marks=[pytest.mark.long] if name == "resnet-blocks" else [])
    for name, path in examples().items()
    if "theory:" not in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("name", FITTING)
def test_every_shipped_spec_has_a_model_that_fits_a_page(name):
    found = made(name)
    size = len(programs_text(found.programs)) + len(json.dumps(found.model))
    assert size < 1_150_000
    assert "sharp" in found.model["families"]


def test_other_theories_have_no_explorer():
    with pytest.raises(SpecError, match="for perturbed passes"):
        explorer(bc.build(bc.load(examples()["fp8-underflow"])))


def test_what_a_symbol_is_used_for_decides_whether_it_moves():
    found = explorer(
        chain(
            "{id: f1, type: sine, bias: true, scale: w}, " + plain_operator("f2", "C"),
            symbols="{C: 2, w: 3, p: 1/2, lo: 1/10, idle: 7, free: , zero: 0}",
            perturbations="{at: f1, pass: forward, model: uniform, low: -lo, high: lo,"
            " probability: p}, {at: f2, pass: backward, rms: free, mean: zero}",
        )
    )
    assert "symbol:C" in controls(found)
    assert controls(found)["symbol:free"]["value"] == 1
    assert "the spec gives free no value: the page begins with 1" in found.model["notes"]
    reasons = {fixed["label"]: fixed["reason"] for fixed in found.model["fixed"]}
    assert reasons == {
        "w": "it is a parameter of an operator of the library",
        "p": "it is in a probability",
        "lo": "it is in `low` of a perturbation model",
        "idle": "no bound depends on it",
        "zero": "it is 0, where bounds take another form",
    }


def test_a_symbol_moves_as_far_as_every_size_stays_positive():
    found = explorer(
        chain(
            plain_operator("f1") + ", " + plain_operator("f2", '"2 - C/2"'),
            symbols="{C: 1}",
            perturbations="{at: f1, pass: forward, rms: 1, mean: 0, fourth: 1}",
        )
    )
    control = controls(found)["symbol:C"]
    assert control["max"] == 2.0  # 4 would make the Jacobian 0
    assert control["min"] == 0.5


def test_a_symbol_that_may_move_a_mean_to_zero_is_fixed():
    found = explorer(
        chain(
            plain_operator("f1") + ", " + plain_operator("f2"),
            symbols="{a: 1, b: 1}",
            perturbations="{at: f1, pass: forward, model: gaussian, std: 1/10, center: a - b}",
        )
    )
    assert not any(key.startswith("symbol:") for key in controls(found))
    assert {fixed["label"] for fixed in found.model["fixed"]} == {"a", "b"}
    error, _ = recorded_moments(found, "sharp", {})
    assert math.isclose(error, float(bc.coefficients(graph := found_graph(found)).error_bound()))
    assert graph.levels(bc.arithmetic.FLOATS).forward_centred


def test_a_mean_of_zero_stays_zero_whatever_its_factors():
    operators = ", ".join(plain_operator(name) for name in ("f1", "f2", "f3"))
    found = explorer(
        chain(
            operators,
            perturbations="{at: [f1, f2], pass: forward, model: uniform, low: -1/10, high: 1/10},"
            " {at: f3, pass: backward, model: two_point, low: -1, high: 1, p_high: 1/2}",
        )
    )
    settings = {"forward": 3.0, "backward": 0.7, "site:0:f1": 0.1}
    graph = bc.build(bc.loads(exported(found, settings), name="exported.json"))
    expected = FAMILIES["sharp"].best_bounds(graph)
    assert "conditionally zero-mean" in expected.form
    error, bias = recorded_moments(found, "sharp", settings)
    assert agree(error, in_float64(expected.error))
    assert agree(bias, in_float64(expected.bias))


def found_graph(found: Explorer) -> Any:
    return bc.build(bc.loads(json.dumps(found.model["template"]), name="template.json"))


def test_regions_that_move_with_levels_are_stated():
    found = made("siamese")
    assert any("regions of the spec's own levels" in note for note in found.model["notes"])
    operators = found.model["template"]["graph"]["operators"]
    assert [operator["id"] for operator in operators] == list(graph_named("siamese").ids)
    assert not any("regions" in note for note in made("three-operators").model["notes"])


def test_levels_that_would_leave_their_regions_stop_at_the_specs_own():
    found = made("reach")
    assert found.model["capped"]
    by_key = controls(found)
    assert "symbol:s" not in by_key
    assert "symbol:t" in by_key
    assert {f["label"]: f["reason"] for f in found.model["fixed"]} == {
        "s": "it is in a forward level, which may leave the regions on which constants hold"
    }
    for key in ("forward", "site:0:f1"):
        assert by_key[key]["max"] == by_key[key]["value"] == 1
        assert "at most the spec's own level" in by_key[key]["note"]
    assert by_key["backward"]["max"] == by_key["site:1:loss"]["max"] == 1e3
    assert not made("three-operators").model["capped"]


def test_regions_are_compared_far_above_every_level():
    """At s and t both up or both down a level stays what it is; regions grow with s alone."""
    text = TEXTS["reach"].replace("half_width: s", "half_width: 1/10 + s/9 - t/9")
    assert explorer(bc.build(bc.loads(text))).model["capped"]


def test_what_is_true_at_lower_levels_is_said():
    """The bounds on the spec's own regions are no smaller than those of a build at lower levels."""
    found = made("reach")
    spec = bc.loads(TEXTS["reach"])
    for factor in (0.1, 0.5, 0.9):
        error, bias = recorded_moments(found, "sharp", {"forward": factor})
        lower = bc.build(bc.loads(TEXTS["reach"].replace("s: 1/100,", f"s: {factor / 100},")))
        bounds = FAMILIES["sharp"].best_bounds(lower)
        assert float(bounds.error) <= error * (1 + 1e-12)
        assert float(bounds.bias) <= bias * (1 + 1e-12)
    above = bc.build(bc.loads(TEXTS["reach"].replace("s: 1/100,", "s: 1,")))
    assert above.graph_constants(bc.arithmetic.FLOATS) != bc.build(spec).graph_constants(
        bc.arithmetic.FLOATS
    )


def test_the_note_says_what_follows_the_depth():
    [note] = [note for note in made("depth in everything").model["notes"] if "depth" in note]
    assert note.startswith("with the depth change, as the spec has them in n: smoothness, PL")
    [note] = [note for note in made("repeated").model["notes"] if "depth" in note]
    assert note.startswith("at every depth the objective's constants")


def test_ranges_hold_at_every_depth():
    """2 - n*s/6 stays positive at depth 6 for smaller s than at the spec's depth of 3."""
    text = TEXTS["depth in everything"].replace("rms: s, mean", "rms: 2 - n*s/6, mean")
    found = explorer(bc.build(bc.loads(text)))
    deepest = controls(found)["depth"]["max"]
    assert deepest == 6
    assert 2 - deepest * controls(found)["symbol:s"]["max"] / 6 > 0


def test_formats_stand_by_their_moments():
    found = made("fine-tuning")
    first = found.model["template"]["perturbations"][0]
    assert "model" not in first
    assert first["dependence"] == "conditional"
    assert any("has no level of its own" in note for note in found.model["notes"])


def test_families_that_refuse_say_why():
    refused = made("diamond").model["refused"]
    assert set(refused) == {"published", "corrected"}
    assert "stated and proved for chains" in refused["published"]
    assert "jumps" in made("kinks").model["refused"]["published"]


def test_a_depth_that_lacks_a_site_leaves_it_out():
    graph = graph_named("repeated")
    repeat = repeated(graph.spec)
    assert repeat is not None
    two, kept = at_depth(graph, repeat, 2)
    assert kept == [0, 1, 2]
    assert [p.site for p in two.perturbations if p.direction == "forward"] == [2, 3, 5]
    one, kept = at_depth(graph, repeat, 1)
    assert kept == [0, 1]
    assert one.size == 4
    found = made("repeated")
    assert controls(found)["depth"]["value"] == 4
    assert [variant["depth"] for variant in found.model["variants"]] == controls(found)["depth"][
        "choices"
    ]
    keys = {v["depth"]: {site["key"] for site in v["sites"]} for v in found.model["variants"]}
    assert "site:0:block.4.a" in keys[4]
    assert "site:0:block.4.a" not in keys[2]


@cache
def long_chain(count: int) -> Any:
    return bc.build(
        bc.loads(
            f"""
version: 1
name: long
graph:
  uniform: {{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}}
  operators: [{{id: f, repeat: {count}}}]
loss: {{smoothness: 1, initial_gap: 1, gradient_noise: 1/10}}
perturbations:
  - {{at: "f.*", pass: forward, rms: 1/1000, mean: 0, fourth: 1/500}}
training: {{step_size: 1/4, horizon: 1000}}
"""
        )
    )


@cache
def long_explorer() -> Explorer:
    return explorer(long_chain(700))


def test_long_chains_have_fewer_controls():
    some = long_explorer()
    assert "forward" in controls(some)
    assert "constants:jac" not in controls(some)
    assert any(note.startswith("constants are fixed") for note in some.model["notes"])
    variant = some.model["variants"][0]
    assert variant["edges"] is None
    assert len(variant["operators"]) == 175
    assert variant["operators"][0] == "f.1 … f.4"
    column = variant["layout"]["families"]["sharp"]["columns"]["error_forward"]
    exact = bc.coefficients(long_chain(700)).columns["error_forward"]
    assert agree(column[0], float(max(float(number) for number in exact[:4])))


@pytest.mark.long
def test_a_chain_of_five_thousand_has_numbers():
    graph = long_chain(5000)
    found = explorer(graph)
    assert "forward" not in controls(found)
    assert {"step_size", "horizon", "batch"} <= set(controls(found))
    error, bias = recorded_moments(found, "sharp", {})
    coefficients = bc.coefficients(graph)
    assert agree(error, in_float64(coefficients.error_bound()))
    assert agree(bias, in_float64(coefficients.bias_bound()))
    assert len(programs_text(found.programs)) + len(json.dumps(found.model)) < 100_000


def test_numbers_outside_float64_refuse_a_family():
    found = long_explorer()
    assert set(found.model["refused"]) == {"published", "corrected"}
    assert "range of float64" in found.model["refused"]["published"]


def test_a_bound_that_is_missing_anyway_says_why_as_rates_do():
    text = """
version: 1
name: long
graph:
  uniform: {jac: 2, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f, repeat: 610}]
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1/10}
perturbations: [{at: f.1, pass: forward, rms: 1/1000}]
training: {step_size: 1/4, horizon: 1000}
"""
    graph = bc.build(bc.loads(text))
    found = explorer(graph).model["refused"]
    expected = {name: rate.refused for name, rate in bc.rates(graph).nonconvex.items()}
    assert found
    assert all("fourth" in expected[name] for name in found)
    assert found == {name: expected[name] for name in found}


def test_enclosures_hold_every_value():
    expression = parse("max(sqrt(a), b) * (a - b/3)**2 - exp(-a)/log(1 + b) + min(a, pi)")
    box = {"a": (1.0, 2.0), "b": (0.5, 3.0)}
    low, high = enclosure(expression.node, box)
    for i in range(5):
        for j in range(5):
            values = {"a": 1 + i / 4, "b": 0.5 + 2.5 * j / 4}
            assert low <= expression.evaluate(bc.arithmetic.FLOATS, values) <= high


def test_names_are_data_and_never_code():
    hostile = "</script><b>' \\textbf"
    text = json.dumps(
        {
            "version": 1,
            "name": "</script>",
            "graph": {
                "uniform": {"jac": 1, "lip": 1, "hess": 1, "hess_op": 1, "third": 1},
                "operators": [
                    {"id": "f" + hostile},
                    {"id": "g"},
                ],
            },
            "perturbations": [{"at": "g", "pass": "backward", "rms": 1, "mean": 0}],
        }
    )
    found = explorer(bc.build(bc.loads(text, name="hostile.json")))
    assert "script" not in programs_text(found.programs)
    assert not any("<" in str(symbol) for symbol in found.model["symbolKeys"].values())


def test_exact_numbers_are_those_of_every_other_command():
    found = made("three-operators").model["exact"]
    rates = bc.rates(graph_named("three-operators"))
    for family, rate in rates.nonconvex.items():
        assert rate.bound is not None
        assert found[family]["nonconvex"]["text"] == str(rate.bound)
        assert found[family]["nonconvex"]["status"] == rate.bound.status
        assert found[family]["nonconvex"]["value"] == float(rate.bound)
        assert found[family]["pl"] is None
