"""The gallery: every entry is run when the site is built, and its numbers must agree."""

from __future__ import annotations

from repository_files import DOCS
from sphinx.application import Sphinx
from sphinx.util import logging

FOLDER = DOCS / "gallery"
_LOG = logging.getLogger(__name__)


def generate(app: Sphinx) -> None:
    """Write the pages; an entry whose numbers disagree is a warning, and so an error."""
    from gallery.render import pages

    del app
    for problem in pages(FOLDER):
        _LOG.warning("gallery: %s", problem)


def setup(app: Sphinx) -> dict[str, bool]:
    """Write the pages before others are read."""
    app.connect("builder-inited", generate)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
