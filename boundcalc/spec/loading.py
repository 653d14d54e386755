"""From a file to a :class:`~boundcalc.spec.model.Spec`; a spec is untrusted input.

In order: the file's bytes, bounded before they are read; text, UTF-8 only; events of
YAML or JSON, one at a time and never recursively; plain data with the line of every
value, nesting and size bounded as it grows; the models; the symbols.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from boundcalc.errors import SpecError, nearest
from boundcalc.spec.fields import Frozen, Size
from boundcalc.spec.model import PerturbationSection, Spec
from boundcalc.spec.places import Trail, dotted
from boundcalc.spec.problems import Problem, as_error, found, unknown_key
from boundcalc.spec.reading import bytes_of, plain_data
from boundcalc.spec.sections import OperatorSection
from boundcalc.spec.symbols import check_symbols, undeclared
from boundcalc.spec.validation import keys_of, problems_in

Model = TypeVar("Model", bound=BaseModel)


def load(path: str | Path, *, theories: Collection[str] | None = None) -> Spec:
    """Read a spec from a YAML or JSON file.

    Parameters
    ----------
    path
        The file: UTF-8, at most 1 MB.  The suffix ``.json`` means JSON, ``.yaml`` and
        ``.yml`` YAML; without any of them the text decides.
    theories
        What ``theory`` may be; None leaves that to whoever asks the theory.

    Raises
    ------
    SpecError
        If the file cannot be read or breaks the format, with file, line and path.
    """
    path = Path(path)
    spec = loads(bytes_of(path), name=path.name, theories=theories)
    spec._folder = path.parent
    return spec


def loads(
    text: str | bytes,
    name: str = "<spec>",
    format: Literal["yaml", "json"] | None = None,  # noqa: A002 - the word of the interface
    *,
    theories: Collection[str] | None = None,
) -> Spec:
    r"""Read a spec from text.

    Parameters
    ----------
    text
        YAML or JSON; bytes are UTF-8.
    name
        What messages call the text.
    format
        ``yaml`` or ``json``; None goes by the suffix of ``name``, else by the text.
    theories
        As for :func:`load`.

    Raises
    ------
    SpecError
        If the text breaks the format, with line and path.

    Examples
    --------
    >>> spec = loads("{version: 1, name: one, graph: {operators: [{id: f, dim: 2}]}}")
    >>> spec.graph.operators[0].dim
    2
    >>> loads("version: 1\nname: one\ngrph: {}", name="my.yaml")
    Traceback (most recent call last):
        ...
    boundcalc.errors.SpecError: my.yaml:3: grph: unknown key 'grph'
      expected: one of version, name, theory, symbols, graph, loss, perturbations, training,
      simulation, budget, sweep
      fix:      did you mean 'graph'?
    """
    raw, places = plain_data(text, name, format)
    if not isinstance(raw, dict):
        raise SpecError(
            "the spec is empty" if raw is None else "this is not a spec",
            where=name,
            value=None if raw is None else found(raw),
            expected="`version:`, `name:` and `graph:`",
            fix="begin with the line `version: 1`",
        )
    wrong = list(_internal_keys(raw))
    spec = None
    try:
        spec = Spec.model_validate(raw)
    except ValidationError as error:
        wrong += problems_in(error, raw, Spec)
    if theories is not None:
        wrong = [*_theory_problems(raw, theories), *(_hinted(p, theories) for p in wrong)]
    if wrong:
        raise as_error(wrong, places)
    assert spec is not None  # noqa: S101 - else something is wrong
    spec._places = places
    check_symbols(spec)
    return spec


def library_object(
    model: type[Model],
    parameters: Mapping[str, Any],
    where: str,
    symbols: Collection[str] | None = None,
) -> Model:
    """An operator or distribution of the library from its parameters in a spec.

    Parameters
    ----------
    model
        Its class.
    parameters
        What the section says besides its own keys.
    where
        The section's place, for messages.
    symbols
        The symbols that the spec declares; None checks none.

    Raises
    ------
    SpecError
        If a parameter is missing, unknown, or does not fit, or uses another symbol.
    """

    def place(path: Trail) -> str:
        return f"{where}.{dotted(path)}" if path else where

    raw = dict(parameters)
    try:
        made = model.model_validate(raw)
    except ValidationError as error:
        raise as_error(problems_in(error, raw, model), place) from None
    wrong = [] if symbols is None else list(undeclared(made, symbols))
    if wrong:
        raise as_error(wrong, place)
    return made


def with_values(spec: Spec, values: Mapping[str, str | int | float | Fraction]) -> Spec:
    """The same spec with other values of symbols.

    Raises
    ------
    SpecError
        If a symbol is not declared, or a value is no number ≥ 0.

    Examples
    --------
    >>> text = "{version: 1, name: a, symbols: {C: 1}, graph: {operators: [{id: f}]}}"
    >>> with_values(loads(text), {"C": "1/2"}).symbols["C"].source
    '1/2'
    """
    for name in values:
        if name not in spec.symbols:
            close = nearest(name, spec.symbols)
            raise SpecError(
                f"unknown symbol {name!r}",
                where=spec.where("symbols"),
                expected="one of " + ", ".join(spec.symbols) if spec.symbols else "no symbols here",
                fix=f"did you mean {close!r}?" if close else f"declare it: symbols: {{{name}: }}",
            )
    raw = {"symbols": dict(values)}
    try:
        changed = _Symbols.model_validate(raw).symbols
    except ValidationError as error:
        raise as_error(problems_in(error, raw, _Symbols), spec._places) from None
    new = spec.model_copy(update={"symbols": {**spec.symbols, **changed}})
    check_symbols(new)
    return new


class _Symbols(Frozen):
    symbols: dict[str, Size]


def _theory_problems(raw: Mapping[str, Any], theories: Collection[str]) -> Iterator[Problem]:
    """A theory that there is not."""
    name = raw.get("theory")
    if isinstance(name, str) and name not in theories:
        yield unknown_theory(name, theories, ("theory",))


def unknown_theory(name: str, theories: Collection[str], path: Trail = ()) -> Problem:
    """The problem of a theory that is not one of those known."""
    close = nearest(name, theories)
    fix = f"did you mean {close!r}?" if close else "see `boundcalc theories`"
    return Problem(path, "unknown theory", name, "one of " + ", ".join(theories), fix)


def _hinted(problem: Problem, theories: Collection[str]) -> Problem:
    """The section of a theory that the spec does not name says how to name it."""
    if len(problem.path) == 1 and problem.path[0] in theories:
        return replace(problem, fix=f"name its theory: add `theory: {problem.path[0]}`")
    return problem


def _internal_keys(raw: Mapping[str, Any]) -> Iterator[Problem]:
    """Names of fields that are not keys of the format, though the models take them."""
    if "own" in raw:
        yield unknown_key(("own",), keys_of(Spec), Spec.key_hint)
    graph = raw.get("graph")
    operators = graph.get("operators") if isinstance(graph, dict) else None
    lists: list[tuple[Trail, Any, type[BaseModel]]] = [
        (("perturbations",), raw.get("perturbations"), PerturbationSection),
        (("graph", "operators"), operators, OperatorSection),
    ]
    for path, sections, model in lists:
        for index, section in enumerate(sections if isinstance(sections, list) else []):
            if isinstance(section, dict) and isinstance(section.get("block"), list):
                lists.append(((*path, index, "block"), section["block"], OperatorSection))
        for index, section in enumerate(sections if isinstance(sections, list) else []):
            for key in ("parameters", "pass_"):
                if isinstance(section, dict) and key in section:
                    yield unknown_key((*path, index, key), keys_of(model))
