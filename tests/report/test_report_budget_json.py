"""Budgets as plain data: keys, statuses, exact values, nulls."""

from __future__ import annotations

import json
from fractions import Fraction

import budget_cases as cases
import pytest

from boundcalc.arithmetic import Status
from boundcalc.budgets.results import Budget
from boundcalc.report.budget_results import budget_results
from boundcalc.report.results import results

P = Status.PROVED


@pytest.fixture(scope="module")
def full() -> Budget:
    return cases.budget()


def test_json_has_the_keys_of_the_contract(full: Budget) -> None:
    found = budget_results(full)
    assert {"frequent", "intermittent", "orders"} <= set(found)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    asked = found["question"]
    assert (asked["regime"], asked["family"]) == ("nonconvex", "sharp")
    assert (asked["horizon"], asked["step_size"]) == (120_000, 0.25)
    assert asked["exact"] == {"baseline": "1/15000", "target": "11/150000"}
    assert asked["status"] == {"baseline": "proved", "target": "proved"}
    first = found["frequent"]["forward"]["f1"]["rms"]
    assert first["exact"] == {"current": "1/100", "alone": "2/3"}
    assert Fraction(first["alone"]) < Fraction(2, 3)  # a limit is rounded down
    event = found["intermittent"][cases.BIT_FLIP]["backward"]["f4"]
    assert set(event) == {"given", "zero", "full"}
    assert (event["given"]["count_worst"], event["given"]["interval"]) == (120, 1000)
    assert event["given"]["count_even"] == 240
    assert event["full"]["interval"] is None
    orders = found["orders"]["pl"]
    assert orders["frequent"]["backward_rms"] is None
    assert orders["frequent"]["forward_mean"] == {
        "power": "-1/2",
        "log": "1/2",
        "text": "T^(-1/2) ln^(1/2) T",
    }
    assert orders["intermittent"]["zero_mean"]["forward_even"]["log"] == "1"
    assert orders["intermittent"]["zero_mean"]["backward"]["text"] == "T"
    assert orders["intermittent"]["general"]["backward"]["text"] == "1"
    # Lower bounds are rounded down: 143360 − 1/3.
    assert Fraction(found["allocation"]["lower_cost"]) <= 143360 - Fraction(1, 3)
    assert found["allocation"]["left_out"] == {"f4": "the region of its values is unbounded"}
    assert found["calibration"]["sites"][0]["worst_exact"] is True
    assert found["notes"] == ["a note with `code`"]


def numbers_of(group: object, path: str = "") -> list[tuple[str, object, object]]:
    """(place, number, status) of every number in a group that has statuses."""
    found: list[tuple[str, object, object]] = []
    if isinstance(group, dict):
        statuses = group.get("status")
        for key, inner in group.items():
            if isinstance(inner, float) and key != "confidence":
                status = statuses.get(key) if isinstance(statuses, dict) else None
                found.append((f"{path}.{key}", inner, status))
            found += numbers_of(inner, f"{path}.{key}")
    elif isinstance(group, list):
        for k, inner in enumerate(group):
            found += numbers_of(inner, f"{path}[{k}]")
    return found


def test_every_number_of_the_json_has_a_status(full: Budget) -> None:
    entries = [
        entry for entry in numbers_of(budget_results(full)) if entry[0] != ".question.step_size"
    ]
    assert len(entries) > 150
    assert [entry for entry in entries if entry[2] is None] == []
    assert {entry[2] for entry in entries} == {"proved", "computed", "sampled"}


def test_none_is_null_everywhere() -> None:
    found = budget_results(cases.bare())
    assert [found[key] for key in ("allocation", "formats", "calibration")] == [None] * 3
    assert found["intermittent"] == {}
    assert found["orders"] == {}
    assert found["frequent"]["scale"] is None
    entry = found["frequent"]["backward"]["f4"]["rms"]
    assert (entry["alone"], entry["given"], entry["exact"], entry["status"]) == (None, None, {}, {})
    failing = budget_results(cases.budget(formats=cases.formats(cases.graph(), failing=True)))
    assert failing["formats"]["bound"] is None
    assert failing["formats"]["sites"][0]["format"] is None


def test_results_hold_the_budget(full: Budget) -> None:
    graph = full.question.graph
    assert results(graph, {}, None, None, full)["budget"] == budget_results(full)
    assert results(graph, {}, None, None)["budget"] is None
