"""Paths of numbers in a result, such as ``verify.verdicts[3].slack``.

Names in a path, ids of operators above all, may have dots and brackets in them.  A pattern is a
path with placeholders, ``compile.gram#.#`` or ``rate.{regime}.{family}.bound``: ``#`` is a position
in a list, ``{name}`` a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

#: Placeholder → what it may stand for; all others stand for any name.
_WORDS = {
    "family": "published|corrected|sharp",
    "regime": "nonconvex|pl",
    "pass": "forward|backward",
    "group": "error|bias",
    "column": "forward|backward|forward_mean|forward_fourth|backward_mean",
    "flat": "error_forward|error_backward|bias_forward_mean|bias_forward_fourth|bias_backward_mean",
    "moment": "rms|mean",
    "case": "given|zero|full",
    "verb": "compile|rate|budget|simulate|verify",
    "what": "current|alone|given",
    "stale": r"sgd\.corrected|sgd\.sharp|sgd|momentum\.sharp|momentum|composed",
    "shrunk": r"(?:compensated\.)?(?:nonconvex(?:_weighted|_q_min|_sharp)?|pl(?:_sharp)?"
    r"|rounding(?:_pl)?)",
    "rule": "discrete|normalised_sde|sign",
}
#: Placeholders for names from a spec, which may have dots and brackets in them.
_FREE = frozenset({"site", "id", "event", "metric", "row", "package", "place", "somewhere"})
_INDEX = r"(?:\[(?P<{0}>\d+)\]|\.(?P<{0}_>\d+))"


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression."""
    found, position = "", 0
    for count, match in enumerate(re.finditer(r"\.?#|\.?\{(\w+)\}", pattern)):
        found += re.escape(pattern[position : match.start()])
        position = match.end()
        name = match[1]
        if name is None:
            found += _INDEX.format(f"at{count}")
            continue
        inner = _WORDS.get(name, ".+?" if name in _FREE else r"\w+")
        dot = r"\." if match[0].startswith(".") else ""
        quoted = rf"|\[(?P<{name}_q>'.+?'|\".+?\")\]" if dot else ""
        found += rf"(?:{dot}(?P<{name}>{inner}){quoted})"
    return re.compile(found + re.escape(pattern[position:]))


def captures_of(pattern: str, path: str) -> dict[str, str] | None:
    """What a pattern's placeholders stand for in a path; None where it does not fit.

    >>> captures_of("compile.gram#.#", "compile.gram[3].0")
    {'at0': '3', 'at1': '0'}
    >>> captures_of("compile.separable.{site}", "compile.separable['forward:a.b']")
    {'site': 'forward:a.b'}
    """
    match = compiled(pattern).fullmatch(path)
    if match is None:
        return None
    found: dict[str, str] = {}
    for key, value in match.groupdict().items():
        if value is None:
            continue
        quoted = key.endswith("_q")
        found[key.removesuffix("_q").removesuffix("_")] = value[1:-1] if quoted else value
    return found


#: Placeholders with few words, which lists of known paths write out.
SPELLED = {name: tuple(_WORDS[name].split("|")) for name in ("regime", "family", "pass", "moment")}


def spelled(patterns: Iterable[str]) -> Iterator[str]:
    """Patterns with the short placeholders written out.

    >>> list(spelled(["rate.{regime}.x#"]))
    ['rate.nonconvex.x#', 'rate.pl.x#']
    """
    for pattern in patterns:
        written = [pattern]
        for name, words in SPELLED.items():
            written = [w.replace(f"{{{name}}}", word) for w in written for word in words]
        yield from dict.fromkeys(written)


def literal(pattern: str) -> int:
    """How much of a pattern is not a placeholder: of two that fit the longer one is meant."""
    return len(re.sub(r"#|\{\w+\}", "", pattern))


def leaves(
    data: Any, at: tuple[str | int, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every number, text and empty group of a result with its place.

    >>> list(leaves({"a": {"b": [1, 2]}, "c": {}}))
    [(('a', 'b', 0), 1), (('a', 'b', 1), 2), (('c',), {})]
    """
    items: Sequence[tuple[str | int, Any]] = ()
    if isinstance(data, Mapping):
        items = [(str(key), value) for key, value in data.items()]
    elif isinstance(data, list | tuple):
        items = list(enumerate(data))
    if not items:
        yield at, data
    for key, value in items:
        yield from leaves(value, (*at, key))


def locate(data: Any, path: str) -> tuple[tuple[str | int, ...], Any] | None:
    """The place that a path names in a result, and what stands there; None if nothing does.

    >>> locate({"rate": {"a.b": [{"c": 5}]}}, "rate.a.b[0].c")
    (('rate', 'a.b', 0, 'c'), 5)
    """
    if not path:
        return (), data
    options: list[tuple[str | int, str]] = []
    if isinstance(data, Mapping):
        # Longest first: an id may begin with another one and a dot.
        for name in sorted(map(str, data), key=len, reverse=True):
            for written in (f"['{name}']", f'["{name}"]', f".{name}", name):
                rest = path.removeprefix(written)
                if rest != path and (not rest or rest[0] in ".["):
                    options.append((name, rest))
                    break
    elif isinstance(data, list | tuple):
        match = re.match(r"\[(\d+)\]|\.?(\d+)(?=$|[.\[])", path)
        if match and int(match[1] or match[2]) < len(data):
            options.append((int(match[1] or match[2]), path[match.end() :]))
    for key, rest in options:
        below = locate(data[key], rest)
        if below is not None:
            return (key, *below[0]), below[1]
    return None
