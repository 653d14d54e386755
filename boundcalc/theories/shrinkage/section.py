"""The ``shrinkage`` section of a spec."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from boundcalc.perturbations.formats.settings import known_format
from boundcalc.perturbations.formats.table import FORMATS
from boundcalc.spec.expressions import exact
from boundcalc.spec.fields import Frozen, Positive, Size, custom_error
from boundcalc.spec.model import MAX_HORIZON

#: Longest pattern or list of segments.
LONGEST = 1_000

#: Widest format, in bits, whose numbers are gone through one by one.
WIDEST = 16


class Segment(Frozen):
    """The same q for a number of steps."""

    q: Positive
    steps: int = Field(ge=1, le=MAX_HORIZON)


class Schedule(Frozen):
    """q_k that changes from step to step.

    ``pattern`` is repeated over and over; of ``segments`` the last one is held to the end.
    ``depends_on_past`` says that only ``q_min`` ≤ q_k ≤ 1 is known: q_k may depend on
    everything before the sample.  A simulation then takes q_min where ‖w‖ is above
    ``threshold``, and 1 elsewhere; without it, where ‖∇ℓ‖ is above σ.
    """

    pattern: list[Positive] | None = Field(default=None, min_length=1, max_length=LONGEST)
    segments: list[Segment] | None = Field(default=None, min_length=1, max_length=LONGEST)
    depends_on_past: bool = False
    threshold: Size | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        chosen = [self.pattern is not None, self.segments is not None, self.depends_on_past]
        if sum(chosen) != 1:
            raise custom_error(
                "`q` needs one of `pattern`, `segments` and `depends_on_past: true`",
                "one of them",
                "write q: {pattern: [1, 1/2]}, q: {segments: [{q: 1/2, steps: 100}, {q: 1, "
                "steps: 1}]} or q: {depends_on_past: true}",
            )
        if self.threshold is not None and not self.depends_on_past:
            raise custom_error(
                "`threshold` has no use here", "`threshold` with `depends_on_past: true`"
            )
        return self


class StepsSection(Frozen):
    """μ_k = μ φ_k with μ the spec's ``step_size``: φ_k = 1, 1/√(k+1) or 1/(k+1), k = 0, 1, …"""

    type: Literal["constant", "inverse_sqrt", "inverse"] = "constant"


class GradientLaw(Frozen):
    """The law of every component of the gradient that is rounded: independent, centred.

    ``scale`` is the standard deviation of a component, of every law.
    """

    distribution: Literal["gaussian", "laplace", "uniform", "student"] = "gaussian"
    scale: Positive
    dimension: int = Field(default=1, ge=1, le=10**12)
    degrees: Positive | None = None

    @model_validator(mode="after")
    def _degrees_of_student(self) -> Self:
        if (self.degrees is None) == (self.distribution == "student"):
            raise custom_error(
                "`degrees` belongs to `distribution: student`",
                "degrees > 2 with student, and no degrees with another law",
            )
        return self


def _narrow_format(name: str) -> str:
    known_format(name)
    if FORMATS[name].bits > WIDEST:
        raise custom_error(
            f"the format {name} has too many numbers to go through one by one",
            f"a format of at most {WIDEST} bits",
            "give `q` and `quantization_noise` themselves",
        )
    return name


class FormatSection(Frozen):
    """A number format into which every component of the gradient is rounded.

    Numbers beyond the largest one are saturated; with ``flush`` subnormal results become 0.
    """

    name: Annotated[str, AfterValidator(_narrow_format)]
    rounding: Literal["nearest", "stochastic", "toward_zero"] = "nearest"
    flush: bool = False
    gradient: GradientLaw


class ShrinkageSection(Frozen):
    """How gradients are shortened; ``q_min`` alone means ``q: {depends_on_past: true}``.

    ``quantization_noise`` is σ_e, as ``loss.gradient_noise`` is σ: E‖e‖² ≤ σ_e².
    ``compensation`` replaces the step μ by μ/q_k.
    """

    q_min: Positive | None = None
    q: Positive | Schedule | None = None
    quantization_noise: Size = exact(0)
    compensation: bool = False
    steps: StepsSection = StepsSection()
    format: FormatSection | None = None

    @model_validator(mode="before")
    @classmethod
    def _only_the_least(cls, raw: Any) -> Any:
        """``q_min`` alone says that no more is known."""
        if isinstance(raw, dict) and "q_min" in raw and not raw.keys() & {"q", "format"}:
            return {**raw, "q": {"depends_on_past": True}}
        return raw

    @model_validator(mode="after")
    def _complete(self) -> Self:
        past = isinstance(self.q, Schedule) and self.q.depends_on_past
        if self.format is not None:
            given = self.model_fields_set & {"q", "q_min", "quantization_noise", "compensation"}
            if given:
                raise custom_error(
                    f"`{min(given)}` follows from `format`, or does not go with it",
                    "`format` without it",
                    f"remove `{min(given)}`, or remove `format`",
                )
        elif self.q is None:
            raise custom_error(
                "a shrinkage needs `q` or a `format`",
                "q: 1/2 (a number in (0, 1]), a schedule, or a format",
                "add q: 1/2; or q: {depends_on_past: true} with q_min if only that is known",
            )
        elif past and self.q_min is None:
            raise custom_error(
                "`depends_on_past` needs `q_min`", "a number in (0, 1]", "add q_min: 1/2"
            )
        return self
