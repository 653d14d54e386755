"""What is known of forward perturbations given those before them, from spec to levels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import boundcalc as bc
from boundcalc.arithmetic import WIDE
from boundcalc.errors import BoundcalcError
from boundcalc.perturbations import DISTRIBUTIONS, Dependence, Distribution
from boundcalc.theories.perturbed.families import Sharp
from boundcalc.theories.perturbed.refinements import ON_ALL_PASSES, REFINEMENTS, SUPERPOSITION

SPEC = """
version: 1
name: dependence
graph:
  uniform: {{jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}}
  operators: [{{id: f, repeat: 4}}]
perturbations:
{perturbations}
"""


def built(*perturbations: str) -> bc.OperatorGraph:
    lines = "\n".join(f"  - {{{line}}}" for line in perturbations)
    return bc.build(bc.loads(SPEC.format(perturbations=lines)))


def known(*perturbations: str) -> list[str]:
    dependence = built(*perturbations).levels(WIDE).dependence
    assert dependence is not None
    return [entry.spelled for entry in dependence[1:-1]]


def test_the_weakest_statement_at_an_operator_counts() -> None:
    assert known("at: f.2, pass: forward, rms: 1, mean: 0") == [
        "independent",  # nothing is perturbed there
        "any",
        "independent",
    ]
    assert known(
        "at: [f.1, f.2, f.3], pass: forward, rms: 1, mean: 0, dependence: independent",
        "at: f.2, pass: forward, rms: 1, mean: 0, dependence: conditional",
        "at: [f.2, f.3], pass: forward, model: uniform, half_width: 1",
        "at: f.4, pass: backward, rms: 1, mean: 0",
    ) == ["independent", "conditional", "independent"]


def test_models_draw_independently() -> None:
    for law in DISTRIBUTIONS.values():
        assert law.dependence is Dependence.INDEPENDENT
    # One that says nothing, such as one that rounds what it is given, is not taken to.
    assert Distribution.dependence is Dependence.ANY


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("at: f.2, pass: backward, rms: 1, dependence: any", "`dependence` of a backward"),
        (
            "at: f.1, pass: forward, model: constant, value: 1, dependence: any",
            "perturbation with a model",
        ),
        ("at: f.1, pass: forward, rms: 1, dependence: none", "conditional"),
    ],
)
def test_statements_that_nothing_uses_are_refused(line: str, problem: str) -> None:
    with pytest.raises(BoundcalcError) as caught:
        built(line)
    assert problem in str(caught.value)
    assert "perturbations" in str(caught.value)


def bounds(word: str, **how: Any) -> Any:
    line = "at: f.{}, pass: forward, rms: 1/{}, mean: 0, dependence: {}"
    graph = built(*(line.format(k, 10 ** (4 - k), word) for k in (1, 2, 3)))
    return Sharp(**how).bounds(graph)


def test_sharp_takes_what_the_spec_allows_and_says_so() -> None:
    stages = [name for name in REFINEMENTS if name != SUPERPOSITION]
    words = ("any", "conditional", "independent")
    found = {word: bounds(word, refinements=stages) for word in words}
    assert found["any"].refinements == ()
    assert found["conditional"].refinements == ("conditional",)
    assert found["independent"].refinements == ("independence",)
    bias = [float(found[word].bias.value) for word in ("independent", "conditional", "any")]
    assert bias[0] < bias[1] < bias[2]
    for word in found:
        assert found[word].bias_plain.value == found["any"].bias_plain.value
        assert found[word].error_plain.value == found["any"].error_plain.value


def test_superposition_asks_for_no_independence() -> None:
    alone = bounds("any")
    assert alone.refinements == (SUPERPOSITION,)
    assert float(alone.bias.value) <= float(bounds("independent").bias.value)


def test_refinements_can_be_switched_off() -> None:
    none = bounds("independent", refinements=())
    assert none.refinements == ()
    off = bounds("independent", refinements=("conditional", "mean cap", "saturation"))
    conditional = bounds("conditional", refinements=("conditional", "mean cap", "saturation"))
    assert float(off.bias.value) == float(conditional.bias.value)
    with pytest.raises(ValueError, match="unknown refinements"):
        Sharp(refinements=("independent",))


def test_a_measured_region_holds_no_partly_perturbed_pass() -> None:
    graph = built(
        "at: [f.1, f.2, f.3], pass: forward, rms: 1/100, mean: 0, dependence: independent"
    )
    assert ON_ALL_PASSES.intersection(Sharp().bounds(graph).refinements)
    measured = Sharp().bounds(replace(graph, sampled=True))
    assert not ON_ALL_PASSES.intersection(measured.refinements)
    allowed = [name for name in REFINEMENTS if name not in ON_ALL_PASSES]
    assert measured.bias is not None
    assert float(measured.bias) == float(Sharp(allowed).bounds(graph).bias)
