"""Budgets written by hand, for tests of what prints them: no stage of the pipeline is run."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction

import boundcalc as bc
from boundcalc.arithmetic import Number, Status
from boundcalc.budgets.calibration.results import Calibration, SiteSensitivity
from boundcalc.budgets.orders.order import Order
from boundcalc.budgets.orders.results import FrequentOrders, IntermittentOrders, RegimeOrders
from boundcalc.budgets.question import question
from boundcalc.budgets.results import (
    Allocation,
    Allowance,
    Budget,
    Formats,
    Frequency,
    Magnitudes,
    SiteBits,
    SiteFormat,
)
from boundcalc.graph import OperatorGraph
from boundcalc.report.gather import Findings

P, C, S = Status.PROVED, Status.COMPUTED, Status.SAMPLED
NASTY = ("$x_{%&}^2$ #~\\input{a}", "<script>alert('x')</script>|`b`", "y" * 190, "[b]f4[/b]")
BIT_FLIP = "bit flips"


def limit(value, status=P):
    return Number(value, status, limit=True)


def graph(names=("f1", "f2", "f3", "f4"), *, section=None, pl=None, perturbed=True):
    """A chain with a budget section."""
    spec = {
        "version": 1,
        "name": "budget of " + names[0],
        "graph": {
            "uniform": {"jac": 1, "lip": 1, "hess": 1, "hess_op": 1, "third": 1},
            "operators": [{"id": name} for name in names],
        },
        "perturbations": [
            {"at": names[0], "pass": "forward", "rms": "1/100", "mean": "1/1000", "fourth": "1/50"},
            {"at": names[-1], "pass": "backward", "rms": "1/3", "mean": 0},
        ]
        if perturbed
        else [],
        "loss": {"smoothness": 1, "initial_gap": 1, "gradient_noise": 0}
        | ({"pl": pl} if pl else {}),
        "training": {"step_size": "1/4", "horizon": 120_000},
        "budget": section or {"tolerance": "1/10"},
    }
    return bc.build(bc.loads(json.dumps(spec)))


def magnitudes(of: OperatorGraph) -> Magnitudes:
    """Every kind of allowance: exact, computed, sampled, unlimited, without influence."""
    found = []
    for k, site in enumerate(of.sites):
        last = k == len(of.sites) - 1
        for quantity in ("rms", "mean"):
            alone = None if last and quantity == "rms" else limit(Fraction(2, 3 * 7**k))
            note = None
            if last and quantity == "mean":
                alone, note = None, "a mean there does not reach any weight: it has no influence"
            given = alone and limit(float(alone.value) / 3, (P, C, S)[k % 3])
            current = Number(Fraction(1, 100), P) if k == 0 else None
            found.append(
                Allowance(site.direction, site.label, quantity, current, alone, given, note)
            )
    notes = ("a remark on all magnitudes",)
    return Magnitudes(limit(Fraction(22, 7)), Number(Fraction(8, 100), P), tuple(found), notes)


def frequencies(of: OperatorGraph) -> tuple[Frequency, ...]:
    """The three means of one event at two sites, and an event that must never happen."""
    first, last = of.sites[0], of.sites[-1]
    one = Number(Fraction(1), P)
    found = []
    for site, scale in ((first, 1), (last, 40)):
        for case, factor in (("given", 1), ("zero", 9), ("full", 0)):
            count = 3 * scale * factor
            found.append(
                Frequency(
                    BIT_FLIP,
                    site.direction,
                    site.label,
                    one,
                    Number(Fraction(1, 2), P),
                    case,
                    count,
                    2 * count,
                    40_000 // scale // factor if factor else None,
                    limit(Fraction(factor * scale, 40_001)),
                    limit(1e-7 * factor, C),
                    Number(Fraction(1, 3 * scale * factor or 1) * 2, P),
                )
            )
    spike = replace(found[0], name="spike", count_worst=120_000, interval=1)
    return (*found, spike)


def orders() -> dict[str, RegimeOrders]:
    """Orders as in Corollary 1 and Table 1, written out."""
    half, one = Order(Fraction(1, 2)), Order(Fraction(1))
    none = Order(Fraction(0))
    return {
        "nonconvex": RegimeOrders(
            Order(Fraction(-1, 2)),
            Order(Fraction(-1, 2)),
            (),
            FrequentOrders(
                Order(Fraction(-1, 8)), Order(Fraction(-1, 4)), None, Order(Fraction(-1, 4))
            ),
            IntermittentOrders(half, one, half, one),
            IntermittentOrders(half, half, half, half),
            {"optimisation": "T^(-1/2)", "perturbation_bias": " + ".join(["T^(-1/2) ‖ε‖^2"] * 5)},
        ),
        "pl": RegimeOrders(
            Order(Fraction(-1), Fraction(1)),
            Order(Fraction(-1), Fraction(1)),
            ("γ = c ln T/T with c ≥ 1/μ",),
            FrequentOrders(
                Order(Fraction(-1, 4), Fraction(1, 4)), Order(Fraction(-1, 2), Fraction(1, 2)),
                None, Order(Fraction(-1, 2), Fraction(1, 2)),
            ),
            IntermittentOrders(none, one, Order(Fraction(0), Fraction(1)), one),
            IntermittentOrders(none, none, none, none),
            {},
        ),
    }  # fmt: skip


def allocation(of: OperatorGraph) -> Allocation:
    """Bits that fall along the network; the last site has no known range."""
    sites = tuple(
        SiteBits(
            site.direction,
            site.label,
            1024 * (k + 1),
            Number(Fraction(1024 * (k + 1)), P),
            Number(Fraction(1, k + 1), P),
            max(2, 12 - k % 9),
            Number(max(2.0, 12 - k % 9 - 0.37), C),
            Number(Fraction(1, 2 ** max(2, 12 - k % 9)), P),
            Number(Fraction(0), P),
            Number(0.01 * 3.7 ** (-(k % 9)), C),
            Number(Fraction(87, 1000) - Fraction(1, 10**5 * (k + 1)), P),
        )
        for k, site in enumerate(of.sites[:-1])
    )
    cost = sum(site.size * site.bits for site in sites)
    baseline, slack = Fraction(1, 15_000), Fraction(1, 150_000)
    return Allocation(
        sites,
        Number(Fraction(cost), P),
        limit(cost * 0.96, C),
        12,
        Number(Fraction(12 * sum(site.size for site in sites)), P),
        Number(baseline + slack * Fraction(9, 10), P),
        tuple(
            (Number(cost * (0.6 + 0.1 * k), C), Number(float(baseline + slack * 4 ** (4 - k)), C))
            for k in range(9)
        ),
        {of.sites[-1].label: "the region of its values is unbounded"},
        Number(cost - Fraction(1, 3), P),
        Number(Fraction(7), C),
    )


def formats(of: OperatorGraph, *, failing: bool = False) -> Formats:
    """fp8 forward, bf16 backward; with ``failing`` nothing holds the first site's range."""
    found = [
        SiteFormat(
            site.direction,
            site.label,
            1024,
            "fp8_e4m3" if site.direction == "forward" else "bf16",
            "stochastic",
            Number(Fraction(8 if site.direction == "forward" else 16), P),
            Number(Fraction(1, 70), P),
            Number(Fraction(0), P),
        )
        for site in of.sites
    ]
    if failing:
        note = "no candidate holds values up to 1e+6"
        found = [replace(x, format=None, bits=None, rms=None, mean=None) for x in found]
        found[0] = replace(found[0], note=note)
        return Formats(tuple(found), None, None, None)
    cost = Number(Fraction(73_728), P)
    return Formats(
        tuple(found),
        cost,
        Number(Fraction(1, 14_000), P),
        limit(Fraction(73_728)),
        limit(Fraction(1, 12_000)),
        frequencies(of),
    )


