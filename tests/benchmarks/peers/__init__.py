"""The same training step in several tools, each written as one would who knows the tool.

Every module has ``prepare(problem, threads)``, which returns ``run(steps, seed)``, which returns
the weights of all replicas after so many steps, ``(R, k)``.  Whatever can be done once (copies,
compilation) is done in ``prepare`` or in the first call.
"""
