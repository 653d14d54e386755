"""Spec format, version 1: the ``sweep`` section, the grid on which a spec is simulated."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from boundcalc.spec.fields import Frozen

#: A list of values as the path takes them; or text with commas and ranges FIRST:LAST:COUNT.
SweptValues = (
    Annotated[list[Any], Field(min_length=1, max_length=100_000)]
    | Annotated[str, Field(min_length=1, max_length=10_000)]
)

#: A path in the spec, such as ``training.step_size`` or ``perturbations[0].rms``.
SpecPath = Annotated[str, Field(min_length=1, max_length=500)]


class SweepSection(Frozen):
    """At which settings, and with how many seeds, `sweep` simulates the spec.

    ``over`` maps paths in the spec to values, each path an axis of the grid; ``zip`` is a list
    of axes on which several paths change together; ``seeds`` counts from ``simulation.seed``.
    """

    over: dict[SpecPath, SweptValues] = Field(default_factory=dict, max_length=100)
    zip_: list[Annotated[dict[SpecPath, SweptValues], Field(min_length=2, max_length=100)]] = Field(
        default_factory=list, alias="zip", max_length=100
    )
    seeds: int | None = Field(default=None, ge=1, le=100_000)
