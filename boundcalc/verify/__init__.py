"""Verdicts: every bound against the simulation of the same graph."""

from boundcalc.verify.premises import Premise
from boundcalc.verify.verdicts import Verdict, Verdicts, verify

__all__ = ["Premise", "Verdict", "Verdicts", "verify"]
