"""Distributed SGD with compression and sign under (L0, L1)-smoothness (docs/theory.md)."""
