"""Budgets: how large, how often, how many bits."""
