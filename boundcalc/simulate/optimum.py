"""The lowest value of the unperturbed objective that could be found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array, Data
from boundcalc.simulate.program import Program
from boundcalc.simulate.records import Trajectory


@dataclass(frozen=True)
class Optimum:
    """The best point found.

    Attributes
    ----------
    weights, value, gradient_norm
        w, ℓ(w) and ‖∇ℓ(w)‖ there.  ``value`` is an upper bound on ℓ*.
    """

    weights: Array
    value: float
    gradient_norm: float

    def lower_with_pl(self, mu: float) -> float:
        """A lower bound on ℓ* if the PL inequality holds: ℓ(w) − ‖∇ℓ(w)‖²/(2μ)."""
        return self.value - self.gradient_norm**2 / (2.0 * mu)


def find_optimum(program: Program, data: Data, trajectory: Trajectory) -> Optimum:
    """Minimise the unperturbed objective by L-BFGS from the run's best points."""
    from scipy.optimize import minimize

    x, y = data.features[None], data.labels[None]

    def objective(w: Array) -> tuple[float, Array]:
        loss, gradient = program.objective(w[None], x, y)
        return float(loss[0]), gradient[0]

    finite = [w for w in trajectory.final if np.isfinite(w).all()]
    starts = [trajectory.snapshots[min(trajectory.snapshots)]]
    if finite:
        losses = [objective(w)[0] for w in finite]
        starts.append(finite[int(np.argmin(losses))])
    best: Optimum | None = None
    with np.errstate(over="ignore", invalid="ignore"):
        for start in starts:
            found = minimize(
                objective,
                start,
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": 500, "gtol": 1e-12, "ftol": 0.0},
            )
            value, gradient = objective(found.x)
            candidate = Optimum(found.x, value, float(np.linalg.norm(gradient)))
            if np.isfinite(value) and (best is None or value < best.value):
                best = candidate
    if best is None:
        value, gradient = objective(starts[0])
        best = Optimum(starts[0], value, float(np.linalg.norm(gradient)))
    return best
