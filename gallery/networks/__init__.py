"""Networks: constants from weights, and bounds held against simulations."""
