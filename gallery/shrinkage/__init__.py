"""Shrinkage: gradients that low precision shortens."""
