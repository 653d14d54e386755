"""The evidence of an erratum as numbers to compare with what its entry states."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from gallery.base import Check, Relation
from gallery.tools import value

if TYPE_CHECKING:
    from boundcalc.errata import Evidence

_RELATIONS: dict[str, Relation] = {"equal": "equals", "at most": "at most", "at least": "at least"}


@cache
def evidence(erratum: str) -> Evidence:
    """The evidence of ``boundcalc errata``, run once."""
    import boundcalc as bc

    return bc.errata(erratum)[0]


def number(erratum: str, name: str) -> Any:
    """The number that the evidence found under a name."""
    return next(x.number.value for x in evidence(erratum).findings if x.name == name)


def compared(
    erratum: str, stated: Mapping[str, Fraction | float], digits: int = 3
) -> Iterator[Check]:
    """Every statement of the evidence, and its numbers by name against stated ones.

    Parameters
    ----------
    stated
        Name of a finding → the number.  A fraction is compared exactly; of a float ``digits``
        are meant, and it must be on the safe side of what was found.
    """
    found = evidence(erratum)
    failed = Fraction(len(found.failed) if found.checks else 1)
    says = f"statements of `boundcalc errata {erratum}`, {len(found.checks)} in all, that fail"
    yield Check(says, failed, Fraction(0))
    by_name = {finding.name: finding for finding in found.findings}
    for name, expected in stated.items():
        finding = by_name[name]
        computed = value(finding.number)
        exact = isinstance(expected, Fraction)
        if exact and isinstance(computed, Fraction):
            yield Check(name, computed, expected, _RELATIONS[finding.relation])
            continue
        if finding.relation != "equal":
            yield Check(name, computed, expected, _RELATIONS[finding.relation])
        rel = 10.0 ** (1 - digits)
        yield Check(name, float(computed), expected, rel=rel, why=f"stated to {digits} digits")
