"""What is wrong in print, each row with evidence that runs on the spot (docs/errata.md)."""

from boundcalc.errata.evidence import Check, Erratum, Evidence, Finding, run
from boundcalc.errata.registry import ERRATA

__all__ = ["ERRATA", "Check", "Erratum", "Evidence", "Finding", "run"]
