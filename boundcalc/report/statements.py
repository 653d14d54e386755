"""The theorems with the spec's numbers in them."""

from __future__ import annotations

from boundcalc.report.cells import Block, Content, Equation, Maths, Paragraph, Theorem
from boundcalc.report.equations import arrange
from boundcalc.report.gather import Findings
from boundcalc.report.notation import BIAS, ERROR, joined, plural, said
from boundcalc.report.numbers import up
from boundcalc.report.refusals import refusal, refused_families
from boundcalc.report.run_statements import convergence
from boundcalc.theories.perturbed.coefficients import Coefficients
from boundcalc.theories.perturbed.families import Bounds
from boundcalc.theories.perturbed.refinements import ON_ALL_PASSES

_TITLES = {
    "published": "[KZY], Theorems 1 to 5, as printed",
    "corrected": "[KZY], Theorems 1 to 5, with E1, E2, E3 and E5 applied",
    "sharp": "sharp",
}


def statement_blocks(findings: Findings) -> tuple[Block, ...]:
    """One statement for each family, the sharp one first."""
    blocks: list[Block] = [
        Paragraph(
            (
                "Here ",
                Maths("u"),
                " is the gradient of one sample, ",
                Maths(r"\tilde u"),
                " what the perturbed passes compute in its place, and ",
                Maths(r"\mathbb{E}"),
                " in (a) and (b) is over the perturbations only, given the weights and the "
                "sample. [KZY] and all other sources are listed at the end.",
            )
        )
    ]
    refused = refused_families(findings)
    order = (name for name in ("sharp", "published", "corrected") if name not in refused)
    made = (_statement(findings, findings.coefficients[name]) for name in order)
    return (*blocks, *made, *refusal(findings))


def _statement(findings: Findings, coefficients: Coefficients) -> Theorem:
    graph, family = findings.graph, coefficients.family
    blocks: list[Block] = [
        Paragraph(
            f"Let the {plural(graph.size, 'operator')} satisfy A3 with the constants listed "
            "under Assumptions, and let the perturbations have the levels listed there. Then "
            "for every sample, at every iterate:"
        )
    ]
    blocks += _passes(coefficients)
    blocks += convergence(findings, coefficients)
    if family.caution:
        blocks.append(Paragraph(f"Caution: {family.caution}."))
    return Theorem(_TITLES[family.name], tuple(blocks), proved=family.bias_provable)


def _passes(coefficients: Coefficients) -> list[Block]:
    """(a) and (b): error and bias of the gradient."""
    bounds = coefficients.bounds
    if bounds is None:
        return _general(coefficients)
    lines: list[str] = []
    remarks: list[Block] = []
    for letter, symbol, number in (("a", ERROR, bounds.error), ("b", BIAS, bounds.bias)):
        if number is None:
            reason = bounds.reason or "this family states none"
            remarks.append(
                Paragraph(joined(f"({letter}) There is no such bound: ", said(reason), "."))
            )
        else:
            lines.append(
                rf"\mathrm{{({letter})}}\quad {symbol} &\le {up(number)}"
                rf"\qquad\text{{({number.status})}}"
            )
    remarks.append(Paragraph(f"Form used: {bounds.form}.{_refinements(bounds)}"))
    equation = [Equation(tuple(lines))] if lines else []
    return [*equation, *remarks]


def _refinements(bounds: Bounds) -> str:
    """Which refinements made it smaller, and what they ask of the regions."""
    if not bounds.refinements:
        return ""
    closed = (
        ", and A3 is assumed on the states of partly perturbed passes as well, (A3+) there"
        if ON_ALL_PASSES.intersection(bounds.refinements)
        else ""
    )
    return (
        f" It is refined by {' and '.join(bounds.refinements)} (docs/theory.md, sections 4.5, 4.9 "
        f"and 4.11){closed}."
    )


def _general(coefficients: Coefficients) -> list[Block]:
    """The same as formulas, where there are no numbers to put in."""
    sums = (
        r"\sum_{i=1}^{N-1} C^e_{\delta_i}\mathbb{E}\lVert\delta_i\rVert^2"
        r" + \sum_{i=1}^{N-1} C^e_{\varepsilon_{i+1}}\mathbb{E}\lVert\varepsilon_{i+1}\rVert^2",
        r"\sum_{i=1}^{N-1} C^b_{\delta_i}\mathbb{E}\lVert\mathbb{E}[\delta_i|\cdot]\rVert^2"
        r" + \sum_{i=1}^{N-1} \tilde C^b_{\delta_i}\mathbb{E}\lVert\delta_i\rVert^4"
        r" + \sum_{i=1}^{N-1} C^b_{\varepsilon_{i+1}}"
        r"\mathbb{E}\lVert\mathbb{E}[\varepsilon_{i+1}|\cdot]\rVert^2",
    )
    if coefficients.family.name == "sharp":
        # The operators' bounds are linear in m_j and e_j², so their norms add up.
        error = r"C^e_{\delta_j}e_j^2"
        bias = r"\left(\sqrt{C^b_{\delta_j}}\,m_j + \sqrt{\tilde C^b_{\delta_j}}\,e_j^2\right)^2"
        lead: Content = (
            "If the only perturbation is ",
            Maths(r"\delta_j"),
            ", of root mean square ",
            Maths("e_j"),
            " and with a conditional mean of size ",
            Maths("m_j"),
            " (for ",
            Maths(r"\varepsilon_j"),
            " alone, ",
            Maths(r"C^e_{\varepsilon_j}\epsilon_j^2"),
            " and ",
            Maths(r"C^b_{\varepsilon_j}n_j^2"),
            " instead):",
        )
    else:
        error, bias = sums
        lead = "With the coefficients of this family:"
    lines = [
        *(arrange(r"\mathrm{(a)}\quad " + ERROR, error, relation=r"\le") or ()),
        *(arrange(r"\mathrm{(b)}\quad " + BIAS, bias, relation=r"\le") or ()),
    ]
    return [Paragraph(lead), Equation(tuple(lines))]
