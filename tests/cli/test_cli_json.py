"""``--json`` prints one object with the documented keys and nothing else."""

import json
import re
from fractions import Fraction
from pathlib import Path

import jsonschema
import pytest
from cli_specs import HOLDS, RATES, SYMBOLS, UNDETERMINED, named, ones, write

import boundcalc
from boundcalc.cli import app
from boundcalc.resources import examples
from boundcalc.spec.loading import load

FAMILIES = ("published", "corrected", "sharp")
TERMS = {"optimisation", "sampling", "perturbation_error", "perturbation_bias"}


def leaves(tree):
    """The values of a tree of mappings."""
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in leaves(branch)]
    return [tree]


@pytest.mark.parametrize("family", FAMILIES)
def test_compile_has_the_documented_keys(cli, tmp_path, family):
    found = cli("compile", write(tmp_path, ones(3)), "--json", "--family", family).json
    assert {"name", "family", "operators", "coefficients", "error_bound", "bias_bound"} <= set(
        found
    )
    assert (found["name"], found["family"]) == ("all constants 1", family)
    assert found["operators"] == ["f.1", "f.2", "f.3"]
    coefficients = found["coefficients"]
    assert set(coefficients) == {"error", "bias"}
    assert set(coefficients["error"]) == {"forward", "backward"}
    assert set(coefficients["bias"]) == {"forward_mean", "forward_fourth", "backward_mean"}
    for group in coefficients.values():
        for side, values in group.items():
            ids = ["f.2", "f.3"] if side.startswith("backward") else ["f.1", "f.2"]
            assert list(values) == ids
            assert all(type(value) is float for value in values.values())
    assert ("gram" in found) == ("gram_labels" in found) == (family == "sharp")


@pytest.mark.parametrize("family", FAMILIES)
def test_exact_stands_beside_every_coefficient(cli, tmp_path, family):
    found = cli("compile", write(tmp_path, ones(3)), "--json", "--family", family).json
    exact = {key: found["exact"][key] for key in found["coefficients"]}
    numbers, fractions = leaves(found["coefficients"]), leaves(exact)
    assert [float(Fraction(text)) for text in fractions] == numbers
    assert all(re.fullmatch(r"\d+(/\d+)?", text) for text in fractions)


def test_compile_gives_the_gram_matrix_of_the_sharp_family(cli, tmp_path):
    found = cli("compile", write(tmp_path, ones(2)), "--json").json
    assert found["gram_labels"] == ["forward:f.1", "backward:f.2"]
    # d = (e + ϵ, e): G = ((2, 1), (1, 1))
    assert found["gram"] == [[2, 1], [1, 1]]


def test_the_gram_matrix_of_a_long_chain_is_left_out_unless_asked_for(cli, tmp_path):
    path = write(tmp_path, ones(70))
    left_out = cli("compile", path, "--json").json
    assert left_out["gram"] is None
    assert any("--gram" in note for note in left_out["notes"])
    assert len(cli("compile", path, "--json", "--gram").json["gram"]) == 138
    assert cli("compile", write(tmp_path, ones(2)), "--json", "--no-gram").json["gram"] is None


@pytest.mark.parametrize(
    ("size", "error", "bias"), [(1, "0", "0"), (2, "2", "1/2"), (3, "22", "225/4")]
)
def test_plain_bounds_of_short_chains(cli, tmp_path, size, error, bias):
    found = cli("compile", write(tmp_path, ones(size)), "--json").json
    exact = found["exact"]
    assert (exact["error_bound_plain"], exact["bias_bound_plain"]) == (error, bias)
    assert found["error_bound"] <= found["error_bound_plain"]
    assert found["bias_bound"] <= found["bias_bound_plain"]


def test_zero_mean_bounds_of_three_operators(cli, tmp_path):
    # s = (1, √2)/2, R = (1 + √2, √2)/2: ζ² = (2(1 + √2)² + 2)/4; bias: 81/4 · (1/2)⁴
    text = ones(3, at="{at: [f.1, f.2], pass: forward, rms: 1/2, mean: 0}")
    found = cli("compile", write(tmp_path, text), "--json").json
    assert found["error_bound"] == pytest.approx(2 + 2**0.5, rel=1e-15)
    assert found["error_bound"] >= 2 + 2**0.5
    assert found["bias_bound"] == pytest.approx(81 / 64, rel=1e-15)
    assert found["refinements"] == ["superposition"]
    assert found["exact"]["error_bound"] is None
    assert found["status"]["error_bound"] == "proved"


