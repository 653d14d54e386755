r"""A table as LaTeX for someone else's paper: a ``tabular`` that needs no macro of ours."""

from __future__ import annotations

from boundcalc.report.cells import Content, Table
from boundcalc.report.render import latex

#: What the renderer's own commands mean where the report's preamble is not.
_COMMANDS = {
    r"\code": r"\providecommand{\code}[1]{\texttt{#1}}",
    r"\status": r"\providecommand{\status}[1]{\textsubscript{#1}}",
    r"\markholds": r"\providecommand{\markholds}[1]{$\checkmark$ #1}",
    r"\markviolated": r"\providecommand{\markviolated}[1]{$\times$ #1}",
    r"\markopen": r"\providecommand{\markopen}[1]{? #1}",
}


def latex_table(table: Table) -> str:
    r"""The table with ``booktabs`` lines; caption and remarks as comments.

    Examples
    --------
    >>> from boundcalc.report.cells import Code, Column, Value
    >>> columns = (Column("name", 3.0), Column("bound"))
    >>> print(latex_table(Table("Bounds.", columns, ((Code("f_1"), Value("1e-6")),))))
    % Bounds.
    % Needs \usepackage[T1]{fontenc} and \usepackage{amsmath,amssymb,array,booktabs}.
    \providecommand{\code}[1]{\texttt{#1}}
    \begin{tabular}{@{}>{\raggedright\arraybackslash}p{3.0cm}r@{}}
    \toprule
    name & \multicolumn{1}{r@{}}{bound} \\
    \midrule
    \code{f\_\hspace{0pt}1} & $10^{-6}$ \\
    \bottomrule
    \end{tabular}
    """
    body = [
        rf"\begin{{tabular}}{{@{{}}{_columns(table)}@{{}}}}",
        r"\toprule",
        _heading(table),
        r"\midrule",
        *(" & ".join(_cell(cell) for cell in row) + r" \\" for row in table.rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    text = "\n".join(body)
    needed = [definition for name, definition in _COMMANDS.items() if name + "{" in text]
    head = [
        "% " + _cell(table.caption),
        r"% Needs \usepackage[T1]{fontenc} and \usepackage{amsmath,amssymb,array,booktabs}.",
        *needed,
    ]
    remarks = ["% " + _cell(remark) for remark in table.remarks]
    return "\n".join([*head, text, *remarks])


def _columns(table: Table) -> str:
    return "".join(
        "r" if column.width is None else rf">{{\raggedright\arraybackslash}}p{{{column.width}cm}}"
        for column in table.columns
    )


def _heading(table: Table) -> str:
    cells = []
    for number, column in enumerate(table.columns, start=1):
        title = _cell(column.title)
        if column.width is None:
            end = "@{}" if number == len(table.columns) else ""
            title = rf"\multicolumn{{1}}{{r{end}}}{{{title}}}"
        cells.append(title)
    return " & ".join(cells) + r" \\"


def _cell(content: Content) -> str:
    return " ".join(latex(content).split("\n"))
