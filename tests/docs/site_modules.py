"""The site's extensions, imported from ``docs/_ext`` for tests."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import doc_pages

EXTENSIONS = doc_pages.ROOT / "docs" / "_ext"


def extension(name: str) -> ModuleType:
    """A module of ``docs/_ext``."""
    folder = str(EXTENSIONS)
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)
