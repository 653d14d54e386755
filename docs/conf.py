"""The documentation site: Sphinx with MyST, numpydoc and furo, built and read offline.

``python -m sphinx -W --keep-going -b html docs docs/_build/html`` from the repository's root.
The pages are written for GitHub; the extensions of ``_ext``, one idea each, make them a site.
"""

import logging
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The package of this working tree, the gallery beside it, and the extensions.
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]
os.environ["PYTHONPATH"] = str(HERE.parent)  # for notebooks, which run in their own process

from sphinx.application import Sphinx  # noqa: E402

import boundcalc  # noqa: E402 - the path comes first

# Fonts of a report's figures are cut down without a line for each table.
logging.getLogger("fontTools").setLevel(logging.WARNING)

project = "boundcalc"
author = "The boundcalc developers"
project_copyright = "The boundcalc developers, MIT licence"
release = boundcalc.__version__.split("+")[0]
version = ".".join(release.split(".")[:2])
language = "en"

extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
    # What is written before pages are read.
    "reference_pages",
    "command_pages",
    "schema_page",
    "repository_pages",
    "explorer_pages",
    "gallery_pages",
    # What happens to pages.
    "contents",
    "site_parts",
    "github_markdown",
    "theory_links",
    "annotations",
    "markup",
    "navigation",
    "search_stems",
    "reading_order",
    "mathml",
]
# Quotation marks and dashes are those that the pages have.
smartquotes = False
exclude_patterns = ["_build", "_ext"]

# --- Markdown as GitHub reads it
myst_enable_extensions = ["dollarmath", "deflist"]
myst_fence_as_directive = ["math"]
myst_heading_anchors = 4
myst_dmath_double_inline = True

# --- Notebooks: executed when the site is built, so what they show is what they print
nb_execution_mode = "cache"
nb_execution_cache_path = str(HERE / "_build" / "notebooks")
nb_execution_raise_on_error = True
nb_execution_timeout = 110
nb_merge_streams = True

# --- Reference: pages are written from the source (_ext/reference_entries.py)
python_maximum_signature_line_length = 88
add_module_names = False
# The contents of a page are its modules: with every function they would be as long as the page.
toc_object_entries = False

# --- Appearance: furo needs nothing from the network
html_theme = "furo"
html_title = "boundcalc"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_math_renderer = "mathml"
# Search and the page of packages are what people use.
html_use_index = False
html_domain_indices = False
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {
        "color-brand-primary": "#00527f",
        "color-brand-content": "#00527f",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7cc4f0",
        "color-brand-content": "#7cc4f0",
    },
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def setup(app: Sphinx) -> None:
    """Read and write pages on all cores, also where ``-j`` is left out."""
    # Twice as many processes as cores: some wait for notebooks, and shares are smaller.
    app.parallel = max(app.parallel, 2 * (os.cpu_count() or 1))
