"""The simulator against other tools: ``python tests/benchmarks/simulation.py``.

Time per step of two problems in boundcalc's two engines and in tools written by hand for the
same step, against steps, replicas, depth and width; memory; one and two threads; what a sweep
costs beside its points.  Writes docs/benchmarks/simulation.json, the plots docs/images/bench-*.png
and the section of docs/benchmarks.md between its markers.

Every tool has to agree with loops over everything before it is timed.  An interrupted run goes
on where it stopped when it is started again on the same day; ``--fresh`` begins anew.
"""

from __future__ import annotations

import argparse
import datetime
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from simbench import page, plots, sections
from simbench.machine import machine
from simbench.measure import Team

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/benchmarks.md"
RESULTS = ROOT / "docs/benchmarks/simulation.json"


def main() -> None:
    """Measure what is missing, draw, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer points and shorter rounds")
    parser.add_argument("--fresh", action="store_true", help="keep nothing of an earlier start")
    parser.add_argument("--only", nargs="*", help="sections to measure again")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs/images")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    partial = options.results.with_suffix(".partial.json")
    found = measured(partial, options)
    plots.draw(found, options.output)
    if not options.quick:
        page.rewrite(PAGE, found)
    write(options.results, found)
    partial.unlink(missing_ok=True)


def measured(partial: Path, options: argparse.Namespace) -> dict[str, Any]:
    """All sections, each written as soon as it is known."""
    about = machine() | {"quick": options.quick}
    found: dict[str, Any] = {"about": about}
    if partial.exists() and not options.fresh:
        earlier = json.loads(partial.read_text(encoding="utf-8"))
        if earlier["about"] == about:
            found = earlier
    if options.only is not None:
        found = json.loads(options.results.read_text(encoding="utf-8")) | {"about": about}
        found = {name: part for name, part in found.items() if name not in options.only}
    with tempfile.TemporaryDirectory() as folder:
        team = Team(Path(folder))
        try:
            for name, section in sections.SECTIONS.items():
                if name in found:
                    continue
                began = time.perf_counter()
                found[name] = section(team, options.quick, found)
                found.setdefault("lost", {}).update(team.lost)
                found.setdefault("seconds", {})[name] = round(time.perf_counter() - began, 1)
                write(partial, found)
                print(f"{name}: {found['seconds'][name]} s", flush=True)
        finally:
            team.close()
    return found


def write(path: Path, found: dict[str, Any]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(tz=datetime.UTC).isoformat(timespec="seconds")
    new = path.with_suffix(".new")
    new.write_text(json.dumps(found | {"written": now}, indent=1, ensure_ascii=False) + "\n")
    new.replace(path)


if __name__ == "__main__":
    main()
