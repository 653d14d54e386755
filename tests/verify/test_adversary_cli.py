"""``boundcalc adversary``: what it prints, writes and returns."""

import json
import os
import subprocess
import sys

import pytest

from boundcalc.cli.show_attack import fraction_text
from boundcalc.resources import example
from boundcalc.verify.adversary import Attack
from boundcalc.verify.adversary.results import attack_results, write_attack

BILINEAR = str(example("bilinear-erratum"))


def command(*words, code):
    environment = {**os.environ, "COLUMNS": "100"}
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "boundcalc", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout, done.stderr


def test_a_beaten_bound_is_shown_and_its_instance_saved(tmp_path):
    folder = tmp_path / "new" / "out"
    words = ("adversary", BILINEAR, "--objective", "bias", "--starts", "2", "-o", str(folder))
    out, _ = command(*words, code=1)
    assert "violated" in out
    assert "the published bound is violated by the instance" in out
    assert sorted(path.name for path in folder.iterdir()) == [
        "attack.png",
        "instance.yaml",
        "results.json",
    ]
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert results["violated"] == ["published"]
    assert results["families"]["published"]["fraction"] is None
    shown, _ = command("verify", str(folder / "instance.yaml"), "--json", code=1)
    verdicts = json.loads(shown)["verdicts"]
    beaten = {v["family"] for v in verdicts if v["status"] == "violated"}
    assert beaten == {"published"}


def test_json_is_one_object():
    out, _ = command("adversary", BILINEAR, "--starts", "1", "--seed", "5", "--json", code=0)
    results = json.loads(out)
    assert results["seed"] == 5
    assert results["families"]["sharp"]["fraction"] == pytest.approx(1)
    assert results["families"]["sharp"]["status"] == "not beaten"
    assert results["status"] == "computed"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((BILINEAR, "--objective", "variance"), "error, bias or floor"),
        ((BILINEAR, "--objective", "floor"), "smoothness"),
        ((BILINEAR, "--starts", "0"), "greater than or equal to 1"),
        ((BILINEAR, "-o", "/dev/null/x"), "cannot write here"),
    ],
)
def test_bad_requests_end_with_code_2(words, said):
    _, messages = command("adversary", *words, code=2)
    assert said in " ".join(messages.split())
    assert "Traceback" not in messages


def attack(**changes):
    return Attack(
        **{
            "objective": "bias",
            "attained": 0.5,
            "uncertainty": 0.125,
            "bounds": {"published": 0.0, "corrected": float("inf"), "sharp": 1.0},
            "fractions": {"published": float("inf"), "corrected": 0.0, "sharp": 0.70710678},
            "violated": ("published",),
            "instance": "version: 1\n",
            "seed": 0,
            "starts": 2,
            "evaluations": 10,
            "history": (0.5, float("nan")),
            **changes,
        }
    )


def test_results_hold_no_infinity():
    results = attack_results(attack())
    assert json.loads(json.dumps(results, allow_nan=False)) == results
    assert results["families"]["corrected"]["bound"] is None
    assert results["history"] == [0.5, None]
    assert results["status"] == "sampled"


def test_numbers_are_lower_bounds():
    assert fraction_text(0.99999) == "0.9999"
    assert fraction_text(float("inf")) == "above 0"


def test_a_picture_is_drawn_for_every_objective(tmp_path):
    for objective in ("error", "bias", "floor"):
        files = write_attack(attack(objective=objective), tmp_path / objective)
        assert files[-1].read_bytes().startswith(b"\x89PNG")
        assert len(list((tmp_path / objective).iterdir())) == 3
