"""The public names, pinned: changing them is a decision, not an accident."""

import boundcalc
from boundcalc.theories.perturbed.families import FAMILIES

PIPELINE = [
    "BoundcalcError",
    "__version__",
    "build",
    "coefficients",
    "load",
    "loads",
    "rates",
    "report",
    "simulate",
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
