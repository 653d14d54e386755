"""Sweeps: the simulation at every point of a grid of settings and seeds.

- what is asked: ``paths`` and ``values`` → ``grid``; ``plain`` and ``overrides`` make the spec
  of a point; ``check`` looks at all of them before anything runs
- one point: ``task`` → ``record``
- who runs them: ``here``, ``local`` (processes) or ``cluster`` (Dask)
- what is kept: ``storage``, ``manifest``, ``results`` → ``table``, ``netcdf``
- all together: ``run``
"""

from boundcalc.sweeps.overrides import override
from boundcalc.sweeps.reading import read_sweep
from boundcalc.sweeps.results import Point, SweepResult
from boundcalc.sweeps.run import sweep

__all__ = ["Point", "SweepResult", "override", "read_sweep", "sweep"]
