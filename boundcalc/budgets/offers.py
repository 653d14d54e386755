"""What number formats a site is offered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from boundcalc.errors import SpecError
from boundcalc.graph import Site
from boundcalc.perturbations.number_format import NumberFormat
from boundcalc.perturbations.transform import Reach
from boundcalc.spec.budget import FormatsSection
from boundcalc.spec.model import PerturbationSection, Spec

#: What a site is offered where the spec says nothing.
DEFAULTS = (
    "fp4_e2m1:block",
    "int4:tensor",
    "fp8_e4m3",
    "fp8_e5m2",
    "fp8_e4m3:block",
    "int8:tensor",
    "bf16",
    "fp16",
    "tf32",
    "fp32",
)


@dataclass(frozen=True)
class Offer:
    """A format for one site.

    Attributes
    ----------
    name
        ``fp8_e4m3``, or with dynamic scales ``fp8_e4m3:block``.
    transform
        What it does.
    """

    name: str
    transform: NumberFormat

    def section(self, site: Site) -> PerturbationSection:
        """As a section of a spec."""
        own = self.transform
        keys = {"format": own.format, "rounding": own.rounding, "scaling": own.scaling}
        return PerturbationSection.model_validate(
            {"at": site.label, "pass": site.direction, "model": NumberFormat.model, **keys}
        )


def offer(name: str, rounding: str, where: str) -> Offer:
    """The candidate of a name such as ``bf16``, ``int8:tensor`` or ``fp8_e4m3:block``.

    Raises
    ------
    SpecError
        For an unknown format or scaling.

    >>> offer("int8:tensor", "nearest", "formats").transform.scaling
    'tensor'
    """
    form, _, scaling = name.partition(":")
    try:
        made = NumberFormat.model_validate(
            {"format": form, "rounding": rounding, "scaling": scaling or "none"}
        )
    except ValueError as error:
        raise _unknown(name, where, error) from None
    except SpecError as error:
        raise error.located(where) from None
    return Offer(name, made)


def _unknown(name: str, where: str, error: ValueError) -> SpecError:
    reasons: list[Any] = getattr(error, "errors", list)()
    context = reasons[0].get("ctx", {}) if reasons else {}
    return SpecError(
        str(context.get("problem") or "this is no number format"),
        where=where,
        value=name,
        expected=str(context.get("expected") or "FORMAT, or FORMAT:tensor or FORMAT:block"),
        fix=str(context.get("fix") or "such as fp8_e4m3, int8:tensor, fp4_e2m1:block"),
    )


def offered(section: FormatsSection) -> dict[str, list[Offer]]:
    """Candidates by direction.

    Raises
    ------
    SpecError
        For an unknown format or scaling.
    """
    return {
        direction: [
            offer(name, section.rounding, f"budget.formats.{key}")
            for name in dict.fromkeys(names or DEFAULTS)
        ]
        for direction, key, names in (
            ("forward", "activations", section.activations),
            ("backward", "gradients", section.gradients),
        )
    }


def with_formats(spec: Spec, chosen: Mapping[Site, Offer]) -> Spec:
    """The spec with number formats in place of its perturbations."""
    sections = [item.section(site) for site, item in chosen.items()]
    return spec.model_copy(update={"perturbations": sections})


def enlarged(reach: Reach, margin: Fraction) -> Reach:
    """The reach times a factor.

    >>> enlarged(Reach((2,), Fraction(1), None, None), Fraction(2)).radius
    Fraction(2, 1)
    """

    def times(x: Fraction | None) -> Fraction | None:
        return None if x is None else x * margin

    return Reach(reach.shape, times(reach.radius), times(reach.low), times(reach.high))
