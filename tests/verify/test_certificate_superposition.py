"""Superposition in certificates: whole chains without runs, kinks, what it assumes."""

import copy
import random
from dataclasses import replace
from fractions import Fraction

import pytest
from certificate_specs import EVERYTHING, chain, random_spec, tail
from verify.test_certificate import CLOSE, ON_TAILS, accepted, claims, engine
from verify.test_certificate_guards import bounds, refused, rule

import boundcalc as bc
from boundcalc.theories.perturbed.refinements import REFINEMENTS
from boundcalc.verify.certificate import checker, inputs
from boundcalc.verify.certificate.checker import Rejected
from boundcalc.verify.certificate.write import certificate

CHAIN = certificate(bc.build(bc.loads(chain())))
GRAPH = certificate(bc.build(bc.loads(EVERYTHING)))


def rules_of(document):
    return {step["rule"] for step in document["steps"]}


def names_of(document):
    return [name for name, _ in document["assumptions"]]


def disturbed(constants, seed):
    """Lipschitz constants apart from the Jacobians' bounds, kinks, missing third derivatives."""
    rng = random.Random(seed)  # noqa: S311 - not for secrets
    factors = [Fraction(1, 2), Fraction(1), Fraction(3, 2)]

    def changed(*arguments):
        g = constants(*arguments)
        A, J, A3, B, K, B3 = map(list, (g.A, g.J, g.A3, g.B, g.K, g.B3))
        for v in range(2, g.size + 1):
            kink = rng.random() < 0.15
            if kink:
                A[v], J[v], A3[v] = ((None,),), (Fraction(rng.randrange(1, 9), 3),), (None,)
            if kink and rng.random() < 0.5:
                B[v], K[v], B3[v] = (None,), Fraction(rng.randrange(1, 9), 3), None
            if rng.random() < 0.1:
                A3[v] = (None,)
            if rng.random() < 0.1:
                B3[v] = None
        ell = tuple(tuple((x or Fraction(1, 3)) * rng.choice(factors) for x in row) for row in g.l)
        names = ("A", "J", "A3", "B", "K", "B3")
        columns = map(tuple, (A, J, A3, B, K, B3))
        return replace(g, l=ell, **dict(zip(names, columns, strict=True)))

    return changed


@pytest.mark.parametrize("seeds", [range(60), range(60, 120)])
def test_chains_with_kinks_agree_with_the_engine(seeds, monkeypatch):
    constants, used = inputs.constants, set()
    for seed in seeds:
        monkeypatch.setattr(inputs, "constants", disturbed(constants, seed))
        document = certificate(bc.build(bc.loads(random_spec(seed, chain=True))))
        accepted(document)
        used |= rules_of(document)
        for name, (low, high) in zip(("error", "bias"), engine(document, REFINEMENTS), strict=True):
            assert low <= claims(document)[name] <= high * (1 + CLOSE), (seed, name)
    assert used >= checker.PARTIAL | {"after", "after.size"}


def test_the_value_of_the_theory_page():
    # docs/theory.md, section 4.11: N = 3, A' = B' = 0, e = (1e-4, 1e-1): 4.75e-16.
    text = (
        "version: 1\nname: ones\ngraph:\n"
        "  uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 0}\n"
        "  operators: [{id: f, repeat: 3}]\nperturbations:\n"
        "  - {at: f.1, pass: forward, rms: 1/10000, mean: 0}\n"
        "  - {at: f.2, pass: forward, rms: 1/10, mean: 0}\n"
    )
    document = certificate(bc.build(bc.loads(text)))
    # κ_11 = 3, κ_21 = 3, κ_31 = 1 and κ_i2 = 0 by (4j): squares of halves of κ_i1 e_1^2.
    assert claims(document)["bias"] == Fraction(9 + 9 + 1, 4) / 10**16


def test_it_is_smaller_than_without():
    without = engine(CHAIN, ON_TAILS)[1][0]
    assert claims(CHAIN)["bias"] < without * Fraction(9, 10)
    assert not any("superposition" in text for text in CHAIN["not_covered"])


def test_graphs_and_runs_are_not_covered_and_above_the_engine():
    texts = [random_spec(seed, chain=False, size=6) for seed in range(1, 20, 2)]
    for document in [GRAPH, *(certificate(bc.build(bc.loads(text))) for text in texts)]:
        assert any("superposition" in text for text in document["not_covered"])
        assert not any(name.startswith("superposed") for name in rules_of(document))
        assert claims(document)["bias"] >= engine(document, REFINEMENTS)[1][0]


def test_chains_with_runs_are_not_covered():
    dense = "type: dense, units: 2, region: {input: 2, weight_change: 1/8}"
    document = certificate(
        bc.build(
            bc.loads(
                "version: 1\nname: run\ngraph:\n  merge: linear\n  operators:\n"
                f"    - {{id: d0, {dense}, initial: {{uniform: 1, seed: 1}}}}\n"
                "    - {id: t, type: tanh}\n"
                f"    - {{id: d1, {dense}, initial: {{uniform: 1, seed: 2}}}}\n"
                f"    - {{id: d2, {dense}, initial: {{uniform: 1, seed: 3}}}}\n"
                "    - {id: loss, constants: {jac_input: 1, hess_input: 1, third_input: 1}}\n"
                "perturbations: [{at: [d0, d1], pass: forward, rms: 1/10, mean: 0}]\n"
            )
        )
    )
    assert document["inputs"]["runs"]
    assert any("superposition" in text for text in document["not_covered"])
    accepted(document)
    assert claims(document)["bias"] >= engine(document, REFINEMENTS)[1][0]


