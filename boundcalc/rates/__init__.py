"""Convergence bounds from coefficients."""

from boundcalc.rates.rate import Rate, Rates, batch_level, rates, wide
from boundcalc.rates.timeline import Pattern, Timeline

__all__ = ["Pattern", "Rate", "Rates", "Timeline", "batch_level", "rates", "wide"]
