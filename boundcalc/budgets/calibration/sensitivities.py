"""Sensitivities by site: the proved coefficient, the measured one and their ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from boundcalc.arithmetic import Number, Status
from boundcalc.arithmetic.combine import quotient
from boundcalc.budgets.calibration.checked import Simulated
from boundcalc.budgets.calibration.estimates import largest
from boundcalc.budgets.calibration.prediction import Predicted
from boundcalc.budgets.calibration.results import Calibration, SiteSensitivity
from boundcalc.budgets.calibration.survey import Survey
from boundcalc.graph import OperatorGraph
from boundcalc.theories.perturbed.coefficients import coefficients


def sensitivities(graph: OperatorGraph, seen: Survey) -> tuple[SiteSensitivity, ...]:
    """Every site, in the order of the graph's sites.

    The proved coefficients are those of the sharp family for the site alone (docs/theory.md,
    Lemmas 5.2 and 5.3, and section 4.8): of E‖ũ−u‖², and of ‖E[ũ−u]‖² where the mean is zero.
    """
    columns = coefficients(graph).columns
    proved = {direction: iter(columns.get(f"error_{direction}", ())) for direction in _DIRECTIONS}
    curvature = iter(columns.get("bias_forward_fourth", ()))
    found = []
    for site in graph.sites:
        here = seen.sites[site.direction, site.index]
        value, *interval = largest(here.error)
        bound = next(proved[site.direction], None)
        measured = Number(value, Status.SAMPLED)
        bias: dict[str, object] = {}
        if site.direction == "forward":
            bias = _bias(next(curvature, None), largest(here.bias))
        found.append(
            SiteSensitivity(
                direction=site.direction,
                label=site.label,
                proved=bound,
                measured=measured,
                interval=(interval[0], interval[1]),
                ratio=_ratio(bound, measured),
                measured_worst=Number(max(here.worst, value), Status.SAMPLED),
                worst_exact=here.worst_exact,
                **bias,  # type: ignore[arg-type]
            )
        )
    return tuple(found)


_DIRECTIONS = ("forward", "backward")


def _bias(proved: Number | None, found: tuple[float, float, float]) -> dict[str, object]:
    measured = Number(found[0], Status.SAMPLED)
    return {
        "proved_bias": proved,
        "measured_bias": measured,
        "bias_interval": found[1:],
        "bias_ratio": _ratio(proved, measured),
    }


def _ratio(proved: Number | None, measured: Number) -> Number | None:
    if proved is None or measured.value == 0:
        return None
    return quotient(proved, measured)


@dataclass(frozen=True)
class MeasuredCoefficients:
    """Upper confidence limits of one site's coefficients: E‖ũ−u‖² ≈ error E‖δ‖², zero-mean.

    ``bias`` is that of ‖E[ũ−u]‖² in (E‖δ‖²)²; 0 of a backward site.
    """

    error: float
    bias: float


def measured_coefficients(found: Calibration) -> dict[str, MeasuredCoefficients]:
    """A measured model by site label (``forward:f1``): what independent noises at sites do.

    With noises of mean zero, independent and without preferred direction, of sizes z_j²,

        E‖ũ−u‖² ≈ Σ_j c_j z_j²,   ‖E[ũ−u]‖² ≲ (Σ_j √d_j z_j²)².

    Both are posynomials in z, as the sharp bounds are; they hold for small z only, and at the
    iterates and samples that were looked at.
    """
    return {
        f"{site.direction}:{site.label}": MeasuredCoefficients(
            error=site.interval[1],
            bias=0.0 if site.bias_interval is None else site.bias_interval[1],
        )
        for site in found.sites
    }


def site_notes(graph: OperatorGraph, sites: Sequence[SiteSensitivity], seen: Survey) -> list[str]:
    """What is to be said about the sensitivities."""
    notes = [
        "measured coefficients are of perturbations without preferred direction; the proved "
        "ones hold for the worst direction"
    ]
    if not graph.smooth:
        notes.append(
            "an operator has a kink: what small probes measure need not hold for larger "
            "perturbations, which cross it"
        )
    unsteady = [
        f"{direction}:{label}"
        for (direction, label), here in zip(
            ((s.direction, s.label) for s in sites), seen.sites.values(), strict=True
        )
        if here.unsteady
    ]
    if unsteady:
        notes.append(
            "probes of two sizes disagree by more than a twentieth, choose another `size`: "
            + _listed(unsteady)
        )
    above = [f"{s.direction}:{s.label}" for s in sites if _above(s)]
    if above:
        notes.append(
            "measured coefficients above the proved ones: a region that the spec claims does not "
            "hold at these iterates, or a constant that it states is wrong: " + _listed(above)
        )
    return notes


def _above(site: SiteSensitivity) -> bool:
    slack = 1 + 1e-6  # of the differences
    error = site.proved is not None and site.interval[0] > float(site.proved) * slack
    bias = (
        site.proved_bias is not None
        and site.bias_interval is not None
        and site.bias_interval[0] > float(site.proved_bias) * slack
    )
    return error or bias


def prediction_notes(
    assumed: bool, together: Sequence[Predicted], checked: Simulated | None
) -> list[str]:
    """What is to be said about the prediction for the spec's perturbations."""
    notes = []
    if assumed:
        notes.append(
            "perturbations given by moments, and transforms, are taken to have no preferred "
            "direction"
        )
    if checked is None:
        return notes
    for name, said in (("error", "E‖ũ−u‖²"), ("bias", "‖E[ũ−u]‖²")):
        pieces = [getattr(piece, name) for piece in together]
        lo, hi = (
            float(np.concatenate([getattr(p, k) for p in pieces]).mean()) for k in ("lo", "hi")
        )
        low, high = getattr(checked, f"{name}_interval")
        if hi < 0.9 * low or lo > 1.1 * high:
            notes.append(
                f"the predicted {said} is off by more than a tenth: the spec's perturbations "
                "are not small, or have preferred directions"
            )
    return notes


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
