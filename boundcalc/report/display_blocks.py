"""What notebooks show of a result: the same tables as the report has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundcalc.arithmetic import Number
from boundcalc.arithmetic.number import format_number
from boundcalc.report.cells import Block, Bullets, Code, Column, Content, Maths, Paragraph, Table
from boundcalc.report.findings_of import alone
from boundcalc.report.notation import BIAS, ERROR, sentence
from boundcalc.report.numbers import DOWN, UP, interval, sampled, text_of, value

if TYPE_CHECKING:
    from boundcalc.budgets.results import Budget
    from boundcalc.graph import OperatorGraph
    from boundcalc.rates import Rate, Rates
    from boundcalc.simulate import Run
    from boundcalc.spec.model import Spec
    from boundcalc.theories.perturbed.coefficients import Coefficients
    from boundcalc.verify import Verdict, Verdicts

_LETTERS = 4_000  # of a spec's text that is shown


def number(found: Number) -> tuple[Block, ...]:
    """A number and, in words, how far it can be trusted."""
    cell = value(found, rounding=DOWN if found.limit else UP)
    return (Paragraph((cell, f" {found.status}")),)


def spec(found: Spec) -> tuple[Block, ...]:
    """What a spec is about, section by section."""
    rows: list[tuple[Content, ...]] = [("theory", found.theory)]
    rows.append(("operators", str(len(found.graph.operators))))
    rows += [
        ("symbol", (Code(name), " = ", Code("–" if held is None else held.source)))
        for name, held in found.symbols.items()
    ]
    rows += [(f"loss: {key}", _source(item)) for key, item in found.loss if item is not None]
    rows.append(("perturbations", str(len(found.perturbations))))
    if found.training is not None:
        rows.append(("training: step_size", _source(found.training.step_size)))
        rows.append(("training: horizon", str(found.training.horizon)))
    rows += [
        (name, "yes" if getattr(found, name) is not None else "–")
        for name in ("simulation", "budget", "sweep")
    ]
    where = found.where()
    caption: Content = (Code(found.name), "" if where is None else f", read from {where}", ".")
    return (Table(caption, (Column("section", 5.0), Column("as written", 9.0)), tuple(rows)),)


def _source(item: object) -> Content:
    return Code(str(getattr(item, "source", item)))


def graph(found: OperatorGraph) -> tuple[Block, ...]:
    """The table of operators."""
    from boundcalc.report.network import network_blocks

    return (*network_blocks(alone(found))[1:], *_notes(found.notes))


def coefficients(found: Coefficients) -> tuple[Block, ...]:
    """The table of one family, the bounds at the spec's levels, the Gram matrix if it is small."""
    from boundcalc.report.coefficient_blocks import coefficient_table, gram_table
    from boundcalc.report.results import KINKED, MEASURED

    notes = list(found.graph.notes)
    blocks: list[Block] = []
    if found.missing:
        blocks.append(Paragraph(sentence(f"No coefficients: {found.missing}")))
    else:
        blocks.append(coefficient_table(found))
    bounds = [(ERROR, found.error_bound()), (BIAS, found.bias_bound())]
    items = [(Maths(rf"{symbol}\le"), " ", value(b)) for symbol, b in bounds if b is not None]
    if items:
        blocks.append(Bullets(tuple(items)))
    matrix = None if found.missing else gram_table(found)
    if matrix is not None:
        blocks.append(matrix)
    if found.family.caution:
        notes.append(f"Caution: {found.family.caution}")
    if found.graph.sampled:
        notes.append(MEASURED)
    if any(None in column for column in found.columns.values()):
        notes.append(KINKED)
    return (*blocks, *_notes(notes))


def rates(found: Rates) -> tuple[Block, ...]:
    """A table for each regime."""
    from boundcalc.report.rate_blocks import rate_blocks

    caption = f"Step size {format_number(found.step_size.value)}, horizon {found.horizon}."
    return (Paragraph(caption), *rate_blocks(alone(None, rates=found)), *_notes(found.notes))


def rate(found: Rate) -> tuple[Block, ...]:
    """One family's bound, term by term."""
    rows: list[tuple[Content, ...]] = [
        (name.replace("_", ": "), value(term)) for name, term in found.terms.items()
    ]
    rows.append(("bound", value(found.bound)))
    rows.append(("step-size limit", value(found.step_size_limit, rounding=DOWN)))
    if found.best_step is not None:
        step, there = found.best_step
        rows += [("best step", value(step, rounding=DOWN)), ("bound there", value(there))]
    remarks = [f"Refused: {found.refused}."] if found.refused else []
    return (
        Table(
            f"The bound of the {found.family} family.",
            (Column("term", 5.2), Column(found.family)),
            tuple(rows),
            (*remarks, f"Source: {found.source}."),
        ),
    )


def budget(found: Budget) -> tuple[Block, ...]:
    """The chapter of the report without its figures."""
    from boundcalc.report.budget_blocks import budget_blocks

    return budget_blocks(alone(found.question.graph, budget=found), lambda *_: ())


def run(found: Run) -> tuple[Block, ...]:
    """Every metric with its interval, and the checks at fixed iterates."""
    rows: list[tuple[Content, ...]] = [
        (name.replace("_", " "), sampled(m.mean), interval(m.lo, m.hi))
        for name, m in found.metrics.items()
    ]
    for check in found.checks:
        for name, values, lo, hi in (
            ("error", check.error, check.error_lo, check.error_hi),
            ("bias", check.bias, check.bias_lo, check.bias_hi),
        ):
            worst = int(hi.argmax())
            title = f"{name} at step {check.step}, worst of {len(values)} samples"
            ends = interval(float(lo[worst]), float(hi[worst]))
            rows.append((title, sampled(float(values[worst])), ends))
    return (
        Table(
            f"Measured in {found.steps} steps of {found.replicas} replicas, seed {found.seed}.",
            (
                Column("quantity", 7.0),
                Column("mean"),
                Column(f"{text_of(100 * found.confidence)}% interval", 4.2),
            ),
            tuple(rows),
        ),
    )


def verdicts(found: Verdicts) -> tuple[Block, ...]:
    """The table of verdicts, with what does not hold and what is not claimed."""
    from boundcalc.report.verdict_blocks import verdict_blocks

    return verdict_blocks(alone(found.run.graph, rates=found.rates, verdicts=found))


def verdict(found: Verdict) -> tuple[Block, ...]:
    """One claim."""
    from boundcalc.report.verdict_blocks import verdict_row

    titles = ("claim", "family", "bound", "observed", "interval", "slack", "verdict")
    table = Table("One claim.", tuple(Column(t) for t in titles), (verdict_row(found),))
    return (table, Paragraph(sentence(found.detail)))


def _notes(notes: list[str] | tuple[str, ...]) -> tuple[Block, ...]:
    return (Bullets(tuple(sentence(note) for note in notes)),) if notes else ()
