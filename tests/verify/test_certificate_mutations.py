"""Every change of a single field of a certificate is rejected."""

import copy
import json

import pytest
from certificate_specs import EVERYTHING, SUMS, chain, constants_of, fraction, random_spec, tail
from verify.test_certificate import engine

import boundcalc as bc
from boundcalc.theories.perturbed.refinements import REFINEMENTS
from boundcalc.verify.certificate import checker
from boundcalc.verify.certificate.checker import RULES, Rejected, Unreadable
from boundcalc.verify.certificate.write import certificate, digest

SPECS = {
    "everything": EVERYTHING,
    "general chain": chain(),
    "zero-mean chain": chain(mean="0"),
    "independent chain": chain(dependence="independent"),
    "conditional chain": chain(dependence="conditional"),
    "restarts": tail("conditional"),
    "superposition": SUMS,
}
CERTIFICATES = {name: certificate(bc.build(bc.loads(text))) for name, text in SPECS.items()}

#: Parts of a certificate that nothing is computed from: names and remarks.
LABELS = {("spec",), ("boundcalc",), ("not_covered",), ("inputs", "replaced")}


def sealed(document, *, given=False):
    """The document with its digest, and if asked the claims' digests, made right again."""
    if given:
        try:
            names = ("boundcalc", "spec", "assumptions", "inputs", "not_covered")
            value = digest(*(document[name] for name in names))
            for claim in document["claims"]:
                claim["given"] = value
        except (KeyError, TypeError):
            pass
    body = {key: value for key, value in document.items() if key != "digest"}
    return {**body, "digest": digest(body)}


def verdict_of(document):
    try:
        checker.check(json.dumps(document).encode())
    except Rejected:
        return "rejected"
    except Unreadable:
        return "unreadable"
    return "accepted"


def variants(value):
    """Other values of a leaf."""
    if isinstance(value, bool):
        return [not value, None, 1]
    if isinstance(value, int):
        return [value + 1, value - 1, value + 7, -value - 1, str(value), None, True, 10**15]
    if value is None:
        return ["0", "1", 0, [], {}]
    found = ["", value + "x", " " + value, value[:-1], None, 1, [value]]
    try:
        x = fraction(value)
    except ValueError:
        return [*found, *(rule for rule in RULES if value in RULES)]
    up, down = x * 2 or 1, x / 2
    return [*found, *(checker.write(y) for y in (up, down, x + 1)), f"{value}/1", "0", "1", "-1"]


def mutations(value, path=()):
    """All changes of one field: (path, changed document part)."""
    if isinstance(value, dict):
        for key in value:
            yield (*path, key), {k: v for k, v in value.items() if k != key}
            for where, changed in mutations(value[key], (*path, key)):
                yield where, {**value, key: changed}
        yield path, {**value, "extra": 0}
    elif isinstance(value, list):
        for k, entry in enumerate(value):
            yield (*path, k), value[:k] + value[k + 1 :]
            yield (*path, k), [*value[: k + 1], *value[k:]]
            if k and value[k - 1] != entry:
                yield (*path, k), [*value[: k - 1], entry, value[k - 1], *value[k + 1 :]]
            for where, changed in mutations(entry, (*path, k)):
                yield where, [*value[:k], changed, *value[k + 1 :]]
        yield path, [*value, 0]
        yield path, [*value, "1"]
    else:
        for other in variants(value):
            if other != value or type(other) is not type(value):
                yield path, other


def sample(name, count):
    """Some of the mutations, evenly spread."""
    found = [(path, changed) for path, changed in mutations(CERTIFICATES[name])]
    assert len(found) > 5000
    stride = len(found) // count | 1
    return found[::stride]


#: Plain runs take a part of the mutations, the long ones half of a chain's or more.
COUNTS = [150, pytest.param(3000, marks=pytest.mark.long)]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", SPECS)
def test_every_mutation_is_rejected(name, count):
    assert verdict_of(CERTIFICATES[name]) == "accepted"
    for path, changed in sample(name, count):
        if path != ("digest",):
            assert verdict_of(sealed(changed)) != "accepted", path


def test_where_nothing_moves_a_rule_has_one_name():
    document = copy.deepcopy(CERTIFICATES["general chain"])
    (step,) = (
        step
        for step in document["steps"]
        if step["rule"].startswith("superposed") and step["at"][-1] == 1
    )
    assert step["rule"] == "superposed.rms"
    for rule in ("superposed", "superposed.sites"):
        step["rule"] = rule
        assert verdict_of(sealed(document)) != "accepted"


@pytest.mark.parametrize("name", SPECS)
def test_without_the_digest_nothing_at_all_may_change(name):
    for path, changed in sample(name, 100):
        assert verdict_of(changed) != "accepted", path


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("name", SPECS)
def test_who_makes_all_digests_anew_gets_true_statements_about_other_inputs(name, count):
    """What is accepted then changed only names, or an input on which no result depends."""
    for path, changed in sample(name, count):
        again = sealed(copy.deepcopy(changed), given=True)
        if path[:1] in {("digest",), ("claims",)} or verdict_of(again) != "accepted":
            continue
        if path[:1] in LABELS or path[:2] in LABELS or path[-1] == "id":
            continue
        assert path[0] == "inputs", path
        bound = {claim["quantity"]: fraction(claim["bound"]) for claim in changed["claims"]}
        error, bias = engine(changed, REFINEMENTS)
        assert error[0] <= bound["error"], path
        assert bias[0] <= bound["bias"], path


@pytest.mark.parametrize("name", sorted(set(SPECS) - {"everything"}))
def test_operands_of_steps_cannot_be_exchanged_for_any_other(name):
    document = CERTIFICATES[name]
    for k, step in enumerate(document["steps"]):
        for place, operand in enumerate(step["operands"]):
            for other in {operand - 1, operand + 1, k - 1, k}:
                if other == operand:
                    continue
                changed = copy.deepcopy(document)
                changed["steps"][k]["operands"][place] = other
                with pytest.raises(Rejected):
                    checker.check(json.dumps(sealed(changed)).encode())


def test_specs_of_the_tests_use_every_rule():
    run = "loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}\n"
    run += "training: {step_size: 1, horizon: 3}\n"
    loud = chain(dependence="independent").replace("1/10,", "90,").replace("1/7,", "70,")
    texts = [
        EVERYTHING.replace("mean: 1/40", "mean: 0"),
        loud + run,
        loud.replace("1/40", "1/400").replace("jac_input: 3/2", "jac_input: 1/9"),
        chain(mean="0").replace("rms: 1/10, mean", "rms: 0, mean").replace("1/7, m", "0, m") + run,
        SUMS,
        tail("conditional"),
        tail("independent"),
        *(random_spec(seed, chain=seed % 2 == 0) for seed in range(32)),
    ]
    used = {step["rule"] for document in CERTIFICATES.values() for step in document["steps"]}
    for text in texts:
        document = certificate(bc.build(bc.loads(text)))
        assert verdict_of(document) == "accepted"
        used |= {step["rule"] for step in document["steps"]}
    assert used == set(RULES), set(RULES) - used


def test_inputs_are_read_as_they_are():
    g, levels = constants_of(CERTIFICATES["general chain"])
    assert g.size == 3
    assert str(levels[0].e[2]) == "1/7"
