"""Specs of the shrinkage theory that can be simulated."""

from typing import Any

import yaml

import boundcalc as bc
from boundcalc.graph import OperatorGraph
from boundcalc.theories.base import Options
from boundcalc.theories.registry import build_for
from boundcalc.theories.shrinkage.theory import THEORY


def quadratic(own: dict[str, Any], **changes: Any) -> OperatorGraph:
    """ℓ(w) = w²/2 with σ = 1, from w⁰ = 2."""
    return _built(
        own,
        operators=[{"id": "f", "type": "square", "bias": True, "scale": "1/2"}],
        points=[[0]],
        start=[2],
        loss={"smoothness": 1, "pl": 1, "initial_gap": 2, "gradient_noise": 1},
        **changes,
    )


def two_curvatures(own: dict[str, Any], **changes: Any) -> OperatorGraph:
    """ℓ(w) = ½(w₁² + w₂²/4) with σ = 1, from w⁰ = (1, 1)."""
    return _built(
        own,
        operators=[
            {"id": "a", "type": "dense", "units": 1, "bias": False},
            {"id": "f", "type": "square", "scale": "1/4"},
        ],
        points=[[2, 0], [0, 1]],
        start=[1, 1],
        loss={"smoothness": 1, "pl": "1/4", "initial_gap": "5/8", "gradient_noise": 1},
        **changes,
    )


def _built(
    own: dict[str, Any],
    *,
    operators: list[Any],
    points: list[Any],
    start: list[Any],
    loss: dict[str, Any],
    training: dict[str, Any] | None = None,
    simulation: dict[str, Any] | None = None,
    **more: Any,
) -> OperatorGraph:
    raw = {
        "version": 1,
        "name": "a case",
        "theory": "shrinkage",
        "shrinkage": own,
        "graph": {"operators": operators},
        "loss": {**loss, **more.pop("loss_changes", {})},
        "training": {"step_size": "1/5", "horizon": 400} | (training or {}),
        "simulation": {
            "data": {"points": points},
            "replicas": 32,
            "seed": 3,
            "initial_weights": start,
            **(simulation or {}),
        },
        **more,
    }
    return build_for(bc.loads(yaml.safe_dump(raw)))


def run(graph: OperatorGraph, **options: Any) -> Any:
    """The run of a graph."""
    return THEORY.simulate(graph, Options(**options)).value


def verified(graph: OperatorGraph) -> Any:
    """The verdicts on a graph, by statement."""
    return THEORY.verify(graph, Options()).value
