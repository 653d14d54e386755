"""Theories: each turns a graph's constants into coefficients, and those into rates."""
