"""Verdicts: every bound against the simulation of the same chain."""

from boundcalc.verify.premises import Premise
from boundcalc.verify.verdicts import Verdict, Verdicts, verify

__all__ = ["Premise", "Verdict", "Verdicts", "verify"]
