"""Distributed SGD with compression and sign under (L0, L1)-smoothness.

Source: docs/theory-distributed.md.
"""
