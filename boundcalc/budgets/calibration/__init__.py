"""Sensitivities measured along a training run, beside the proved coefficients."""

from boundcalc.budgets.calibration.measured import calibrate
from boundcalc.budgets.calibration.sensitivities import measured_coefficients

__all__ = ["calibrate", "measured_coefficients"]
