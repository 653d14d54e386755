"""SGD with perturbed forward and backward passes: families published, corrected, sharp."""
