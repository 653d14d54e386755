"""Every condition that the checker asks for: what breaks it alone is rejected for it."""

import copy
import json
from fractions import Fraction

import pytest
from certificate_specs import EVERYTHING, chain
from verify.test_certificate_mutations import sealed

import boundcalc as bc
from boundcalc.verify.certificate import checker
from boundcalc.verify.certificate.checker import Rejected
from boundcalc.verify.certificate.write import certificate

RUN = """
loss: {smoothness: 1, pl: 1/2, initial_gap: 1, gradient_noise: 1}
training: {step_size: 1, horizon: 3}
"""
FULL = certificate(bc.build(bc.loads(EVERYTHING)))
CHAIN = certificate(bc.build(bc.loads(chain(dependence="independent") + RUN)))


def changed(document, *path, to):
    found = copy.deepcopy(document)
    inner = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = to
    return found


def refused(document, *, match):
    with pytest.raises(Rejected, match=match):
        checker.check(json.dumps(sealed(document, given=True)).encode())


BROKEN_INPUTS = [
    (FULL, ("runs", 0, "norm"), "1000", "not a run"),
    (FULL, ("runs", 0, "nodes"), [2], "not a run"),
    (FULL, ("runs", 0, "nodes"), [2, 2], "not a run"),
    (FULL, ("runs", 0), {"nodes": [3, 4], "norm": "0", "affine": False}, "not a run"),
    (FULL, ("runs", 0), {"nodes": [5, 6], "norm": "0", "affine": False}, "not a run"),
    (FULL, ("runs", 0, "affine"), 1, "not a run"),
    (FULL, ("runs", 0, "nodes"), [3, 4], "called affine"),
    (FULL, ("runs",), [FULL["inputs"]["runs"][0]] * 2, "not a run"),
    (FULL, ("operators", 4, "group"), 2, "not named after"),
    (CHAIN, ("operators", 1, "group"), 3, "out of range"),
    (FULL, ("operators", 3, "J"), [None], "a change that no missing"),
    (CHAIN, ("operators", 1, "J"), ["1"], "a change that no missing"),
    (CHAIN, ("operators", 2, "reads"), [3], "out of range"),
    (CHAIN, ("operators", 2, "reads"), [0], "out of range"),
    (FULL, ("operators", 5, "reads"), [5, 5], "does not reach"),
    (CHAIN, ("levels", 0, "e"), ["1/10", "1/7", "1"], "after the loss"),
    (CHAIN, ("levels", 0, "m"), ["1/40", "1/40", "1"], "after the loss"),
    (CHAIN, ("levels", 0, "dependence"), [2, 3, 0], "out of range"),
    (CHAIN, ("loss", "step"), "2", "1/L"),
    (CHAIN, ("loss", "step"), "0", "1/L"),
    (CHAIN, ("loss", "smoothness"), "0", "1/L"),
    (CHAIN, ("loss", "pl"), "2", "pl <= smoothness"),
    (CHAIN, ("loss", "pl"), "0", "pl <= smoothness"),
    (CHAIN, ("loss", "horizon"), 4, "add up"),
    (CHAIN, ("loss", "schedule", 0, 0), 1, "out of range"),
    (FULL, ("loss", "schedule", 1, 2), [[0, 3, 5]], "after the end"),
    (FULL, ("loss", "schedule", 1, 2), [[0, 3, 3]], "not counted"),
    (FULL, ("loss", "schedule", 0, 0), 0, "without use"),
    (FULL, ("measured",), 1, "true or false"),
    (FULL, ("replaced",), [["1", 2]], "two texts"),
    (CHAIN, ("operators", 0, "id"), 7, "no text"),
    (CHAIN, ("operators",), CHAIN["inputs"]["operators"][:1], "too few"),
]


@pytest.mark.parametrize(("document", "path", "to", "match"), BROKEN_INPUTS)
def test_inputs(document, path, to, match):
    inputs = changed(document["inputs"], *path, to=to)
    with pytest.raises(Rejected, match=match):
        checker.Inputs(inputs)


