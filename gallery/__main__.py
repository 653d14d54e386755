"""``python -m gallery``: run the entries, list them, or write their pages."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from gallery.registry import Found, entries
from gallery.render import failures, pages


def main(arguments: list[str] | None = None) -> int:
    """Run the command.

    Returns
    -------
    0 if every number agrees, 1 if one does not, 2 for an entry that is not there.
    """
    parser = argparse.ArgumentParser("python -m gallery", description=__doc__)
    parser.add_argument("names", nargs="*", help="entries or topics; all of them by default")
    parser.add_argument("--list", action="store_true", help="list them without running them")
    parser.add_argument("--pages", type=Path, metavar="FOLDER", help="write their pages there")
    options = parser.parse_args(arguments)
    chosen = [x for x in entries() if not options.names or {x.slug, x.topic} & set(options.names)]
    known = {name for found in chosen for name in (found.slug, found.topic)}
    if unknown := [name for name in options.names if name not in known]:
        print(f"no such entry or topic: {', '.join(unknown)}", file=sys.stderr)
        return 2
    if options.pages:
        problems = pages(options.pages, chosen)
    elif options.list:
        problems = ()
        for found in chosen:
            entry = found.module().ENTRY
            print(f"{found.topic:16}{found.slug:34}{entry.kind:16}{entry.theorem}")
    else:
        problems = tuple(problem for found in chosen for problem in _run(found))
        print(f"{len(chosen)} entries, {len(problems)} disagree")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _run(found: Found) -> list[str]:
    began = time.perf_counter()
    try:
        checks = tuple(found.module().checks())
    except Exception as error:  # the others are still worth running
        return [f"{found.topic}/{found.slug}: {type(error).__name__}: {error}"]
    wrong = failures(found, checks)
    seconds = time.perf_counter() - began
    mark = "differs" if wrong or not checks else "agrees"
    print(f"{found.topic:16}{found.slug:34}{len(checks):3} checks {mark:8}{seconds:6.2f} s")
    return wrong or ([] if checks else [f"{found.slug}: nothing is checked"])


if __name__ == "__main__":
    sys.exit(main())
