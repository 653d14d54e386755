"""The floor: what is left of the sharp bound as the horizon grows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from boundcalc.arithmetic import Status
from boundcalc.arithmetic.combine import added
from boundcalc.errors import BoundcalcError
from boundcalc.graph import OperatorGraph
from boundcalc.rates import rates
from boundcalc.theories.perturbed.families import FAMILIES

_LASTING = ("sampling", "perturbation_error", "perturbation_bias")


@dataclass(frozen=True)
class Floor:
    """The floor of one setting.

    Attributes
    ----------
    value
        On the scale of the gradient norm; None where ``refused`` says why.
    bias
        The part that does not shrink with the step size: the root of the bound's bias term.
    status
        Of the value.
    """

    value: float | None
    bias: float | None
    status: Status
    refused: str = ""


def floor(graph: OperatorGraph) -> Floor:
    """√(lim over T of the sharp nonconvex bound) at the spec's fixed step size γ.

    The sharp bound on (1/T) Σ_t E‖∇ℓ(w^(t))‖² is 2Δ₀/(γT) + Lγ·avg Var + avg bias²
    (docs/theory.md, Theorem 6.1).  The first term vanishes as T → ∞; the floor is the square
    root of the others: sampling noise, the perturbations' second moment (both with a factor
    γ) and their bias (without).  Perturbations that act every Δt steps count with the share
    of steps at which they act.

    It is an upper bound on lim sup (1/T) Σ E‖∇ℓ‖, for the root of a mean square is at least
    the mean (Jensen).  Of a run that has settled the stable gradient norm of [KZY], a mean
    over the last ⌊T/2⌋ steps, tends to the same limit; in no case does it exceed √2 times the
    floor, because the last half's squares are at most all squares, over half the steps.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from boundcalc.resources import example
    >>> found = floor(bc.build(bc.load(example("logistic-nonconvex"))))
    >>> 0.001 < found.bias < found.value < 0.01
    True
    """
    try:
        rate = rates(graph, families={"sharp": FAMILIES["sharp"]}).nonconvex["sharp"]
    except BoundcalcError as error:
        return Floor(None, None, Status.UNDETERMINED, error.problem)
    if rate.bound is None:
        return Floor(None, None, Status.UNDETERMINED, rate.refused or "no bound")
    total = added([rate.terms[name] for name in _LASTING])
    value = math.sqrt(float(total))
    if not math.isfinite(value):
        return Floor(None, None, Status.UNDETERMINED, "the bound is not finite")
    return Floor(value, math.sqrt(float(rate.terms["perturbation_bias"])), total.status)
