"""The step conditions of the modified equations at a spec's numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.errors import SimulationError, SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Maths
from boundcalc.theories.distributed.conditions import (
    compressed_limit,
    harmonic_scale,
    sign_constant,
    sign_limit,
    surely,
)
from boundcalc.theories.distributed.noise_model import Setting, setting_in
from boundcalc.theories.distributed.section import DistributedSection
from boundcalc.theories.distributed.sign_functions import density_peak, secant, sign_drift
from boundcalc.theories.objective import objective_of
from boundcalc.theories.values import Quantity

_ANY_STEP = "no step is too large"
_CLIPPED = "clipped gradients are biased (`distributed.clip`)"


@dataclass(frozen=True)
class StepLimits:
    """Limits on η·η_k.

    Attributes
    ----------
    corrected, classic
        Of the equation with the curvature's correction of the drift, and of that without; None
        where ``note`` says why.
    gradient
        ‖∇f‖ at which they are evaluated; None where it plays no part, or is not known.
    note
        Where the gradient comes from, and what is missing.
    """

    corrected: Number | None
    classic: Number | None
    gradient: Number | None
    note: str


def step_limits(graph: OperatorGraph, section: DistributedSection) -> StepLimits:
    """Both limits: (12.6) of D(C)SGD, (12.7) of DSignSGD."""
    if section.algorithm == "dsignsgd":
        return _sign_limits(graph, section)
    return _compressed_limits(graph, section)


def _sign_limits(graph: OperatorGraph, section: DistributedSection) -> StepLimits:
    if section.snr is None:
        return StepLimits(
            None, None, None, "ℓ_ν exists on a bounded range only: give `distributed.snr`"
        )
    refused = sign_refusal(graph, section)
    if refused:
        return StepLimits(None, None, None, refused)
    corrected, classic = _both(graph, section, lambda s, by: sign_limit(s, corrected=by))
    note = f"while every |∂_jf| is at most {section.snr} times the scale of its noise"
    if classic is None:
        note += f"; the classic equation: {_ANY_STEP}"
    return StepLimits(corrected, classic, None, note)


def sign_refusal(graph: OperatorGraph, section: DistributedSection) -> str:
    """Why (12.7) does not speak of this noise; empty where it does."""

    def why(kind: Arithmetic) -> str:
        s = setting_in(graph, section, kind)
        if section.clip is not None:
            return _CLIPPED
        if not all(sigma == 0 for sigma in s.sigma1):
            return (
                "the scale of the noise grows with the gradient (sigma1), the condition's is fixed"
            )
        if any(sigma == 0 for sigma in (*s.sigma0, *(s.sigma_max or ()))):
            return "an agent has no noise: no gradient but 0 is within `snr` scales of it"
        cut = s.truncation
        if cut is not None and s.snr is not None and not surely(lambda: s.snr < cut):
            return (
                "the noise is cut at no more than `snr` scales, where its mean sign is not 2Ξ_ν: "
                "give an `snr` below `truncation`"
            )
        return ""

    return in_best_kind(why, section.size)[0]


def _compressed_limits(graph: OperatorGraph, section: DistributedSection) -> StepLimits:
    if section.clip is not None:
        return StepLimits(None, None, None, _CLIPPED)
    known, _ = in_best_kind(lambda kind: _finite(setting_in(graph, section, kind)), section.size)
    if not known:
        return StepLimits(None, None, None, "the variance of the noise is infinite")
    flat, _ = in_best_kind(lambda kind: setting_in(graph, section, kind).L1 == 0, section.size)
    gradient, note = (None, "") if flat else _gradient(graph, section)
    if gradient is None and not flat:
        return StepLimits(None, None, None, note)

    def at(kind: Arithmetic) -> Scalar:
        if section.gradient_bound is None and gradient is not None:
            return kind.measured(float(gradient))
        return kind.number(0) if flat else setting_in(graph, section, kind).gradient_bound

    corrected, classic = _both(
        graph, section, lambda s, by: compressed_limit(s, at(s.kind), corrected=by)
    )
    if classic is None:
        note = "; ".join(filter(None, (note, f"the classic equation: {_ANY_STEP}")))
    return StepLimits(corrected, classic, gradient, note)


def _finite(s: Setting) -> bool:
    return s.A is not None and s.B is not None


def _gradient(graph: OperatorGraph, section: DistributedSection) -> tuple[Number | None, str]:
    """‖∇f‖ for the condition: as the spec says, or at the start of its simulation."""
    if section.gradient_bound is not None:
        found = _number(graph, section, lambda s: s.gradient_bound)
        return found, "at ‖∇f‖ = gradient_bound"
    missing = "it depends on ‖∇f‖: give `distributed.gradient_bound`"
    if graph.spec.simulation is None:
        return None, missing + ", or a simulation, at whose start it is evaluated"
    norm = start_gradient(graph)
    if norm is None:
        return None, missing
    if not np.isfinite(norm):
        return None, "the gradient at the start is not finite"
    return Number(norm, Status.COMPUTED), "at ‖∇f‖ of the start only: later steps may be too large"


def start_gradient(graph: OperatorGraph) -> float | None:
    """‖∇f‖ where the spec's simulation starts; None where there is none to look at."""
    if graph.spec.simulation is None:
        return None
    try:
        objective = objective_of(graph)
    except (SpecError, SimulationError):
        return None
    return float(np.linalg.norm(objective.gradient(objective.start[:1])))


