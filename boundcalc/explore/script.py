"""The programs of a model as the JavaScript that its page runs."""

from __future__ import annotations

from collections.abc import Mapping

from boundcalc.arithmetic.javascript import PRELUDE, javascript
from boundcalc.arithmetic.outputs import Outputs
from boundcalc.graph import OperatorGraph
from boundcalc.resources import folder


def script(graph: OperatorGraph) -> str:
    """A script that defines ``boundcalcPrograms``, the programs of a graph's model."""
    from boundcalc.explore.model import explorer  # which measures the text of its programs

    return programs_text(explorer(graph).programs)


def programs_text(programs: Mapping[str, Outputs]) -> str:
    """The same for given programs."""
    entries = ",\n".join(f'"{name}":{javascript(made)}' for name, made in programs.items())
    return f"const boundcalcPrograms=(()=>{{{PRELUDE}return{{\n{entries}}}}})();\n"


def engine_text() -> str:
    """The script that defines ``boundcalcEngine``, which evaluates them."""
    return (folder("templates") / "explore" / "engine.js").read_text(encoding="utf-8")
