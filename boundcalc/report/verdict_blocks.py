"""The summary and the verdict table."""

from __future__ import annotations

from collections import Counter

from boundcalc.report.cells import (
    Block,
    Bullets,
    Column,
    Content,
    Mark,
    Maths,
    Paragraph,
    Piece,
    Strong,
    Table,
    Value,
)
from boundcalc.report.gather import Findings
from boundcalc.report.notation import BIAS, ERROR, joined, plural, said
from boundcalc.report.numbers import DOWN, NONE, interval, sampled, text_of, value
from boundcalc.report.refusals import chain_or_graph, refused_families
from boundcalc.theories.perturbed.families import FAMILIES
from boundcalc.verify import Verdict

_OUTCOMES = ("holds", "violated", "undetermined")

LEGEND: Content = (
    "A small letter after a number says how far it can be trusted: ",
    Strong("p"),
    " proved (exact or enclosed between rounded ends, from the stated assumptions), ",
    Strong("c"),
    " computed (the same formula in floating point, or a statement that is not proved), ",
    Strong("s"),
    " sampled (from the simulation), ",
    Strong("u"),
    " undetermined. Numbers without a letter are stated by the spec, or count something. Upper "
    "bounds are rounded up, limits down, confidence intervals outwards.",
)


def summary(findings: Findings) -> tuple[Block, ...]:
    """What was found: the verdict, then one sentence for each family."""
    graph = findings.graph
    size = (
        f"The spec is {chain_or_graph(graph)} with "
        f"{plural(len(graph.perturbations), 'perturbation')}."
    )
    return (
        Paragraph((Strong(_headline(findings)), " ", size)),
        Bullets(tuple(_family(findings, name) for name in findings.coefficients)),
        Paragraph(LEGEND),
    )


def _headline(findings: Findings) -> Content:
    if findings.verdicts is None:
        return _unchecked(findings)
    found = findings.verdicts.verdicts
    if not found:
        return "No claim could be checked: no family makes one here."
    counts: Counter[str] = Counter(verdict.status for verdict in found)
    if counts["holds"] == len(found):
        return f"{plural(len(found), 'claim')} checked: all hold."
    words = {
        "holds": "hold" if counts["holds"] != 1 else "holds",
        "violated": "violated",
        "undetermined": "undetermined",
    }
    shares = [f"{counts[o]} {words[o]}" for o in _OUTCOMES if counts[o] or o == "holds"]
    return f"{plural(len(found), 'claim')} checked: {', '.join(shares)}."


def _unchecked(findings: Findings) -> Content:
    return joined("No claim was checked by simulation: ", said(findings.no_verdicts), ".")


def _family(findings: Findings, name: str) -> Content:
    coefficients = findings.coefficients[name]
    title = FAMILIES[name].title
    if coefficients.refused:
        return Strong(name), f" ({title}): makes no statement here; see Statements."
    pieces: list[Piece] = [Strong(name), "" if title == name else f" ({title})"]
    bounds = [
        (ERROR, coefficients.error_bound()),
        (BIAS, coefficients.bias_bound()),
    ]
    known = [(symbol, number) for symbol, number in bounds if number is not None]
    pieces.append(": " if known or findings.verdicts else ": no numerical bound.")
    for position, (symbol, number) in enumerate(known):
        if position:
            pieces.append(", ")
        pieces += [Maths(rf"{symbol}\le"), " ", value(number)]
    if findings.verdicts is not None:
        own = [v for v in findings.verdicts.verdicts if v.family == name]
        pieces += ["; " if known else "", *_outcome(own)]
    elif known:
        pieces.append(".")
    caution = FAMILIES[name].caution
    if caution:
        pieces += (" Caution: ", caution, ".")
    return tuple(piece for piece in pieces if piece != "")


def _outcome(own: list[Verdict]) -> list[Piece]:
    if not own:
        return ["no claim to check."]
    held = sum(verdict.status == "holds" for verdict in own)
    text = f"{held} of {plural(len(own), 'claim')} {'holds' if held == 1 else 'hold'}"
    slacks = [(v.slack, v.claim) for v in own if v.status == "holds" and v.slack is not None]
    pieces: list[Piece] = [text]
    if slacks:
        slack, claim = min(slacks)
        number = sampled(slack, 3, rounding=DOWN)
        pieces += [", the tightest ", f"({claim}) within a factor of ", number]
    for status in ("violated", "undetermined"):
        claims = [verdict.claim for verdict in own if verdict.status == status]
        if claims:
            pieces.append(f"; {status}: {', '.join(claims)}")
    return [*pieces, "."]


def verdict_blocks(findings: Findings) -> tuple[Block, ...]:
    """The verdict table, remarks on what does not hold, and claims that were not made."""
    verdicts = findings.verdicts
    if verdicts is None:
        return (Paragraph(_unchecked(findings)),)
    blocks: list[Block] = []
    if verdicts.verdicts:
        blocks.append(_table(findings, verdicts.verdicts))
    remarks = tuple(
        joined(Strong(f"{v.claim}, {v.family}"), ": ", said(v.detail), ".")
        for v in verdicts.verdicts
        if v.status != "holds"
    )
    if remarks:
        blocks += [Paragraph("Claims that do not hold, and where:"), Bullets(remarks)]
    refused = refused_families(findings)
    covered = [entry for entry in verdicts.skipped if entry[1] not in refused]
    if covered:
        skipped = tuple(
            joined(Strong(f"{claim}, {family}"), ": ", said(reason), ".")
            for claim, family, reason in covered
        )
        blocks += [Paragraph("Claims that are not made here:"), Bullets(skipped)]
    return tuple(blocks)


def _table(findings: Findings, verdicts: tuple[Verdict, ...]) -> Table:
    assert findings.verdicts is not None  # noqa: S101 - the caller has looked
    run = findings.verdicts.run
    confidence = text_of(100 * run.confidence)
    return Table(
        caption="Every bound against the simulation. For a fixed iterate, the sample that is "
        "hardest for the bound is shown.",
        columns=(
            Column("claim", 2.4),
            Column("family", 1.4),
            Column("bound"),
            Column("observed"),
            Column(f"{confidence}% interval", 3.9),
            Column("slack"),
            Column("verdict", 2.15),
        ),
        rows=tuple(verdict_row(verdict) for verdict in verdicts),
        remarks=(
            "Slack is bound / observed, rounded down. A claim holds if the whole interval lies "
            "below the bound, is violated if all of it lies above, and is undetermined "
            "otherwise or where an assumption fails in the simulation. Observations of a squared "
            "mean are unbiased estimates and may be slightly negative.",
        ),
    )


def verdict_row(verdict: Verdict) -> tuple[Content, ...]:
    """Claim, family, bound, observation, interval, slack and verdict."""
    slack: Value = NONE if verdict.slack is None else sampled(verdict.slack, 3, rounding=DOWN)
    return (
        verdict.claim,
        verdict.family,
        value(verdict.bound, 4),
        sampled(verdict.observed, 3),
        interval(*verdict.ci, digits=3),
        slack,
        Mark(verdict.status, verdict.status),
    )
