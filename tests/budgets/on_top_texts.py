"""Specs of budgets as text."""

from __future__ import annotations

import json


def on_top_spec(batch: int, horizon: int, budget: dict | None, event: dict | None = None) -> str:
    """A chain with small noise at every step, and with an event at some steps."""
    perturbations = [
        {"at": "f1", "pass": "forward", "rms": "1/100", "mean": 0, "fourth": "1/90"},
        {"at": "f3", "pass": "backward", "rms": "1/50", "mean": "1/400"},
    ]
    spec = {
        "version": 1,
        "name": "on top",
        "graph": {
            "uniform": {"jac": 1, "lip": 1, "hess": "1/2", "hess_op": "1/2", "third": 1},
            "operators": [{"id": "f1"}, {"id": "f2"}, {"id": "f3"}],
        },
        "loss": {
            "smoothness": 1,
            "pl": "1/10",
            "initial_gap": "1/10",
            "gradient_noise": "1/10",
            "batch": batch,
        },
        "perturbations": [*perturbations, *([event] if event else [])],
        "training": {"step_size": "1/4", "horizon": horizon},
    }
    if budget is not None:
        spec["budget"] = budget
    return json.dumps(spec)
