"""Reports: everything that the stages found, as LaTeX, Markdown, figures and JSON.

``gather`` runs the stages, ``content`` (with one file per section) arranges what they
found as blocks, ``render`` turns blocks into text through the templates, ``plots``
draws, ``engine`` runs TeX, and ``write`` puts all of it into a folder.
"""

from boundcalc.report.write import write_report

__all__ = ["write_report"]