@pytest.mark.parametrize("dependence", ["any", "conditional", "independent"])
def test_passes_without_some_perturbations_are_assumed_where_a_rule_needs_them(dependence):
    document = certificate(bc.build(bc.loads(chain(dependence=dependence))))
    needed = rules_of(document) & checker.PARTIAL
    assert needed
    assert names_of(document).count("A3+") == 1
    for removed in ("A3+", "A3"):
        changed = copy.deepcopy(document)
        changed["assumptions"] = [x for x in document["assumptions"] if x[0] != removed]
        refused(changed, match="assumptions")
    silent = certificate(bc.build(bc.loads(EVERYTHING)))
    assert not rules_of(silent) & checker.PARTIAL
    assert "A3+" not in names_of(silent)
    changed = copy.deepcopy(silent)
    changed["assumptions"].insert(2, document["assumptions"][names_of(document).index("A3+")])
    refused(changed, match="assumptions")


@pytest.mark.parametrize("dependence", ["conditional", "independent"])
def test_restarts_alone_assume_it_too(dependence):
    document = certificate(bc.build(bc.loads(tail(dependence))))
    assert rules_of(document) & checker.PARTIAL == {"restart"}
    assert names_of(document).count("A3+") == 1
    accepted(document)
    assert claims(document)["bias"] >= engine(document, REFINEMENTS)[1][0]
    assert claims(document)["bias"] < engine(document, ON_TAILS[:2])[1][0]


@pytest.mark.parametrize("dependence", ["any", "independent"])
def test_regions_that_were_visited_exclude_rules_that_need_other_passes(dependence):
    graph = bc.build(bc.loads(chain(dependence=dependence)))
    object.__setattr__(graph, "sampled", True)
    document = certificate(graph)
    assert not rules_of(document) & checker.PARTIAL
    assert "A3+" not in names_of(document)
    low, high = engine(document, ("saturation", "mean cap"))[1]
    assert low <= claims(document)["bias"] <= high * (1 + CLOSE)


NEW = ["slope.least", "bend", "weight_slope", "weight_bend", "after", "after.size", "superposed"]


@pytest.mark.parametrize("name", [*NEW, "superposed.sites", "superposed.rms"])
def test_they_need_a_whole_chain_without_runs(name):
    places = checker.RULES[name][1]
    with pytest.raises(Rejected, match="no chain without runs"):
        rule(GRAPH, name, [0, 4] if places[0] == "L" else [4])
    with pytest.raises(Rejected, match="no chain without runs"):
        rule(GRAPH, name, [0, 5] if places[0] == "L" else [5])


@pytest.mark.parametrize(("constant", "name", "at"), [
    (("A",), "slope.least", [2]),
    (("A3",), "bend", [2]),
    (("A", "A3"), "bend", [2]),
    (("B",), "weight_slope", [3]),
    (("A",), "weight_bend", [3]),
    (("B",), "weight_bend", [3]),
    (("B3",), "weight_bend", [3]),
])  # fmt: skip
def test_they_need_every_constant_that_they_use(constant, name, at):
    data = copy.deepcopy(CHAIN["inputs"])
    blank(data["operators"][2], constant)
    proof = checker.Proof(checker.Inputs(data))
    with pytest.raises(Rejected, match="constant is missing"):
        proof.apply({"rule": name, "at": at, "operands": [], "result": "0"})


def blank(operator, names):
    """Take constants away from an operator with one slot."""
    for name in names:
        if name in "A B":
            operator.update({"A": {"A": [[None]], "J": ["1"]}, "B": {"B": [None], "K": "1"}}[name])
        else:
            operator[name] = [None] if name == "A3" else None


def test_means_of_single_sites_end_at_a_kink():
    data = copy.deepcopy(CHAIN["inputs"])
    blank(data["operators"][1], ("A", "A3"))
    proof = checker.Proof(checker.Inputs(data))
    proof.apply({"rule": "alone", "at": [0, 1], "operands": [], "result": "1/100"})
    proof.apply({"rule": "alone_mean", "at": [0, 1], "operands": [], "result": "1/40"})
    with pytest.raises(Rejected, match="constant is missing"):
        proof.apply({"rule": "alone_mean", "at": [0, 2], "operands": [0, 1], "result": "0"})
    # What nothing moves has no kink.
    data["levels"][0]["e"][0] = data["levels"][0]["m"][0] = "0"
    proof = checker.Proof(checker.Inputs(data))
    for name in ("alone", "alone_mean"):
        proof.apply({"rule": name, "at": [0, 1], "operands": [], "result": "0"})
    step = {"rule": "alone_mean", "at": [0, 2], "operands": [0, 1], "result": "1/40"}
    proof.apply(step)


def test_the_change_after_an_operator_that_is_perturbed_needs_its_slope():
    slope = bounds(CHAIN, "Lambda", 2)
    with pytest.raises(Rejected, match="lacks an operand"):
        rule(CHAIN, "after.size", [0, 2])
    with pytest.raises(Rejected, match="result"):
        rule(CHAIN, "after.size", [0, 2], operands=[slope])
