"""What is known of a claim in the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, TypeAlias

from boundcalc.arithmetic import Status
from boundcalc.showing import Shown, Tabular

if TYPE_CHECKING:
    from boundcalc.verify.adversary import Attack

#: Verdict → exit code.
EXIT_CODES = {"implied by sharp": 0, "refuted by instance": 1, "undetermined": 3}

IMPLIED, REFUTED, UNDETERMINED = EXIT_CODES

Point: TypeAlias = Mapping[str, Fraction]


@dataclass(frozen=True)
class Assault:
    """An attack on the claim at one point of the box, at levels that favour it.

    Attributes
    ----------
    point
        The constants.
    moments
        Moment of the claim → by site, of the instance where it is ``enclosed``; else upper
        bounds of these.
    claimed
        The claim's bound at these moments, from above.
    sharp
        The sharp bound without refinements.
    attack
        What was attained.
    enclosed
        Whether the instance is proved to have constants that the claim speaks of, its moments
        are exact, and ``attack.attained`` is a lower bound.
    """

    point: Point
    moments: Mapping[str, tuple[Fraction, ...]]
    claimed: float
    sharp: float
    attack: Attack
    enclosed: bool = False

    @property
    def fraction(self) -> float:
        """√(attained / claimed): above 1 the claim is refuted."""
        if self.claimed <= 0:
            return float("inf") if self.attack.attained > 0 else 0.0
        return float((self.attack.attained / self.claimed) ** 0.5)

    @property
    def refutes(self) -> bool:
        """Whether the instance beats the claim by more than rounding and sampling explain."""
        if self.enclosed:
            return self.attack.attained > self.claimed
        # 1e-9 of what is attained covers the rounding of a finite sum of outcomes.
        least = self.attack.attained * (1 - 1e-9) - self.attack.uncertainty
        return least > max(self.claimed, 0.0)

    @property
    def status(self) -> Status:
        """How far ``attack.attained`` can be trusted."""
        if self.enclosed:
            return Status.PROVED
        return Status.SAMPLED if self.attack.uncertainty > 0 else Status.COMPUTED


@dataclass(frozen=True)
class Part:
    """What is known of the claim for one length.

    Attributes
    ----------
    size
        N.
    verdict
        ``implied by sharp``, ``refuted by instance`` or ``undetermined``.
    share, boxes
        The share of the box on which sharp implies the claim, and how many boxes that took.
    point, ratio
        Where the claim is below the sharp bound, if that was found, and sharp over claim there.
    assaults
        Attacks: what is proved to refute the claim first, then the strongest.
    notes
        What an attack could not do.
    stopped
        Whether the limit on boxes cut the search short.
    interrupted
        Whether an interrupt did.
    """

    size: int
    verdict: str
    share: Fraction
    boxes: int
    point: Point | None = None
    ratio: float | None = None
    assaults: tuple[Assault, ...] = ()
    notes: tuple[str, ...] = ()
    stopped: bool = False
    interrupted: bool = False

    @property
    def status(self) -> Status:
        """``proved`` for an implication, or a refutation by enclosed numbers."""
        if self.verdict != REFUTED:
            return Status.PROVED if self.verdict == IMPLIED else Status.UNDETERMINED
        return next(a for a in self.assaults if a.refutes).status


@dataclass(frozen=True)
class Outcome(Shown, Tabular):
    """What is known of a claim: refuted if for one length, implied if for all.

    Attributes
    ----------
    name, statement
        The claim, and what it is about.
    parts
        What is known for every length.
    notes
        Lengths that were not looked at: then nothing is implied.
    assumption
        What an implication rests on, beside the constants; empty if on nothing.
    """

    name: str
    statement: str
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = field(default=())
    assumption: str = ""

    @property
    def verdict(self) -> str:
        """The verdict on the claim for all its lengths."""
        verdicts = {part.verdict for part in self.parts}
        if REFUTED in verdicts:
            return REFUTED
        return IMPLIED if verdicts == {IMPLIED} and not self.notes else UNDETERMINED

    @property
    def status(self) -> Status:
        """How far the verdict can be trusted."""
        if self.verdict == UNDETERMINED:
            return Status.UNDETERMINED
        # One length refutes a claim; all have to be implied, and then all are proved.
        deciding = {part.status for part in self.parts if part.verdict == self.verdict}
        return next(status for status in Status if status in deciding)

    @property
    def exit_code(self) -> int:
        """0 implied, 1 refuted, 3 undetermined."""
        return EXIT_CODES[self.verdict]
