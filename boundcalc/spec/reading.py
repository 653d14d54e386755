"""From a file's bytes, bounded before they are read, to plain data with lines."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

from boundcalc.errors import SpecError
from boundcalc.spec.building import built
from boundcalc.spec.events import json_events, yaml_events
from boundcalc.spec.places import Places
from boundcalc.spec.problems import Described

MAX_BYTES = 1_000_000


def bytes_of(path: Path) -> bytes:
    """The bytes of a regular file, no more than one over the limit."""
    where = path.name or str(path)
    try:
        # Before opening: to open a pipe would wait for its other end.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            folder = stat.S_ISDIR(status.st_mode)
            raise SpecError(
                "this is a folder" if folder else "this is not a regular file",
                where=str(path),
                expected="a YAML or JSON file",
                fix="name a file in it" if folder else "copy its content to a file first",
            )
        if status.st_size > MAX_BYTES:
            raise _too_large(status.st_size, where)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SpecError("there is no such file", where=str(path), fix="check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(f"the file cannot be read: {reason}", where=str(path)) from None


def plain_data(text: str | bytes, name: str, wanted: str | None) -> tuple[Any, Places]:
    """Plain data from YAML or JSON, and where its values stand.

    Parameters
    ----------
    text
        YAML or JSON; bytes are UTF-8.
    name
        What messages call the text.
    wanted
        ``yaml`` or ``json``; None goes by the suffix of ``name``, else by the text.
    """
    characters = _decoded(text, name)
    events = json_events if _is_json(characters, name, wanted) else yaml_events
    raw, lines = built(events(characters, name), name)
    return raw, Places(name, lines)


def _decoded(text: str | bytes, name: str) -> str:
    if len(text) > MAX_BYTES:
        raise _too_large(len(text), name)
    try:
        # A lone surrogate passes here, in the bytes that UTF-8 has no use for.
        encoded = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        at, characters = encoded.find(b"\0"), encoded.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    if at >= 0:
        raise SpecError(
            "this is not a text file",
            where=name,
            value=Described(f"byte {encoded[at]:#04x} at offset {at}"),
            expected="YAML or JSON in UTF-8",
            fix="save the file as UTF-8 text",
        )
    if len(encoded) > MAX_BYTES:
        raise _too_large(len(encoded), name)
    return characters


def _is_json(text: str, name: str, wanted: str | None) -> bool:
    suffix = Path(name).suffix.lower() if wanted is None else f".{wanted}"
    if suffix in (".json", ".yaml", ".yml"):
        return suffix == ".json"
    return re.match(r'\s*\{\s*["}]', text) is not None


def _too_large(size: int, where: str) -> SpecError:
    return SpecError(
        "the spec is too large",
        where=where,
        value=Described(f"{size} bytes"),
        expected=f"at most {MAX_BYTES} bytes",
        fix="use `repeat` for equal operators, and a CSV file for data",
    )
