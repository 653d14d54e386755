"""The explorer: a graph's model and the code that runs it, as one file.

The page asks for nothing: styles, scripts and the model stand in it, and its policy allows
these texts alone. The scripts are those of ``templates/explore``, in the order below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup

from boundcalc.graph import OperatorGraph

#: The page's own code, one idea a file, joined into one scope.
PARTS = (
    "numbers.js",
    "state.js",
    "controls.js",
    "charts.js",
    "line-chart.js",
    "map.js",
    "network.js",
    "save.js",
    "headline.js",
    "panels.js",
    "schedule.js",
    "explore.js",
)

_HEADING = 300  # characters of a spec's name


def write_page(graph: OperatorGraph, out: Path) -> Path:
    """Write the explorer of a graph; the file, whole or not at all.

    Parameters
    ----------
    out
        The file; its folder must be there.

    Raises
    ------
    OutputError
        If it cannot be written; a file that was there before is still there.
    BoundcalcError
        If the graph's theory has no explorer.

    Examples
    --------
    >>> import boundcalc as bc
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from boundcalc.resources import example
    >>> graph = bc.build(bc.load(example("three-operators")))
    >>> with TemporaryDirectory() as folder:
    ...     page = write_page(graph, Path(folder) / "page.html").read_text(encoding="utf-8")
    >>> page.startswith("<!doctype html>"), "default-src 'none'" in page
    (True, True)
    """
    from boundcalc.files import write_text

    write_text(out, page_text(graph))
    return out


def page_text(graph: OperatorGraph, *, embedded: bool = False) -> str:
    """The explorer as text.

    Parameters
    ----------
    embedded
        The compact variant for a frame in another page: fewer controls, two charts.

    Raises
    ------
    BoundcalcError
        If the graph's theory has no explorer.
    """
    from boundcalc.explore.model import explorer
    from boundcalc.explore.script import programs_text
    from boundcalc.resources import folder

    made = explorer(graph)
    programs = programs_text(made.programs)
    return assembled(made.model, programs, folder("templates"), embedded=embedded)


def assembled(
    model: Mapping[str, Any], programs: str, templates: Path, *, embedded: bool = False
) -> str:
    """A page from a model and the text of its recorded programs.

    Parameters
    ----------
    model
        What :func:`boundcalc.explore.model.model` makes.
    programs
        JavaScript that defines ``boundcalcPrograms``.
    templates
        The folder of templates.
    """
    from boundcalc.report.html_blocks import blocks_environment
    from boundcalc.report.html_page import cut, page_head
    from boundcalc.report.html_page import embedded as escaped_json

    formulas, controls = _formulas(model["controls"])
    head = page_head(
        f"{model['name']} · boundcalc explorer",
        styles=tuple(_read(templates / name) for name in ("web/page.css", "explore/explore.css")),
        scripts=_scripts(templates, programs),
        description="Bounds for SGD with perturbed passes that follow their controls",
    )
    shown = {**model, "controls": controls}
    text = (
        blocks_environment(templates)
        .get_template("explore/page.html.j2")
        .render(
            head=head,
            title=cut(str(model["name"]), _HEADING),
            version=str(model["boundcalc"]),
            formulas=formulas,
            model=escaped_json(json.dumps(shown, ensure_ascii=False, allow_nan=False)),
            embedded=embedded,
        )
    )
    return text.strip() + "\n"


def _scripts(templates: Path, programs: str) -> tuple[str, ...]:
    """In the order in which each needs the one before."""
    licences = _read(templates / "vendor" / "LICENSES.txt").strip()
    d3 = f"/*!\n{licences}\n*/\n{_read(templates / 'vendor' / 'd3.min.js')}"
    own = "\n".join(_read(templates / "explore" / part) for part in PARTS)
    return (
        _read(templates / "web" / "page.js"),
        d3,
        programs,
        _read(templates / "explore" / "engine.js"),
        f'(() => {{\n"use strict";\n{own}\n}})();\n',
    )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _formulas(
    controls: list[Mapping[str, Any]],
) -> tuple[list[tuple[str, Markup]], list[dict[str, Any]]]:
    """Formulas by name, each once, and the controls that name them.

    Browsers need MathML for them, which is made here; what the spec says is in no formula.
    """
    from boundcalc.report.html_maths import mathml

    names: dict[str, str] = {}
    made = []
    for control in controls:
        latex = control["latex"]
        if latex:
            names.setdefault(latex, f"formula-{len(names)}")
        made.append({**control, "math": names.get(latex) if latex else None})
    formulas = [
        (name, Markup(mathml(latex)))  # noqa: S704 - MathML that was built as a tree
        for latex, name in names.items()
    ]
    return formulas, made
