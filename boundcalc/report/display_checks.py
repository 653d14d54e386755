"""What notebooks show of attacks, claims and sweeps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from boundcalc.arithmetic import Status
from boundcalc.report.cells import (
    Block,
    Bullets,
    Code,
    Column,
    Content,
    Maths,
    Paragraph,
    Strong,
    Table,
    Value,
)
from boundcalc.report.notation import BIAS, ERROR, PL, plural, sentence
from boundcalc.report.numbers import DOWN, NONE, UP, interval, sampled, text_of
from boundcalc.report.rows import shortened_rows

if TYPE_CHECKING:
    from boundcalc.sweeps.results import Point, SweepResult
    from boundcalc.verify.adversary.attack import Attack
    from boundcalc.verify.claims.outcome import Outcome, Part

_OBJECTIVES = {"error": ERROR, "bias": BIAS, "floor": PL}


def attack(found: Attack) -> tuple[Block, ...]:
    """What was attained, against every family's bound."""
    status = Status.SAMPLED if found.uncertainty else Status.COMPUTED
    rows: list[tuple[Content, ...]] = []
    for name, bound in found.bounds.items():
        fraction = found.fractions[name]
        rows.append(
            (
                name,
                Value(text_of(found.attained, 5, rounding=DOWN), status),
                Value(text_of(bound, rounding=UP), Status.COMPUTED),
                Value("above 0" if math.isinf(fraction) else text_of(fraction, 4, rounding=DOWN)),
                "violated" if name in found.violated else "not beaten",
            )
        )
    searched = (
        f"{found.evaluations} candidates from {plural(found.starts, 'start')}, seed {found.seed}. "
        "What is attained is a lower bound on the worst case."
    )
    table = Table(
        ("The largest ", Maths(_OBJECTIVES[found.objective]), " that was found."),
        (
            Column("family", 2.4),
            Column("attained"),
            Column("bound"),
            Column(Maths(r"\sqrt{\text{attained}/\text{bound}}")),
            Column("status", 2.4),
        ),
        tuple(rows),
        (searched,),
    )
    return (table, *_notes(found.notes))


def outcome(found: Outcome) -> tuple[Block, ...]:
    """The verdict for every length, and on the claim."""
    symbol = _OBJECTIVES.get(found.statement, ERROR)
    table = Table(
        (Code(found.name), ": a bound on ", Maths(symbol), "."),
        (
            Column(Maths("N")),
            Column("verdict", 4.0),
            Column("status", 2.4),
            Column("boxes"),
            Column("proved share"),
            Column(Maths(r"\sqrt{\text{attained}/\text{claim}}")),
        ),
        tuple(_part(part) for part in found.parts),
    )
    verdict: Content = (Strong(found.verdict), f" ({found.status}).")
    more = (f"Assuming {found.assumption}",) if found.assumption else ()
    return (table, Paragraph(verdict), *_notes((*found.notes, *more)))


def _part(part: Part) -> tuple[Content, ...]:
    strongest: Content = NONE
    if part.assaults:
        best = part.assaults[0]
        fraction = best.fraction
        text = "∞" if math.isinf(fraction) else text_of(fraction, 5, rounding=DOWN)
        strongest = Value(text, best.status)
    share = text_of(100 * float(part.share), 4, rounding=DOWN)
    boxes = str(part.boxes)
    return (str(part.size), part.verdict, str(part.status), boxes, f"{share} %", strongest)


def sweep(found: SweepResult) -> tuple[Block, ...]:
    """A row for each point: its settings, whether it is finite, and the metrics."""
    from boundcalc.sweeps.table import metric_names

    names = metric_names(found.points)
    paths = found.grid.paths
    rows = tuple(_point(point, paths, names) for point in found.points)
    shown, note = shortened_rows(rows, "points")
    missing = found.grid.size - len(found.points)
    left = (f"{plural(missing, 'point')} of {found.grid.size} not done yet.",) if missing else ()
    columns = (
        Column("point"),
        *(Column(Code(path), 3.0) for path in paths),
        Column("seed"),
        Column("status", 2.2),
        *(Column(name.replace("_", " ")) for name in names),
    )
    caption = (Code(found.spec.name), f": {plural(found.grid.size, 'point')}.")
    return (Table(caption, columns, shown, (*left, *note)),)


def _point(point: Point, paths: tuple[str, ...], names: tuple[str, ...]) -> tuple[Content, ...]:
    cells: list[Content] = [str(point.index)]
    cells += [Code(point.settings.get(path, "")) for path in paths]
    cells += [str(point.seed), point.status]
    for name in names:
        metric = point.metrics.get(name)
        cells.append(
            NONE
            if metric is None
            else (sampled(metric.mean), " ", *interval(metric.lo, metric.hi, 3))
        )
    return tuple(cells)


def _notes(notes: tuple[str, ...]) -> tuple[Block, ...]:
    return (Bullets(tuple(sentence(note) for note in notes)),) if notes else ()
