"""What the numbers say: shares, ratios and tolerances, checked by hand and by force."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import report_specs

import boundcalc as bc
from boundcalc.arithmetic import Status
from boundcalc.graph import OperatorGraph
from boundcalc.report.gather import Findings, gather
from boundcalc.report.plain_words import plain_blocks
from boundcalc.report.reading import contributions, largest_gradient, reading
from boundcalc.report.render import markdown
from boundcalc.report.results import compile_results

ONES = "constants: {jac_input: 1, jac_weight: 1, hess_input: 1, hess_mixed: 1, third_input: 0, "
ONES += "third_mixed: 0}"


def graph(*operators: str, rms: int = 1) -> OperatorGraph:
    lines = "".join(f"    - {operator}\n" for operator in operators)
    return bc.build(
        bc.loads(
            f"version: 1\nname: x\ngraph:\n  operators:\n{lines}"
            f"perturbations: [{{at: a, pass: forward, rms: {rms}, mean: 0}}]\n"
        )
    )


def words(findings: Findings) -> str:
    """The section as Markdown."""
    pieces = []
    for block in plain_blocks(findings):
        contents = getattr(block, "items", None) or (block.content,)
        pieces += [str(markdown(content)) for content in contents]
    return "\n".join(pieces)


SHARED = """
version: 1
name: weights used twice
graph:
  input: {shape: [2], radius: 1}
  operators:
    - {id: a, type: dense, units: 2, weights: w, initial: {normal: 1}, region: {weight_change: 1}}
    - {id: b, type: dense, units: 2, weights: w, initial: {normal: 1}, region: {weight_change: 1}}
    - {id: loss, type: quadratic_cost, diagonal: [1, 1]}
perturbations: [{at: a, pass: forward, model: uniform, half_width: 1/10}]
"""


def test_shared_weights_add_before_they_are_squared_in_the_largest_gradient() -> None:
    found = bc.build(bc.loads(SHARED))
    c = found.graph_constants(bc.arithmetic.FLOATS)
    # V₃ = 1, V₂ = a₃, V₁ = a₂a₃: U = b₁V₁ + b₂V₂ for one set of weights
    V2 = c.a[3][0]
    expected = c.b[1] * c.a[2][0] * V2 + c.b[2] * V2
    assert float(largest_gradient(found)) == pytest.approx(expected, rel=1e-12)


def test_the_largest_gradient_is_never_exceeded_and_nearly_attained() -> None:
    """Against gradients of a diamond of sines by finite differences."""
    text = """
version: 1
name: diamond
graph:
  operators:
    - {id: stem, type: sine, bias: true}
    - {id: left, type: tanh, bias: true, inputs: [stem]}
    - {id: right, type: sigmoid, bias: true, inputs: [stem]}
    - {id: join, type: add, inputs: [left, right]}
