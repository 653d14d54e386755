"""Figure 2: a large spike recovers, a moderate persistent perturbation does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from boundcalc.experiments import claims, drawing
from boundcalc.experiments.base import Experiment, Results, Sweep
from boundcalc.experiments.findings import Finding, inside
from boundcalc.experiments.settings import Setting, pick
from boundcalc.perturbations.schedules import Steps

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LARGE = 30.0  # times the level before, at least: what a large spike is
_SHORTLY = 0.9  # from this share of the time until the spike the level before is taken
_RETURNED = 1.5  # times the level before, at most: [KZY]'s factor for the stable norm

_NAMES = {
    "unperturbed": {"spike": 0.0, "sigma_f": 0.0},
    "a spike in one step": {"spike": 100.0, "sigma_f": 0.0},
    "forward noise in every step": {"spike": 0.0, "sigma_f": 2.0},
}


@final
class Figure2(Experiment):
    """One step with ε ~ U(±100/√d), shared by all samples, against σ_f = 2 in every step.

    The spike multiplies the gradient of that step by some thousands; it enters the sharp bound
    divided by T, so that it leaves no floor.  Forward noise of σ_f = 2 changes a gradient by
    a few thousandths; it enters the bound at every step and leaves its bias.
    """

    name: ClassVar[str] = "figure-2"
    title: ClassVar[str] = "A large spike against a moderate persistent perturbation"
    paper: ClassVar[str] = (
        "Training recovers from a large gradient spike, but not from a moderate perturbation "
        "that persists."
    )
    sweeps: ClassVar[tuple[Sweep, ...]] = (Sweep("figure-2", {"perturbations[1].steps": [[1200]]}),)

    def draw(self, results: Results) -> Figure:
        """The three trajectories, and the floor of the persistent perturbation."""
        found = _chosen(results)
        figure, ((panel,),) = drawing.page(1, 1, 3.7)
        for look, (label, setting) in zip(drawing.LOOKS, found.items(), strict=False):
            persistent = setting.number("sigma_f") > 0
            drawing.trajectory(panel, setting, look, label, floor=persistent)
        if "a spike in one step" in found:
            panel.axvline(_when(found["a spike in one step"]), color="#888888", linewidth=0.8)
        panel.set_ylabel(r"EWMA of $\Vert\nabla\ell\Vert$")
        drawing.legend(figure, [panel], columns=2, predicted=False)
        return figure

    def findings(self, results: Results) -> list[Finding]:
        """The spike is large and leaves nothing; the persistent noise leaves a plateau."""
        found = _chosen(results)
        if len(found) < len(_NAMES):
            return []
        still, spiked, persistent = (found[name] for name in _NAMES)
        listed = [claims.settled([still, persistent]), claims.at_prediction([still, persistent])]
        listed += _spike(spiked)
        claim = "after the spike the run settles where the unperturbed one does"
        listed.append(claims.ratio(claim, spiked, still, 0.95, 1.05))
        claim = "persistent moderate noise ends at least twice as high as the unperturbed run"
        listed.append(claims.ratio(claim, persistent, still, 2.0, float("inf")))
        listed.append(claims.below_floor([still, persistent]))
        return listed


def _chosen(results: Results) -> Mapping[str, Setting]:
    found = {name: pick(results["figure-2"], **values) for name, values in _NAMES.items()}
    return {name: settings[0] for name, settings in found.items() if settings}


def _when(setting: Setting) -> int:
    """The step of the spike."""
    for perturbation in setting.graph.perturbations:
        if isinstance(perturbation.schedule, Steps):
            return perturbation.schedule.steps[0]
    return 0


def _spike(setting: Setting) -> Iterator[Finding]:
    """How large the spike is, and how long it takes to recover from it."""
    at = _when(setting)
    steps, ewma = setting.steps, setting.ewma
    before, after = ewma[(steps >= _SHORTLY * at) & (steps <= at)], ewma[steps > at]
    if not len(before) or not len(after) or not np.isfinite(ewma).all():
        yield Finding("the spike is large", "undetermined", "the run does not hold its step")
        return
    level, peak = float(before.mean()), float(after.max())
    evidence = f"the smoothed gradient norm rises from {level:.2g} to {peak:.2g}"
    status = inside(peak / level, peak / level, _LARGE, float("inf"))
    claim = f"the spike is large: the smoothed gradient norm rises {_LARGE:g}-fold or more"
    yield Finding(claim, status, evidence, {"before": level, "peak": peak})
    # Recovered from the last step at which the norm was still above.
    above = after > _RETURNED * level
    later = steps[steps > at]
    returned = not above[-1]
    wait = int(later[np.flatnonzero(above)[-1]] - at) if above.any() else 0
    yield Finding(
        f"the run recovers: it returns below {_RETURNED:g} times the level before the spike",
        "holds" if returned else "does not hold",
        f"after {wait} steps" if returned else "not before the end of the run",
        {"steps_to_recover": float(wait) if returned else None},
    )
