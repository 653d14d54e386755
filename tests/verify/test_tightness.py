"""The table of docs/adversary.md: stored instances, evaluated again, against their bounds."""

import importlib.util
import json
from pathlib import Path

import pytest

import boundcalc as bc
from boundcalc.theories.perturbed.families import FAMILIES
from boundcalc.verify.adversary.functions import exact_value
from boundcalc.verify.adversary.within import excess

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "tests/benchmarks/tightness.py"


def load_script():
    made = importlib.util.spec_from_file_location("tightness", SCRIPT)
    module = importlib.util.module_from_spec(made)
    made.loader.exec_module(module)
    return module


TIGHTNESS = load_script()
STORED = json.loads(TIGHTNESS.DATA.read_text(encoding="utf-8"))["instances"]
CASES = list(TIGHTNESS.cases())
QUICK = [case for case in CASES if case[4] <= 5 or case[1] == "general"]


@pytest.fixture(scope="module")
def fractions():
    """Evaluated once: √(attained/bound) by case and family."""
    return TIGHTNESS.fractions(STORED)


def test_every_case_has_an_instance_within_its_constants():
    assert set(STORED) == {TIGHTNESS.key(*case) for case in CASES}
    for level, noise, objective, constant, size in QUICK:
        graph = bc.build(bc.loads(TIGHTNESS.spec(size, constant, level, noise)))
        name = TIGHTNESS.key(level, noise, objective, constant, size)
        assert excess(graph, bc.build(bc.loads(STORED[name]))) == [], name


def test_no_instance_is_above_the_sharp_bound(fractions):
    assert max(found["sharp"] for found in fractions.values()) <= 1 + 1e-9


def test_the_page_shows_these_fractions(fractions):
    page = TIGHTNESS.PAGE.read_text(encoding="utf-8")
    assert TIGHTNESS.table(fractions) in page, "run python tests/benchmarks/tightness.py"
    assert TIGHTNESS.gaps() in page


def test_what_the_text_beside_the_table_says(fractions):
    def sharp(*case):
        return fractions[TIGHTNESS.key(*case)]["sharp"]

    for constant in TIGHTNESS.CONSTANTS:
        assert sharp("1", "general", "error", constant, 2) == pytest.approx(1)
        assert sharp("1", "zero-mean", "bias", constant, 2) == pytest.approx(1)
    assert sharp("1", "general", "error", "1", 3) >= 0.874
    assert sharp("1", "general", "error", "1", 5) >= 0.99
    assert sharp("1", "general", "error", "1", 8) >= 0.99


def test_the_value_of_an_instance_is_that_of_its_spec():
    # N = 2, C = e = 1: H′ = 1 from 0 to 1 for s and for m, so that both components move by 1.
    graph = bc.build(bc.loads(STORED[TIGHTNESS.key("1", "general", "error", "1", 2)]))
    assert exact_value(graph, bias=False) == pytest.approx(2)
    assert exact_value(graph, bias=True) == pytest.approx(2)


def test_the_printed_bound_over_the_plain_sharp_one():
    expected = {2: 8.0, 5: 24.7, 10: 5.9e3, 50: 2.4e31}
    for size, ratio in expected.items():
        graph = bc.build(bc.loads(TIGHTNESS.spec(size, "1", "1", "general")))
        printed = float(FAMILIES["published"].bounds(graph).error)
        plain = float(FAMILIES["sharp"].bounds(graph).error_plain)
        assert printed / plain == pytest.approx(ratio, rel=0.02)
