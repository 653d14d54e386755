"""The compiled twin of the NumPy engine: a program written in C for one graph.

One direction: ``kernels`` (what an operator's C functions are called) and ``samplers`` (the same
for perturbations) → ``source`` (a program that calls them) → ``build`` (a library of it) →
``engine`` (which runs blocks of replicas).
"""

from boundcalc.simulate.compiled.engine import compiled_runner

__all__ = ["compiled_runner"]
