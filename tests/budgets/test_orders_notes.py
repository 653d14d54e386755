"""When a run is too short for orders."""

from __future__ import annotations

import math

from order_graphs import graph

from boundcalc.budgets.orders.notes import horizon_note


def noted(family: str = "sharp", regime: str = "pl", **changes: str) -> str | None:
    values = {"smoothness": "1", "pl": "1/10", "initial_gap": "1", "gradient_noise": "1"}
    run = {"step_size": "1/4", "horizon": "1000"}
    loss = {**values, **{k: v for k, v in changes.items() if k in values}}
    run |= {k: v for k, v in changes.items() if k in run}
    tail = "\n".join(
        f"{name}: {{{', '.join(f'{k}: {v}' for k, v in part.items())}}}"
        for name, part in (("loss", loss), ("training", run))
    )
    made = graph("    - {id: f1, constants: {jac_weight: 1}}\n", tail=tail + "\n")
    return horizon_note(made, family, regime)


def test_long_runs_need_no_note():
    assert noted() is None
    assert noted(regime="nonconvex") is None
    assert noted("published", horizon="2000", step_size="1/10") is None


def test_pl_steps_above_the_limit():
    """ln T/(μT) ≤ 1/L from T = 36 on at μ = 1/10: ln 35/35 > 1/10 > ln 36/36."""
    assert str(noted(horizon="20")).endswith("up to T = 35")
    assert noted(horizon="35") is not None
    assert noted(horizon="36", gradient_noise="10") is None
    # three times the contraction and a third of the limit: ln T/T ≤ 1/90
    found = str(noted("published", horizon="100"))
    assert "3 ln T/(μT)" in found
    assert "1/(3L)" in found
    last = int(found.rsplit(" ", 1)[1])
    assert math.log(last) / last > 1 / 90 > math.log(last + 1) / (last + 1)
    assert "1e+30 at least" in str(noted(pl="1e-40", horizon="100"))


def test_starting_gaps_that_dominate():
    assert "with the step ln T/(μT) the term of the starting gap" in str(
        noted(gradient_noise="1/1000")
    )
    assert "with the spec's step" in str(noted(step_size="1/1000"))
    assert noted(gradient_noise="0") is None


def test_nonconvex_steps_at_the_limit():
    """√(2Δ₀/(LTσ²)) = 1/L at T = 2LΔ₀/σ²."""
    assert str(noted(regime="nonconvex", gradient_noise="1/100")).endswith("up to T = 20000")
    assert noted(regime="nonconvex", gradient_noise="1/100", horizon="20001") is None
    assert noted(regime="nonconvex", gradient_noise="1/100", horizon="20000") is not None
    published = noted("published", regime="nonconvex", gradient_noise="1/100")
    assert str(published).endswith("up to T = 90000")
    assert "falls as 1/T" in str(noted(regime="nonconvex", gradient_noise="0"))


def test_no_pl_note_without_pl():
    tail = """
loss: {smoothness: 1, initial_gap: 1, gradient_noise: 1}
training: {step_size: 1, horizon: 5}
"""
    made = graph("    - {id: f1, constants: {jac_weight: 1}}\n", tail=tail)
    assert horizon_note(made, "sharp", "pl") is None
