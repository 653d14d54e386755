"""From a file to a :class:`~boundcalc.spec.model.Spec`; a spec is untrusted input.

In order: the file's bytes, bounded before they are read; text, UTF-8 only; events of
YAML or JSON, one at a time and never recursively; plain data with the line of every
value, nesting and size bounded as it grows; the models; the symbols.
"""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from boundcalc.errors import ExpressionError, SpecError, nearest
from boundcalc.spec import fields
from boundcalc.spec.expressions import RESERVED, DecimalLiteral, Expression, parse
from boundcalc.spec.fields import Described, Places, Problem, Trail, dotted, unknown_key
from boundcalc.spec.model import OperatorSection, PerturbationSection, Spec

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_VALUES = 200_000  # after aliases are written out
MAX_TEXT = 10_000  # characters of one value

Model = TypeVar("Model", bound=BaseModel)


def load(path: str | Path) -> Spec:
    """Read a spec from a YAML or JSON file.

    Parameters
    ----------
    path
        The file: UTF-8, at most 1 MB.  The suffix ``.json`` means JSON, ``.yaml`` and
        ``.yml`` YAML; without any of them the text decides.

    Raises
    ------
    SpecError
        If the file cannot be read or breaks the format, with file, line and path.
    """
    path = Path(path)
    spec = loads(_content(path), name=path.name)
    spec._folder = path.parent
    return spec


