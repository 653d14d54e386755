"""A report as a folder of files: all of them, or none."""

from __future__ import annotations

import json
import logging
import os
import re
import secrets
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boundcalc.errors import OutputError
from boundcalc.files import refused
from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Document
from boundcalc.report.engine import find_engine, typeset
from boundcalc.report.gather import Progress, gather
from boundcalc.spec.model import Spec

_LOG = logging.getLogger("boundcalc.report")

STEM = "report"
#: What an earlier report may have left in the folder.
_OWN = (
    "report.tex",
    "report.pdf",
    "report.md",
    "report.html",
    "report.log",
    "results.json",
)
_STEM = re.compile(r"[a-z0-9-]{1,100}")
_MOST_RESULTS = 100_000_000  # bytes of an earlier results.json that is looked into

#: Draws figures into a folder, and says what the report has: its document and results.json.
Compose = Callable[[Path], tuple[Document, Mapping[str, Any]]]


@dataclass(frozen=True)
class Written:
    """A written report.

    Attributes
    ----------
    folder
        Where it is.
    pdf
        Whether there is a PDF.
    message
        Why not, and where the log is; empty if there is one.
    """

    folder: Path
    pdf: bool
    message: str


def write_report(graph: OperatorGraph, out: Path, *, progress: Progress | None = None) -> Path:
    """Write a report as LaTeX, PDF, Markdown and HTML, results.json and figures into a folder.

    Parameters
    ----------
    graph
        A compiled spec.  Rates need its ``loss`` and ``training`` sections, verdicts its
        ``simulation``; the report says what is missing and why.
    out
        The folder, made if it is not there.  Other files in it are left alone.
    progress
        Told how many steps of the simulation are done.

    Returns
    -------
    Path
        The folder.  Without a TeX engine, or where it fails, there is no report.pdf and
        a warning is logged; see :func:`write` for the reason as a value.

    Raises
    ------
    OutputError
        If the folder cannot be written.  Nothing is left behind then, nor after an
        interruption.
    """
    return announced(write(graph, out, progress=progress))


def announced(written: Written) -> Path:
    """The folder of a report; why there is no PDF is logged as a warning."""
    if written.message:
        _LOG.warning(written.message)
    return written.folder


def write(
    graph: OperatorGraph,
    out: Path,
    *,
    progress: Progress | None = None,
    engine: str | None = "auto",
) -> Written:
    """As :func:`write_report`, with what happened to the PDF.

    Parameters
    ----------
    engine
        Name of a TeX engine, ``auto`` for the first that is installed, None for no PDF.

    Examples
    --------
    >>> import tempfile
    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: two operators
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}]
    ... '''))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = write(graph, Path(folder) / "out", engine=None)
    ...     sorted(path.name for path in written.folder.iterdir())
    ['figures', 'report.html', 'report.md', 'report.tex', 'results.json']
    """

    def make(folder: Path) -> tuple[Document, Mapping[str, Any]]:
        return compose(graph, folder, progress)

    return write_document(out, make, engine=engine, spec=graph.spec)


