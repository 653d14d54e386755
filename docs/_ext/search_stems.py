"""The stems of words in the search index, each found once: pages share most of their words."""

from __future__ import annotations

from functools import cache

from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish


class Remembering(SearchEnglish):
    """English, with a memory."""

    def __init__(self, options: dict[str, str]) -> None:
        super().__init__(options)
        self.stem = cache(super().stem)  # type: ignore[method-assign]


def setup(app: Sphinx) -> dict[str, bool]:
    """Take the place of Sphinx's English."""
    app.add_search_language(Remembering)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
