"""docs/section-7.md and its images, written from the folder of a run and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from boundcalc.errors import OutputError
from boundcalc.experiments.base import QUICK_HORIZON, QUICK_REPLICAS
from boundcalc.experiments.registry import EXPERIMENTS
from boundcalc.experiments.reproduce import VERDICT
from boundcalc.files import make_folder, refused, write_text

_MARKS = {"holds": "holds", "does not hold": "**does not hold**", "undetermined": "*undetermined*"}

#: What the page says before the first experiment.
_HEAD = Path(__file__).with_name("page_head.md")


def refresh(run: Path, docs: Path) -> Path:
    """Write ``docs/section-7.md`` and ``docs/images/section7`` from the folder of a run.

    Parameters
    ----------
    run
        What :func:`~boundcalc.experiments.reproduce.reproduce` wrote.
    docs
        The folder of the documentation.

    Raises
    ------
    OutputError
        If there is nothing in the folder, or the documentation cannot be written.
    """
    found = {name: _verdict(run / name) for name in EXPERIMENTS}
    present = {name: verdict for name, verdict in found.items() if verdict is not None}
    if not present:
        raise OutputError(
            "there is no reproduced experiment here",
            where=str(run),
            expected="folders such as figure-3 with a verdict.json",
            fix="run `boundcalc reproduce` first",
        )
    images = make_folder(docs / "images" / "section7")
    for name in present:
        _copy(run / name / "figure.png", images / f"{name}.png")
    write_text(docs / "section-7.md", page(present))
    return docs / "section-7.md"


def page(verdicts: Mapping[str, Mapping[str, Any]]) -> str:
    """The page's text: how it is run, a summary, and every experiment."""
    parts = [
        _HEAD.read_text(encoding="utf-8"),
        _run_line(list(verdicts.values())),
        _summary(verdicts),
    ]
    parts += [_section(name, verdict) for name, verdict in verdicts.items()]
    return "\n".join(parts)


def _run_line(verdicts: Sequence[Mapping[str, Any]]) -> str:
    seconds = sum(float(v["seconds"]) for v in verdicts)
    settings = sum(int(v["settings"]) for v in verdicts)
    machines = sorted({str(v["machine"]) for v in verdicts})
    quick = any(v["quick"] for v in verdicts)
    size = (
        f"These are the figures of `--quick`: {QUICK_HORIZON} steps, {QUICK_REPLICAS} replicas."
        if quick
        else "These are the figures of the full run: 200 000 steps, 8 replicas."
    )
    took = f"{settings} settings took {seconds / 60:.1f} minutes"
    return f"**This run.** {size} {took} on {'; '.join(machines)}.\n"


def _summary(verdicts: Mapping[str, Mapping[str, Any]]) -> str:
    rows = ["| | holds | does not hold | undetermined |", "|---|---|---|---|"]
    for name, verdict in verdicts.items():
        counts = [sum(f["status"] == s for f in verdict["findings"]) for s in _MARKS]
        link = f"[{_heading(name)}](#{name}): {verdict['title']}"
        rows.append(f"| {link} | " + " | ".join(map(str, counts)) + " |")
    return "\n".join(rows) + "\n"


def _heading(name: str) -> str:
    kind, label = name.split("-", 1)
    return f"{kind.capitalize()} {label.upper() if kind == 'figure' else f'A.{label[1:]}'}"


def _section(name: str, verdict: Mapping[str, Any]) -> str:
    lines = [
        f"## {_heading(name)}",
        "",
        f"**{verdict['title']}.**",
        "",
        f"*[KZY]:* {verdict['paper']}",
        "",
        f"![{_heading(name)}](images/section7/{name}.png)",
        "",
    ]
    lines += [
        f"* {_sentence(finding['claim'])}: {_MARKS[finding['status']]} ({finding['evidence']})."
        for finding in verdict["findings"]
    ]
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _verdict(folder: Path) -> Mapping[str, Any] | None:
    path = folder / VERDICT
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or not {"findings", "title", "paper"} <= set(found):
        raise OutputError(
            "this is not a verdict",
            where=str(path),
            fix="delete the file and run `boundcalc reproduce` again in the same folder",
        )
    return found


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise refused(target, error) from None
