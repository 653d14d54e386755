"""From linked entries to nodes: objects, shapes, regions and constants, from the data forward."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from boundcalc.errors import SpecError
from boundcalc.graph import domains
from boundcalc.graph.changes import ForwardSites
from boundcalc.graph.connect import Links
from boundcalc.graph.constants import merged_constants
from boundcalc.graph.ends import check_data, check_labels, check_sink, shape_text
from boundcalc.graph.expand import Entry
from boundcalc.graph.making import Making, again
from boundcalc.graph.parts import NoConstants, Node
from boundcalc.graph.values import initial_values
from boundcalc.operators.base import ANYWHERE, ZERO, Array, Data, Domain, Operator, Region, Shape
from boundcalc.spec.model import Spec
from boundcalc.spec.sections import OperatorSection


def make_nodes(
    spec: Spec,
    links: Links,
    objects: list[Operator | None],
    data: Data | None,
    shifted: ForwardSites,
    folder: Path,
    numbers: Mapping[str, float],
    *,
    lenient: bool = False,
) -> tuple[tuple[Node, ...], list[str]]:
    """All nodes in topological order, and remarks on how they were read; O(N + edges).

    Parameters
    ----------
    objects
        By operator, in topological order: its library object, or None.
    shifted
        What the perturbations do to where the outputs lie.
    folder
        Where files of weights lie.
    numbers
        Values of symbols.
    lenient
        Whether an operator may be without constants.

    Raises
    ------
    SpecError, DataError
        For shapes that do not fit, constants that are missing, or a region without a bound.
    """
    making = Making(
        spec, links, objects, data, shifted, folder, numbers, spec.symbol_values, lenient
    )
    section = spec.graph.input
    if section.shape is not None:
        making.shapes.append(tuple(section.shape))
    else:
        making.shapes.append((1 if data is None else int(data.features.shape[1]),))
    check_data(making)
    size = prod(making.shapes[0])
    making.regions.append(domains.data_domain(section, data, making.symbols).within(size))
    making.outputs.append(None if data is None else data.features[None])
    for v in range(1, len(links.entries) + 1):
        _make(making, v)
    check_sink(making.nodes[-1])
    return tuple(making.nodes), list(dict.fromkeys(making.notes))


def _make(making: Making, v: int) -> None:
    entry, reads = making.links.entries[v - 1], making.links.reads[v]
    section, operator = entry.section, making.objects[v - 1]
    template = (id(section), len(reads), reads == (0,)) if operator is None else None
    if template in making.templates:
        node = again(making.templates[template], entry, v, making.links)
        making.shifted.after(entry.id, v, ANYWHERE, node.shape)
        making.append(node, None)
        return
    shapes = tuple(making.shapes[u] for u in reads)
    size = sum(prod(shape) for shape in shapes)
    if operator is not None:
        operator = _shaped(making, operator, entry, shapes)
        if operator.reads_data and reads != (0,):
            raise SpecError(
                f"a `{operator.type}` operator reads data, so it must come first",
                where=f"{entry.where}.type",
                value=entry.id,
                expected="an operator that reads the data: the first, or one with `inputs: []`",
                fix="move it to the front, or use another type",
            )
        shape = operator.output_shape
        weights = operator.weight_size(size)
        check_labels(making, operator)
    else:
        shape, weights = (section.dim or 1,), 0
    if operator is not None and section.dim not in (None, prod(shape)):
        raise SpecError(
            "the size does not fit the operator type",
            where=f"{entry.where}.dim",
            value=section.dim,
            expected=f"{prod(shape)}, or no `dim` at all",
        )
    shared = _shared(making, entry, v, weights)
    values = initial_values(entry, weights, making.folder, making.numbers)
    if shared is not None and shared.values is not None:
        values = shared.values
    region = _region(making, entry, reads, size, operator, values)
    constants, derived, stated = _constants(making, entry, operator, region, reads == (0,), values)
    output = _visited(making, entry, operator, weights, values, reads)
    domain = _output_domain(making, operator, region, output)
    domain = making.shifted.after(entry.id, v, domain, shape)
    node = Node(
        id=entry.id,
        operator=operator,
        constants=constants,
        derived=derived,
        stated=stated,
        region=region,
        inputs=size,
        outputs=prod(shape),
        weights=weights,
        where=entry.where,
        reads=reads,
        edges=making.links.slots[v],
        shape=shape,
        group=shared.group if shared else v,
        trainable=section.trainable,
        values=values,
        domain=domain,
    )
    if section.weights is not None:
        making.groups.setdefault(section.weights, node)
    elif template is not None and not _by_name(section):
        making.templates[template] = node
    making.append(node, output)


def _shaped(
    making: Making, operator: Operator, entry: Entry, shapes: tuple[Shape, ...]
) -> Operator:
    """The operator made for its inputs; repeats of one section with one shape share it."""
    key = (id(operator), shapes)
    if key not in making.shaped:
        try:
            made = operator.shaped(shapes)
            made.output_size(sum(prod(shape) for shape in shapes))
        except SpecError as error:
            if len(shapes) > 1 or error.value is None:
                sources = entry.inputs or ("data",)
                error = SpecError(
                    error.problem,
                    where=error.where,
                    value="; ".join(
                        f"{u}->{entry.id} has shape {shape_text(shape)}"
                        for u, shape in zip(sources, shapes, strict=True)
                    ),
                    expected=error.expected,
                    fix=error.fix,
                )
            raise error.located(entry.where) from None
        making.shaped[key] = made
    return making.shaped[key]


def _shared(making: Making, entry: Entry, v: int, weights: int) -> Node | None:
    """The first operator with the same `weights:`, if this is not it."""
    name = entry.section.weights
    first = making.groups.get(name) if name is not None else None
    if first is None:
        return None
    if first.weights != weights or first.trainable != entry.section.trainable:
        raise SpecError(
            "operators that share weights do not have the same",
            where=f"{entry.where}.weights",
            value=f"{first.id}: {first.weights}, {entry.id}: {weights}",
            expected="as many weights in each, all trainable or none",
            fix="give them the same type and inputs of the same size",
        )
    initial = making.links.entries[first.group - 1].section.initial
    if entry.section.initial not in (None, initial):
        raise SpecError(
            "operators that share weights start from different ones",
            where=f"{entry.where}.initial",
            value=f"{first.id} and {entry.id}",
            expected=f"the `initial` of {first.id}, or none",
            fix=f"give `initial` to {first.id} alone",
        )
    return first


def _region(
    making: Making,
    entry: Entry,
    reads: tuple[int, ...],
    size: int,
    operator: Operator | None,
    values: Array | None,
) -> Region:
    """Where the input lies: what is stated, cut by what is known of the operators before."""
    section: OperatorSection = entry.section
    stated = domains.stated_domain(section.region, making.symbols)
    if reads == (0,) and making.data is not None:
        out = domains.outside(stated, making.data.features)
        if out:
            making.notes.append(
                f"the data are not where {entry.id} says that its input is ({out}): what is "
                "computed for it supposes other data, and `verify` leaves it undetermined"
            )
    known = [making.regions[u] for u in reads]
    sizes = [prod(making.shapes[u]) for u in reads]
    if operator is None:
        inputs = stated
    else:
        before = domains.together(known, sizes)
        inputs = domains.settled(domains.met(stated, before, size), making.symbols)
    parts: tuple[Domain, ...] = ()
    if operator is not None and len(reads) > 1:
        # What holds for all inputs as one vector holds for each.
        parts = tuple(
            domains.settled(domains.met(stated, part, n), making.symbols)
            for part, n in zip(known, sizes, strict=True)
        )
    center, change = None, None
    if values is not None:
        change = section.region.weight_change
        if change is not None:
            change = domains.settled_size(change, making.symbols)
        if not section.trainable:
            change = ZERO
        center = values if change is not None else None
    return domains.region_of(section.region, inputs, parts, center, change)


def _constants(
    making: Making,
    entry: Entry,
    operator: Operator | None,
    region: Region,
    reads_data: bool,
    values: Array | None,
) -> Any:
    """Constants of one operator; repeats of one section on one region share them."""
    spec, section = making.spec, entry.section
    if not section.trainable and values is None and operator is not None:
        raise SpecError(
            "an operator that is not trained has no weights to keep",
            where=f"{entry.where}.trainable",
            value=entry.id,
            expected="`initial` weights together with `trainable: false`",
            fix="add initial: {file: …, arrays: […]}, or another source",
        )
    key = (
        id(section),
        id(operator),
        str(region.input),
        region.low,
        region.high,
        region.parts,
        id(values),
        len(entry.inputs),
        reads_data,
        entry.inputs if _by_name(section) else None,
    )
    if key not in making.constants:
        try:
            making.constants[key] = merged_constants(
                entry, operator, region, spec.graph.uniform, making.data, reads_data, making.notes
            )
        except SpecError as error:
            if not making.lenient:
                raise
            making.constants[key] = (NoConstants(error), None, frozenset())
    return making.constants[key]


def _by_name(section: OperatorSection) -> bool:
    return any(isinstance(value, dict) for _, value in section.constants)


def _visited(
    making: Making,
    entry: Entry,
    operator: Operator | None,
    weights: int,
    values: Array | None,
    reads: tuple[int, ...],
) -> Array | None:
    """The unperturbed outputs on the data, where regions are to be measured."""
    if making.spec.graph.regions != "visited":
        return None
    inputs = [making.outputs[u] for u in reads]
    if operator is None or making.data is None or any(y is None for y in inputs):
        raise SpecError(
            "regions cannot be measured",
            where="graph.regions",
            value=f"{entry.id} cannot be run",
            expected="data, and a `type` for every operator",
            fix="use regions: propagated",
        )
    w = np.zeros(weights) if values is None else values
    y = np.concatenate([array for array in inputs if array is not None], axis=-1)
    return operator.forward(y, w[None], making.data.labels[None])


def _output_domain(
    making: Making, operator: Operator | None, region: Region, output: Array | None
) -> Domain:
    if output is not None:
        return domains.visited_domain(output, making.spec.graph.margin, making.numbers)
    if operator is None:
        return ANYWHERE
    try:
        return operator.output_domain(region, making.data)
    except SpecError:
        return ANYWHERE  # a bound is missing; whoever needs it will ask for it