def test_large_noise_saturates(cli, tmp_path):
    # No Jacobian moves by more than 2: every row of the error is at most 2, and s_2 = √2.
    found = cli("compile", write(tmp_path, ones(3)), "--json").json
    assert found["error_bound"] == pytest.approx(10, rel=1e-15)
    assert found["refinements"][0] == "saturation"


def test_a_mean_is_capped_by_its_root_mean_square(cli, tmp_path):
    text = ones(3, at="{at: [f.1, f.2], pass: forward, rms: 1}")
    found = cli("compile", write(tmp_path, text), "--json").json
    assert (found["exact"]["error_bound"], found["exact"]["bias_bound"]) == ("12", "12")
    assert found["bias_bound_plain"] > 22
    assert found["status"]["bias_bound"] == "proved"


def test_published_and_corrected_coefficients_of_two_operators(cli, tmp_path):
    path = write(tmp_path, ones(2))
    expected = {
        "published": ("16", "3", "32", "64", "6"),
        "corrected": ("16", "6", "32", "64", "6"),
    }
    for family, values in expected.items():
        exact = cli("compile", path, "--json", "--family", family).json["exact"]
        assert tuple(leaves({k: exact[k] for k in ("error", "bias")})) == values


def test_one_operator_has_no_coefficients(cli, tmp_path):
    found = cli("compile", write(tmp_path, ones(1)), "--json").json
    assert leaves(found["coefficients"]) == []
    assert (found["gram"], found["gram_labels"], found["operators"]) == ([], [], ["f.1"])


def test_without_perturbations_there_are_coefficients_but_no_bounds(cli, tmp_path):
    text = ones(2).replace("perturbations: ", "#")
    found = cli("compile", write(tmp_path, text), "--json").json
    assert found["coefficients"]["error"]["forward"] == {"f.1": 2}
    assert (found["error_bound"], found["bias_bound"]) == (None, None)


def test_without_fourth_the_published_bias_is_null_and_the_output_says_why(cli, tmp_path):
    text = ones(2, at="{at: f.1, pass: forward, rms: 1, mean: 0}")
    for family in ("published", "corrected"):
        found = cli("compile", write(tmp_path, text), "--json", "--family", family).json
        assert found["bias_bound"] is None
        assert found["exact"]["bias_bound"] is None
        assert found["error_bound"] == 16
        assert any("`fourth`" in note for note in found["notes"])
    assert cli("compile", write(tmp_path, text), "--json").json["bias_bound"] == 0.5


def test_free_symbols_are_null_and_the_output_says_which(cli, tmp_path):
    found = cli("compile", write(tmp_path, SYMBOLS), "--json").json
    assert set(leaves(found["coefficients"])) == {None}
    assert found["error_bound"] is None
    assert any("'C' has no value" in note for note in found["notes"])


def test_set_gives_a_symbol_a_value(cli, tmp_path):
    path = write(tmp_path, SYMBOLS)
    found = cli("compile", path, "--json", "--set", "C=1", "--set", "L = 1/3").json
    # L² (b² + 1) = 2/9
    assert found["exact"]["error"]["forward"] == {"a": "2/9"}


def test_formulas_are_on_request(cli, tmp_path):
    path = write(tmp_path, SYMBOLS)
    assert "formula" not in cli("compile", path, "--json").json
    found = cli("compile", path, "--json", "--formulas").json["formula"]
    assert found["error"]["backward"] == {"b": "C^{2}"}
    # L² (1 + b²), with L = 1/2 put in
    assert found["error"]["forward"] == {"a": "\\frac{1}{4} + \\frac{C^{2}}{4}"}


