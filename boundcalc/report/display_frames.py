"""Rows of data frames: one number a row, with its status.

A number stands under ``value`` as ``--json`` writes it, rounded to its safe side.  One outside
float64's range is NaN there, and its digits stand under ``beyond_float64``; infinities that were
sampled are spelled out there too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Number, Status
from boundcalc.errors import SpecError

if TYPE_CHECKING:
    from boundcalc.budgets.results import Allowance, Budget, Frequency
    from boundcalc.graph import OperatorGraph
    from boundcalc.rates import Rate, Rates
    from boundcalc.simulate import Metric, Run
    from boundcalc.sweeps.results import SweepResult
    from boundcalc.theories.perturbed.coefficients import Coefficients
    from boundcalc.verify import Verdict
    from boundcalc.verify.adversary.attack import Attack
    from boundcalc.verify.claims.outcome import Outcome

Row = dict[str, Any]
_NAN = float("nan")


def cells(found: Number | None, name: str = "value") -> Row:
    """A number as columns: value, status, exact text, digits beyond float64.

    >>> from fractions import Fraction
    >>> cells(Number(Fraction(10) ** 400, Status.PROVED))["beyond_float64"]
    '1e+400'
    >>> cells(None)["status"]
    """
    if found is None:
        return {name: _NAN, "status": None, "exact": None, "beyond_float64": None}
    written = found.json()
    outside = isinstance(written, str)
    return {
        name: _NAN if outside else written,
        "status": str(found.status),
        "exact": found.exact,
        "beyond_float64": written if outside else None,
    }


def plain(value: float | None) -> float:
    """A float as it is, but NaN for one that is infinite or missing."""
    return _NAN if value is None or not math.isfinite(value) else value


def coefficients(found: Coefficients) -> list[Row]:
    """Column by column, site by site; then the bounds at the spec's levels."""
    rows = []
    for column in found.columns:
        for site, number in found.by_id(column).items():
            rows.append({**_of(found), "quantity": column, "site": site, **cells(number)})
    for name, bound in (("error_bound", found.error_bound()), ("bias_bound", found.bias_bound())):
        if bound is not None:
            rows.append({**_of(found), "quantity": name, "site": None, **cells(bound)})
    return rows


def _of(found: Coefficients) -> Row:
    return {"family": found.family.name}


def rates(found: Rates) -> list[Row]:
    """Regime by regime, family by family, term by term."""
    return [
        {"regime": regime, **row}
        for regime, table in (("nonconvex", found.nonconvex), ("pl", found.pl))
        for family in table.values()
        for row in rate(family)
    ]


def rate(found: Rate) -> list[Row]:
    """Terms, bound, limit, and the best step with its bound."""
    best = found.best_step or (None, None)
    numbers: Mapping[str, Number | None] = {
        **found.terms,
        "bound": found.bound,
        "step_size_limit": found.step_size_limit,
        "best_step_size": best[0],
        "best_bound": best[1],
    }
    more = {"refused": found.refused, "source": found.source}
    return [
        {"family": found.family, "quantity": name, **cells(number), **more}
        for name, number in numbers.items()
    ]


def budget(found: Budget) -> list[Row]:
    """Largest magnitudes, and how often events may happen, place by place."""
    rows = [_total("scale", found.magnitudes.scale)]
    rows.append(_total("scaled_bound", found.magnitudes.scaled_bound))
    rows.append(_total("target", found.question.target))
    rows.append(_total("baseline", found.question.baseline))
    rows += [row for entry in found.magnitudes.allowances for row in _allowance(entry)]
    return rows + [row for entry in found.frequencies for row in _frequency(entry)]


def _total(name: str, number: Number | None) -> Row:
    return {"part": "question", **_place(None, None, None), "quantity": name, **cells(number)}


def _place(direction: str | None, label: str | None, case: str | None) -> Row:
    return {"pass": direction, "site": label, "case": case}


def _allowance(entry: Allowance) -> list[Row]:
    numbers = {"current": entry.current, "alone": entry.alone, "given": entry.given}
    place = _place(entry.direction, entry.label, None)
    return [
        {"part": "magnitude", **place, "quantity": f"{entry.quantity} {name}", **cells(number)}
        for name, number in numbers.items()
    ]


def _frequency(entry: Frequency) -> list[Row]:
    place = _place(entry.direction, entry.label, entry.mean_case)
    numbers = {"rate": entry.rate, "probability": entry.probability, "spare": entry.spare}
    # Counts follow from the bound as the rates do, and can be trusted as far.
    counts = {
        name: None if count is None else Number(count, entry.rate.status, limit=True)
        for name, count in (
            ("count_worst", entry.count_worst),
            ("count_even", entry.count_even),
            ("interval", entry.interval),
        )
    }
    return [
        {"part": entry.name, **place, "quantity": name, **cells(number)}
        for name, number in {**counts, **numbers}.items()
    ]


