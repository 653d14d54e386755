"""Adversaries: instances within a spec's constants that come close to a bound, or beat it."""

from boundcalc.verify.adversary.attack import OBJECTIVES, Attack, Objective
from boundcalc.verify.adversary.search import search

__all__ = ["OBJECTIVES", "Attack", "Objective", "search"]