def rule(document, name, at, *, operands=()):
    """What applying one rule to earlier steps of a certificate says."""
    proof = checker.Proof(checker.Inputs(document["inputs"]))
    for step in document["steps"]:
        proof.apply(step)
    proof.apply({"rule": name, "at": at, "operands": list(operands), "result": "0"})


def bounds(document, quantity, *at):
    """The number of a step that bounds a quantity."""
    for k, step in enumerate(document["steps"]):
        if checker.RULES[step["rule"]][0] == quantity and step["at"] == list(at):
            return k
    raise LookupError(quantity)


def test_zero_mean_forms_need_zero_means():
    for name in ("size.centred", "size.run.centred"):
        v = 3 if "run" in name else 1
        with pytest.raises(Rejected, match="forward means"):
            rule(FULL, name, [0, v])
    for name, at in (("backward.squares", [0, 2]), ("error.centred", [0, 3])):
        with pytest.raises(Rejected, match="backward means"):
            rule(CHAIN, name, at)
    for name, at in (("backward", [0, 2]), ("error", [0, 3])):
        with pytest.raises(Rejected, match="backward means"):
            rule(FULL, name, at)


def test_products_of_dependent_noise():
    dependent = changed(CHAIN, "inputs", "levels", 0, "dependence", to=[2, 1, 0])
    inputs = checker.Inputs(dependent["inputs"])
    for least, name in ((2, "product.independent"), (1, "product.conditional")):
        proof = checker.Proof(inputs)
        with pytest.raises(Rejected, match="depend on each other" if least == 2 else "operand"):
            proof.apply({"rule": name, "at": [0, 2, 0], "operands": [], "result": "0"})
    assert [level[4] for level in inputs.levels] == [[2, 1, 1, 2]]
    # Noise that is not there may depend on anything.
    silent = changed(dependent, "inputs", "levels", 0, "e", to=["1/10", "0", "0"])
    assert checker.Inputs(silent["inputs"]).levels[0][4] == [2, 2, 2, 2]


def test_restarts_need_a_chain():
    inputs = checker.Inputs(FULL["inputs"])
    assert inputs.tail == inputs.size + 1
    assert checker.Inputs(CHAIN["inputs"]).tail == 2
    for name, at in (("restart", [0, 4]), ("slope", [4])):
        with pytest.raises(Rejected, match="chain from here on"):
            rule(FULL, name, at)


def test_restarts_need_smooth_operators():
    kink = copy.deepcopy(CHAIN["inputs"])
    kink["operators"][2].update(A=[[None]], J=["1"])
    proof = checker.Proof(checker.Inputs(kink))
    with pytest.raises(Rejected, match="no smooth chain"):
        proof.apply({"rule": "slope", "at": [2], "operands": [], "result": "0"})


def test_variances_add_only_without_bias():
    with pytest.raises(Rejected, match="bias is not zero"):
        rule(CHAIN, "variance.unbiased", [0], operands=[bounds(CHAIN, "bias", 0)])


def test_runs_are_passed_where_they_end():
    with pytest.raises(Rejected, match="no run ends here"):
        rule(FULL, "size.run", [0, 4])
    with pytest.raises(Rejected, match="no affine run ends here"):
        rule(FULL, "mean.run", [0, 4])


def test_rates_need_a_run():
    without = changed(CHAIN, "inputs", "loss", to=None)["inputs"]
    for name, at in (("batch", [0]), ("variance", [0]), ("nonconvex", []), ("pl", [])):
        proof = checker.Proof(checker.Inputs(without))
        with pytest.raises(Rejected, match="without a run"):
            proof.apply({"rule": name, "at": at, "operands": [], "result": "0"})
    for name, at in (("pl", []), ("discount", [0])):
        with pytest.raises(Rejected, match="no pl constant"):
            rule(no_pl(), name, at)


def no_pl():
    text = chain() + RUN.replace("pl: 1/2, ", "")
    return certificate(bc.build(bc.loads(text)))


def test_the_pl_rate_needs_the_steps_of_every_part_but_the_first():
    inputs = changed(FULL, "inputs", "loss", "schedule", 1, 2, to=None)["inputs"]
    proof = checker.Proof(checker.Inputs(inputs))
    with pytest.raises(Rejected, match="needs its steps"):
        proof.apply({"rule": "discount", "at": [1], "operands": [], "result": "0"})


