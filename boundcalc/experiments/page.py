"""docs/section-7.md and its images, written from the folder of a run and nothing else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from boundcalc.errors import OutputError
from boundcalc.experiments.registry import EXPERIMENTS
from boundcalc.experiments.reproduce import VERDICT
from boundcalc.files import make_folder, refused, write_text

_MARKS = {"holds": "holds", "does not hold": "**does not hold**", "undetermined": "*undetermined*"}

_HEAD = """# Section 7, reproduced

The experiments of [KZY] (B. Kong, H. Zhang, K. Yuan, arXiv:2602.20646), section 7 and appendix A, run anew by
`boundcalc reproduce`. Every sentence marked *holds*, *does not hold* or *undetermined* below was decided by the program
from the numbers of the run; nothing is written by hand.

```console
$ boundcalc reproduce figure-3 -o section-7            # one figure
$ boundcalc reproduce all -o section-7                 # all of them; an interrupted run goes on
$ boundcalc reproduce all --quick -o quick             # the same figures at a small size
$ boundcalc reproduce all -o section-7 --docs docs     # and this page with its images
```

**Problem.** Logistic regression as two operators, $f_1(w) = -y\\,h^\\top w$ and $f_2 = \\ln(1 + e^{f_1})$, on $M = 2000$
samples in dimension $d = 10$, plus $\\rho\\mathcal R(w)$; full-batch steps, $\\delta$ after $f_1$, $\\varepsilon$ after
$\\partial f_2 / \\partial f_1$, and $\\xi \\sim N(0, \\sigma_n^2 I)$ with $\\sigma_n = 0.001$ added to the gradient.
[KZY] runs 200 000 steps. The *stable gradient norm* is the mean over the last half of the steps of the exponentially
weighted average (EWMA, decay 0.99, over steps) of $\\lVert\\nabla\\ell\\rVert$; the *stable iteration complexity* is the first
step at which the EWMA is below 1.5 times that. The eight seeds are eight replicas with streams of their own, from
one start, $w = 0$, on one data set. Where [KZY] leaves settings open (step sizes, intervals, whether the samples of a step
share a draw), they are ours, and the specs in `specs/section7` say which.

**Lines.** Dashed: the *sharp floor*, $\\sqrt{\\lim_{T\\to\\infty} \\text{bound}}$ of the sharp bound on
$\\frac1T\\sum_t \\mathbb E\\lVert\\nabla\\ell\\rVert^2$ at fixed $\\gamma$ ([theory](theory.md), Theorem 6.1): sampling noise and the perturbations'
second moment, both with a factor $\\gamma$, and their bias, without. It is an upper bound. It lies well above what is
measured because it takes the largest $\\lVert h \\rVert$ for every sample, and signs that cancel in the mean are not seen by
constants. Dotted: where the *mean field* settles. For this problem the average step is known in closed form; its root
is the plateau as $\\gamma \\to 0$, and the noise around it is linearised. It is `computed`, not a bound.

**Words.** Intervals are at 99 %. An exponent is fitted by least squares on logarithms; its interval is the wider of
a bootstrap over replicas and Student's t. A predicted order *holds* if the whole interval lies within 0.15 of it. A plateau
is where it is predicted if the whole interval lies within 5 % of the mean field's.
"""


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
    parts = [_HEAD, _run_line(list(verdicts.values())), _summary(verdicts)]
    parts += [_section(name, verdict) for name, verdict in verdicts.items()]
    return "\n".join(parts)


def _run_line(verdicts: Sequence[Mapping[str, Any]]) -> str:
    seconds = sum(float(v["seconds"]) for v in verdicts)
    settings = sum(int(v["settings"]) for v in verdicts)
    machines = sorted({str(v["machine"]) for v in verdicts})
    quick = any(v["quick"] for v in verdicts)
    size = (
        "These are the figures of `--quick`: 6 000 steps, 4 replicas."
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
        f'<a id="{name}"></a>',
        "",
        f"## {_heading(name)}: {verdict['title']}",
        "",
        f"**[KZY]:** {verdict['paper']}",
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
