"""The bounds of docs/theory-distributed.md, section 12, over any number kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from boundcalc.arithmetic import Arithmetic, Scalar
from boundcalc.errors import SpecError
from boundcalc.graph import OperatorGraph
from boundcalc.theories.distributed.conditions import sign_curvature
from boundcalc.theories.distributed.noise_model import Setting, setting_in
from boundcalc.theories.distributed.schedule_sums import Sums, sums
from boundcalc.theories.distributed.section import DistributedSection, ScheduleSection
from boundcalc.theories.distributed.sign_functions import phi, sign_drift


@dataclass(frozen=True)
class Problem:
    """A setting, a start and a run, as numbers of one kind.

    Attributes
    ----------
    setting
        The section's numbers.
    gap, step, horizon
        S_0 = f(x_0) − f*, η and T.
    schedule
        The steps.
    offset
        Of the schedule ``inverse_norm``; 1 elsewhere.
    sums
        Φ¹ and Φ².
    """

    setting: Setting
    gap: Scalar
    step: Scalar
    horizon: int
    schedule: ScheduleSection
    offset: Scalar
    sums: Sums


@dataclass(frozen=True)
class Bound:
    """A right side, as parts that add up to it, and what it is made of.

    Attributes
    ----------
    terms, constants
        By name.
    """

    terms: Mapping[str, Scalar]
    constants: Mapping[str, Scalar]

    @property
    def total(self) -> Scalar:
        """The sum of the terms."""
        first, *rest = self.terms.values()
        return sum(rest, first)


def problem_in(graph: OperatorGraph, section: DistributedSection, kind: Arithmetic) -> Problem:
    """The problem in one number kind.

    Raises
    ------
    SpecError
        If the run or the initial gap is missing.
    """
    training, loss = graph.spec.training, graph.spec.loss
    if training is None:
        raise SpecError(
            "a statement needs a step size and a horizon",
            where="training",
            expected="training: {step_size: η, horizon: T}",
            fix="add a `training` section",
        )
    if loss.initial_gap is None:
        raise SpecError(
            "a statement needs the initial gap S_0 = f(x_0) − f*",
            where="loss.initial_gap",
            expected="a number ≥ 0",
            fix="add `initial_gap` to the `loss` section",
        )
    values = graph.values(kind)
    step = training.step_size.evaluate(kind, values)
    schedule = section.steps
    offset = kind.number(1)
    if schedule.offset is not None:
        offset = schedule.offset.evaluate(kind, values)
    return Problem(
        setting=setting_in(graph, section, kind),
        gap=loss.initial_gap.evaluate(kind, values),
        step=step,
        horizon=training.horizon,
        schedule=schedule,
        offset=offset,
        sums=sums(schedule, training.horizon, kind),
    )


def smoothness(s: Setting) -> Scalar:
    """G = L0 + L1·g, the largest smoothness where ‖∇f‖ ≤ g."""
    return s.L0 if s.L1 == 0 or s.gradient_bound is None else s.L0 + s.L1 * s.gradient_bound


def largest_product(p: Problem) -> Scalar:
    """c with γ_k(L0 + L1‖∇f(x_k)‖) ≤ c·s_k for all k of which the statement speaks."""
    s, step = p.setting, p.step
    if p.schedule.type == "normalised":
        return 2 * s.epsilon / (1 + s.levels[0])
    if p.schedule.type == "inverse_norm":
        return step * s.kind.maximum(s.L0 / p.offset, s.L1)
    return step * smoothness(s)


def _weight_and_largest(p: Problem) -> tuple[Scalar, Scalar]:
    """θ and γ̄ with γ_k = θ·s_k·q(‖∇f‖) ≤ γ̄·s_k, q being the statement's own weight."""
    if p.schedule.type == "normalised":
        c = largest_product(p)
        return c, c / p.setting.L0
    if p.schedule.type == "inverse_norm":
        return p.step, p.step / p.offset
    return p.step, p.step


def compressed_bound(p: Problem) -> Bound:
    """D(C)SGD in discrete time (docs/theory-distributed.md, Theorem 12.5).

    E[q(a)a²; k̂ < τ] ≤ (S_0 + ½ψB'cγ̄Φ²)/((1 − ½ψc(1 + A))·θΦ¹), where a = ‖∇f(x_k̂)‖,
    γ_k = θ·s_k·q(a) ≤ γ̄·s_k, γ_k(L0 + L1a) ≤ c·s_k and ψ = φ(cR).  The weight q is
    1/(L0 + L1a) of the normalised schedule, 1/(offset + a) of inverse_norm, else 1.
    """
    s = p.setting
    (A, B), R = s.levels, s.reach
    c = largest_product(p)
    theta, largest = _weight_and_largest(p)
    psi = phi(c * R, s.kind)
    slack = (1 - psi * c * (1 + A) / 2) * theta * p.sums.first
    return Bound(
        {
            "initial_gap": p.gap / slack,
            "noise": psi * B * c * largest * p.sums.second / 2 / slack,
        },
        {"A": A, "B": B, "psi": psi, "c": c, "phi_1": p.sums.first, "phi_2": p.sums.second},
    )


def normalised_sde_bound(p: Problem) -> Bound:
    """The normalised D(C)SGD equation (docs/theory-distributed.md, Theorem 12.6).

    E[a²/(L0 + L1a)] ≤ (η(1 + A)S_0/(2ϵ(1 − ϵ)) + ϵB'Φ²/((1 − ϵ)L0(1 + A)))/Φ¹, where Φⁱ is the
    integral of sⁱ over the time ηT, hence η times a sum over steps.
    """
    s, eps = p.setting, p.setting.epsilon
    A, B = s.levels
    first, second = p.step * p.sums.first, p.step * p.sums.second
    return Bound(
        {
            "initial_gap": p.step * (1 + A) * p.gap / (2 * eps * (1 - eps)) / first,
            "noise": eps * B * second / ((1 - eps) * s.L0 * (1 + A)) / first,
        },
        {"A": A, "B": B, "phi_1": first, "phi_2": second},
    )


def sign_bound(p: Problem) -> Bound:
    """DSignSGD in discrete time, for noise without any moment.

    Source: docs/theory-distributed.md, Theorem 12.8.

    E h(x_k̂) ≤ (S_0 + ½ψd(L0 + L1dσ̄/4)Σγ_k²)/(c_νΣγ_k − ½ψdL1Σγ_k²), where h is the mean over
    the agents of Σ_j |∂_jf| min(|∂_jf|/σ_ij, 1) and σ̄ the mean of their bounds on the scale.
    """
    s, d, L1 = p.setting, p.setting.dimension, p.setting.L1
    assert s.sigma_max is not None  # noqa: S101 - the section has it for sign
    first, second = p.step * p.sums.first, p.step**2 * p.sums.second
    psi, c_nu = sign_curvature(s, p.step), sign_drift(s.nu, s.kind)
    slack = c_nu * first - psi * d * L1 * second / 2
    constant = s.L0 + L1 * d * s.average(s.sigma_max) / 4
    return Bound(
        {
            "initial_gap": p.gap / slack,
            "noise": psi * d * constant * second / 2 / slack,
        },
        {"c_nu": c_nu, "psi": psi, "sum_of_steps": first, "sum_of_squared_steps": second},
    )
