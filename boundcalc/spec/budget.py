"""Spec format, version 1: the ``budget`` section, which asks what is admissible."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from boundcalc.spec.expressions import exact
from boundcalc.spec.fields import Frozen, Positive, Size, custom_error
from boundcalc.spec.sections import Name, Site


class EventSection(Frozen):
    """An event that happens now and then, of a magnitude that does not shrink: a bit flip, say.

    ``mean`` left out means that it may be as large as ``rms``.  ``largest`` bounds every
    component: it says how far the event moves values, where the constants of operators after it,
    or number formats, hold on a region.
    """

    name: Name
    at: Site | Annotated[list[Site], Field(min_length=1, max_length=100_000)]
    pass_: Literal["forward", "backward"] = Field(alias="pass")
    rms: Size
    mean: Size | None = None
    largest: Size | None = None

    @property
    def sites(self) -> list[str]:
        """The names under ``at``, as a list."""
        return [self.at] if isinstance(self.at, str) else list(self.at)


class FormatsSection(Frozen):
    """Which number formats activations and gradients may have, and how numbers are rounded.

    ``share`` is the part of the allowed excess that formats may take, the rest being left to
    events: half where the budget states events, else all.
    """

    activations: list[str] | None = Field(default=None, min_length=1, max_length=50)
    gradients: list[str] | None = Field(default=None, min_length=1, max_length=50)
    rounding: Literal["nearest", "stochastic"] = "stochastic"
    share: Positive | None = None


class AllocationSection(Frozen):
    """How bits of uniform quantisers are spread over the sites.

    The cost is Σ weight · bits over the sites; ``weights`` are by site label (``forward:f1``),
    by default the number of components, so that the cost is bits communicated per sample.
    """

    weights: dict[str, Size] | None = Field(default=None, max_length=200_000)
    rounding: Literal["nearest", "stochastic"] = "stochastic"
    least_bits: int = Field(default=1, ge=1, le=64)
    most_bits: int = Field(default=32, ge=1, le=64)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.least_bits > self.most_bits:
            raise custom_error(
                "least_bits is above most_bits", "least_bits ≤ most_bits", "swap the two"
            )
        return self


class CalibrationSection(Frozen):
    """How sensitivities are measured at iterates of a training run.

    ``iterates`` are positions along the run, 0 its start and 1 its end; ``probes`` random
    perturbations per site, pass and iterate; ``size`` their length relative to the value.
    """

    iterates: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        default=[0.0, 0.5, 1.0], min_length=1, max_length=20
    )
    samples: int = Field(default=8, ge=1, le=10_000)
    probes: int = Field(default=256, ge=8, le=1_000_000)
    size: Positive = exact(Fraction(1, 1000))
    confidence: float = Field(default=0.99, gt=0.5, lt=1)


class BudgetSection(Frozen):
    """What the perturbed bound may be, and what is asked.

    The perturbed bound may be ``(1 + tolerance)`` times the unperturbed one, or ``target``.
    ``step_size: best`` chooses the step anew, for each level, as `rate` does.  Left out:
    ``regime`` is pl where ``loss.pl`` is given, ``horizon`` and ``step_size`` are those of
    ``training``.
    """

    regime: Literal["nonconvex", "pl"] | None = None
    family: Literal["published", "corrected", "sharp"] = "sharp"
    horizon: int | None = Field(default=None, ge=1, le=1_000_000_000)
    step_size: Literal["best"] | Positive | None = None
    tolerance: Positive | None = None
    target: Positive | None = None
    events: list[EventSection] = Field(default_factory=list, max_length=1_000)
    formats: FormatsSection = FormatsSection()
    allocation: AllocationSection = AllocationSection()
    calibration: CalibrationSection | None = None

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.tolerance is None) == (self.target is None):
            both = self.target is not None
            raise custom_error(
                "both `tolerance` and `target` are given, which say the same thing in two ways"
                if both
                else "a budget needs one of `tolerance` and `target`",
                "tolerance: 1/10 (ten percent above the unperturbed bound), or target: 1/100",
                "remove one of them" if both else "add tolerance: 1/10",
            )
        return self
