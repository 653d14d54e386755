"""Paths in a spec, as ``perturbations[0].half_width``: reading them, and setting what is there."""

from __future__ import annotations

import re
from typing import Any

from boundcalc.errors import SpecError, nearest
from boundcalc.spec.places import Trail, dotted
from boundcalc.spec.problems import found

MAX_LENGTH = 500

_STEP = re.compile(r"\.?([A-Za-z_][\w-]*)|\[([0-9]{1,7})\]|\[(?:'([^'\]]+)'|\"([^\"\]]+)\")\]")


def read_path(text: str) -> Trail:
    """The keys and indices that a path names.

    Raises
    ------
    SpecError
        If the text is not a path.

    Examples
    --------
    >>> read_path("graph.operators[2].constants['jac input']")
    ('graph', 'operators', 2, 'constants', 'jac input')
    """
    text, steps, at = text.strip(), [], 0
    while at < len(text) <= MAX_LENGTH:
        step = _STEP.match(text, at)
        if step is None or (at == 0) == text[at].startswith((".", "[")):
            break
        key, index, single, double = step.groups()
        steps.append(int(index) if index else key or single or double)
        at = step.end()
    if not text or at < len(text):
        raise SpecError(
            "not a path in a spec",
            where="sweep",
            value=text,
            expected="keys with dots, and numbers from 0 in brackets for lists",
            fix="training.step_size, perturbations[0].rms and symbols.C are paths",
        )
    return tuple(steps)


def set_at(tree: dict[str, Any], path: Trail, value: Any) -> None:
    """Set one value of a spec's plain data, with the sections above it where they are missing.

    Whether the spec has such a key at all is left to its models: they know every key.

    Raises
    ------
    SpecError
        If the path leads past the end of a list, into a plain value, or to a symbol that
        the spec does not declare.

    Examples
    --------
    >>> tree = {"perturbations": [{"rms": 1}]}
    >>> set_at(tree, ("perturbations", 0, "rms"), 2)
    >>> tree
    {'perturbations': [{'rms': 2}]}
    """
    if path[0] == "sweep":
        raise SpecError("a sweep cannot be swept itself", where=dotted(path), fix="remove it")
    if path[0] == "symbols":
        _check_symbol(tree.get("symbols", {}), path)
    here: Any = tree
    for depth, (step, following) in enumerate(zip(path, [*path[1:], None], strict=True)):
        _check_step(here, path[: depth + 1])
        if following is None:
            here[step] = value
        elif isinstance(step, str) and here.get(step) is None:
            here = here.setdefault(step, {})
        else:
            here = here[step]


def _check_step(here: Any, path: Trail) -> None:
    step, above = path[-1], dotted(path[:-1])
    if isinstance(step, int):
        if not isinstance(here, list):
            raise SpecError(
                f"`{above}` is not a list",
                where=dotted(path),
                value=found(here),
                fix="remove the number in brackets",
            )
        if step >= len(here):
            raise SpecError(
                "past the end of the list",
                where=dotted(path),
                value=step,
                expected=f"0 to {len(here) - 1}: the list has {len(here)}",
                fix=f"add it to `{above}` in the spec, or name another one",
            )
    elif not isinstance(here, dict):
        a_list = isinstance(here, list)
        raise SpecError(
            f"`{above}` is {'a list' if a_list else 'a plain value'}, without keys",
            where=dotted(path),
            value=found(here),
            fix=f"say which one: {above}[0].{step}" if a_list else f"sweep `{above}` itself",
        )


def _check_symbol(symbols: Any, path: Trail) -> None:
    if len(path) != 2:
        raise SpecError(
            "this is no value of a symbol",
            where=dotted(path),
            expected="symbols.NAME",
            fix="name one symbol after the dot",
        )
    name = path[1]
    if name in symbols:
        return
    close = nearest(str(name), symbols)
    raise SpecError(
        f"unknown symbol {name!r}",
        where=dotted(path),
        expected="one of " + ", ".join(symbols) if symbols else "no symbols here",
        fix=f"did you mean {close!r}?" if close else f"declare it: symbols: {{{name}: }}",
    )
