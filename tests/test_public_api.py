"""The public names, pinned: changing them is a decision, not an accident."""

import boundcalc
from boundcalc.resources import example
from boundcalc.theories.perturbed.families import FAMILIES
from boundcalc.verify.certificate.checker import verdict

PIPELINE = [
    "BoundcalcError",
    "__version__",
    "adversary",
    "budget",
    "build",
    "certify",
    "coefficients",
    "errata",
    "explain",
    "explore",
    "load",
    "loads",
    "rates",
    "read_sweep",
    "refute",
    "report",
    "simulate",
    "sweep",
    "theories",
    "verify",
]


def test_public_names():
    assert boundcalc.__all__ == PIPELINE
    assert dir(boundcalc) == PIPELINE
    assert all(hasattr(boundcalc, name) for name in PIPELINE)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(boundcalc, "solve")


def test_families():
    assert list(FAMILIES) == ["published", "corrected", "sharp"]


def test_certify_writes_what_the_checker_accepts(tmp_path):
    path = boundcalc.certify(boundcalc.load(example("three-operators")), tmp_path / "cert.json")
    assert verdict(str(path))[0] == 0


def test_refute_takes_a_claim_file():
    claim = example("three-operators").parent / "claims" / "half-error.yaml"
    assert boundcalc.refute(claim).exit_code == 1
