"""The gallery as pages in Markdown (MyST): one for each entry, and an index of thumbnails."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from gallery.base import Check, Entry
from gallery.index import index
from gallery.page import page
from gallery.pictures import draw
from gallery.registry import FOLDER, Found, entries
from gallery.tools import text_of

_STATE = ".gallery.json"  # what the folder was made from
_FEW = 12  # entries that are run sooner than processes are started


def pages(
    out: Path, chosen: Iterable[Found] | None = None, workers: int | None = None
) -> tuple[str, ...]:
    """Write ``index.md``, ``<slug>.md`` and ``images/`` into a folder.

    Entries are run only if their file, their spec or the frame has changed since the folder was
    written: delete the folder to run them all, as after a change of boundcalc itself.  Pages
    of entries that are gone are removed.

    Parameters
    ----------
    out
        The folder, which is made.
    chosen
        The entries; all of them by default.
    workers
        How many processes run them; by default one for each core, at most four.

    Returns
    -------
    What is wrong, in words: entries whose numbers disagree or that cannot be run.
    """
    out.mkdir(parents=True, exist_ok=True)
    before, after = _read(out / _STATE), {}
    frame, problems, shown, stale = _frame(), [], {}, []
    for found in entries() if chosen is None else chosen:
        try:
            entry = found.module().ENTRY
            mark = _mark(frame, found, entry)
        except Exception as error:  # one broken entry must not hide the others
            problems.append(_broken(found, error))
            continue
        shown[found.slug] = (found, entry)
        after[found.slug] = before.get(found.slug, {})
        if not _current(after[found.slug], mark, out, found.slug):
            after[found.slug] = {"mark": mark}
            stale.append(found)
    for found, state in zip(stale, _written(stale, out, workers), strict=True):
        after[found.slug] |= state
    for slug in [slug for slug, state in after.items() if not state["checks"]]:
        problems += after.pop(slug)["problems"]
        del shown[slug]
    problems += [problem for state in after.values() for problem in state["problems"]]
    _remove(out, set(before) - set(shown))
    _save(out / "index.md", index(shown, sum(state["checks"] for state in after.values())))
    _save(out / _STATE, json.dumps(after, indent=1, sort_keys=True))
    return tuple(problems)


def _written(stale: list[Found], out: Path, workers: int | None) -> list[dict[str, Any]]:
    """Run entries and write their pages, in several processes if it is worth starting them."""
    workers = min(4, os.cpu_count() or 1) if workers is None else workers
    folders = [out] * len(stale)
    if workers < 2 or len(stale) < _FEW:
        return list(map(_write, stale, folders))
    # Spawned, not forked: the caller may have threads.
    with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        return list(pool.map(_write, stale, folders))


def failures(found: Found, checks: Iterable[Check]) -> list[str]:
    """The checks that do not hold, in words."""
    return [
        f"{found.topic}/{found.slug}: {check.says}: computed {check.computed}, "
        f"which is not {check.relation} {check.stated}"
        for check in checks
        if not check.holds
    ]


def _write(found: Found, out: Path) -> dict[str, Any]:
    """Run one entry and write its page; no checks if it could not be run."""
    try:
        module = found.module()
        checks = tuple(module.checks())
        drawn = draw(module, checks, found.slug, out / "images")
        figure = inspect.getdoc(module.figure) or module.ENTRY.title if drawn else ""
        _save(out / f"{found.slug}.md", page(found, module.ENTRY, checks, figure))
    except Exception as error:  # one broken entry must not hide the others
        return {"checks": 0, "problems": [_broken(found, error)]}
    nothing = [] if checks else [f"{found.topic}/{found.slug}: nothing is checked"]
    return {"checks": len(checks), "problems": failures(found, checks) + nothing}


def _broken(found: Found, error: Exception) -> str:
    return f"{found.topic}/{found.slug}: {type(error).__name__}: {error}"


def _frame() -> str:
    """A digest of everything that all entries depend on."""
    parts = [path.read_bytes() for path in sorted(FOLDER.glob("*.py"))]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _mark(frame: str, found: Found, entry: Entry) -> str:
    spec = text_of(entry.spec) if entry.spec else ""
    parts = (frame.encode(), found.path.read_bytes(), spec.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _current(state: dict[str, Any], mark: str, out: Path, slug: str) -> bool:
    files = (out / f"{slug}.md", out / "images" / f"{slug}-small.png")
    return state.get("mark") == mark and all(file.exists() for file in files)


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _save(path: Path, text: str) -> None:
    """Write a text file, unless it is the same: what reads it looks at dates."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _remove(out: Path, slugs: Iterable[str]) -> None:
    for slug in slugs:
        for name in (f"{slug}.md", f"images/{slug}.png", f"images/{slug}-small.png"):
            (out / name).unlink(missing_ok=True)
