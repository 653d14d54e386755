"""How a forward perturbation depends on those before it."""

from __future__ import annotations

from enum import IntEnum


class Dependence(IntEnum):
    """What is known of δ given all forward perturbations drawn before it, jointly.

    "Before" is the order of the operators, and at one operator the order of the spec; w and
    the sample are given throughout.  A later member says more and implies the earlier ones.

    >>> min(Dependence.INDEPENDENT, Dependence.CONDITIONAL).spelled
    'conditional'
    """

    #: Root mean square and mean hold on average only.
    ANY = 0
    #: √E[‖δ‖² | before] ≤ rms and ‖E[δ | before]‖ ≤ mean almost surely.
    CONDITIONAL = 1
    #: δ is independent of all that was drawn before.
    INDEPENDENT = 2

    @property
    def spelled(self) -> str:
        """As the spec has it."""
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> Dependence:
        """The member that the spec calls ``word``."""
        return cls[word.upper()]
