"""Errata by their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from boundcalc.errata.evidence import Erratum
from boundcalc.errata.registry import ERRATA
from boundcalc.errors import SpecError, nearest


def chosen(
    ids: Sequence[str] | None, registry: Mapping[str, Erratum] = ERRATA
) -> tuple[Erratum, ...]:
    """The errata with these numbers in the order of the list; all of them if none is given.

    Raises
    ------
    SpecError
        If there is none of that number.

    >>> [erratum.id for erratum in chosen(["e3", "E1"])]
    ['E1', 'E3']
    """
    wanted = {text.upper() for text in ids or registry}
    for identifier in ids or ():
        if identifier.upper() not in registry:
            close = nearest(identifier.upper(), registry)
            raise SpecError(
                "no such erratum",
                value=identifier,
                expected="one of " + ", ".join(registry),
                fix=f"did you mean {close}?" if close else "list them with `boundcalc errata`",
            )
    return tuple(erratum for identifier, erratum in registry.items() if identifier in wanted)
