"""From a Spec to an OperatorGraph: the only place where names become objects.

The passes run in this order, each on the result of the one before:

1. expand ``repeat`` and ``block``, so that every later pass sees one entry per operator;
2. connect: ids become numbers and ``inputs`` edges (cycles and second sinks are found here);
3. make operators of the library from ``type`` and its parameters;
4. place the perturbations, since what they do to an output enlarges the regions after it;
5. make the data, which the constants of data-reading operators need;
6. nodes, from the data forward: shapes, regions, and constants, which are given, uniform,
   or derived from the type on its region; and the moments of what transforms an output,
   which need the region before it;
7. perturbations, whose moments need the sizes, and backward what the constants say;
8. check numbers that symbols had hidden until now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from boundcalc.arithmetic import FLOATS
from boundcalc.data import make_data
from boundcalc.errors import SpecError, nearest
from boundcalc.graph.changes import ForwardSites
from boundcalc.graph.check import check_numbers
from boundcalc.graph.connect import connect
from boundcalc.graph.expand import Entry, expand
from boundcalc.graph.locate import located
from boundcalc.graph.merge import merged_runs, merging_note
from boundcalc.graph.model import OperatorGraph
from boundcalc.graph.nodes import make_nodes
from boundcalc.graph.perturb import make_perturbations
from boundcalc.graph.place import place
from boundcalc.graph.substitute import with_symbols
from boundcalc.operators import OPERATORS
from boundcalc.operators.base import Data, Operator
from boundcalc.perturbations import DISTRIBUTIONS, TRANSFORMS
from boundcalc.perturbations.base import Distribution
from boundcalc.perturbations.transform import Transform
from boundcalc.spec.loading import library_object
from boundcalc.spec.model import Spec


def build(
    spec: Spec,
    *,
    folder: Path | None = None,
    operators: Mapping[str, type[Operator]] = OPERATORS,
    distributions: Mapping[str, type[Distribution]] = DISTRIBUTIONS,
    transforms: Mapping[str, type[Transform]] = TRANSFORMS,
    lenient: bool = False,
) -> OperatorGraph:
    """Compile a spec into an operator graph; O(N) time and memory.

    Parameters
    ----------
    spec
        A validated spec.
    folder
        Where the spec's data files lie; the spec's own folder if None.
    operators, distributions, transforms
        The libraries that ``type`` and ``model`` refer to, a model of either kind.
    lenient
        Whether operators may lack constants, for theories that read none: the error comes
        when one is read.

    Raises
    ------
    SpecError
        For anything in the spec that does not fit together, with its place.
    DataError
        For a data set that cannot be read.
    """
    with located(spec):
        return _build(spec, folder, operators, distributions, transforms, lenient)


def _build(
    spec: Spec,
    folder: Path | None,
    operators: Mapping[str, type[Operator]],
    distributions: Mapping[str, type[Distribution]],
    transforms: Mapping[str, type[Transform]],
    lenient: bool,
) -> OperatorGraph:
    links = connect(expand(spec))
    numbers = {name: value.evaluate(FLOATS) for name, value in spec.symbol_values.items()}
    made: dict[int, Operator | None] = {}
    objects = [_operator(entry, operators, spec, made) for entry in links.entries]
    placed = place(spec, links, distributions, transforms, numbers)
    data = None
    if spec.simulation is not None and any(objects):
        data = _data(spec, folder, numbers)
    shifted = ForwardSites(placed, len(links.entries), spec.symbol_values)
    home = folder or spec.folder
    nodes, notes = make_nodes(spec, links, objects, data, shifted, home, numbers, lenient=lenient)
    if (
        data is None
        and spec.graph.input.shape is None
        and any(objects)
        and any(p.model for p in spec.perturbations)
    ):
        notes.append(
            "no data: the chain's input is read as one number, from which the sizes of "
            "perturbations follow"
        )
    merged = merged_runs(nodes, spec.graph.merge)
    graph = OperatorGraph(
        spec=spec,
        nodes=nodes,
        ends=links.ends,
        uniform=None if spec.graph.uniform is None else dict(spec.graph.uniform),
        perturbations=(),
        symbols=spec.symbol_values,
        data=data,
        notes=(*notes, *(merging_note(run, nodes) for run in merged)),
        merged=merged,
        sampled=spec.graph.regions == "visited",
    )
    perturbations, more = make_perturbations(placed, graph, shifted.found)
    graph = replace(graph, perturbations=perturbations, notes=(*graph.notes, *more))
    check_numbers(graph)
    return graph


def _operator(
    entry: Entry,
    operators: Mapping[str, type[Operator]],
    spec: Spec,
    made: dict[int, Operator | None],
) -> Operator | None:
    """The library object of an entry; repeats of one section share it."""
    key = id(entry.section)
    if key not in made:
        made[key] = _made(entry, operators, spec)
    return made[key]


def _made(entry: Entry, operators: Mapping[str, type[Operator]], spec: Spec) -> Operator | None:
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
    # A simulation runs on numbers.
    return with_symbols(operator, spec.symbol_values)


def _data(spec: Spec, folder: Path | None, values: Mapping[str, float]) -> Data:
    assert spec.simulation is not None  # noqa: S101 - the caller has looked
    try:
        return make_data(spec.simulation.data, folder or spec.folder, values)
    except SpecError as error:
        raise error.located("simulation.data") from None
