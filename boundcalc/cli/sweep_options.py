"""The options of a sweep, from text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundcalc.errors import SpecError, nearest

if TYPE_CHECKING:
    from boundcalc.simulate.engines import EngineName

_ENGINES: tuple[EngineName, ...] = ("auto", "numpy", "compiled")


def ranges(options: list[str], flag: str) -> dict[str, str]:
    """``PATH=VALUES`` options as a mapping.

    Raises
    ------
    SpecError
        For an option without ``=``, or a path that stands twice.

    >>> ranges(["training.step_size=1/2,1/4", "symbols.C=0:1:3"], "--over")
    {'training.step_size': '1/2,1/4', 'symbols.C': '0:1:3'}
    """
    found: dict[str, str] = {}
    for option in options:
        path, equals, values = (part.strip() for part in option.partition("="))
        if not equals or not path or not values:
            raise SpecError(
                "not an axis",
                where=flag,
                value=option,
                expected="PATH=VALUES, such as training.step_size=1/2,1/4",
            )
        if path in found:
            raise SpecError(
                f"`{path}` is given twice",
                where=flag,
                value=option,
                fix="list all of its values in one option",
            )
        found[path] = values
    return found


def groups(options: list[str]) -> list[dict[str, str]]:
    """``PATH=VALUES; PATH=VALUES`` options as one mapping each.

    >>> groups(["a=1,2; b=3,4"])
    [{'a': '1,2', 'b': '3,4'}]
    """
    found = []
    for option in options:
        group = ranges([part for part in option.split(";") if part.strip()], "--zip")
        if len(group) < 2:
            raise SpecError(
                "zipping needs two paths",
                where="--zip",
                value=option,
                expected="PATH=VALUES; PATH=VALUES in one option",
                fix="use --over for a path on its own",
            )
        found.append(group)
    return found


def chosen_engine(name: str) -> EngineName:
    """The engine of that name.

    Raises
    ------
    SpecError
        If there is none.
    """
    for engine in _ENGINES:
        if name == engine:
            return engine
    close = nearest(name, _ENGINES)
    raise SpecError(
        "unknown engine",
        where="--engine",
        value=name,
        expected="one of " + ", ".join(_ENGINES),
        fix=f"did you mean {close!r}?" if close else None,
    )
