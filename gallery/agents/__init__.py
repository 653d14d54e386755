"""Agents: distributed SGD with compression and signs."""
