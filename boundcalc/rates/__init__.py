"""Convergence bounds from coefficients."""

from boundcalc.rates.bound import batch_level, wide
from boundcalc.rates.rate import Rate, Rates, rates
from boundcalc.rates.timeline import Pattern, Timeline

__all__ = ["Pattern", "Rate", "Rates", "Timeline", "batch_level", "rates", "wide"]
