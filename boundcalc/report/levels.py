"""The perturbations: where, how large, and when."""

from __future__ import annotations

from boundcalc.arithmetic import Arithmetic, Number, Scalar, Status
from boundcalc.arithmetic.best import in_best_kind
from boundcalc.errors import SymbolError
from boundcalc.graph import OperatorGraph
from boundcalc.graph.parts import Perturbation
from boundcalc.perturbations.schedules import Always, Every, First, Last, Schedule, Steps
from boundcalc.report.cells import Code, Column, Content, Maths, Table
from boundcalc.report.notation import formula, place, plural
from boundcalc.report.numbers import value
from boundcalc.report.rows import name_width, shortened_rows


def perturbation_table(graph: OperatorGraph) -> Table:
    """One row for each perturbation at each site."""
    rows = tuple(_row(graph, perturbation) for perturbation in graph.perturbations)
    shown, note = shortened_rows(rows, "perturbations")
    return Table(
        caption="The perturbations. Moments are those of the whole vector.",
        columns=(
            Column("place", name_width(graph.ids, 2.3)),
            Column("pass", 1.6),
            Column("law of a component", 3.1),
            Column("rms"),
            Column("mean"),
            Column("fourth"),
            Column("zero-mean", 1.3),
            Column("acts", 2.2),
        ),
        rows=shown,
        remarks=(
            (
                "rms is ",
                Maths(r"(\mathbb{E}\lVert\cdot\rVert^2)^{1/2}"),
                ", mean the size of the conditional mean, fourth ",
                Maths(r"(\mathbb{E}\lVert\cdot\rVert^4)^{1/4}"),
                ". Zero-mean is meant conditionally on what came before.",
            ),
            *note,
        ),
    )


def _row(graph: OperatorGraph, perturbation: Perturbation) -> tuple[Content, ...]:
    rms, mean, fourth, centred = _levels(graph, perturbation)
    backward = perturbation.direction == "backward"
    label = graph.edge_label(perturbation.edge) if backward else graph.ids[perturbation.site - 1]
    return (
        place(label),
        perturbation.direction,
        law(perturbation),
        rms,
        mean,
        fourth,
        centred,
        when(perturbation),
    )


def _levels(graph: OperatorGraph, p: Perturbation) -> tuple[Content, Content, Content, Content]:
    try:
        rms, mean, root = (_number(graph, p, part) for part in range(3))
    except SymbolError:
        return _symbolic(graph, p)
    assert rms is not None  # noqa: S101 - only the fourth moment may be missing
    assert mean is not None  # noqa: S101 - the same
    return (
        value(rms, 4),
        value(mean, 4),
        "not given" if root is None else value(root, 4),
        "yes" if mean.value == 0 else "no",
    )


def _number(graph: OperatorGraph, p: Perturbation, part: int) -> Number | None:
    """rms, mean or fourth in the best kind for it alone: one may be rational, another not."""

    def compute(kind: Arithmetic) -> Scalar:
        found = p.level(kind, graph.values(kind))[part]
        return kind.sqrt(kind.sqrt(found)) if part == 2 and found is not None else found

    found, proved = in_best_kind(compute, 1)
    status = Status.PROVED if proved else Status.COMPUTED
    return None if found is None else Number(found, status)


def _symbolic(graph: OperatorGraph, p: Perturbation) -> tuple[Content, Content, Content, Content]:
    if p.rms is None or p.mean is None:
        return "symbolic", "symbolic", "symbolic", "–"
    last: Content = "not given" if p.fourth is None else formula(graph, p.fourth)
    return formula(graph, p.rms), formula(graph, p.mean), last, "–"


def law(perturbation: Perturbation) -> Content:
    """The model with its parameters, or that only moments are given."""
    model = perturbation.transform or perturbation.distribution
    if model is None:
        return "by its moments"
    given = model.model_dump(exclude_none=True, by_alias=True, exclude_unset=True)
    if perturbation.memory is not None:
        given["memory"] = perturbation.memory
    inside = ", ".join(f"{name} = {entry_text(entry)}" for name, entry in given.items())
    return Code(f"{model.model}({inside})")


def entry_text(entry: object) -> str:
    """A parameter as the spec has it."""
    source = entry.get("source") if isinstance(entry, dict) else getattr(entry, "source", None)
    return str(entry if source is None else source)


def when(perturbation: Perturbation) -> Content:
    """The steps at which it acts, and with what probability."""
    text = _schedule(perturbation.schedule)
    if perturbation.probability is None:
        return text
    return (f"{text}, with probability ", Code(perturbation.probability.source))


def _schedule(schedule: Schedule) -> str:
    if isinstance(schedule, Always):
        return "every step"
    if isinstance(schedule, Every):
        return "every step" if schedule.every == 1 else f"every {schedule.every} steps"
    if isinstance(schedule, Steps):
        return plural(len(schedule.steps), "listed step")
    if isinstance(schedule, First):
        return f"the first {plural(schedule.first, 'step')}"
    if isinstance(schedule, Last):
        return f"the last {plural(schedule.last, 'step')}"
    return repr(schedule)
