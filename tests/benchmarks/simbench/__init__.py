"""Simulation benchmarks: cases → workers → measurements → plots and page."""
