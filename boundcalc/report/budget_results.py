"""A budget as plain data: the object of ``boundcalc budget --json``, and part of results.json.

Every group of numbers has two companions: ``exact``, with "p/q" of those that are rational,
and ``status``.  A number that is null has no limit, or does not exist; a note says which.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.calibration.results import Calibration, MeasuredBits
from boundcalc.budgets.orders.results import IntermittentOrders, RegimeOrders
from boundcalc.budgets.results import Allocation, Budget, Formats, Frequency, Magnitudes
from boundcalc.report.budget_words import from_below
from boundcalc.report.json_numbers import nearest, number, sampled

if TYPE_CHECKING:
    from boundcalc.budgets.orders.order import Order
    from boundcalc.budgets.question import Question


def budget_results(budget: Budget) -> dict[str, Any]:
    """The object of ``boundcalc budget --json``.

    Returns
    -------
    ``frequent`` (largest magnitudes at every step), ``intermittent`` (counts of events) and
    ``orders`` by regime; besides ``question``, ``allocation``, ``formats``, ``calibration``
    (null where not asked for, or where ``notes`` say why not) and ``notes``.
    """
    return {
        "name": budget.question.graph.name,
        "question": _question(budget.question),
        "frequent": _frequent(budget.magnitudes),
        "intermittent": _intermittent(budget.frequencies),
        "orders": {regime: _regime(found) for regime, found in budget.orders.items()},
        "allocation": None if budget.allocation is None else _allocation(budget.allocation),
        "formats": None if budget.formats is None else _formats(budget.formats),
        "calibration": None if budget.calibration is None else _calibration(budget.calibration),
        "notes": list(budget.notes),
    }


def _numbers(**found: Number | None) -> dict[str, Any]:
    """Numbers by key, with ``exact`` and ``status`` beside them."""
    exact = {key: None if value is None else value.exact for key, value in found.items()}
    return {
        **{key: number(value) for key, value in found.items()},
        "exact": {key: text for key, text in exact.items() if text is not None},
        "status": {key: str(v.status) for key, v in found.items() if v is not None},
    }


def _question(asked: Question) -> dict[str, Any]:
    from boundcalc.rates.inputs import problem

    found = problem(asked.graph)
    family, pl = asked.family, asked.regime == "pl"
    return {
        "regime": asked.regime,
        "family": family.name,
        "horizon": found.horizon,
        "step_size": "best" if asked.best else nearest(Number(found.step, Status.PROVED)),
        **_numbers(baseline=asked.baseline, target=asked.target),
        "source": family.descent.pl_source if pl else family.descent.nonconvex_source,
        "coefficients_source": family.source,
        "caution": family.caution,
    }


def _frequent(found: Magnitudes) -> dict[str, Any]:
    sites: dict[str, dict[str, dict[str, Any]]] = {"forward": {}, "backward": {}}
    for entry in found.allowances:
        numbers = _numbers(current=entry.current, alone=entry.alone, given=entry.given)
        places = sites[entry.direction].setdefault(entry.label, {})
        places[entry.quantity] = {**numbers, "note": entry.note}
    return {
        **_numbers(scale=found.scale, scaled_bound=found.scaled_bound),
        **sites,
        "notes": list(found.notes),
    }


def _intermittent(found: Iterable[Frequency]) -> dict[str, Any]:
    """Event → direction → site → which mean is assumed → how often it may happen."""
    events: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for entry in found:
        event = events.setdefault(entry.name, {"forward": {}, "backward": {}})
        event[entry.direction].setdefault(entry.label, {})[entry.mean_case] = {
            "count_worst": entry.count_worst,
            "count_even": entry.count_even,
            "interval": entry.interval,
            **_numbers(
                rms=entry.rms,
                mean=entry.mean,
                rate=entry.rate,
                probability=entry.probability,
                spare=entry.spare,
            ),
        }
    return events


def _regime(found: RegimeOrders) -> dict[str, Any]:
    frequent = found.frequent
    return {
        "step": _order(found.step),
        "rate": _order(found.rate),
        "conditions": list(found.conditions),
        "frequent": {
            "forward_rms": _order(frequent.forward_rms),
            "forward_mean": _order(frequent.forward_mean),
            "backward_rms": _order(frequent.backward_rms),
            "backward_mean": _order(frequent.backward_mean),
        },
        "intermittent": {
            "zero_mean": _counts(found.zero_mean),
            "general": _counts(found.general),
        },
        "terms": dict(found.terms),
    }


def _counts(found: IntermittentOrders) -> dict[str, Any]:
    return {
        "forward": _order(found.forward),
        "backward": _order(found.backward),
        "forward_even": _order(found.forward_even),
        "backward_even": _order(found.backward_even),
    }


def _order(order: Order | None) -> dict[str, str | None] | None:
    """Exponents and text; null where every order is admissible."""
    return None if order is None else order.json()


def _allocation(found: Allocation) -> dict[str, Any]:
    return {
        "sites": [
            {
                "pass": site.direction,
                "site": site.label,
                "size": site.size,
                "bits": site.bits,
                **_numbers(
                    weight=site.weight,
                    magnitude=site.magnitude,
                    continuous=site.continuous,
                    rms=site.rms,
                    mean=site.mean,
                    price=site.price,
                    saving=site.saving,
                ),
            }
            for site in found.sites
        ],
        "uniform_bits": found.uniform_bits,
        **_numbers(
            cost=found.cost,
            lower_cost=_from_below(found.lower_cost),
            relaxed_cost=_from_below(found.relaxed_cost),
            multiplier=found.multiplier,
            uniform_cost=found.uniform_cost,
            bound=found.bound,
        ),
        "curve": [_numbers(cost=cost, bound=bound) for cost, bound in found.curve],
        "left_out": dict(found.left_out),
    }


def _formats(found: Formats) -> dict[str, Any]:
    return {
        "sites": [
            {
                "pass": site.direction,
                "site": site.label,
                "size": site.size,
                "format": site.format,
                "rounding": site.rounding,
                **_numbers(bits=site.bits, rms=site.rms, mean=site.mean),
                "note": site.note,
            }
            for site in found.sites
        ],
        **_numbers(
            cost=found.cost,
            bound=found.bound,
            lower_cost=_from_below(found.lower_cost),
            target=found.target,
        ),
        "intermittent": _intermittent(found.frequencies),
    }


def _calibration(found: Calibration) -> dict[str, Any]:
    return {
        "confidence": found.confidence,
        "iterates": list(found.iterates),
        "sites": [
            {
                "pass": site.direction,
                "site": site.label,
                **_numbers(
                    proved=site.proved,
                    measured=site.measured,
                    ratio=site.ratio,
                    proved_bias=site.proved_bias,
                    measured_bias=site.measured_bias,
                    bias_ratio=site.bias_ratio,
                    measured_worst=site.measured_worst,
                ),
                "worst_exact": site.worst_exact,
                "ci": _ends(site.interval),
                "bias_ci": _ends(site.bias_interval),
            }
            for site in found.sites
        ],
        **_numbers(
            predicted_error=found.predicted_error,
            simulated_error=found.simulated_error,
            predicted_bias=found.predicted_bias,
            simulated_bias=found.simulated_bias,
            scale=found.scale,
            proved_scale=found.proved_scale,
        ),
        "error_ci": _ends(found.error_interval),
        "bias_ci": _ends(found.bias_interval),
        "bits": None if found.bits is None else _measured_bits(found.bits),
        "notes": list(found.notes),
    }


def _measured_bits(found: MeasuredBits) -> dict[str, Any]:
    return {
        "sites": [
            {"pass": direction, "site": label, "bits": bits}
            for (direction, label), bits in found.bits.items()
        ],
        **_numbers(cost=found.cost, bound=found.bound, simulated=found.simulated),
        "ci": _ends(found.interval),
    }


def _from_below(found: Number | None) -> Number | None:
    return None if found is None else from_below(found)


def _ends(interval: tuple[float, float] | None) -> list[float | str | None] | None:
    return None if interval is None else [sampled(end) for end in interval]
