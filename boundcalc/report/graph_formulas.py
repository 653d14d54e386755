"""The recurrences of the sharp family on a graph, with what their letters mean."""

from __future__ import annotations

from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Block, Content, Equation, Maths, Paragraph, Strong
from boundcalc.theories.perturbed.formulas import GRAPH_RECURRENCES

_SUMS: Content = (
    Strong("Family sharp."),
    " Recurrences (docs/theory.md, section 4.8). Operators are numbered as in the first table; ",
    Maths(r"u\to v"),
    " is an input of ",
    Maths("v"),
    " that reads ",
    Maths("u"),
    "; a sum over ",
    Maths(r"u\to v"),
    " runs over the inputs of ",
    Maths("v"),
    " in the lines for ",
    Maths(r"s, \mu, D, M"),
    " and over all that read ",
    Maths("u"),
    " in the others; ",
    Maths("g"),
    " is a set of operators with the same weights. The data does not move, ",
    Maths(r"s_0=\mu_0=0"),
    ", and all that runs backward is 0 at ",
    Maths("N"),
    " but ",
    Maths("V"),
    ". Second moments:",
)

_MEANS: Content = (
    "Means; each of ",
    Maths(r"\mu_v, \beta_u, \beta_g"),
    " is replaced by ",
    Maths(r"s_v, R_u, \zeta_g"),
    " where that is smaller:",
)

_CENTRED: Content = (
    "Where all conditional means of a pass are zero, squares of independent parts add; those of "
    "branches do not, because they carry the same perturbations:",
)

_KINKS: Content = (
    "Where an operator has a kink, ",
    Maths(r"D_{v,u}=J"),
    " and ",
    Maths("D^w_v=K"),
    " if any of its inputs moves at all; its means are not expanded, ",
    Maths(r"\mu_v\le\sum\ell_{v,u}s_u+m_v"),
    ", and ",
    Maths("M=D"),
    ", as wherever ",
    Maths("A'"),
    " or ",
    Maths("B'"),
    " does not exist.",
)

RUNS: Content = (
    "Where norms were taken together, the product of the constants ",
    Maths("a"),
    " of a run is replaced by the smaller norm (docs/theory.md, Lemma 4.10).",
)

_COEFFICIENTS: Content = ("A coefficient is what these give for one perturbation of size 1 alone.",)


def graph_formulas(graph: OperatorGraph) -> list[Block]:
    """Second moments, means, zero means, and what changes at kinks and merged runs."""
    blocks: list[Block] = [
        Paragraph(_SUMS),
        Equation(GRAPH_RECURRENCES["second moments"]),
        Paragraph(_MEANS),
        Equation(GRAPH_RECURRENCES["means"]),
        Paragraph(_CENTRED),
        Equation(GRAPH_RECURRENCES["zero means"]),
    ]
    if not graph.smooth:
        blocks.append(Paragraph(_KINKS))
    if graph.merged:
        blocks.append(Paragraph(RUNS))
    return [*blocks, Paragraph(_COEFFICIENTS)]
