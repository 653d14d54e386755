"""Claim files: a theorem of one's own, compared with the sharp bounds and attacked.

One direction: ``formulas`` → ``model`` → ``loading`` (what the file says); ``ranges`` →
``factors`` → ``forms`` → ``domination`` → ``search`` (whether sharp implies it); ``local`` →
``enclosed`` → ``proof`` → ``attack`` → ``refute`` (whether an instance beats it).
"""

from __future__ import annotations

from boundcalc.verify.claims.loading import load_claim, loads_claim
from boundcalc.verify.claims.model import Claim
from boundcalc.verify.claims.outcome import Outcome
from boundcalc.verify.claims.refute import refute

__all__ = ["Claim", "Outcome", "load_claim", "loads_claim", "refute"]
