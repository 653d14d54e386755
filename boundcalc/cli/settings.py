"""Options that need a little parsing."""

from __future__ import annotations

from boundcalc.errors import SpecError, nearest


def parse_settings(settings: list[str]) -> dict[str, str]:
    """``NAME=VALUE`` options as a mapping.

    Raises
    ------
    SpecError
        For an option without ``=``.

    >>> parse_settings(["C=1/2"])
    {'C': '1/2'}
    """
    values = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise SpecError(
                "not a setting", where="--set", value=setting, expected="NAME=VALUE, such as C=1/2"
            )
        values[name.strip()] = value.strip()
    return values


def chosen_families(name: str | None) -> list[str]:
    """The families to compile.

    Raises
    ------
    SpecError
        For an unknown family.
    """
    from boundcalc.theories.perturbed.families import FAMILIES

    if name is None:
        return list(FAMILIES)
    if name not in FAMILIES:
        close = nearest(name, FAMILIES)
        raise SpecError(
            "unknown family",
            where="--family",
            value=name,
            expected="one of " + ", ".join(FAMILIES),
            fix=f"did you mean {close!r}?" if close else None,
        )
    return [name]
