"""Functions that optimiser steps descend and control problems minimise."""

from boundcalc.operators.objectives.base import Objective, Steps
from boundcalc.operators.objectives.logistic import MeanLogistic
from boundcalc.operators.objectives.quadratic import QuadraticForm

__all__ = ["MeanLogistic", "Objective", "QuadraticForm", "Steps"]