def test_a_step_that_nothing_uses_and_a_step_twice():
    document = copy.deepcopy(CHAIN)
    document["steps"].append(
        {"rule": "drift.saturated", "at": [0, 2, 0], "operands": [], "result": "3"}
    )
    refused(document, match="nothing uses")
    document = copy.deepcopy(CHAIN)
    document["steps"].append(copy.deepcopy(document["steps"][0]))
    refused(document, match="twice")


def test_the_digest_and_claims():
    document = changed(CHAIN, "spec", to="another")
    with pytest.raises(Rejected, match="digest"):
        checker.check(json.dumps(document).encode())
    with pytest.raises(Rejected, match="about other inputs"):
        checker.check(json.dumps(sealed(document)).encode())
    refused({**CHAIN, "claims": CHAIN["claims"][::-1]}, match="out of order")
    refused({**CHAIN, "claims": []}, match="missing")
    refused({**CHAIN, "claims": [CHAIN["claims"][0]] * 2}, match="out of order")
    refused(changed(CHAIN, "claims", 0, "bound", to="1/10"), match="differs")
    refused(changed(CHAIN, "assumptions", 0, 1, to="nothing"), match="assumptions")


@pytest.mark.parametrize(
    ("name", "at", "match"),
    [
        ("adjoint", [3], "out of range"),
        ("adjoint", [0], "out of range"),
        ("adjoint", [0, 1], "length"),
        ("drift", [0, 2, 2], "out of range"),
        ("drift", [1, 2, 0], "out of range"),
        ("error", [0, 4], "out of range"),
        ("size", [0, -1], "out of range"),
        ("size", [0, True], "out of range"),
        ("nothing", [], "unknown rule"),
    ],
)
def test_places(name, at, match):
    with pytest.raises(Rejected, match=match):
        rule(CHAIN, name, at)
    with pytest.raises(Rejected, match="no group"):
        rule(FULL, "bias", [0, 6])


def test_numbers_that_are_too_large():
    with pytest.raises(Rejected, match="out of range"):
        checker.up(Fraction(2**40_000 + 1))
    assert checker.up(Fraction(2**20_000 + 1)) > 2**20_000


def test_a_pl_constant_that_cannot_be_told_from_zero():
    inputs = changed(CHAIN, "inputs", "loss", "pl", to="1*2^-4000")["inputs"]
    proof = checker.Proof(checker.Inputs(inputs))
    with pytest.raises(Rejected, match="too small"):
        proof.apply({"rule": "discount", "at": [0], "operands": [], "result": "0"})


def test_the_pl_rate_needs_the_smallest_level_first():
    inputs = copy.deepcopy(FULL["inputs"])
    for entry in inputs["loss"]["schedule"]:
        entry[0] = 1 - entry[0]
    proof, numbers = checker.Proof(checker.Inputs(inputs)), {}
    steps = [step for step in FULL["steps"] if step["rule"] not in ("nonconvex", "pl")]
    renumbered = {}
    for k, step in enumerate(FULL["steps"]):
        if step in steps:
            renumbered[k] = len(numbers)
            proof.apply({**step, "operands": [renumbered[x] for x in step["operands"]]})
            numbers[(checker.RULES[step["rule"]][0], *step["at"])] = len(numbers)
    operands = [
        numbers[quantity, number]
        for number in (0, 1)
        for quantity in ("bias", "variance", "discount")
    ]
    with pytest.raises(Rejected, match="needs its steps"):
        proof.apply({"rule": "pl", "at": [], "operands": operands, "result": "0"})


def test_texts_and_claims_of_other_kinds():
    refused(changed(CHAIN, "spec", to=1), match="expected a text")
    refused(changed(CHAIN, "not_covered", to=[1]), match="expected a text")
    refused(changed(CHAIN, "claims", 0, "quantity", to="nothing"), match="unknown claim")
    refused(changed(CHAIN, "claims", 0, "quantity", to=[]), match="unknown claim")
    refused(changed(CHAIN, "claims", 0, "step", to=0), match="does not prove its claim")
