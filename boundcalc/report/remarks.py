"""What else is assumed about operators: shared and frozen weights, kinks, measured regions."""

from __future__ import annotations

from collections.abc import Sequence

from boundcalc.graph import OperatorGraph
from boundcalc.report.cells import Block, Bullets, Code, Content, Maths, Paragraph, Piece, Strong
from boundcalc.report.constants import is_kinked
from boundcalc.report.notation import joined, plural, stated

_NAMED = 6  # operators of each kind that are named
_GROUPS = 12  # sets of shared weights that are listed


def measured_regions(graph: OperatorGraph) -> tuple[Block, ...]:
    """The warning that comes first where regions were measured, or nothing."""
    if not graph.sampled:
        return ()
    text: Content = (
        Strong("Nothing below is proved: the regions of A3 were measured."),
        " The spec says ",
        Code("regions: visited"),
        ". Each region is what one pass of the data without perturbations visits at the weights "
        "that training starts from, enlarged by the factor ",
    )
    rest = (
        ". Whether training and perturbations leave it is for the simulation to say. So the "
        "status of every bound is sampled."
    )
    return (Paragraph(joined(text, stated(graph, graph.spec.graph.margin), rest)),)


def operator_remarks(graph: OperatorGraph) -> tuple[Block, ...]:
    """A list of what holds for some operators only; nothing where there is nothing to say."""
    items = [*_shared(graph), *_frozen(graph), *_kinks(graph)]
    if not items:
        return ()
    return (Paragraph("About some operators:"), Bullets(tuple(items)))


def _shared(graph: OperatorGraph) -> list[Content]:
    groups: dict[int, list[str]] = {}
    for node in graph.nodes:
        groups.setdefault(node.group, []).append(node.id)
    found = [(number, ids) for number, ids in groups.items() if len(ids) > 1]
    items: list[Content] = []
    for number, ids in found[:_GROUPS]:
        weights = plural(graph.nodes[number - 1].weights, "number")
        items.append(
            joined(
                Strong("Shared weights."),
                " ",
                listed(ids),
                f" use the same {weights}. The gradient in them is the sum of what each of them "
                "gives, so bounds are added before they are squared.",
            )
        )
    if len(found) > _GROUPS:
        more = plural(len(found) - _GROUPS, "more set")
        items.append(f"Likewise {more} of shared weights.")
    return items


def _frozen(graph: OperatorGraph) -> list[Content]:
    ids = [node.id for node in graph.nodes if node.weights and not node.trainable]
    if not ids:
        return []
    return [
        joined(
            Strong("Frozen weights."),
            " ",
            listed(ids),
            f" {'keeps its' if len(ids) == 1 else 'keep their'} values, so there is no gradient in "
            "them: ",
            Maths("b=B=B'=0"),
            ".",
        )
    ]


def _kinks(graph: OperatorGraph) -> list[Content]:
    ids = [node.id for node in graph.nodes if is_kinked(node.constants)]
    if not ids:
        return []
    return [
        joined(
            Strong("Kinks."),
            " The Jacobian of ",
            listed(ids),
            " jumps. Only bounds of first order exist there: the bound on the error is valid, but "
            "does not go to zero with the perturbations; a mean is bounded by the root mean "
            "square. The Jacobian at the kink is the one that the backward pass uses "
            "(docs/theory.md, section 4.8, Kinks).",
        )
    ]


def listed(ids: Sequence[str]) -> Content:
    """Some ids in a sentence; of many the first few.

    >>> listed(["a", "b"])
    (Code(text='a'), ' and ', Code(text='b'))
    """
    pieces: list[Piece] = []
    shown = ids if len(ids) <= _NAMED else ids[: _NAMED - 1]
    for position, name in enumerate(shown):
        last = position == len(ids) - 1
        pieces += [" and " if last else ", "] if position else []
        pieces.append(Code(name))
    if len(shown) < len(ids):
        pieces.append(f" and {len(ids) - len(shown)} more")
    return tuple(pieces)
