"""Specs of f = x⁴/4 with a ``distributed`` section, and theorems written out step by step."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import mpmath

from boundcalc import loads
from boundcalc.arithmetic.balls import Ball
from boundcalc.graph import OperatorGraph
from boundcalc.theories.base import Theory
from boundcalc.theories.distributed.theory import THEORY
from boundcalc.theories.registry import build_for

MP = mpmath.MPContext()
MP.prec = 200
REGISTRY: Mapping[str, str | Theory] = {"distributed": THEORY}

_TEXT = """
version: 1
name: quartic
theory: distributed
graph:
  operators:
    - {{id: half, type: square, bias: true, scale: 1/2}}
    - {{id: f, type: square}}
loss: {loss}
training: {training}
{simulation}
distributed: {section}
{more}
"""

_SIMULATION = "simulation: {data: {points: [[0]]}, initial_weights: [3], replicas: 4}"

COMPRESSED = {"algorithm": "dcsgd", "agents": 8, "L0": 4, "L1": 1, "dimension": 1, "omega": 3}
SIGN = {
    "algorithm": "dsignsgd",
    "agents": 8,
    "L0": 4,
    "L1": 1,
    "dimension": 1,
    "sigma_max": 1,
    "nu": 1,
}


def graph(
    section: Mapping[str, Any],
    *,
    loss: str = "{initial_gap: 81/4}",
    training: str = "{step_size: 1/10, horizon: 20}",
    simulation: bool = False,
    more: str = "",
) -> OperatorGraph:
    text = _TEXT.format(
        loss=loss,
        training=training,
        simulation=_SIMULATION if simulation else "",
        section=flow(section),
        more=more,
    )
    return build_for(loads(text), theories=REGISTRY)


def flow(value: Any) -> str:
    """A mapping as YAML in flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return str(value)


def high(value: Any) -> Any:
    """Any number kind's scalar at 200 bits."""
    if isinstance(value, Ball):
        mantissa, exponent = value.middle
        return MP.ldexp(MP.mpf(mantissa), exponent)
    if isinstance(value, Fraction | int):
        return MP.mpf(Fraction(value).numerator) / Fraction(value).denominator
    return MP.mpf(value)


def close(found: Any, expected: Any, tolerance: float = 1e-25) -> bool:
    found, expected = high(found), high(expected)
    return bool(abs(found - expected) <= tolerance * abs(expected))
