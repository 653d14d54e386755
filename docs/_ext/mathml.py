"""Mathematics as MathML, made when the site is built: no script, no font, no request.

The TeX stays in the page as an annotation, where a reader can copy it from.
"""

from __future__ import annotations

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator
from tex_to_mathml import mathml, number_of


def inline(translator: HTML5Translator, node: nodes.math) -> None:
    """A formula in a line."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """A formula of its own, in a box that scrolls where it is wider than the page."""
    tex = node.astext()
    number = number_of(tex)
    kind, shown = ("math numbered", f"<span>({number})</span>") if number else ("math", "")
    # A box that scrolls can be reached by keyboard.
    translator.body.append(
        f'<div class="{kind}" role="group" aria-label="Formula" tabindex="0">'
        f"{mathml(tex, display=True)}{shown}</div>\n"
    )
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer ``mathml``."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
