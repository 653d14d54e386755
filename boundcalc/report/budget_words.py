"""What the terminal and the report both say about a budget, in words."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from boundcalc.arithmetic import Number
from boundcalc.arithmetic.number import worst
from boundcalc.budgets.question import highest, lowest
from boundcalc.budgets.results import Allocation, Budget, Frequency, SiteFormat
from boundcalc.graph import OperatorGraph

#: Regime → the quantity that is bounded.
BOUNDED = {"nonconvex": "(1/T) Σ E‖∇ℓ‖²", "pl": "E[ℓ(w^T) − ℓ*]"}

#: Which mean an event is taken to have → how a table says it.
MEAN_CASES = {"given": "given", "zero": "zero", "full": "= rms"}

#: Direction → what a network calls the values that pass there.
VALUES = {"forward": "activations", "backward": "gradients"}

EVENTS_ON_TOP = (
    "events: at least so many steps apart, with the mean of the spec, on top of all these formats; "
    "each event by itself, not all at once"
)

ASSUMPTIONS = (
    "A1 (∇ℓ is L-Lipschitz)",
    "A2 (sampling noise at most σ²)",
    "A3 (the operators' constants, on their regions)",
)
PL_ASSUMPTION = "A4 (the PL inequality with μ)"


@dataclass(frozen=True)
class Layer:
    """An operator with its sites.

    Attributes
    ----------
    name
        Its id.
    forward
        The label of its output's site; None of the last operator.
    backward
        Labels of the edges along which it passes gradients back.
    """

    name: str
    forward: str | None
    backward: tuple[str, ...]


def layers(graph: OperatorGraph) -> list[Layer]:
    """Every operator with its sites, in order; O(N + edges).

    Examples
    --------
    >>> import boundcalc as bc
    >>> graph = bc.build(bc.loads('''
    ... version: 1
    ... name: a join
    ... graph:
    ...   uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
    ...   operators: [{id: f1}, {id: f2}, {id: f3, inputs: [f1, f2]}]
    ... '''))
    >>> [(layer.forward, layer.backward) for layer in layers(graph)]
    [('f1', ()), ('f2', ('f2',)), (None, ('f1->f3', 'f2->f3'))]
    """
    return [
        Layer(
            node.id,
            node.id if v < graph.size else None,
            tuple(dict.fromkeys(graph.edge_label(e) for e in node.edges if graph.ends[e][0])),
        )
        for v, node in enumerate(graph.nodes, 1)
    ]


def spaced(count: int) -> str:
    """A count with its digits in groups of three.

    >>> spaced(40000), spaced(7)
    ('40 000', '7')
    """
    return f"{count:,}".replace(",", " ")


def how_often(found: Frequency, horizon: int) -> str:
    """How often an event may happen, in words."""
    if found.interval is None:
        return f"not once in {spaced(horizon)} steps"
    if found.interval == 1:
        return "at every step"
    return f"at most one in {spaced(found.interval)} steps"


def headline(found: Budget) -> str:
    """The regime, the family, the run, and what the bound may be, in one sentence."""
    asked = found.question
    section, training = asked.section, asked.graph.spec.training
    assert training is not None  # noqa: S101 - a question has one
    step = "the best step" if asked.best else f"γ = {training.step_size.source}"
    if section.tolerance is not None:
        reason = f"tolerance {section.tolerance.source}"
    else:
        assert section.target is not None  # noqa: S101 - the section has one of the two
        reason = f"target {section.target.source}"
    return (
        f"{asked.regime}, {asked.family.name} family, {step}, T = {spaced(training.horizon)}: "
        f"{BOUNDED[asked.regime]} ≤ {asked.baseline} ({asked.baseline.status}) without "
        f"perturbations, and may be {asked.target} ({asked.target.status}; {reason})"
    )


def basis(found: Budget) -> tuple[str, ...]:
    """The statements that the numbers rest on, and their assumptions."""
    asked = found.question
    family, pl = asked.family, asked.regime == "pl"
    source = family.descent.pl_source if pl else family.descent.nonconvex_source
    named = (*ASSUMPTIONS, PL_ASSUMPTION) if pl else ASSUMPTIONS
    lines = [
        f"statement: {source}, with the coefficients of {family.source}",
        f"assumptions: {', '.join(named)}; docs/theory.md, section 1",
    ]
    if family.caution:
        lines.append(f"caution: {family.caution}")
    return tuple(lines)


def layer_parts(found: Budget) -> list[tuple[str, str, str, str]]:
    """By operator: its id, formats of its activations and gradients, and events, in words.

    A part is empty where nothing is said; operators without any part are left out.
    """
    training = found.question.graph.spec.training
    assert training is not None  # noqa: S101 - a question has one
    formats: dict[tuple[str, str], SiteFormat] = {}
    if found.formats is not None:
        formats = {(s.direction, s.label): s for s in found.formats.sites}
    events: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for row in () if found.formats is None else found.formats.frequencies:
        if row.mean_case == "given":
            where = f"{row.name} in {VALUES[row.direction]}{_towards(row.label)}"
            text = f"{where}: {how_often(row, training.horizon)}"
            events[row.direction, row.label].append(text)
    rows = []
    for layer in layers(found.question.graph):
        forward = [("forward", layer.forward)] if layer.forward else []
        backward = [("backward", label) for label in layer.backward]
        activations = _formats([formats[site] for site in forward if site in formats])
        gradients = _formats([formats[site] for site in backward if site in formats])
        said = "; ".join(text for site in (*forward, *backward) for text in events.get(site, ()))
        if activations or gradients or said:
            rows.append((layer.name, activations, gradients, said))
    return rows


def layer_sentences(found: Budget) -> list[tuple[str, str]]:
    """Operator → the formats of its values and how often events may hit them, as a sentence."""
    return [
        (
            name,
            "; ".join(
                part
                for part in (
                    f"activations {activations}" if activations else "",
                    f"gradients {gradients}" if gradients else "",
                    events,
                )
                if part
            ),
        )
        for name, activations, gradients, events in layer_parts(found)
    ]


def _formats(sites: Sequence[SiteFormat]) -> str:
    """The format of an operator's values: of each edge by itself, unless all have the same."""
    texts = [format_name(site) for site in sites]
    if len(set(texts)) <= 1:
        return "".join(texts[:1])
    return ", ".join(t + _towards(s.label) for t, s in zip(texts, sites, strict=True))


def _towards(label: str) -> str:
    before, arrow, _ = label.partition("->")
    return f" (to {before})" if arrow else ""


def format_name(site: SiteFormat) -> str:
    """A site's format with its rounding; none will do there, or elsewhere, so that it is open."""
    if site.format is None:
        return "left open" if site.note is None else "none that will do"
    return f"{site.format} {site.rounding}"


def cost_unit(found: Budget) -> str:
    """What the cost of an allocation counts."""
    weights = found.question.section.allocation.weights
    return "bits per sample" if weights is None else "by the spec's weights"


def from_below(number: Number) -> Number:
    """The same number as a lower bound, which is printed rounded down."""
    return replace(number, limit=True)


def saving(found: Allocation) -> Number | None:
    """By how many percent an allocation is cheaper than equal bits, rounded down, or None."""
    if found.uniform_cost is None or not float(found.uniform_cost) > 0:
        return None
    part = 1 - highest(found.cost.value) / lowest(found.uniform_cost.value)
    tenths = Fraction(math.floor(1000 * part), 10)
    return Number(tenths, worst(found.cost.status, found.uniform_cost.status), limit=True)
