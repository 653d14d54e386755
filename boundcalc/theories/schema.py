"""The JSON Schema of the spec format with everything that is registered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from boundcalc.operators import OPERATORS
from boundcalc.perturbations import DISTRIBUTIONS, TRANSFORMS
from boundcalc.spec.schema import json_schema
from boundcalc.theories.base import Theory
from boundcalc.theories.registry import THEORIES, theory_named


def full_schema(theories: Mapping[str, str | Theory] = THEORIES) -> dict[str, Any]:
    """Operators, perturbation models, and every theory's section under its own name.

    >>> full_schema()["properties"]["theory"]["enum"][0]
    'perturbed'
    """
    chosen = {name: theory_named(name, theories=theories).section for name in theories}
    return json_schema(OPERATORS, {**DISTRIBUTIONS, **TRANSFORMS}, chosen)