def loads(
    text: str | bytes,
    name: str = "<spec>",
    format: Literal["yaml", "json"] | None = None,  # noqa: A002 - the word of the interface
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
      simulation
      fix:      did you mean 'graph'?
    """
    characters = _decoded(text, name)
    events = _json_events if _is_json(characters, name, format) else _yaml_events
    raw, tree = _built(events(characters, name), name)
    places = Places(name, tree)
    if not isinstance(raw, dict):
        raise SpecError(
            "the spec is empty" if raw is None else "this is not a spec",
            where=name,
            value=None if raw is None else fields.found(raw),
            expected="`version:`, `name:` and `graph:`",
            fix="begin with the line `version: 1`",
        )
    wrong = _internal_keys(raw)
    try:
        spec = Spec.model_validate(raw)
    except ValidationError as error:
        wrong += fields.problems(error, raw, Spec)
    if wrong:
        raise _error(wrong, places)
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
    try:
        made = model.model_validate(dict(parameters))
    except ValidationError as error:
        found = fields.problems(error, dict(parameters), model)
        raise _error(found, lambda path: f"{where}.{dotted(path)}" if path else where) from None
    if symbols is not None:
        undeclared = [p for p in map(_undeclared(symbols), _expressions(made, ())) if p]
        if undeclared:
            raise _error(undeclared, lambda path: f"{where}.{dotted(path)}")
    return made


def check_symbols(spec: Spec) -> None:
    """Raise SpecError unless every symbol in use is declared, with a plain value or none.

    Parameters of library objects are only text here: what can only be an expression is
    checked, and the rest by :func:`library_object`.
    """
    wrong = []
    for name, value in spec.symbols.items():
        if name in RESERVED or _is_unusable(name):
            wrong.append(
                Problem(
                    ("symbols", name),
                    f"{name} cannot be a symbol",
                    name,
                    "a name without a meaning of its own, as "
                    + ", ".join(sorted(RESERVED))
                    + " have",
                    f"rename it, to {name}_0 for example",
                )
            )
        elif value is not None and value.symbols:
            wrong.append(
                Problem(
                    ("symbols", name),
                    "the value of a symbol uses symbols",
                    value.source,
                    'a number, such as 0.1 or "sqrt(2)/3"',
                    "write the number, or use the expression where the symbol is used",
                )
            )
    declared = _undeclared(spec.symbols)
    wrong += [problem for problem in map(declared, _expressions(spec, ())) if problem]
    if wrong:
        raise _error(wrong, spec._places)


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
        raise _error(fields.problems(error, raw, _Symbols), spec._places) from None
    new = spec.model_copy(update={"symbols": {**spec.symbols, **changed}})
    check_symbols(new)
    return new


class _Symbols(fields.Frozen):
    symbols: dict[str, fields.Size]


# The bytes.


def _content(path: Path) -> bytes:
    where = path.name or str(path)
    try:
        # Before opening: to open a pipe would wait for its other end.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            folder = stat.S_ISDIR(status.st_mode)
            raise SpecError(
                "this is a folder" if folder else "this is not a regular file",
                where=str(path),
                expected="a YAML or JSON file",
                fix="name a file in it" if folder else "copy its content to a file first",
            )
        if status.st_size > MAX_BYTES:
            raise _too_large(status.st_size, where)
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise SpecError("there is no such file", where=str(path), fix="check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError(f"the file cannot be read: {reason}", where=str(path)) from None


def _too_large(size: int, where: str) -> SpecError:
    return SpecError(
        "the spec is too large",
        where=where,
        value=Described(f"{size} bytes"),
        expected=f"at most {MAX_BYTES} bytes",
        fix="use `repeat` for equal operators, and a CSV file for data",
    )


def _decoded(text: str | bytes, name: str) -> str:
    if len(text) > MAX_BYTES:
        raise _too_large(len(text), name)
    try:
        # A lone surrogate passes here, in the bytes that UTF-8 has no use for.
        content = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        at, characters = content.find(b"\0"), content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    if at >= 0:
        raise SpecError(
            "this is not a text file",
            where=name,
            value=Described(f"byte {content[at]:#04x} at offset {at}"),
            expected="YAML or JSON in UTF-8",
            fix="save the file as UTF-8 text",
        )
    if len(content) > MAX_BYTES:
        raise _too_large(len(content), name)
    return characters


def _is_json(text: str, name: str, wanted: str | None) -> bool:
    suffix = Path(name).suffix.lower() if wanted is None else f".{wanted}"
    if suffix in (".json", ".yaml", ".yml"):
        return suffix == ".json"
    return re.match(r'\s*\{\s*["}]', text) is not None


# The events.


class _Event(NamedTuple):
    """``{`` ``[`` open, ``.`` closes, ``=`` is a value, ``*`` an alias of an earlier one."""

    kind: str
    line: int
    text: str = ""
    plain: bool = False
    anchor: str | None = None


def _yaml_events(text: str, name: str) -> Iterator[_Event]:
    opening = {yaml.MappingStartEvent: "{", yaml.SequenceStartEvent: "["}
    closing = (yaml.MappingEndEvent, yaml.SequenceEndEvent)
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    documents = 0
    event: Any
    try:
        for event in yaml.parse(text, Loader=loader):
            kind = type(event)
            if kind in closing:
                yield _Event(".", 0)
                continue
            line = event.start_mark.line + 1
            if getattr(event, "tag", None) is not None:
                _fail(
                    "tags are not allowed", f"{name}:{line}", event.tag, "plain values", "remove it"
                )
            if kind is yaml.ScalarEvent:
                yield _Event("=", line, event.value, event.implicit[0], event.anchor)
            elif kind in opening:
                yield _Event(opening[kind], line, anchor=event.anchor)
            elif kind is yaml.AliasEvent:
                yield _Event("*", line, anchor=event.anchor)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    where = f"{name}:{line}"
                    _fail("a second document begins", where, "---", "one spec", "split the file")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable"
        where = name if mark is None else f"{name}:{mark.line + 1}"
        column = "" if mark is None else f" (column {mark.column + 1})"
        raise SpecError(
            f"this is not YAML: {reason}{column}",
            where=where,
            expected="`key: value` lines, indented with spaces",
            fix="look at this line and the one above; put text with : # { [ * & in quotes",
        ) from None


_JSON_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)


def _json_events(text: str, name: str) -> Iterator[_Event]:
    depth = 0
    for match in _JSON_BRACKET.finditer(text):  # first, as json.loads calls itself for each level
        depth += (match[0] in "{[") - (match[0] in "}]")
        if depth > MAX_DEPTH:
            _fail_depth(f"{name}:{text.count(chr(10), 0, match.start()) + 1}")
    try:
        # For its judgement alone: numbers stay text, and lines are lost in it.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise SpecError(
            f"this is not JSON: {error.msg[:1].lower()}{error.msg[1:]} (column {error.colno})",
            where=f"{name}:{error.lineno}",
            expected="JSON: names and text in double quotes, no comments, no comma at an end",
            fix="look at this line and the one above",
        ) from None
    line, seen = 1, 0
    for match in _JSON_TOKEN.finditer(text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        found = match[0]
        if found in "{[":
            yield _Event(found, line)
        elif found in "}]":
            yield _Event(".", line)
        elif found in ("NaN", "Infinity", "-Infinity"):
            _fail("not a finite number", f"{name}:{line}", found, "a finite number", None)
        elif found[0] == '"':
            yield _Event("=", line, json.loads(found))
        elif found not in ",:":
            yield _Event("=", line, found, plain=True)


# The data.


class _Open:
    """A section or list whose end has not come yet."""

    __slots__ = ("anchor", "height", "items", "key", "line", "lines", "values")

    def __init__(self, items: Any, line: int, anchor: str | None, values: int) -> None:
        self.items = items  # a dict or a list
        self.line = line
        self.lines: dict[Any, Any] = {}
        self.key: tuple[str, int] | None = None  # of the value that comes next, and its line
        self.anchor = anchor
        self.values = values  # how many came before it
        self.height = 1


class _Shared(NamedTuple):
    """What an anchor stands for."""

    value: Any
    tree: Any
    values: int
    height: int


def _built(events: Iterator[_Event], name: str) -> tuple[Any, Any]:
    """Plain data, and the same tree of lines; see :class:`~boundcalc.spec.fields.Places`."""
    stack: list[_Open] = []
    anchors: dict[str, _Shared | None] = {}
    result: tuple[Any, Any] = (None, None)
    count = 0

    def place(line: int) -> str:
        path = [
            o.key[0] if o.key else len(o.items) for o in stack if o.key or isinstance(o.items, list)
        ]
        return ": ".join(part for part in (f"{name}:{line}", dotted(path)) if part)

    for kind, line, text, plain, anchor in events:
        top = stack[-1] if stack else None
        if top is not None and top.key is None and kind != "." and isinstance(top.items, dict):
            top.key = _key(kind, line, text, plain, top, place)
            if anchor is not None and kind == "=":
                anchors[anchor] = _Shared(text, line, 1, 0)
            continue
        if kind in "{[":
            if len(stack) == MAX_DEPTH:
                _fail_depth(f"{name}:{line}")
            if anchor is not None:
                anchors[anchor] = None  # until it ends, an alias of it would hold itself
            count += 1
            stack.append(_Open({} if kind == "{" else [], line, anchor, count))
            continue
        if kind == "=":
            count += 1
            shared = _Shared(_value(text, plain, line, place), line, 1, 0)
        elif kind == "*":
            shared = _alias(anchor or "", anchors, line, place)
            count += shared.values
            if len(stack) + shared.height > MAX_DEPTH:
                _fail_depth(f"{name}:{line}")
        else:
            ended = stack.pop()
            tree = (ended.line, ended.lines)
            shared = _Shared(ended.items, tree, count - ended.values + 1, ended.height)
            top, line, anchor = stack[-1] if stack else None, ended.line, ended.anchor
        if count > MAX_VALUES:
            at, most = place(line), f"at most {MAX_VALUES} once aliases are written out"
            _fail("the spec has too many values", at, None, most, "use `repeat`")
        if anchor is not None and kind != "*":
            anchors[anchor] = shared
        if top is None:
            result = (shared.value, shared.tree)
        else:
            _put(top, shared, line)
    return result


def _put(top: _Open, shared: _Shared, line: int) -> None:
    tree = shared.tree
    if isinstance(top.items, list):
        top.lines[len(top.items)] = tree
        top.items.append(shared.value)
    elif top.key is not None:
        key, line = top.key
        top.lines[key] = (line, tree[1]) if isinstance(tree, tuple) else line
        top.items[key] = shared.value
        top.key = None
    top.height = max(top.height, shared.height + 1)


def _key(
    kind: str, line: int, text: str, plain: bool, top: _Open, place: Callable[[int], str]
) -> tuple[str, int]:
    if kind != "=":
        _fail("a key is not text", place(line), None, "`key: value`", "put the key in quotes")
    if plain and text == "<<":
        fix = "write the keys out, or give the whole section as an alias"
        _fail("merge keys are not allowed", place(line), "<<", "`key: value`", fix)
    if text in top.items:
        first = top.lines[text]
        first = first[0] if isinstance(first, tuple) else first
        _fail(
            f"the key {fields.found(text)!r} occurs twice",
            place(line),
            Described(f"on lines {first} and {line}"),
            "every key once",
            "remove one of the two, or rename it",
        )
    if len(text) > MAX_TEXT:
        _fail_text(text, place(line))
    return text, line


def _alias(
    anchor: str, anchors: Mapping[str, _Shared | None], line: int, place: Callable[[int], str]
) -> _Shared:
    shared = anchors.get(anchor)
    if shared is None:
        problem = "an alias inside itself" if anchor in anchors else "an alias of nothing"
        fix = f"put &{anchor} before an earlier value" if anchor not in anchors else "write it out"
        _fail(problem, place(line), f"*{anchor}", "the alias of a value that has ended", fix)
    return shared


# YAML 1.2's core schema without its octal and hexadecimal numbers.
_CONSTANTS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def _value(text: str, plain: bool, line: int, place: Callable[[int], str]) -> Any:
    if len(text) > MAX_TEXT:
        _fail_text(text, place(line))
    if not plain:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if len(text) < 300 and _INTEGER.fullmatch(text):
        return int(text)
    if _NOT_FINITE.fullmatch(text):
        fix = "put it in quotes if it is text"
        _fail("not a finite number", place(line), text, "a finite number", fix)
    if not _DECIMAL.fullmatch(text):
        return text
    if re.match(r"[-+]?0[0-9]", text):
        fix = "remove the zeros, or put it in quotes if it is text"
        _fail("a number with leading zeros", place(line), text, "a decimal number", fix)
    try:
        return DecimalLiteral(text)
    except ExpressionError as error:
        raise error.located(place(line)) from None


# The messages.


def _fail(
    problem: str, where: str, value: object, expected: str | None, fix: str | None
) -> NoReturn:
    raise SpecError(problem, where=where, value=value, expected=expected, fix=fix)


def _fail_depth(where: str) -> NoReturn:
    _fail("the spec is nested too deeply", where, None, f"at most {MAX_DEPTH} levels", "flatten it")


def _fail_text(text: str, where: str) -> NoReturn:
    _fail(f"this is {len(text)} characters long", where, text, f"at most {MAX_TEXT}", "shorten it")


def _internal_keys(raw: Mapping[str, Any]) -> list[Problem]:
    """Names of fields that are not keys of the format, though the models take them."""
    found: list[Problem] = []
    graph = raw.get("graph")
    lists: list[tuple[tuple[str, ...], Any, type[BaseModel]]] = [
        (("perturbations",), raw.get("perturbations"), PerturbationSection),
        (
            ("graph", "operators"),
            graph.get("operators") if isinstance(graph, dict) else None,
            OperatorSection,
        ),
    ]
    for path, sections, model in lists:
        for index, section in enumerate(sections if isinstance(sections, list) else []):
            if isinstance(section, dict):
                names = [key for key in ("parameters", "pass_") if key in section]
                known = fields.keys_of(model)
                found += [unknown_key((*path, index, key), known) for key in names]
    return found


def _error(found: list[Problem], where: Places | Callable[[Trail], str]) -> SpecError:
    """The first problem in the order of the file, and how many more there are."""
    if isinstance(where, Places):
        first = min(found, key=lambda problem: where.line(problem.path) or 0)
        place = where.where(first.path)
    else:
        first = found[0]
        place = where(first.path)
    more = len(found) - 1
    number = "over 100" if more > 100 else more
    tail = f" (and {number} more problem{'s' if more > 1 else ''})" if more else ""
    return SpecError(
        first.problem + tail,
        where=place,
        value=first.value,
        expected=first.expected,
        fix=first.fix,
    )


# The symbols.


def _is_unusable(name: str) -> bool:
    try:
        return not parse(name).symbols
    except ExpressionError:  # a keyword of Python, nan, inf
        return True


def _undeclared(
    declared: Collection[str],
) -> Callable[[tuple[Trail, Expression, bool]], Problem | None]:
    known = frozenset(declared)

    def check(entry: tuple[Trail, Expression, bool]) -> Problem | None:
        path, expression, certain = entry
        unknown = sorted(expression.symbols - known)
        if not unknown or not (certain or _is_arithmetic(expression, known)):
            return None
        name = unknown[0]
        close = nearest(name, declared)
        listed = (
            f"one of {', '.join(declared)}" if declared else "a number: no symbols are declared"
        )
        fix = f"did you mean {close!r}?" if close else f"declare it: symbols: {{{name}: }}"
        return Problem(path, f"undeclared symbol {name!r}", expression.source, listed, fix)

    return check


def _is_arithmetic(expression: Expression, declared: frozenset[str]) -> bool:
    """Whether text that may be a word, as in ``format: fp8-e4m3``, must be an expression."""
    if expression.node[0] == "symbol":
        return False
    return not declared.isdisjoint(expression.symbols) or bool(
        re.search(r"[*/(]|\b[0-9]", expression.source)
    )


def _expressions(
    value: Any, path: Trail, certain: bool = True
) -> Iterator[tuple[Trail, Expression, bool]]:
    """Every expression with its path, and whether it is known to be one."""
    if isinstance(value, Expression):
        yield path, value, certain
    elif isinstance(value, BaseModel):
        for name, inner in value.__dict__.items():
            if inner is None or isinstance(inner, str | int):
                continue
            if name == "parameters":
                yield from _expressions(inner, path, certain=False)
            elif name != "symbols":
                yield from _expressions(inner, (*path, name), certain)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _expressions(inner, (*path, key), certain)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _expressions(inner, (*path, index), certain)
    elif isinstance(value, str) and not certain:
        try:
            yield path, parse(value), certain
        except ExpressionError:
            return  # text, or an error that its library object explains
