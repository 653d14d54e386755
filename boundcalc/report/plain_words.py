"""The result in plain words, for a reader who knows networks but not this theory."""

from __future__ import annotations

from dataclasses import replace

from boundcalc.arithmetic import Number
from boundcalc.graph import OperatorGraph, Site
from boundcalc.rates import wide
from boundcalc.report.cells import (
    Block,
    Bullets,
    Code,
    Content,
    Maths,
    Paragraph,
    Piece,
    Strong,
    Value,
)
from boundcalc.report.gather import Findings
from boundcalc.report.notation import BIAS, ERROR, joined, said
from boundcalc.report.numbers import DOWN, EVEN, UP, sampled, value
from boundcalc.report.reading import Reading, reading
from boundcalc.simulate.iterates import IterateCheck

_DIGITS = 3
_WORTH_NAMING = 0.01  # of the error
_ALL = 0.99  # of the error: more than that is called as much

_SIZES = r"\sqrt{" + ERROR + "}"


def plain_blocks(findings: Findings) -> tuple[Block, ...]:
    """What is bounded, how large it is, and where it comes from."""
    facts = reading(findings.coefficients["sharp"])
    blocks: list[Block] = [Paragraph(_bounded(findings.graph))]
    if facts is None:
        reason = findings.coefficients["sharp"].missing or ""
        return (*blocks, Paragraph(joined("There are no numbers to read: ", said(reason), ".")))
    items = [
        *_error(findings, facts),
        *_bias(facts),
        *_share(facts),
        *_sites(findings.graph, facts),
        *_tolerance(findings.graph, facts),
    ]
    return (*blocks, Bullets(tuple(items)))


def _bounded(graph: OperatorGraph) -> Content:
    trust: Content = ""
    if graph.sampled:
        trust = (" ", Strong("The regions were measured, not proved: every number is sampled."))
    return joined(
        "One sample's gradient in all trained weights is ",
        Maths("u"),
        "; with the perturbations the two passes give ",
        Maths(r"\tilde u"),
        " instead. The bounds limit the mean square ",
        Maths(ERROR),
        " and the square of the mean ",
        Maths(BIAS),
        " of the difference, for every sample and all weights in the regions listed under "
        "Assumptions. They have the units of a squared gradient; below, their roots are compared "
        "with ",
        Maths("U"),
        ", the largest ",
        Maths(r"\lVert u\rVert"),
        " that the same constants allow. The numbers are those of the sharp family.",
        trust,
    )


def _error(findings: Findings, facts: Reading) -> list[Content]:
    lead = (Strong("Size."), " The exact gradient: ", *_at_most(r"\lVert u\rVert\le U=", facts))
    if facts.error is None:
        return [(*lead, ". No perturbation is given, so there is no error.")]
    pieces: list[Piece] = [*lead, "; the error, as a root mean square: "]
    pieces += [Maths(rf"{_SIZES}\le"), " ", _up(facts.error)]
    if facts.error_ratio is not None:
        pieces += [", which is ", _up(facts.error_ratio), " of ", Maths("U"), "."]
        if wide(facts.error_ratio.value) > 1:
            pieces.append(
                " So the bound does not exclude that the error is larger than the gradient itself."
            )
    else:
        pieces.append(".")
    checks = findings.verdicts.run.checks if findings.verdicts else ()
    return [tuple(pieces + _observed(checks))]


def _at_most(formula: str, facts: Reading) -> tuple[Piece, ...]:
    return Maths(formula), " ", _up(facts.largest)


def _observed(checks: tuple[IterateCheck, ...]) -> list[Piece]:
    """What the simulation met at its fixed iterates."""
    if not checks:
        return []
    gradient = max(check.scale for check in checks) ** 0.5
    error = max(float(check.error.max()) for check in checks) ** 0.5
    return [
        " In the simulation, at the iterates looked at: ",
        Maths(r"\lVert u\rVert"),
        " at most ",
        sampled(gradient, _DIGITS),
        ", the error at most ",
        sampled(error, _DIGITS),
        ".",
    ]