def test_a_thousand_operators_never_print_infinity(cli, tmp_path):
    path = write(tmp_path, ones(1000))
    found = cli("compile", path, "--json", "--family", "published")
    assert not re.search(r"\b(inf|infinity|nan)\b", found.out, re.IGNORECASE)
    value = found.json["coefficients"]["error"]["forward"]["f.1"]
    # (21): 4 Σ_{j=1}^{999} S_j 2^{j−1} with S_j = (3^{j+1} − 1)/2
    exact = 4 * sum((3 ** (j + 1) - 1) // 2 * 2 ** (j - 1) for j in range(1, 1000))
    assert isinstance(value, str)
    mantissa, exponent = value.split("e+")
    assert len(str(exact)) - 1 == int(exponent)
    assert float(mantissa) == pytest.approx(float(Fraction(exact, 10 ** int(exponent))), rel=1e-15)


def test_rate_has_the_documented_keys(cli, tmp_path):
    found = cli("rate", write(tmp_path, ones(2, rest=RATES)), "--json").json
    assert list(found["nonconvex"]) == list(found["pl"]) == list(FAMILIES)
    for regime in ("nonconvex", "pl"):
        for rate in found[regime].values():
            assert set(rate["terms"]) == TERMS
            assert all(type(value) is float for value in rate["terms"].values())
            assert rate["bound"] == pytest.approx(sum(rate["terms"].values()), rel=1e-12)
            # No step improves on Δ₀ where the bias alone is above it.
            assert regime == "pl" or rate["best_bound"] <= rate["bound"]
            assert rate["refused"] is None
    limits = [rate["step_size_limit"] for rate in found["nonconvex"].values()]
    assert limits == [pytest.approx(1 / 3), pytest.approx(1 / 3), 1]


def test_rate_by_hand(cli, tmp_path):
    found = cli("rate", write(tmp_path, ones(2, rest=RATES)), "--json").json
    # ζ² = 16, β² = 64 at M = 4: averaged error min(16, (3·64 + 16)/4) = 16; (34) with Lγ = 1/4
    assert found["nonconvex"]["published"]["terms"] == {
        "optimisation": pytest.approx(6 / 250),
        "sampling": pytest.approx(6 / 4 / 100),
        "perturbation_error": pytest.approx(6 / 4 * 16),
        "perturbation_bias": pytest.approx(3 * 64),
    }
    assert found["nonconvex"]["sharp"]["terms"]["optimisation"] == pytest.approx(2 / 250)
    assert found["pl"]["sharp"]["terms"]["optimisation"] == pytest.approx(0.975**1000)


def test_rate_without_pl_has_no_pl_bounds(cli, tmp_path):
    text = ones(2, rest=RATES.replace("pl: 1/10, ", ""))
    found = cli("rate", write(tmp_path, text), "--json").json
    assert found["pl"] == {}
    assert any("loss.pl" in note for note in found["notes"])


def test_a_step_above_the_limit_is_refused_with_the_limit(cli, tmp_path):
    text = ones(2, rest=RATES.replace("step_size: 1/4", "step_size: 1/2"))
    done = cli("rate", write(tmp_path, text), "--json")
    rate = done.json["nonconvex"]["published"]
    assert (rate["bound"], rate["terms"]) == (None, {})
    assert "above the limit 1/(3L) = 0.333333" in rate["refused"]
    assert done.json["nonconvex"]["sharp"]["bound"] > 0
    shown = cli("rate", write(tmp_path, text)).out
    assert "published: refused, step_size 0.5 is above the limit 1/(3L) = 0.333333" in shown


def test_a_step_exactly_at_the_limit_is_not_refused(cli, tmp_path):
    text = ones(2, rest=RATES.replace("step_size: 1/4", "step_size: 1/3"))
    found = cli("rate", write(tmp_path, text), "--json").json
    assert found["nonconvex"]["published"]["refused"] is None


def test_simulate_has_the_documented_keys(cli, tmp_path):
    found = cli("simulate", write(tmp_path, HOLDS), "--json").json
    assert {"metrics", "seed", "replicas", "steps", "seconds"} <= set(found)
    assert (found["seed"], found["replicas"], found["steps"]) == (0, 2, 20)
    assert found["seconds"] > 0
    for metric in found["metrics"].values():
        low, high = metric["ci"]
        assert low <= metric["mean"] <= high
    assert {"mean_squared_gradient", "error_at_0", "bias_at_20"} <= set(found["metrics"])


def test_simulate_writes_what_it_prints(cli, tmp_path):
    folder = tmp_path / "deep" / "out"
    done = cli("simulate", write(tmp_path, HOLDS), "-o", folder, "--json")
    written = json.loads((folder / "simulate.json").read_text(encoding="utf-8"))
    assert written == done.json
    rows = (folder / "trajectory.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0].split(",")[:2] == ["step", "loss_mean"]
    assert len(rows) == 22
    names = ["results.nc", "simulate.json", "trajectory.csv"]
    assert sorted(path.name for path in folder.iterdir()) == names


def test_verify_has_the_documented_keys(cli, tmp_path):
    done = cli("verify", write(tmp_path, HOLDS), "--json")
    found = done.json
    assert (done.code, found["ok"]) == (0, True)
    keys = {"claim", "family", "bound", "observed", "ci", "status", "slack"}
    for verdict in found["verdicts"]:
        assert keys <= set(verdict)
        assert verdict["status"] == "holds"
        assert verdict["ci"][1] <= verdict["bound"]
        assert verdict["slack"] == pytest.approx(verdict["bound"] / verdict["observed"])
    assert {verdict["family"] for verdict in found["verdicts"]} == set(FAMILIES)


@pytest.mark.parametrize("name", ["bilinear-erratum", "separable-erratum"])
def test_verify_finds_the_published_bias_violated(cli, name):
    done = cli("verify", examples()[name], "--json")
    assert (done.code, done.json["ok"]) == (1, False)
    for verdict in done.json["verdicts"]:
        violated = verdict["family"] == "published" and verdict["claim"].startswith("bias")
        assert verdict["status"] == ("violated" if violated else "holds")
        if violated:
            assert (verdict["bound"], verdict["observed"]) == (0, pytest.approx(1 / 16))
            assert "x = [1], w = [" in verdict["detail"]


def test_verify_outside_the_assumptions_is_undetermined(cli, tmp_path):
    done = cli("verify", write(tmp_path, UNDETERMINED), "--json")
    assert (done.code, done.json["ok"]) == (3, False)
    assert {verdict["status"] for verdict in done.json["verdicts"]} == {"undetermined"}
    assert any(not premise["consistent"] for premise in done.json["premises"])


def test_verify_without_any_bound_is_undetermined(cli, tmp_path):
    text = HOLDS.replace("iterates: [0, 1]", "iterates: [0]").replace("loss: {smoothness", "#")
    found = cli("verify", write(tmp_path, text), "--json").json
    assert {skipped["claim"] for skipped in found["skipped"]} == {"nonconvex"}


def test_schema_is_the_one_that_ships(cli):
    found = cli("schema").json
    jsonschema.Draft202012Validator.check_schema(found)
    shipped = Path(boundcalc.__file__).parent / "spec" / "schema.json"
    assert found == json.loads(shipped.read_text(encoding="utf-8"))


def test_examples_are_listed_and_printed(cli):
    shown = cli("examples").out
    listed = cli("examples", "--json").json["examples"]
    assert list(listed) == list(examples())
    for name, path in examples().items():
        assert name in shown
        assert cli("examples", name).out == path.read_text(encoding="utf-8")
        assert listed[name]["shows"]


PASSES = sorted(name for name, path in examples().items() if load(path).theory == "perturbed")


@pytest.mark.parametrize("name", PASSES)
def test_every_example_compiles_and_rates(cli, name):
    path = examples()[name]
    compiled = cli("compile", path, "--json").json
    assert compiled["error_bound"] > 0
    rated = cli("rate", path, "--json")
    if "\nloss:" in path.read_text(encoding="utf-8"):
        assert all(rate["bound"] or rate["refused"] for rate in rated.json["nonconvex"].values())
    else:
        assert (rated.code, rated.out) == (2, "")


def test_names_survive_json(cli, tmp_path):
    found = cli("compile", write(tmp_path, named()), "--json").json
    assert found["operators"][0] == "[bold]a[/bold]"
    assert found["operators"][3] == "\\alpha_{1}$x$ 100% # ~^"


def test_the_app_is_a_typer_app_that_prints_json(tmp_path):
    from typer.testing import CliRunner

    done = CliRunner().invoke(app, ["compile", str(write(tmp_path, ones(2))), "--json"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["exact"]["error_bound"] == "2"
