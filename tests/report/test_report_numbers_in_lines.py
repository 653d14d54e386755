"""Displayed derivations: what stands behind ≤ is a bound, and rounded terms stand behind ≈."""

import re

import pytest

import boundcalc as bc
from boundcalc.report.cells import Equation
from boundcalc.report.gather import gather
from boundcalc.report.run_statements import convergence
from boundcalc.resources import example

PL = """
version: 1
name: both regimes
graph:
  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
  operators: [{id: f1}, {id: f2}, {id: f3}]
loss: {smoothness: 3, pl: 1/7, initial_gap: 1/3, gradient_noise: 1/9}
perturbations: [{at: f1, pass: forward, rms: 1/70, mean: 1/90, fourth: 1/60}]
training: {step_size: 1/13, horizon: 700}
"""
SPECS = {"three-operators": example("three-operators").read_text(encoding="utf-8"), "PL": PL}


def displays(name):
    findings = gather(bc.build(bc.loads(SPECS[name])))
    for family, found in findings.coefficients.items():
        for block in convergence(findings, found):
            if isinstance(block, Equation):
                yield findings.rates, family, block.lines


@pytest.mark.parametrize("name", list(SPECS))
def test_a_relation_that_claims_a_bound_has_the_formula_or_the_bound_on_its_right(name):
    seen = 0
    for _, _, lines in displays(name):
        claims = [line for line in lines if r"&\le" in line]
        assert [line.partition(r"&\le")[0].strip() != "" for line in claims] == [True, True]
        assert [r"\gamma" in claims[0], r"\text{(" in claims[1]] == [True, True]
        seen += 1
    assert seen


def test_terms_behind_the_approximate_sign_are_those_of_the_rate():
    for rates, family, lines in displays("three-operators"):
        last = [line for line in lines if r"\approx" in line][-1]
        shown = [float(x) for x in re.findall(r"\d+\.\d+", last)]
        terms = [float(term) for term in rates.nonconvex[family].terms.values()]
        assert shown == pytest.approx(terms, rel=1e-5)
        assert all(x >= term * (1 - 1e-15) for x, term in zip(shown, terms, strict=True))
