"""Which keys of a number format go together, and numbers that it must know exactly."""

from __future__ import annotations

from fractions import Fraction

from boundcalc.errors import SpecError
from boundcalc.perturbations.formats.exact import binary_up, power
from boundcalc.perturbations.formats.table import FloatFormat, format_named
from boundcalc.perturbations.formats.uniform import UNIFORM
from boundcalc.spec.expressions import Expression, rational
from boundcalc.spec.fields import custom_error

_DIGITS = 24


#: Key → what it belongs to.
_SCALINGS = {
    "scale": ("none",),
    "overflow": ("none",),
    "scale_kind": ("tensor", "channel", "block"),
    "channels": ("channel",),
    "block": ("block",),
}
_SPELLED = {"width": "bits"}


def known_format(name: str, *others: str) -> str:
    """The name if a format has it, refused in the form that carries pydantic's location."""
    if name not in others:
        try:
            format_named(name, *others)
        except SpecError as error:
            raise custom_error(f"{error.problem}: {name!r}", error.expected, error.fix) from None
    return name


def known_number(value: Expression, key: str) -> Fraction:
    """The exact value of a parameter, refused if it has symbols or is irrational."""
    found = None if value.symbols else rational(value, {})
    if found is None:
        raise custom_error(
            f"`{key}` is not a known rational number", "a number", f"write `{key}` as a fraction"
        )
    return found


def held_scale(value: Expression) -> Fraction:
    """The scale rounded up to 24 significant bits: 127 times a scale of 1/127 is at least 1.

    >>> from boundcalc.spec.grammar import parse
    >>> held_scale(parse("1/8")), float(held_scale(parse("1/127")))
    (Fraction(1, 8), 0.007874016650021076)
    """
    scale = known_number(value, "scale")
    if not power(-100) <= scale <= power(100):
        raise custom_error("the scale is out of range", "between 2^-100 and 2^100")
    return binary_up(scale, _DIGITS)


def check_keys(form: str, scaling: str, given: set[str]) -> None:
    """Refuse keys that nothing would use, and a choice without what it needs."""
    for key, scalings in _SCALINGS.items():
        if key in given and scaling not in scalings:
            raise custom_error(
                f"`scaling: {scaling}` has no use for `{key}`",
                f"`{key}` together with `scaling: {'` or `'.join(scalings)}`",
                f"remove `{key}`, or change `scaling`",
            )
    if scaling == "channel" and "channels" not in given:
        raise custom_error(
            "`scaling: channel` needs `channels`",
            "the number of channels",
            "add `channels`: the first extent of the value's shape",
        )
    range_keys = {"width", "low", "high"}
    if form == UNIFORM:
        _needs_range(given, range_keys)
        unused = given & {"scale", "subnormals"}
        if scaling != "none":
            unused |= {"scaling"}
    else:
        unused = given & range_keys
        if not isinstance(format_named(form), FloatFormat):
            unused |= given & {"subnormals"}
    if unused:
        key = sorted(unused)[0]
        raise custom_error(
            f"`format: {form}` has no use for `{_SPELLED.get(key, key)}`",
            "keys that this format uses",
            f"remove `{_SPELLED.get(key, key)}`, or change `format`",
        )


def _needs_range(given: set[str], wanted: set[str]) -> None:
    missing = sorted(_SPELLED.get(key, key) for key in wanted - given)
    if missing:
        raise custom_error(
            f"`format: {UNIFORM}` needs `{'`, `'.join(missing)}`",
            "`bits`, `low` and `high`",
            "add " + " and ".join(f"`{key}`" for key in missing),
        )
