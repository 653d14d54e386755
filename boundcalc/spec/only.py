"""Commands that are about perturbed passes and no other theory."""

from __future__ import annotations

from boundcalc.errors import SpecError
from boundcalc.spec.model import Spec


def only_passes(spec: Spec, what: str) -> None:
    """Refuse a spec of another theory.

    Parameters
    ----------
    what
        The beginning of a sentence that ends in "for perturbed passes".

    Raises
    ------
    SpecError
        If the spec names another theory.
    """
    if spec.theory != "perturbed":
        raise SpecError(
            f"{what} for perturbed passes",
            where=spec.where("theory"),
            value=spec.theory,
            expected="theory: perturbed, or none",
            fix="compile, rate, budget, simulate, verify and report answer for every theory",
        )
