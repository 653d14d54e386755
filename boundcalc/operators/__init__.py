"""Operators: one per file, with forward, vjp, symbolic form and constants."""
