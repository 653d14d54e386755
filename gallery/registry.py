"""Every entry of the gallery, found by walking the topics' folders."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from gallery.base import Module

FOLDER = Path(__file__).parent

#: The topics in the order of the index: folder, heading, and what is found there.
TOPICS = {
    "theorems": (
        "Theorems",
        "The bounds themselves: published, corrected and sharp coefficients, means, graphs, "
        "refinements, convergence.",
    ),
    "counterexamples": (
        "Counterexamples",
        "What goes wrong when a hypothesis is dropped.",
    ),
    "errata": (
        "Errata",
        "What is wrong in print, with the instance that shows it.",
    ),
    "classical": (
        "Classical rates",
        "Known rates and exact worst cases as special cases.",
    ),
    "networks": (
        "Networks",
        "Layers, blocks and whole networks, with constants from their weights.",
    ),
    "budgets": (
        "Budgets",
        "Bounds inverted: magnitudes, bits and number formats.",
    ),
    "pipelines": (
        "Pipelines",
        "Layer-wise staleness: forward and backward passes with different weights.",
    ),
    "shrinkage": (
        "Shrinkage",
        "Gradients that low precision shortens.",
    ),
    "agents": (
        "Agents",
        "Distributed SGD with compression and signs.",
    ),
    "control": (
        "Control and unrolled optimisation",
        "Chains that are not networks.",
    ),
}


@dataclass(frozen=True)
class Found:
    """An entry's module and where it lies.

    Attributes
    ----------
    slug
        Its name, unique in the gallery; the name of its page.
    topic
        Its folder.
    path
        Its file.
    """

    slug: str
    topic: str
    path: Path

    def module(self) -> Module:
        """The module, imported."""
        name = f"{__package__}.{self.topic}.{self.slug}"
        return cast("Module", importlib.import_module(name))


def entries() -> Iterator[Found]:
    """Every entry, by topic and then by name."""
    for topic in TOPICS:
        for path in sorted((FOLDER / topic).glob("*.py")):
            if path.stem != "__init__":
                yield Found(path.stem, topic, path)
