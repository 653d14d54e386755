"""The ``distributed`` section of a spec."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from boundcalc.spec.expressions import Expression, exact, rational
from boundcalc.spec.fields import Frozen, Positive, Size, custom_error

MAX_AGENTS = 10_000
MAX_DIMENSION = 10**12

#: One number for all agents, or one for each.
PerAgent: TypeAlias = Size | Annotated[list[Size], Field(min_length=1, max_length=MAX_AGENTS)]

Algorithm = Literal["dsgd", "dcsgd", "dsignsgd"]


class CompressorSection(Frozen):
    """Rand-k: k of the d components, chosen at random and scaled by d/k, hence ω = d/k − 1."""

    type: Literal["rand_k"]
    k: int = Field(ge=1, le=MAX_DIMENSION)


class ScheduleSection(Frozen):
    """The steps γ_k = η·η_k, η being ``training.step_size`` and a = ‖∇f(x_k)‖.

    ``constant``: γ_k = η; ``inverse_sqrt``: η/√(k+1); ``inverse_norm``: η/(offset + a), by
    default with offset 1; ``normalised``: 2ϵs_k/((L0 + L1·a)(1 + A)) whatever η is, with s_k = 1,
    or 1/√(k+1) where ``decay`` is inverse_sqrt.
    """

    type: Literal["constant", "inverse_sqrt", "inverse_norm", "normalised"]
    offset: Positive | None = None
    decay: Literal["none", "inverse_sqrt"] | None = None

    @model_validator(mode="after")
    def _keys_are_used(self) -> Self:
        for key, wanted in (("offset", "inverse_norm"), ("decay", "normalised")):
            if getattr(self, key) is not None and self.type != wanted:
                raise custom_error(
                    f"the schedule {self.type} has no use for `{key}`",
                    f"`{key}` together with `type: {wanted}`",
                    f"remove `{key}`",
                )
        return self


class DistributedSection(Frozen):
    """N agents, their noise and compression, and the objective's (L0, L1)-smoothness.

    Attributes
    ----------
    algorithm
        ``dsgd``, ``dcsgd`` (unbiased compression), ``dsignsgd`` (the average of signs).
    agents
        N.
    L0, L1
        ‖∇²f‖ ≤ L0 + L1‖∇f‖.
    dimension
        d, the number of weights.
    omega, compressor
        E‖C(x) − x‖² ≤ ω‖x‖² for all agents or for each; or the compressor it is derived from.
    sigma0, sigma1
        The scale σ(x) = √(σ0² + σ1²‖∇f(x)‖²) of each component of an agent's noise: its standard
        deviation, or the scale of Student's t.
    nu
        Degrees of freedom of Student's t; Gaussian noise without.
    sigma_max
        A bound on σ(x) for all x; also the scale itself, if neither ``sigma0`` nor ``sigma1`` is
        given.
    truncation
        τ: each component of the noise is cut to ±τσ(x).  Without, it may be unbounded.
    epsilon
        ϵ of the normalised step and of the step condition.
    schedule
        The steps; by default ``normalised`` for D(C)SGD and ``constant`` for DSignSGD.
    snr
        A bound s on |∂_jf|/σ_ij, on which ℓ_ν = 2Ξ_ν(s)/s rests.
    gradient_bound
        g, a bound on ‖∇f‖ on the part of the run that is spoken of.
    clip
        Each agent's gradient is scaled down to this norm first; simulated only.
    escape
        ‖x‖ beyond which a run counts as escaped.
    """

    algorithm: Algorithm
    agents: int = Field(ge=1, le=MAX_AGENTS)
    L0: Positive
    L1: Size
    dimension: int = Field(ge=1, le=MAX_DIMENSION)
    omega: PerAgent | None = None
    compressor: CompressorSection | None = None
    sigma0: PerAgent | None = None
    sigma1: PerAgent | None = None
    nu: Positive | None = None
    sigma_max: PerAgent | None = None
    truncation: Positive | None = None
    epsilon: Positive = exact(Fraction(1, 2))
    schedule: ScheduleSection | None = None
    snr: Positive | None = None
    gradient_bound: Size | None = None
    clip: Positive | None = None
    escape: Positive = exact(Fraction(10**6))

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        for name in ("omega", "sigma0", "sigma1", "sigma_max"):
            given = getattr(self, name)
            if isinstance(given, list) and len(given) != self.agents:
                raise custom_error(
                    f"`{name}` has {len(given)} numbers for {self.agents} agents",
                    "one number for all agents, or one for each",
                    f"give {self.agents} numbers",
                )
        _below_one(self.epsilon)
        return self

    @model_validator(mode="after")
    def _compression_fits(self) -> Self:
        if self.omega is not None and self.compressor is not None:
            raise custom_error(
                "`omega` and `compressor` say the same thing in two ways",
                "one of them: rand_k with k of d components has ω = d/k − 1",
                "remove `omega`",
            )
        if self.compressor is not None and self.compressor.k > self.dimension:
            raise custom_error(
                "rand_k keeps more components than there are", "k ≤ dimension", "lower `k`"
            )
        if self.algorithm == "dcsgd":
            if self.omega is None and self.compressor is None:
                raise custom_error(
                    "dcsgd needs its compression",
                    "omega: ω with E‖C(x) − x‖² ≤ ω‖x‖², or compressor: {type: rand_k, k: …}",
                    "add `omega`, or use `algorithm: dsgd`",
                )
        elif self.compressor is not None or any(map(_not_zero, listed(self.omega))):
            raise custom_error(
                f"{self.algorithm} does not compress",
                "ω = 0 and no `compressor`",
                "use `algorithm: dcsgd`, or remove the compression",
            )
        return self

    @model_validator(mode="after")
    def _noise_fits(self) -> Self:
        if self.algorithm == "dsignsgd" and self.sigma_max is None:
            raise custom_error(
                "dsignsgd needs a bound on the scale of the noise",
                "sigma_max: a number for all agents, or one for each",
                "add `sigma_max`",
            )
        if self.algorithm == "dsignsgd" and self.steps.type == "normalised":
            raise custom_error(
                "the prescribed normalisation is that of D(C)SGD",
                "constant, inverse_sqrt or inverse_norm",
                "use `schedule: {type: inverse_sqrt}`",
            )
        return self

    @property
    def steps(self) -> ScheduleSection:
        """The schedule, the default filled in."""
        if self.schedule is not None:
            return self.schedule
        kind: Literal["constant", "normalised"] = (
            "constant" if self.algorithm == "dsignsgd" else "normalised"
        )
        return ScheduleSection(type=kind)

    @property
    def size(self) -> int:
        """How many numbers are averaged: of long lists the exact mean is not affordable."""
        return max(
            len(listed(numbers))
            for numbers in (self.omega, self.sigma0, self.sigma1, self.sigma_max)
        )

    @property
    def noise_kind(self) -> Literal["gaussian", "affine", "student"]:
        """Student's t where ``nu`` is given, else affine where σ1 is not 0, else Gaussian."""
        if self.nu is not None:
            return "student"
        return "affine" if self.grows else "gaussian"

    @property
    def grows(self) -> bool:
        """Whether the scale of the noise may grow with the gradient."""
        return any(map(_not_zero, listed(self.sigma1)))

    @property
    def scale(self) -> tuple[list[Expression], list[Expression]]:
        """σ0 and σ1 by agent, one number where all agents have the same."""
        if self.sigma0 is None and self.sigma1 is None:
            return listed(self.sigma_max), [exact(0)]
        return listed(self.sigma0), listed(self.sigma1)


def listed(given: Expression | list[Expression] | None) -> list[Expression]:
    """A number by agent as a list, of length 1 where all agents have the same; 0 for None."""
    if given is None:
        return [exact(0)]
    return given if isinstance(given, list) else [given]


def _not_zero(value: Expression) -> bool:
    """Whether it is not certainly zero."""
    return _rational(value) != 0


def _rational(value: Expression) -> Fraction | None:
    """Its value, where it is a rational number without symbols."""
    return None if value.symbols else rational(value, {})


def _below_one(value: Expression) -> None:
    known = _rational(value)
    if known is not None and known >= 1:
        raise custom_error("epsilon is not below 1", "0 < epsilon < 1", "use 1/2")
