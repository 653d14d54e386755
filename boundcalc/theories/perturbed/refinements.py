"""The refinements of the sharp recurrences, each an option that is sound on its own.

At a stage of the recurrences several upper bounds of one quantity may be known; the smallest
of them is one too (docs/theory.md, Lemma 4.4).  A refinement adds an alternative.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass, field

import numpy as np

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import InexactError

#: A Jacobian moves by at most 2a, an adjoint by 2V (docs/theory.md, Lemma 4.11).
SATURATION = "saturation"
#: A mean is at most the root mean square (docs/theory.md, Lemma 4.4).
MEAN_CAP = "mean cap"
#: Forward perturbations independent of each other (docs/theory.md, Theorem 4.13).
INDEPENDENCE = "independence"
#: Conditional moments of forward perturbations bounded almost surely (Theorem 4.14).
CONDITIONAL = "conditional"

#: The effects of single forward perturbations added (Theorems 4.17 and 4.18).
SUPERPOSITION = "superposition"

#: All of them, in the order in which they are named.
REFINEMENTS = (SATURATION, MEAN_CAP, INDEPENDENCE, CONDITIONAL, SUPERPOSITION)

#: Those that need the constants on the states of partly perturbed passes, too: (A3+).
ON_ALL_PASSES = frozenset({INDEPENDENCE, CONDITIONAL, SUPERPOSITION})


def known_refinements(names: Iterable[str]) -> frozenset[str]:
    """The names as a set.

    Raises
    ------
    ValueError
        For an unknown name.

    >>> known_refinements(["mean cap"])
    frozenset({'mean cap'})
    """
    unknown = sorted(set(names := list(names)) - set(REFINEMENTS))
    if unknown:
        raise ValueError(f"unknown refinements {unknown}; known are {list(REFINEMENTS)}")
    return frozenset(names)


@dataclass
class Choice:
    """Which refinements may be taken, and which were.

    Attributes
    ----------
    kind
        Of the numbers that are compared.
    allowed
        Names from :data:`REFINEMENTS`.
    used
        Those whose alternative was the smaller one at some stage.

    Examples
    --------
    >>> from boundcalc.arithmetic import RATIONALS
    >>> choice = Choice(RATIONALS, [SATURATION])
    >>> choice.least(SATURATION, 3, 2), choice.least(MEAN_CAP, 3, 2), choice.names
    (2, 3, ('saturation',))
    """

    kind: Arithmetic
    allowed: Container[str] = REFINEMENTS
    used: set[str] = field(default_factory=set)

    def __contains__(self, name: str) -> bool:
        return name in self.allowed

    def least(self, name: str, value: Scalar, alternative: Scalar) -> Scalar:
        """The smaller of a value and what the refinement offers, if it may be taken."""
        if name not in self.allowed:
            return value
        if name not in self.used and _below(alternative, value):
            self.used.add(name)
        return self.kind.minimum(value, alternative)

    @property
    def names(self) -> tuple[str, ...]:
        """Those that were used, in the order of :data:`REFINEMENTS`."""
        return tuple(name for name in REFINEMENTS if name in self.used)


def _below(x: Scalar, y: Scalar) -> bool:
    """Whether x < y for certain, in some entry of arrays; of symbols that is not known."""
    try:
        below = x < y
        return below if isinstance(below, bool) else bool(np.any(below))
    except (InexactError, TypeError):
        return False
