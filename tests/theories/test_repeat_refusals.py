"""Where there is no formula in the count, the reason is given."""

from __future__ import annotations

from typing import Any

import pytest
from repeated_specs import AFTER, BEFORE, BLOCK, forms_of, small

import boundcalc as bc
from boundcalc.arithmetic import RATIONALS
from boundcalc.errors import SpecError
from boundcalc.theories.perturbed.repeated import Refused, repeated_forms


def refusal(text: str) -> str:
    found = repeated_forms(bc.build(bc.loads(text)))
    assert isinstance(found, Refused)
    assert found.json() == {"reason": found.reason}
    return found.reason


def test_without_a_symbolic_count_there_is_nothing_to_say() -> None:
    assert repeated_forms(bc.build(bc.loads(small("{id: f, repeat: 3, ONES}")))) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (small(BEFORE + BLOCK + ", {id: g, repeat: m, ONES}"), "several sections are repeated"),
        (
            small(BEFORE + "{id: b, repeat: 2, block: [{id: f, repeat: n, ONES}]}"),
            "f, which is repeated by a symbol, stands in another block",
        ),
        (
            small(BEFORE + BLOCK, "[{at: x, pass: forward, rms: n}]"),
            "n occurs in constants, parameters or levels as well",
        ),
        (
            small(BEFORE + BLOCK + ", {id: g, type: sine, scale: n}"),
            "n occurs in constants, parameters or levels as well",
        ),
        (
            small(BEFORE + BLOCK, "[{at: f.3, pass: forward, rms: 1}]", "4"),
            "repeat 3 of f is perturbed in another way",
        ),
        (
            small(BEFORE + BLOCK + AFTER, "[{at: f.3, pass: backward, rms: 1}]"),
            "repeat 3 of f is perturbed in another way",
        ),
        (small(BEFORE + BLOCK, n="1"), "it takes two repeats of f that are alike"),
        (small(BLOCK, n="2"), "set n to 3 or more"),
        (
            small(BEFORE + BLOCK + ", {id: g, inputs: [x, f], ONES}"),
            "g reads x: a path around a repeat",
        ),
        (
            small(BEFORE + BLOCK + ", {id: g, inputs: [f.2, f], ONES}"),
            "a path around a repeat",
        ),
        (
            small(BEFORE + "{id: b, repeat: n, block: [{id: f, weights: w, ONES}]}"),
            "share weights",
        ),
        (
            small(
                BEFORE + "{id: b, repeat: n, block: [{id: f, inputs: [], ONES}, "
                "{id: g, inputs: [input, f], ONES}]}, {id: h, inputs: [b, b.2.f], ONES}"
            ),
            "a path around a repeat",
        ),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    assert reason in refusal(text)


def test_regions_that_grow_are_named() -> None:
    text = """
version: 1
name: t
symbols: {n: 4}
graph:
  input: {low: -1, high: 1}
  operators:
    - {id: x, type: dense, units: 1, region: {weight: 1}}
    - {id: r, repeat: n, block: [{id: g, type: dense, units: 1, region: {weight: 2}}]}
    - {id: loss, type: sigmoid}
perturbations: []
"""
    assert refusal(text) == (
        "repeat 3 of r has other constants than the others: those of r.3.g are derived on "
        "regions that grow; give `region` to them"
    )


def test_norms_across_repeats() -> None:
    text = """
version: 1
name: t
symbols: {n: 4}
graph:
  input: {low: -1, high: 1}
  operators:
    - {id: x, type: tanh}
    - {id: r, repeat: n, block: [{id: g, type: dense, units: 2, trainable: false,
       initial: {normal: 1}, region: {input: 9}}]}
    - {id: loss, type: dense, units: 1, trainable: false, initial: {normal: 1}}
perturbations: []
"""
    assert "have one norm together" in refusal(text)


@pytest.mark.parametrize("n", [0, -1, True, 1.0])
def test_a_count_is_a_whole_number(n: Any) -> None:
    with pytest.raises(SpecError, match="a count is no whole number"):
        forms_of(small(BEFORE + BLOCK)).evaluate(RATIONALS, n)
