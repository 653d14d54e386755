"""From a Spec to an OperatorGraph: the only place where names become objects.

The passes run in this order, each on the result of the one before:

1. expand ``repeat``, so that every later pass sees one entry per operator;
2. connect: ids become nodes and ``inputs`` edges (cycles and branches are found here);
3. make operators of the library from ``type`` and its parameters;
4. make the data, which the constants of data-reading operators need;
5. sizes, from the data forward;
6. constants: given, uniform, or derived from the type on its region;
7. perturbations, whose moments need the sizes;
8. check numbers that symbols had hidden until now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from boundcalc.arithmetic import FLOATS, WIDE
from boundcalc.data import make_data
from boundcalc.errors import SpecError, SymbolError, nearest
from boundcalc.graph.connect import Entry, connect, expand
from boundcalc.graph.constants import merged_constants
from boundcalc.graph.locate import located
from boundcalc.graph.model import CONSTANT_NAMES, Node, OperatorGraph
from boundcalc.graph.perturb import make_perturbations
from boundcalc.operators import OPERATORS
from boundcalc.operators.base import Data, Operator, Region
from boundcalc.perturbations import DISTRIBUTIONS
from boundcalc.perturbations.base import Distribution
from boundcalc.spec.expressions import Expression
from boundcalc.spec.loading import library_object
from boundcalc.spec.model import Spec


def build(
    spec: Spec,
    *,
    folder: Path | None = None,
    operators: Mapping[str, type[Operator]] = OPERATORS,
    distributions: Mapping[str, type[Distribution]] = DISTRIBUTIONS,
) -> OperatorGraph:
    """Compile a spec into an operator graph; O(N) time and memory.

    Parameters
    ----------
    spec
        A validated spec.
    folder
        Where the spec's data files lie; the spec's own folder if None.
    operators, distributions
        The libraries that ``type`` and ``model`` refer to.

    Raises
    ------
    SpecError
        For anything in the spec that does not fit together, with its place.
    UnsupportedError
        For a graph that is not a chain.
    DataError
        For a data set that cannot be read.
    """
    with located(spec):
        return _build(spec, folder, operators, distributions)


def _build(
    spec: Spec,
    folder: Path | None,
    operators: Mapping[str, type[Operator]],
    distributions: Mapping[str, type[Distribution]],
) -> OperatorGraph:
    entries = expand(spec)
    edges = connect(entries)
    objects = [_operator(entry, operators, spec) for entry in entries]
    data = None
    if spec.simulation is not None and any(objects):
        data = _data(spec, objects, folder)
    nodes, notes = _nodes(spec, entries, objects, data)
    if data is None and any(objects) and any(p.model for p in spec.perturbations):
        notes.append(
            "no data: the chain's input is read as one number, from which the sizes of "
            "perturbations follow"
        )
    graph = OperatorGraph(
        spec=spec,
        nodes=nodes,
        edges=edges,
        uniform=None if spec.graph.uniform is None else dict(spec.graph.uniform),
        perturbations=(),
        symbols=spec.symbol_values,
        data=data,
        notes=tuple(notes),
    )
    perturbations, more = make_perturbations(spec, graph, distributions)
    graph = replace(graph, perturbations=perturbations, notes=(*notes, *more))
    _check_numbers(graph)
    return graph


def _operator(entry: Entry, operators: Mapping[str, type[Operator]], spec: Spec) -> Operator | None:
    section = entry.section
    if section.type is None:
        return None
    if section.type not in operators:
        close = nearest(section.type, operators)
        raise SpecError(
            "unknown operator type",
            where=f"{entry.where}.type",
            value=section.type,
            expected="one of " + ", ".join(sorted(operators)),
            fix=f"did you mean {close!r}?" if close else "leave `type` out and give `constants`",
        )
    chosen = operators[section.type]
    operator = library_object(chosen, section.parameters, entry.where, spec.symbols)
    # A simulation runs on numbers: parameters get their symbols' values here, once.
    valued = {
        name: value.substitute(spec.symbol_values)
        for name, value in operator
        if isinstance(value, Expression) and value.symbols
    }
    return operator.model_copy(update=valued) if valued else operator


def _data(spec: Spec, objects: list[Operator | None], folder: Path | None) -> Data:
    assert spec.simulation is not None  # noqa: S101 - the caller has looked
    values = {name: value.evaluate(FLOATS) for name, value in spec.symbol_values.items()}
    try:
        data = make_data(spec.simulation.data, folder or spec.folder, values)
        for operator in objects:
            if operator is not None:
                operator.check_labels(data.labels)
    except SpecError as error:
        raise error.located("simulation.data") from None
    return data


def _nodes(
    spec: Spec, entries: list[Entry], objects: list[Operator | None], data: Data | None
) -> tuple[tuple[Node, ...], list[str]]:
    notes: list[str] = []
    size = 1 if data is None else int(data.features.shape[1])
    nodes = []
    for position, (entry, operator) in enumerate(zip(entries, objects, strict=True)):
        first = position == 0
        if operator is not None and operator.reads_data and not first:
            raise SpecError(
                f"a `{operator.type}` operator reads data, so it must come first",
                where=f"{entry.where}.type",
                value=entry.id,
                expected="the first operator of the chain",
                fix="move it to the front, or use another type",
            )
        try:
            outputs = (entry.section.dim or 1) if operator is None else operator.output_size(size)
            weights = 0 if operator is None else operator.weight_size(size)
        except SpecError as error:
            raise error.located(entry.where) from None
        if operator is not None and entry.section.dim not in (None, outputs):
            raise SpecError(
                "the size does not fit the operator type",
                where=f"{entry.where}.dim",
                value=entry.section.dim,
                expected=f"{outputs}, or no `dim` at all",
            )
        region = Region(entry.section.region.input, entry.section.region.weight)
        constants, derived, stated = merged_constants(
            entry, operator, region, spec.graph.uniform, data, first, notes
        )
        nodes.append(
            Node(
                id=entry.id,
                operator=operator,
                constants=constants,
                derived=derived,
                stated=stated,
                region=region,
                inputs=size,
                outputs=outputs,
                weights=weights,
                where=entry.where,
            )
        )
        size = outputs
    _check_sink(nodes[-1])
    return tuple(nodes), list(dict.fromkeys(notes))


def _check_sink(last: Node) -> None:
    if last.outputs != 1:
        raise SpecError(
            "the last operator is the loss, so its output must be one number",
            where=last.where,
            value=f"{last.id}: {last.outputs} outputs",
            expected="1 output",
            fix="end the chain with a loss such as `logistic`, `squared` or `quadratic`",
        )


def _check_numbers(graph: OperatorGraph) -> None:
    """Constants and levels must be numbers ≥ 0 once symbols have values."""
    values = graph.values(WIDE)

    def known(expression: Any, where: str) -> Any:
        try:
            value = expression.evaluate(WIDE, values)
        except SymbolError:
            return None
        except SpecError as error:
            raise error.located(where) from None
        if value < 0:
            raise SpecError(
                "a negative number",
                where=where,
                value=f"{expression} = {value}",
                expected="a number ≥ 0",
                fix="check the values under `symbols`",
            )
        return value

    for key, expression in (graph.uniform or {}).items():
        known(expression, f"graph.uniform.{key}")
    seen: set[int] = set()
    for node in graph.nodes:
        for name in CONSTANT_NAMES:
            expression = getattr(node.constants, name)
            if id(expression) not in seen:
                seen.add(id(expression))
                known(expression, f"{node.where}.constants.{name}")
    training = graph.spec.training
    if training is not None and known(training.step_size, "training.step_size") == 0:
        raise SpecError(
            "a step size of 0",
            where="training.step_size",
            value=str(training.step_size),
            expected="a number > 0",
        )
    for key in ("smoothness", "pl", "initial_gap", "gradient_noise"):
        if (expression := getattr(graph.spec.loss, key)) is not None:
            known(expression, f"loss.{key}")
    for perturbation in graph.perturbations:
        where = perturbation.where
        if perturbation.probability is not None:
            p = known(perturbation.probability, f"{where}.probability")
            if p is not None and p > 1:
                raise SpecError(
                    "a probability above 1",
                    where=f"{where}.probability",
                    value=str(perturbation.probability),
                    expected="a number between 0 and 1",
                )
        if perturbation.rms is None or perturbation.mean is None:
            continue
        rms = known(perturbation.rms, f"{where}.rms")
        mean = known(perturbation.mean, f"{where}.mean")
        fourth = (
            None if perturbation.fourth is None else known(perturbation.fourth, f"{where}.fourth")
        )
        if mean is not None and rms is not None and mean > rms:
            raise _out_of_order("mean", perturbation.mean, "rms", perturbation.rms, where)
        if fourth is not None and rms is not None and rms > fourth:
            raise _out_of_order("rms", perturbation.rms, "fourth", perturbation.fourth, where)


def _out_of_order(low: str, x: Any, high: str, y: Any, where: str) -> SpecError:
    return SpecError(
        f"{low} is larger than {high}",
        where=f"{where}.{low}",
        value=f"{low} {x}, {high} {y}",
        expected="mean ≤ rms ≤ fourth, since ‖E δ‖ ≤ √E‖δ‖² ≤ (E‖δ‖⁴)^(1/4)",
        fix=f"lower `{low}` or raise `{high}`",
    )
