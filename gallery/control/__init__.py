"""Control and unrolled optimisation: finite-horizon problems as chains."""