def _bias(facts: Reading) -> list[Content]:
    if facts.bias is None or facts.error is None:
        return []
    pieces: list[Piece] = [
        Strong("Bias."),
        " The mean of the error, which averaging over draws does not remove: ",
        Maths(r"\lVert\mathbb{E}[\tilde u-u]\rVert\le"),
        " ",
        _up(facts.bias),
    ]
    if facts.bias.value == 0:
        return [(*pieces, ". So averaging removes all of the error.")]
    if facts.bias_ratio is not None:
        pieces += [", which is ", _up(facts.bias_ratio), " of ", Maths("U")]
    if wide(facts.bias.value) > _ALL * wide(facts.error.value):
        pieces.append(". That is as much as the error: averaging is not known to help.")
    else:
        pieces.append(". More samples and smaller steps reduce the rest of the error, not this.")
    return [tuple(pieces)]


def _share(facts: Reading) -> list[Content]:
    """The operators whose weights have the largest parts of the error."""
    if not facts.shares:
        return []
    named = [entry for entry in facts.shares if wide(entry[1].value) >= _WORTH_NAMING]
    named = named or [facts.shares[0]]
    pieces: list[Piece] = [Strong("Where the error is."), " Of the bound on ", Maths(ERROR), ", "]
    for position, (name, share) in enumerate(named):
        if position:
            pieces.append(" and " if position == len(named) - 1 else ", ")
        pieces += [_even(share), " is in the weights of " if not position else " of ", Code(name)]
    left_out = facts.sharing - len(named)
    if left_out:
        pieces.append(f", the rest in {left_out} more")
    return [(*pieces, ".")]


def _sites(graph: OperatorGraph, facts: Reading) -> list[Content]:
    """The largest coefficients."""
    found = [f for f in (facts.forward, facts.backward) if f is not None]
    if not found:
        return []
    pieces: list[Piece] = [
        Strong("Where a perturbation does most."),
        " One of root mean square ",
        Maths("e"),
        " that acts alone makes ",
        Maths(ERROR),
        " at most ",
        Maths("Ce^2"),
        ". ",
        Maths("C"),
        " is largest ",
    ]
    for position, tolerance in enumerate(found):
        pieces += [" and "] if position else []
        pieces += [*_place(graph, tolerance.site), " (", _up(tolerance.coefficient), ")"]
    return [(*pieces, ".", *_unless_kinked(graph))]


def _unless_kinked(graph: OperatorGraph) -> list[Piece]:
    if graph.smooth:
        return []
    return [
        " Forward perturbations that reach a kink have no ",
        Maths("C"),
        ": what they do is bounded, but does not shrink with their size.",
    ]


def _tolerance(graph: OperatorGraph, facts: Reading) -> list[Content]:
    """How large a perturbation alone may be."""
    if facts.forward is None or facts.largest.value == 0:
        return []
    pieces: list[Piece] = [
        Strong("What tolerates least."),
        " Alone, a perturbation at the output of an operator may have ",
        Maths("e=U/\\sqrt{C}"),
        " before the bound on the error reaches ",
        Maths("U"),
        ". " + ("That" if graph.smooth else "Where there is a C at all, that") + " is least for ",
        *_operator(graph, facts.forward.site),
        ": ",
        _down(facts.forward.alone),
    ]
    if facts.relative is not None:
        pieces += [
            "; and in units of the radius of the ball that holds the output, for ",
            *_operator(graph, facts.relative.site),
            ": ",
            _down(facts.relative.alone),
        ]
    return [(*pieces, ".")]


def _operator(graph: OperatorGraph, site: Site) -> tuple[Piece, ...]:
    return Code(site.label), f" (no. {graph.operator_of(site)})"


def _place(graph: OperatorGraph, site: Site) -> tuple[Piece, ...]:
    if site.direction == "forward":
        return "at the output of ", *_operator(graph, site)
    if "->" not in site.label:
        return "in what ", *_operator(graph, site), " passes back"
    u, v = graph.ends[site.index]
    return "in what ", Code(graph.ids[v - 1]), " passes back to ", Code(graph.ids[u - 1])


def _up(number: Number) -> Value:
    return _short(number, UP)


def _down(number: Number) -> Value:
    return _short(number, DOWN)


def _even(number: Number) -> Value:
    return _short(number, EVEN)


def _short(number: Number, rounding: str) -> Value:
    """Three digits, without a fraction."""
    return replace(value(number, _DIGITS, rounding=rounding), fraction=None)
