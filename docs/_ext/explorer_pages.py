"""Explorers and a report of shipped specs, which the site shows as they are."""

from __future__ import annotations

import re
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from repository_files import DOCS, ROOT
from sphinx.application import Sphinx
from writing import write

FOLDER = DOCS / "_static" / "explore"
#: Shipped specs with an explorer on the site.
EXPLORED = ("logistic-nonconvex", "deep-uniform", "transformer-block", "three-operators")
#: The first of them again, for a frame on a page: fewer charts, and nothing to save.
FRAMED = "framed"
#: The page whose first spec has its report on the site: it takes seconds.
REPORTED = ROOT / "README.md"
_RUNNING: list[Future[None]] = []
_SPEC = re.compile(r"^<!-- file: \S+ -->\n```yaml\n(.*?)^```$", re.M | re.S)


def explorer(name: str, *, framed: bool = False) -> str:
    """The explorer of a shipped spec."""
    import boundcalc as bc
    from boundcalc.explore.page import page_text
    from boundcalc.resources import example

    return page_text(bc.build(bc.load(example(name))), embedded=framed)


def report(page: Path) -> str:
    """The report of the first spec on a page, as one file."""
    import boundcalc as bc

    spec = _SPEC.search(page.read_text(encoding="utf-8"))
    if spec is None:
        raise ValueError(f"{page} has no spec")
    with tempfile.TemporaryDirectory() as folder:
        bc.report(bc.loads(spec[1]), Path(folder) / "report")
        return (Path(folder) / "report" / "report.html").read_text(encoding="utf-8")


def write_all() -> None:
    """Write the pages to where static files are."""
    write(FOLDER / f"{FRAMED}.html", explorer(EXPLORED[0], framed=True))
    for name in EXPLORED:
        write(FOLDER / f"{name}.html", explorer(name))
    write(FOLDER / "report.html", report(REPORTED))


def begin(app: Sphinx) -> None:
    """Begin in a process of its own: other pages are written in the meantime."""
    del app
    pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    _RUNNING.append(pool.submit(write_all))
    pool.shutdown(wait=False)


def finish(app: Sphinx) -> None:
    """Wait for it; what went wrong there goes wrong here."""
    del app
    _RUNNING.pop().result()


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before static files are copied."""
    app.connect("builder-inited", begin, priority=100)
    app.connect("builder-inited", finish, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
