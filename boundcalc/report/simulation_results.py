"""A run and its verdicts as plain data, as ``--json`` prints them."""

from __future__ import annotations

from typing import Any

from boundcalc.arithmetic import Status
from boundcalc.report.json_numbers import number, sampled
from boundcalc.simulate import Metric, Run
from boundcalc.verify import Verdicts


def simulate_results(run: Run) -> dict[str, Any]:
    """The object of ``boundcalc simulate --json``."""
    metrics = {name: metric_data(metric) for name, metric in run.metrics.items()}
    for check in run.checks:
        for kind, values, lo, hi in (
            ("error", check.error, check.error_lo, check.error_hi),
            ("bias", check.bias, check.bias_lo, check.bias_hi),
        ):
            worst = int(hi.argmax())
            metrics[f"{kind}_at_{check.step}"] = {
                "mean": sampled(float(values[worst])),
                "ci": [sampled(float(lo[worst])), sampled(float(hi[worst]))],
                "sample": check.samples[worst],
            }
    return {
        "metrics": metrics,
        "seed": run.seed,
        "bootstrap_seed": run.seed,
        "replicas": run.replicas,
        "steps": run.steps,
        "seconds": run.seconds,
        "confidence": run.confidence,
        "diverged_at": run.trajectory.diverged_at,
        "diverged": int((run.trajectory.diverged >= 0).sum()),
        "engine": run.engine,
        "precision": run.precision,
        "threads": run.threads,
        "status": Status.SAMPLED,
    }


def metric_data(metric: Metric) -> dict[str, Any]:
    """A sampled number: mean, ``ci`` and the method of the interval."""
    found: dict[str, Any] = {
        "mean": sampled(metric.mean),
        "ci": [sampled(metric.lo), sampled(metric.hi)],
        "method": metric.method,
    }
    if metric.effective is not None:
        found["effective_samples"] = sampled(metric.effective)
    if metric.rounding is not None:
        found["rounding"] = sampled(metric.rounding)
    return found


def verify_results(verdicts: Verdicts) -> dict[str, Any]:
    """The object of ``boundcalc verify --json``."""
    return {
        "verdicts": [
            {
                "claim": verdict.claim,
                "family": verdict.family,
                "bound": number(verdict.bound),
                "observed": sampled(verdict.observed),
                "ci": [sampled(end) for end in verdict.ci],
                "status": verdict.status,
                "slack": verdict.slack,
                "bound_status": verdict.bound.status,
                "observed_status": Status.SAMPLED,
                "detail": verdict.detail,
            }
            for verdict in verdicts.verdicts
        ],
        "ok": verdicts.ok,
        "confidence": {
            "all": verdicts.confidence,
            "each": verdicts.each_confidence,
            "claims": verdicts.claims,
        },
        "premises": [
            {
                "assumption": premise.assumption,
                "claim": premise.claim,
                "stated": sampled(premise.stated),
                "met": sampled(premise.met),
                "consistent": premise.consistent,
            }
            for premise in verdicts.premises
        ],
        "skipped": [
            {"claim": claim, "family": family, "reason": reason}
            for claim, family, reason in verdicts.skipped
        ],
        "seed": verdicts.run.seed,
    }