"""
    U = float(largest_gradient(bc.build(bc.loads(text))))

    def loss(w: np.ndarray) -> float:
        y = math.sin(w[0])
        return math.tanh(y + w[1]) + 1 / (1 + math.exp(-y - w[2]))

    rng, step, largest = np.random.default_rng(0), 1e-6, 0.0
    # All slopes are largest at 0; random points never do better.
    points = [np.zeros(3), *rng.normal(size=(200, 3))]
    for w in points:
        gradient = [(loss(w + step * e) - loss(w - step * e)) / (2 * step) for e in np.eye(3)]
        largest = max(largest, float(np.linalg.norm(gradient)))
    assert largest <= U * (1 + 1e-8)
    assert largest >= 0.999 * U


def test_contributions_belong_to_groups_of_weights() -> None:
    coefficients = bc.coefficients(bc.build(bc.loads(report_specs.NETWORK)))
    found = contributions(coefficients)
    assert "embed right" not in found  # its weights are those of embed left
    assert list(found)[2:4] == ["embed left", "act left"]
    bounds = coefficients.bounds
    assert bounds is not None
    total = sum(float(part) for part in found.values())
    assert total == pytest.approx(float(bounds.error), rel=1e-12)
    positive = [name for name, part in found.items() if float(part) > 0]
    assert positive == ["embed left", "head"]
    assert list(compile_results(coefficients)["contributions"]) == list(found)


def test_contributions_of_a_chain_are_by_operator() -> None:
    coefficients = bc.coefficients(bc.build(bc.loads(report_specs.DEEP)))
    assert list(contributions(coefficients)) == [f"f.{k}" for k in range(1, 401)]


def test_shares_are_parts_of_the_whole() -> None:
    facts = reading(bc.coefficients(bc.build(bc.loads(report_specs.NETWORK))))
    assert facts is not None
    assert facts.sharing == 2
    assert [name for name, _ in facts.shares] == ["embed left", "head"]
    assert sum(float(share) for _, share in facts.shares) == pytest.approx(1)


def test_a_tolerance_uses_the_bound_up() -> None:
    """C e² = U² at the tolerated e; the site is the one with the largest C."""
    found = graph(f"{{id: a, {ONES}}}", f"{{id: b, {ONES}}}", f"{{id: c, {ONES}}}")
    coefficients = bc.coefficients(found)
    facts = reading(coefficients)
    assert facts is not None
    worst = facts.forward
    assert worst is not None
    numbers = [float(n) for n in coefficients.columns["error_forward"] if n is not None]
    assert float(worst.coefficient) == max(numbers) == numbers[0] == 9
    assert worst.site.label == "a"
    assert 9 * float(worst.alone) ** 2 == pytest.approx(float(facts.largest) ** 2)
    assert facts.backward is not None
    assert facts.backward.site.label == "c"
    assert facts.relative is None  # nothing is known of the sizes of outputs


def test_relative_tolerances_need_sizes() -> None:
    found = bc.build(bc.loads(report_specs.VISITED))
    coefficients = bc.coefficients(found)
    facts = reading(coefficients)
    assert facts is not None
    assert facts.relative is not None
    U = float(facts.largest)
    values = found.values(bc.arithmetic.FLOATS)
    expected = min(
        U / math.sqrt(float(n)) / float(node.domain.radius.evaluate(bc.arithmetic.FLOATS, values))
        for node, n in zip(found.nodes, coefficients.columns["error_forward"], strict=False)
    )
    assert float(facts.relative.alone) == pytest.approx(expected, rel=1e-12)


def test_statuses_follow_the_graph() -> None:
    measured = reading(bc.coefficients(bc.build(bc.loads(report_specs.VISITED))))
    exact = reading(bc.coefficients(graph(f"{{id: a, {ONES}}}", f"{{id: b, {ONES}}}")))
    assert measured is not None
    assert exact is not None
    for facts, status in ((measured, Status.SAMPLED), (exact, Status.PROVED)):
        assert facts.error is not None
        numbers = [facts.largest, facts.error, facts.error_ratio, facts.shares[0][1]]
        assert {number.status for number in numbers if number is not None} == {status}


def test_symbols_without_values_have_nothing_to_read() -> None:
    findings = gather(bc.build(bc.loads(report_specs.SYMBOLIC)))
    assert reading(findings.coefficients["sharp"]) is None
    assert "There are no numbers to read" in words(findings)


def test_plain_words_of_a_small_error() -> None:
    text = words(gather(bc.build(bc.loads(report_specs.VISITED))))
    assert "The regions were measured, not proved: every number is sampled." in text
    assert "<sub>c</sub>" not in text
    assert "<sub>p</sub>" not in text
    assert "In the simulation, at the iterates looked at" in text
    assert "is in the weights of <code>fc</code>" in text
    assert "More samples and smaller steps reduce the rest of the error, not this." in text


def test_plain_words_of_a_large_error() -> None:
    text = words(gather(graph(*(f"{{id: {name}, {ONES}}}" for name in "abc"), rms=100)))
    assert "does not exclude that the error is larger than the gradient" in text
    assert "averaging is not known to help" in text


def test_plain_words_name_the_largest_share_however_small() -> None:
    same = report_specs.BLOCKS.replace("repeat: 60", "repeat: 100")
    text = words(gather(bc.build(bc.loads(same))))
    found = re.search(r"(\S+)<sub>p</sub> is in the weights of <code>\S+</code>, the rest in", text)
    assert found
    assert 0 < float(found[1]) < 0.01


def test_plain_words_without_bias() -> None:
    """Everything affine and zero means: no bias."""
    flat = ONES.replace("hess_input: 1, hess_mixed: 1", "hess_input: 0, hess_mixed: 0")
    text = words(gather(graph(f"{{id: a, {ONES}}}", f"{{id: b, {flat}}}")))
    assert "So averaging removes all of the error." in text


def test_plain_words_at_kinks_and_without_perturbations() -> None:
    assert "that reach a kink have no" in words(gather(bc.build(bc.loads(report_specs.NETWORK))))
    silent = report_specs.DEEP.replace("perturbations:", "x:").split("x:")[0]
    text = words(gather(bc.build(bc.loads(silent))))
    assert "No perturbation is given, so there is no error." in text
    assert "Bias" not in text
