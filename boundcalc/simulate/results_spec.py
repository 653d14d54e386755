"""A spec as canonical JSON: what a results file keeps of it."""

from __future__ import annotations

from boundcalc.spec.model import Spec
from boundcalc.spec.plain import json_text, number_or_text, plain


def spec_text(spec: Spec) -> str:
    """One line of JSON that :func:`~boundcalc.spec.loading.loads` reads as the same spec.

    Keys stand in the order of the format, not in that of the file; keys that the spec leaves
    out are left out, and every number is as the spec spells it, so that nothing is rounded.
    Symbols have the values that were set.

    Raises
    ------
    SpecError
        If a number of the spec was computed by a program and has no exact text.

    Examples
    --------
    >>> from boundcalc.spec.loading import loads
    >>> text = "{name: a, version: 1, graph: {operators: [{id: f, region: {input: 1/3}}]}}"
    >>> spec_text(loads(text))
    '{"version":1,"name":"a","graph":{"operators":[{"id":"f","region":{"input":"1/3"}}]}}'
    """
    return json_text(plain(spec, expression=number_or_text))