def graph(found: OperatorGraph) -> list[Row]:
    """Operator by operator: what it reads, its size and its constants."""
    rows = []
    for operator in _operators(found):
        row: Row = {key: operator[key] for key in ("id", "type", "weights", "trainable")}
        row["inputs"] = ", ".join(operator["inputs"])
        row["shape"] = "×".join(map(str, operator["shape"]))
        constants = operator["constants"]
        for name, number in constants.items():
            if name in ("from", "slots"):
                continue
            row[name] = number if isinstance(number, float) else _NAN
            row[f"{name}_from"] = constants["from"].get(name)
            row[f"{name}_text"] = number if isinstance(number, str) else None
        rows.append(row)
    return rows


def _operators(found: OperatorGraph) -> list[Row]:
    """As in results.json; without constants where an operator has none, as some theories allow."""
    from boundcalc.report.graph_results import graph_results

    try:
        operators: list[Row] = graph_results(found)["operators"]
    except SpecError:
        return [
            {
                "id": node.id,
                "type": None if node.operator is None else node.operator.type,
                "inputs": [found.ids[u - 1] if u else "data" for u in node.reads],
                "shape": list(node.shape),
                "weights": node.weights,
                "trainable": node.trainable,
                "constants": {},
            }
            for node in found.nodes
        ]
    return operators


def metrics(found: Mapping[str, Metric], confidence: float) -> list[Row]:
    """Metric by metric, with its interval."""
    return [
        {
            "metric": name,
            "value": plain(metric.mean),
            "lo": plain(metric.lo),
            "hi": plain(metric.hi),
            "method": metric.method,
            "confidence": confidence,
            "status": str(Status.SAMPLED),
            "beyond_float64": _spelled(metric.mean, metric.lo, metric.hi),
        }
        for name, metric in found.items()
    ]


def _spelled(*values: float) -> str | None:
    """What is not finite, in words; None where everything is."""
    if all(math.isfinite(value) for value in values):
        return None
    return " ".join(str(value) for value in values)


def run(found: Run) -> list[Row]:
    """The metrics, and the worst sample of every check at an iterate."""
    rows = metrics(found.metrics, found.confidence)
    for check in found.checks:
        for name, values, lo, hi in (
            ("error", check.error, check.error_lo, check.error_hi),
            ("bias", check.bias, check.bias_lo, check.bias_hi),
        ):
            at = int(hi.argmax())
            ends = [float(column[at]) for column in (values, lo, hi)]
            row: Row = {"metric": f"{name}_at_{check.step}", "value": plain(ends[0])}
            row |= {"lo": plain(ends[1]), "hi": plain(ends[2]), "method": "jackknife"}
            row |= {"confidence": found.confidence, "status": str(Status.SAMPLED)}
            rows.append({**row, "beyond_float64": _spelled(*ends)})
    return rows


def theory_run(found: Any) -> list[Row]:
    """The metrics of a run of any theory."""
    return metrics(found.metrics, found.confidence)


def verdicts(found: Any) -> list[Row]:
    """Claim by claim: bound, observation and verdict, of any theory."""
    return [row for one in found.verdicts for row in verdict(one)]


def verdict(found: Verdict) -> list[Row]:
    """One claim."""
    bound = cells(found.bound, "bound")
    bound["bound_status"] = bound.pop("status")
    return [
        {
            "claim": found.claim,
            "family": found.family,
            **bound,
            "observed": plain(found.observed),
            "lo": plain(found.ci[0]),
            "hi": plain(found.ci[1]),
            "observed_status": str(Status.SAMPLED),
            "status": found.status,
            "slack": plain(found.slack),
            "detail": found.detail,
        }
    ]


def attack(found: Attack) -> list[Row]:
    """Family by family."""
    status = Status.SAMPLED if found.uncertainty else Status.COMPUTED
    return [
        {
            "objective": found.objective,
            "family": name,
            "attained": plain(found.attained),
            "uncertainty": plain(found.uncertainty),
            "status": str(status),
            "bound": plain(bound),
            "fraction": plain(found.fractions[name]),
            "violated": name in found.violated,
        }
        for name, bound in found.bounds.items()
    ]


def outcome(found: Outcome) -> list[Row]:
    """Length by length."""
    return [
        {
            "claim": found.name,
            "statement": found.statement,
            "size": part.size,
            "verdict": part.verdict,
            "status": str(part.status),
            "share": float(part.share),
            "boxes": part.boxes,
            "fraction": plain(part.assaults[0].fraction) if part.assaults else _NAN,
        }
        for part in found.parts
    ]


def sweep(found: SweepResult) -> list[Row]:
    """Point by point, as :meth:`SweepResult.table` has them; nothing infinite."""
    return [
        {key: plain(value) if isinstance(value, float) else value for key, value in row.items()}
        for row in found.table()
    ]
