"""From a number format and a law of the gradient to q and σ_e; docs/theory.md, section 9.5."""
