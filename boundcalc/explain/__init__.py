"""Where a number comes from: formula, theorem, inputs, status (docs/command-line.md)."""

from boundcalc.explain.explaining import Explanation, explain

__all__ = ["Explanation", "explain"]
