"""From a number format and a law of the gradient to q and σ_e.

docs/theory-shrinkage.md, section 11.5.
"""
