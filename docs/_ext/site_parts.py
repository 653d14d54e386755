"""Parts that only the site can show, in place of comments ``<!-- site: NAME -->``."""

from __future__ import annotations

import re

from explorer_pages import EXPLORED, FRAMED
from sphinx.application import Sphinx

_PLACE = re.compile(r"^<!-- site: (?P<name>[a-z]+) -->$", re.M)


def explorer() -> str:
    """An explorer in a frame, and links to others and to a report."""
    first, *others = EXPLORED
    more = ", ".join(f'<a href="_static/explore/{name}.html">{name}</a>' for name in others)
    return f"""<iframe class="explorer" loading="lazy" src="_static/explore/{FRAMED}.html"
title="Explorer: bounds for logistic regression with noisy passes, with sliders"></iframe>
<p class="explorer-links">Move a slider, or
<a href="_static/explore/{first}.html">open it as a page</a>.
More: {more}. A whole <a href="_static/explore/report.html">report</a>, of the README's example.</p>
"""


def reference() -> str:
    """Links to the pages that the build writes."""
    return (
        "On this site: [schema](schema.md), [shipped specs](specs.md), [commands](commands.md), "
        "[Python functions](python.rst), [packages and modules](code/index.rst).\n"
    )


PARTS = {"explorer": explorer, "reference": reference}


def read(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the parts in their places."""
    del app, name
    source[0] = _PLACE.sub(lambda place: PARTS[place["name"]](), source[0])


def setup(app: Sphinx) -> dict[str, bool]:
    """Put the parts in when a page is read."""
    app.connect("source-read", read, priority=300)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
