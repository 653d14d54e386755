"""Pages that are written before the others are read."""

from __future__ import annotations

from pathlib import Path


def write(path: Path, text: str) -> None:
    """Write a page, unless it says that already: Sphinx reads only what has changed."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def clear(folder: Path, kept: set[Path]) -> None:
    """Remove pages of an earlier build that nothing writes any more."""
    for path in folder.glob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
