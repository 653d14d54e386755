"""Figures and thumbnails of entries, as small PNG files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from gallery.base import Check, Entry, Module

WIDE, NARROW = 960, 420  # pixels of a figure, and of a thumbnail
LARGEST = 30_000  # bytes of a thumbnail
_CARD = (4.2, 2.5)  # inches
_COLOURS = (128, 48, 24, 12)  # of a palette, the first that is small enough

#: Of a card's stripe; the kind stands beside it in words.
KIND_COLOURS = {
    "tight": "#00674B",
    "upper": "#0072B2",
    "lower": "#7A4E9F",
    "exact": "#4D4D4D",
    "counterexample": "#B23A00",
}

#: TeX that mathtext writes in another way.
_REWRITTEN = (
    (r"\\[lr]Vert", r"\\Vert "),
    (r"\\[lr]vert", r"\\vert "),
    (r"\\[td]frac", r"\\frac"),
    (r"\\tilde ([a-z])", r"\\tilde{\1}"),
    (r"\\hat ([a-z])", r"\\hat{\1}"),
    (r"\\bar ([a-z])", r"\\bar{\1}"),
    (r"\\(?:mathbb|mathcal) ([A-Z])", r"\\mathbb{\1}"),
    (r"\\lbrace", r"\\{"),
    (r"\\rbrace", r"\\}"),
    (r"\\frac(\d)(\d)", r"\\frac{\1}{\2}"),
    (r"\\(?:thinspace|bigl?|bigr|Bigl?|Bigr|displaystyle|limits)(?![a-zA-Z])", " "),
    (r"\\(?:operatorname|text|mathop)\{", r"\\mathrm{"),
    (r"\\ast", "*"),
    (r"\\le(?![a-zA-Z])", r"\\leq"),
    (r"\\ge(?![a-zA-Z])", r"\\geq"),
    (r"\\top", "T"),
    (r"\s+", " "),
)


def draw(module: Module, checks: tuple[Check, ...], slug: str, folder: Path) -> bool:
    """Write ``<slug>-small.png`` and, if the entry has a figure, ``<slug>.png``.

    Returns
    -------
    Whether it has a figure.
    """
    from boundcalc.report.plots import style

    with style():
        figure = module.figure() if hasattr(module, "figure") else None
        drawn = card(module.ENTRY, checks) if figure is None else figure
        image = _image(drawn)
        drawn.clear()
    if figure is not None:
        _write(folder / f"{slug}.png", _png(image))
    height = round(image.height * NARROW / image.width)
    _write(folder / f"{slug}-small.png", _png(image.resize((NARROW, height)), LARGEST))
    return figure is not None


def card(entry: Entry, checks: tuple[Check, ...]) -> Figure:
    """The formula of a statement, or a number, where there is no figure."""
    from matplotlib.figure import Figure as NewFigure
    from matplotlib.patches import Rectangle

    figure = NewFigure(figsize=_CARD, facecolor="white")
    figure.add_artist(Rectangle((0, 0), 0.025, 1, color=KIND_COLOURS[entry.kind]))
    text, size = _shown(entry, checks)
    figure.text(0.51, 0.5, text, ha="center", va="center", fontsize=size)
    return figure


def formulas(text: str) -> Iterator[str]:
    r"""Formulas of a statement that matplotlib can draw, the most telling first.

    >>> next(formulas(r"Let $x$ be small. Then $\lVert x \rVert \le 1$, and $$x = 2 + y$$"))
    '$x = 2 + y$'
    """
    displayed = re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)
    inline = re.findall(r"\$([^$]+)\$", re.sub(r"\$\$.+?\$\$", " ", text, flags=re.DOTALL))
    told = [found for found in inline if re.search(r"=|\\le|\\ge|<|>", found)]
    ordered = displayed + sorted(told, key=lambda found: (len(found) > 60, -len(found)))
    yield from (tex for found in ordered if (tex := _drawable(found)) is not None)


def _drawable(tex: str) -> str | None:
    from matplotlib.mathtext import MathTextParser

    if "&" in tex or r"\\" in tex or r"\begin" in tex:
        return None
    tex = re.sub(r"\\(?:text|mathrm)\{[^}]*\}", lambda m: m[0].replace(" ", r"\ "), tex)
    for pattern, replacement in _REWRITTEN:
        tex = re.sub(pattern, replacement, tex)
    formula = f"${tex.strip().rstrip('.,; ')}$"
    try:
        MathTextParser("path").parse(formula)
    except ValueError:
        return None
    return formula


def _shown(entry: Entry, checks: tuple[Check, ...]) -> tuple[str, float]:
    """What a card shows, and the size at which it fits."""
    from matplotlib.mathtext import MathTextParser

    parser = MathTextParser("path")
    for formula in formulas(entry.statement):
        width = parser.parse(formula, dpi=72).width / 10 / 72  # inches of one point of font size
        size = min(26.0, 0.86 * _CARD[0] / max(width, 1e-6))
        if size >= 10.5:
            return formula, size
    from gallery.page import shown

    return (shown(checks[0].stated) if checks else entry.theorem), 26.0


def _image(figure: Figure) -> Image:
    """The figure in pixels; drawn once, since drawing is what takes the time."""
    import numpy as np
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image as Images

    figure.set_dpi(WIDE / figure.get_figwidth())
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return Images.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def _png(image: Image, largest: int | None = None) -> bytes:
    """A PNG with a palette, with fewer colours until it is small enough."""
    for colours in _COLOURS:
        data = io.BytesIO()
        image.quantize(colours).save(data, "PNG", compress_level=8)
        if largest is None or data.tell() <= largest:
            break
    return data.getvalue()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_bytes() != data:
        path.write_bytes(data)
