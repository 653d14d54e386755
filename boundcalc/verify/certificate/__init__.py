"""Certificates: bounds as lists of steps, and a checker that shares no code with the engine."""