def _both(
    graph: OperatorGraph,
    section: DistributedSection,
    limit: Callable[[Setting, bool], Scalar | None],
) -> tuple[Number | None, Number | None]:
    """The limit with the correction, and without."""
    return (
        _number(graph, section, lambda s: limit(s, True)),
        _number(graph, section, lambda s: limit(s, False)),
    )


def _number(
    graph: OperatorGraph, section: DistributedSection, compute: Callable[[Setting], Scalar | None]
) -> Number | None:
    found, proved = in_best_kind(
        lambda kind: compute(setting_in(graph, section, kind)), section.size
    )
    if found is None:
        return None
    return Number(found, Status.PROVED if proved else Status.COMPUTED, limit=True)


def limit_quantities(limits: StepLimits) -> tuple[Quantity, ...]:
    """Both limits with name and symbol."""
    return (
        Quantity(
            "step_size_limit",
            Maths(r"\eta\eta_k"),
            "step-size limit, drift with the curvature's correction",
            limits.corrected,
            limits.note,
        ),
        Quantity(
            "step_size_limit_classic",
            Maths(r"\eta\eta_k"),
            "step-size limit, classic first-order drift",
            limits.classic,
            limits.note,
        ),
    )


def constants(graph: OperatorGraph, section: DistributedSection) -> tuple[Quantity, ...]:
    """What conditions and statements are made of; K only where the condition is spoken of."""
    if section.algorithm == "dsignsgd":
        rows = [
            ("c_nu", r"c_\nu=2\Xi_\nu(1)", "least drift per unit of signal-to-noise", _c_nu),
            ("M_nu", r"M_\nu", "the noise's largest density", _peak),
            ("sigma_H", r"\sigma_H", "harmonic mean of the agents' scales", harmonic_scale),
        ]
        if not sign_refusal(graph, section):
            rows += [
                ("K", "K", "of the step condition, with the correction", _constant),
                ("K_classic", "K", "of the step condition, classic", _classic_constant),
            ]
        if section.snr is not None:
            rows.insert(1, ("l_nu", r"\ell_\nu", "slope of a secant up to `snr`", _secant))
    else:
        rows = [
            ("A", "A", "relative variance of the average that arrives", lambda s: s.A),
            ("B", "B'", "its variance where the gradient vanishes", lambda s: s.B),
            ("omega", r"\bar\omega", "mean compression", lambda s: s.average(s.omega)),
        ]
    return tuple(
        Quantity(key, Maths(symbol), meaning, _rounded(key, _number(graph, section, compute)), "")
        for key, symbol, meaning, compute in rows
    )


def _rounded(key: str, number: Number | None) -> Number | None:
    """Slopes of the drift are printed rounded down, everything else rounded up."""
    return None if number is None else replace(number, limit=key in ("c_nu", "l_nu"))


def _c_nu(s: Setting) -> Scalar:
    return sign_drift(s.nu, s.kind)


def _peak(s: Setting) -> Scalar:
    return density_peak(s.nu, s.kind)


def _secant(s: Setting) -> Scalar:
    return secant(s.nu, s.snr, s.kind)


def _constant(s: Setting) -> Scalar:
    return sign_constant(s, corrected=True)


def _classic_constant(s: Setting) -> Scalar:
    return sign_constant(s, corrected=False)
