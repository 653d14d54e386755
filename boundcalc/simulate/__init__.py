"""The simulator: the same graph with real numbers, replicas and draws."""

from boundcalc.simulate.iterates import IterateCheck
from boundcalc.simulate.run import Run, simulate
from boundcalc.simulate.statistics import Metric

__all__ = ["IterateCheck", "Metric", "Run", "simulate"]