def calibration(of: OperatorGraph) -> Calibration:
    """Measured sensitivities some orders below the proved ones."""
    sites = tuple(
        SiteSensitivity(
            site.direction,
            site.label,
            Number(Fraction(10 ** (k + 1), 3), P),
            Number(1.234567 / (k + 1), S),
            (1.2 / (k + 1), 1.3 / (k + 1)),
            Number(10.0 ** (k + 1), S),
            Number(Fraction(7), P) if site.direction == "forward" else None,
            Number(0.01, S) if site.direction == "forward" else None,
            (0.0, 0.02) if site.direction == "forward" else None,
            None,
            Number(2.5 / (k + 1), S),
            k == 0,
        )
        for k, site in enumerate(of.sites)
    )
    return Calibration(
        sites, 0.99, (0, 60_000, 120_000), Number(1.2e-4, S), Number(1.25e-4, S), (1.2e-4, 1.3e-4),
        Number(1e-9, S), Number(0.0, S), (0.0, 2e-9), limit(31.4, S), limit(Fraction(22, 7)),
        ("the run is 120 000 steps long, of which three were looked at",),
    )  # fmt: skip


def budget(of: OperatorGraph | None = None, **changes) -> Budget:
    """Everything at once."""
    of = graph() if of is None else of
    found = Budget(
        question(of),
        magnitudes(of),
        frequencies(of),
        orders(),
        allocation(of),
        formats(of),
        calibration(of),
        ("a note with `code`",),
    )
    return replace(found, **changes)


def bare(of: OperatorGraph | None = None) -> Budget:
    """What there is without options, on a spec that neither perturbs nor asks for events."""
    of = graph(perturbed=False) if of is None else of
    return budget(
        of, frequencies=(), orders={}, allocation=None, formats=None, calibration=None, notes=(),
        magnitudes=Magnitudes(None, None, tuple(
            replace(a, current=None, given=None) for a in magnitudes(of).allowances
        )),
    )  # fmt: skip


def join() -> Budget:
    """A graph whose last operator passes back along two edges."""
    text = """
    version: 1
    name: a join
    graph:
      uniform: {jac: 1, lip: 1, hess: 1, hess_op: 1, third: 1}
      operators: [{id: f1}, {id: f2}, {id: f3, inputs: [f1, f2]}]
    loss: {smoothness: 1, initial_gap: 1, gradient_noise: 0}
    training: {step_size: 1/4, horizon: 1000}
    budget: {tolerance: 1/10}
    """
    return bare(bc.build(bc.loads(text)))


def findings(found: Budget | None, no_budget: str = "") -> Findings:
    """A report's findings that hold nothing but a budget."""
    of = graph() if found is None else found.question.graph
    return Findings(of, {}, None, "", None, "", found, no_budget)
