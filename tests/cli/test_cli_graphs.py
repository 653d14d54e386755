"""What ``compile --json`` says of graphs."""

import importlib

from cli_specs import GRAPH, SYMBOLS, ones, write


def test_compile_describes_the_graph(cli, tmp_path):
    found = cli("compile", write(tmp_path, GRAPH), "--json").json["graph"]
    assert (found["chain"], found["sampled"], found["merged"]) == (False, False, [])
    operators = {entry["id"]: entry for entry in found["operators"]}
    assert list(operators) == ["x1", "x2", "f1", "f2", "both", "kink", "mix", "loss"]
    keys = {"id", "type", "inputs", "shape", "weights", "shared_with", "trainable", "region"}
    assert all(keys | {"constants"} == set(entry) for entry in operators.values())
    assert (operators["x2"]["inputs"], operators["both"]["inputs"]) == (["data"], ["f1", "f2"])
    assert (operators["both"]["shape"], operators["both"]["weights"]) == ([2], 0)
    assert [operators[k]["shared_with"] for k in ("f1", "f2", "both")] == [None, "f1", None]
    assert [operators[k]["trainable"] for k in ("f1", "mix")] == [True, False]
    assert operators["f1"]["region"]["weight_change"] == 1
    # The pieces of the data lie in its ball, the spec says of which radius.
    region = operators["x1"]["region"]
    assert (region["input"], region["from"]) == (1, ["stated"])
    assert operators["f1"]["region"]["from"] == ["propagated"]
    both = operators["both"]
    assert len(both["constants"]["slots"]) == len(both["region"]["parts"]) == 2
    assert [slot["jac_input"] for slot in both["constants"]["slots"]] == [1, 1]
    assert both["constants"]["slots"][0]["hess_input"] == [0, 0]


def test_what_does_not_exist_is_null_in_the_graph(cli, tmp_path):
    found = cli("compile", write(tmp_path, GRAPH), "--json").json
    kink = found["graph"]["operators"][5]["constants"]
    assert (kink["hess_input"], kink["third_input"], kink["jac_change"]) == (None, None, 1)
    forward = found["coefficients"]["error"]["forward"]
    assert forward["both"] is None
    assert forward["mix"] is not None
    assert any("kink" in note for note in found["notes"])


def test_constants_of_unset_symbols_are_their_expressions(cli, tmp_path):
    operators = cli("compile", write(tmp_path, SYMBOLS), "--json").json["graph"]["operators"]
    assert operators[1]["constants"]["jac_input"] == "C"
    assert operators[1]["constants"]["hess_input"] == 0.5
    assert operators[1]["constants"]["from"]["jac_input"] == "uniform"


def test_constants_outside_floats_are_text(cli, tmp_path):
    text = ones(2).replace("third: 1", "third: 1e-200*1e-200")
    operators = cli("compile", write(tmp_path, text), "--json").json["graph"]["operators"]
    assert operators[1]["constants"]["third_input"] == "1e-400"
    assert operators[1]["constants"]["hess_input"] == 1


def test_contributions_are_named_by_the_first_operator_with_the_weights(cli, tmp_path):
    found = cli("compile", write(tmp_path, GRAPH), "--json").json
    parts = found["contributions"]
    assert "f2" not in parts
    assert [name for name, part in parts.items() if part] == ["f1"]
    assert parts["f1"] == found["error_bound"]
    chain = cli("compile", write(tmp_path, ones(3)), "--json").json
    assert list(chain["contributions"]) == chain["operators"]


def test_families_that_refuse_a_graph_have_no_formulas_for_it(cli, tmp_path):
    path = write(tmp_path, GRAPH)
    refused = cli("compile", path, "--json", "--formulas", "--family", "published").json
    assert (refused["recurrence"], refused["closed_form"]) == ([], None)
    groups = [side for group in refused["coefficients"].values() for side in group.values()]
    assert {value for side in groups for value in side.values()} == {None}
    sharp = cli("compile", path, "--json", "--formulas").json
    assert any(r"\sum_{u\to v}" in line for line in sharp["recurrence"])
    assert sharp["closed_form"] is None


def test_a_very_large_graph_is_left_out_with_a_note(cli, tmp_path, monkeypatch):
    # `boundcalc.report` is also the name of a function, so the module is asked for by name.
    monkeypatch.setattr(importlib.import_module("boundcalc.report.results"), "MOST_OPERATORS", 2)
    found = cli("compile", write(tmp_path, ones(3)), "--json").json
    assert "graph" not in found
    assert any("the graph of 3 operators is left out" in note for note in found["notes"])