def write_document(
    out: Path, make: Compose, *, engine: str | None = "auto", spec: Spec | None = None
) -> Written:
    """Any report as a folder of files: all of them, or none.

    Parameters
    ----------
    out
        The folder, made if it is not there.  What an earlier report left there is replaced.
    make
        Makes the content; it is given the folder for figures, which exists.
    engine
        As for :func:`write`.
    spec
        What was asked, for the page to show.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    out = Path(out).absolute()
    workplace = _workplace(out)
    try:
        figures = workplace / "figures"
        figures.mkdir()
        document, found = make(figures)
        drawn = sorted({path.stem for path in figures.iterdir()})
        if not drawn:
            figures.rmdir()
        chosen = find_engine() if engine == "auto" else engine
        _write_texts(workplace, document, {**found, "figures": drawn}, spec)
        made, problem = _typeset(workplace, chosen)
        message = ""
        if not made:
            message = f"the PDF was not made: {problem}"
            if chosen is not None:
                message += f"; the log is {out / 'report.log'}"
        _place(workplace, out)
        return Written(out, made, message)
    except OSError as error:
        raise refused(out, error) from None
    finally:
        shutil.rmtree(workplace, ignore_errors=True)


def compose(
    graph: OperatorGraph, folder: Path, progress: Progress | None
) -> tuple[Document, Mapping[str, Any]]:
    """The report on perturbed passes: its document and results.json, figures in a folder."""
    from boundcalc.report.content import document
    from boundcalc.report.figures import draw
    from boundcalc.report.results import results

    findings = gather(graph, progress=progress)
    content = document(findings, draw(findings, folder))
    return content, results(
        findings.graph,
        findings.coefficients,
        findings.rates,
        findings.verdicts,
        findings.budget,
    )


def _workplace(out: Path) -> Path:
    """A new folder on the same file system: inside ``out`` if it is there, else beside it."""
    if out.exists() and not out.is_dir():
        raise OutputError(
            "not a folder",
            where=str(out),
            expected="a folder, or a name that is still free",
            fix="choose another folder with -o",
        )
    home = out
    while not home.exists():
        home = home.parent
    place = home / f".boundcalc-{secrets.token_hex(6)}"
    try:
        place.mkdir()
    except OSError as error:
        raise refused(out, error) from None
    return place


def _write_texts(
    workplace: Path, content: Document, found: dict[str, Any], spec: Spec | None
) -> None:
    """Everything that belongs into the folder, less the PDF."""
    from boundcalc.report.html_page import html_document
    from boundcalc.report.html_spec import spec_text
    from boundcalc.report.render import latex_document, markdown_document
    from boundcalc.resources import folder

    templates = folder("templates")
    shown = "" if spec is None else spec_text(spec)
    texts = {
        "report.tex": latex_document(content, templates),
        "report.md": markdown_document(content, templates),
        "report.html": html_document(content, templates, workplace / "figures", spec=shown),
        "results.json": json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, text in texts.items():
        (workplace / name).write_text(text, encoding="utf-8", newline="\n")


def _typeset(workplace: Path, engine: str | None) -> tuple[bool, str]:
    """Make the PDF; whether there is one, and why not."""
    outcome = typeset(workplace, STEM, engine)
    kept = {"log"} if engine is not None and not outcome.made else set()
    for suffix in {"aux", "out", "log", "toc", "fls", "fdb_latexmk"} - kept:
        (workplace / f"{STEM}.{suffix}").unlink(missing_ok=True)
    return outcome.made, outcome.problem


def _place(workplace: Path, out: Path) -> None:
    """Move the finished report to where it belongs."""
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        workplace.rename(out)
        return
    earlier = _earlier_figures(out)
    if (workplace / "figures").exists():
        (out / "figures").mkdir(exist_ok=True)
    files = [path.relative_to(workplace) for path in sorted(workplace.rglob("*")) if path.is_file()]
    for name in files:
        os.replace(workplace / name, out / name)  # noqa: PTH105 - one step, also over a file
    # Figures and a PDF of an earlier report would contradict this one.
    stale = [Path(name) for name in _OWN]
    stale += [Path("figures") / f"{stem}.{end}" for stem in earlier for end in ("pdf", "png")]
    for name in stale:
        if name not in files:
            (out / name).unlink(missing_ok=True)


def _earlier_figures(out: Path) -> tuple[str, ...]:
    """Stems of the figures that an earlier report lists; none where there is no such list."""
    path = out / "results.json"
    try:
        if path.stat().st_size > _MOST_RESULTS:
            return ()
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return ()
    listed = found.get("figures") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        return ()
    return tuple(s for s in listed if isinstance(s, str) and _STEM.fullmatch(s))
