"""The evidence as files: errata.tex, errata.pdf, errata.md and errata.json."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from boundcalc.errata.document import errata_document
from boundcalc.errata.evidence import Evidence
from boundcalc.errata.results import errata_results
from boundcalc.files import make_folder, refused
from boundcalc.report.engine import find_engine, typeset
from boundcalc.report.render import latex_document, markdown_document
from boundcalc.resources import folder

STEM = "errata"


def write_errata(
    rows: Sequence[Evidence], out: Path, *, engine: str | None = "auto"
) -> tuple[Path, str]:
    """Write the document into a folder, all files or none.

    Parameters
    ----------
    out
        The folder, made if it is not there.  Other files in it are left alone.
    engine
        Name of a TeX engine, ``auto`` for the first that is installed, None for no PDF.

    Returns
    -------
    The folder, and why there is no PDF; empty if there is one.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """
    out = make_folder(Path(out).absolute())
    templates, document = folder("templates"), errata_document(rows)
    texts = {
        "tex": latex_document(document, templates),
        "md": markdown_document(document, templates),
        "json": json.dumps(errata_results(rows), indent=2, ensure_ascii=False, allow_nan=False)
        + "\n",
    }
    try:
        workplace = Path(tempfile.mkdtemp(dir=out, prefix=".errata-"))
    except OSError as error:
        raise refused(out, error) from None
    try:
        for suffix, text in texts.items():
            (workplace / f"{STEM}.{suffix}").write_text(text, encoding="utf-8")
        chosen = find_engine() if engine == "auto" else engine
        outcome = typeset(workplace, STEM, chosen)
        for suffix in ("md", "json", "pdf", "tex"):
            made = workplace / f"{STEM}.{suffix}"
            if made.exists():
                os.replace(made, out / made.name)  # noqa: PTH105 - one step, also over a file
            else:
                # A PDF of an earlier run would contradict this one.
                (out / made.name).unlink(missing_ok=True)
    except OSError as error:
        raise refused(out, error) from None
    finally:
        shutil.rmtree(workplace, ignore_errors=True)
    return out, "" if outcome.made else f"the PDF was not made: {outcome.problem}"
