"""The spec in a report: as text that can be saved and run again."""

from __future__ import annotations

from typing import Any

from boundcalc.errors import SpecError
from boundcalc.spec.grammar import DecimalLiteral
from boundcalc.spec.model import Spec
from boundcalc.spec.plain import json_text, number_or_text, plain

#: Characters of one-line JSON above which a spec is not set in lines, and above which it is cut.
_MOST_SET, _MOST = 40_000, 100_000


def spec_text(spec: Spec) -> str:
    """A spec as YAML in the order of the format; a long one as one line of JSON, cut if need be.

    Empty where the spec cannot be written: a program set a number that has no exact text.

    Examples
    --------
    >>> from boundcalc.spec.loading import loads
    >>> print(spec_text(loads("{name: a, version: 1, graph: {operators: [{id: f, repeat: 3}]}}")))
    version: 1
    name: a
    graph:
      operators:
      - {id: f, repeat: 3}
    """
    try:
        found = plain(spec, expression=number_or_text)
    except SpecError:
        return ""
    line = json_text(found)
    if len(line) > _MOST:
        return f"{line[:_MOST]}\n# … cut: {len(line) - _MOST} more characters"
    return line if len(line) > _MOST_SET else _yaml(found).strip()


def _yaml(found: Any) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Numbers as the spec spells them, text in quotes where YAML would read it otherwise."""

    def number(dumper: Any, literal: DecimalLiteral) -> Any:
        text = repr(literal)
        tag = "float" if "." in text else "int"
        if dumper.resolve(yaml.ScalarNode, text, (True, False)) != f"tag:yaml.org,2002:{tag}":
            return dumper.represent_str(text)  # an expression, which is read as the same number
        return dumper.represent_scalar(f"tag:yaml.org,2002:{tag}", text)

    Dumper.add_representer(DecimalLiteral, number)

    def write(*, unicode: bool) -> str:
        written: str = yaml.dump(
            found,
            Dumper=Dumper,
            sort_keys=False,
            default_flow_style=None,
            allow_unicode=unicode,
            width=100,
        )
        return written

    text = write(unicode=True)
    # Signs that no one sees are spelled out, so that the page shows what it copies.
    return text if all(c.isprintable() or c == "\n" for c in text) else write(unicode=False)
