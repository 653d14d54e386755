"""The tree at the left: all sections, but inside them only the branch that one is in.

With every package and every gallery entry on every page, the tree would be longer than most
pages, and most of the time of a build.
"""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

_DEPTH = 3


def branch_only(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Let the theme draw the branch of this page where it asks for the whole tree."""
    del app, page, template, doctree
    if whole := context.get("toctree"):

        def branch(**asked: Any) -> str:
            tree = whole(**asked | {"collapse": True, "maxdepth": _DEPTH})
            # A heading by its role alone has no level.
            return tree.replace('role="heading"', 'role="heading" aria-level="2"')

        context["toctree"] = branch


def setup(app: Sphinx) -> dict[str, bool]:
    """Come before the theme."""
    app.connect("html-page-context", branch_only, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
