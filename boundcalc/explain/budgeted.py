"""The inverse of the bounds: budgets of perturbed passes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from boundcalc.explain.entry import Captures, Entry, Input, Rule, letter

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph

_LARGEST = r"\sup\lbrace x:\text{bound}(x)\le\text{target}\rbrace"
_ROOT = "docs/theory.md, Lemma 7.3"
_ORDERS = "docs/theory.md, section 7"
TARGET = Input(r"\text{target}", "what the bound may be", path="budget.question.target")
_TOLERANCE = Input(r"\text{tolerance}", "tolerance", spec="budget.tolerance")
_BASELINE = Input(
    r"\text{baseline}", "the bound without perturbations", path="budget.question.baseline"
)
_ASKED = Input(r"\text{target}", "the target", spec="budget.target")


def _admissible(says: str, *, source: str = _ROOT) -> Entry:
    return Entry(
        says,
        "x",
        _LARGEST,
        source,
        (
            letter("x", "the number that is asked for"),
            letter(
                r"\text{bound}",
                "the bound, of budget.question.family, as a function of that number",
            ),
            TARGET,
        ),
        "limit",
        "=",
        conditions=("what the bound supposes; at the step and horizon of the question",),
    )


def _bits(says: str, kind: str = "value", source: str = "docs/theory.md, Lemma 7.4") -> Entry:
    return Entry(says, source=source, kind=kind)  # type: ignore[arg-type]  # one of the kinds


def magnitude(captures: Captures, graph: object) -> Entry:
    """The largest value of one moment at one place."""
    del graph
    name = {"rms": "root mean square", "mean": "mean"}[captures["moment"]]
    place = f"{captures['pass']} perturbation at {captures['site']}"
    words = {
        "current": f"the {name} that the spec gives the {place}",
        "alone": f"the largest {name} of a {place} that acts alone, at every step",
        "given": f"the largest {name} of a {place}, everything else as the spec has it",
    }[captures["what"]]
    if captures["what"] == "current":
        return Entry(
            words, kind="setting", inputs=(Input("e", "perturbations", spec="perturbations"),)
        )
    return _admissible(words)


_MAGNITUDE = "budget.frequent.{pass}.{site}.{moment}"

_EVENT = {
    "count_worst": "how many events may fall among the steps of the run, wherever they fall",
    "count_even": "how many events may fall among the steps of the run, evenly spread",
    "interval": "the smallest Δt of one event every Δt steps; null where not one is admissible",
    "rate": "the largest probability of an event per step, all samples of a batch being hit",
    "probability": "the largest probability of an event per step and sample",
}


def event(captures: Captures, graph: object) -> Entry:
    """How often an event may happen.  Counts follow from the bound as rates do."""
    del graph
    entry = _admissible(_EVENT[captures["count"]])
    site = f"['{captures['site']}']" if "." in captures["site"] else f".{captures['site']}"
    name = f"['{captures['event']}']"
    base = f"budget.intermittent{name}.{captures['pass']}{site}.{captures['case']}"
    return replace(entry, status=f"{base}.status.rate")


def target(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """What the bound may be, as the spec has it."""
    del captures
    section = None if graph is None else graph.spec.budget
    says = "what the bound may be: the target, or 1 + tolerance times the baseline"
    if section is not None and section.target is not None:
        return Entry(says, source="docs/budgets.md", inputs=(_ASKED,))
    formula = r"(1+\text{tolerance})\cdot\text{baseline}"
    inputs = (_TOLERANCE, _BASELINE)
    return Entry(says, r"\text{target}", formula, "docs/budgets.md", inputs, "value", "=")


BUDGETED: dict[str, Rule] = {
    "budget.question.regime": Entry("which statement is inverted", kind="text"),
    "budget.question.family": Entry("whose bound is inverted", kind="text"),
    "budget.question.coefficients_source": Entry("where its coefficients are from", kind="text"),
    "budget.question.horizon": Entry(
        "the number of steps",
        inputs=(Input("T", "horizon", spec="training.horizon"),),
        kind="setting",
    ),
    "budget.question.step_size": Entry(
        "the step size, or best: chosen anew for each level",
        inputs=(Input(r"\gamma", "step size", spec="training.step_size"),),
        kind="setting",
    ),
    "budget.question.baseline": Entry(
        "the bound without perturbations", kind="bound", source="docs/budgets.md"
    ),
    "budget.question.target": target,
    "budget.frequent.scale": _admissible(
        "the largest common factor of all perturbations of the spec"
    ),
    "budget.frequent.scaled_bound": Entry(
        "the bound with all perturbations times the factor `scale`", kind="bound", source=_ROOT
    ),
    f"{_MAGNITUDE}.{{what}}": magnitude,
    f"{_MAGNITUDE}.note": Entry("what else there is to say of this place", kind="text"),
    "budget.orders.{regime}.{place}": Entry(
        "an asymptotic order in the horizon, as exponents of T and ln T and as text: what may grow "
        "no faster if the rate is to keep its order; null where every order is admissible",
        source=_ORDERS,
        kind="text",
    ),
    "budget.orders.{regime}.conditions#": Entry(
        "what the orders suppose", source=_ORDERS, kind="text"
    ),
    "budget.orders.{regime}.terms.{name}": Entry(
        "how a term of the bound depends on the step size", source=_ORDERS, kind="text"
    ),
    "budget.allocation.sites#.bits": _bits("bits of a uniform quantiser at this place", "count"),
    "budget.allocation.sites#.size": _bits("how many components the place has", "count"),
    "budget.allocation.sites#.weight": _bits("what one bit costs here", "setting"),
    "budget.allocation.sites#.magnitude": _bits("half the range of the quantiser", "bound"),
    "budget.allocation.sites#.continuous": _bits("bits of the real-valued optimum"),
    "budget.allocation.sites#.rms": _bits(
        "root mean square of the rounding with these bits", "bound"
    ),
    "budget.allocation.sites#.mean": _bits("mean of the rounding with these bits", "bound"),
    "budget.allocation.sites#.price": _bits(
        "by how much of the slack one more bit here lowers the bound"
    ),
    "budget.allocation.sites#.saving": _bits("the bound with one more bit here", "bound"),
    "budget.allocation.uniform_bits": _bits("the least equal number of bits everywhere", "count"),
    "budget.allocation.uniform_cost": _bits("what equal bits everywhere cost"),
    "budget.allocation.cost": _bits("cost of the integer bits: Σ weight · bits"),
    "budget.allocation.lower_cost": _bits("no admissible assignment of integer bits costs less"),
    "budget.allocation.relaxed_cost": _bits("a lower bound on the cost of real-valued bits"),
    "budget.allocation.multiplier": _bits("what the whole slack of the bound is worth, in cost"),
    "budget.allocation.bound": _bits("the bound with the integer bits", "bound"),
    "budget.allocation.curve#.cost": _bits("a cost on the curve of the best real-valued bits"),
    "budget.allocation.curve#.bound": _bits("the bound at that cost", "bound"),
    "budget.allocation.left_out.{site}": _bits("why this place gets no bits", "text"),
    "budget.formats.sites#.{key}": _bits(
        "the cheapest admissible number format of a place", "value", "docs/budgets.md"
    ),
    "budget.formats.{key}": _bits(
        "of the cheapest admissible number formats", "value", "docs/budgets.md"
    ),
    "budget.calibration.{key}": _bits(
        "measured along a training run", "sampled", "docs/budgets.md"
    ),
    "budget.allocation": Entry(
        "bits of quantisers; null where they were not asked for", kind="text"
    ),
    "budget.formats": Entry("number formats; null where they were not asked for", kind="text"),
    "budget.calibration": Entry("a calibration; null where it was not asked for", kind="text"),
}
for _at in ("budget.intermittent", "budget.formats.intermittent"):
    _event = f"{_at}.{{event}}.{{pass}}.{{site}}.{{case}}"
    BUDGETED[f"{_event}.{{count}}"] = event
    BUDGETED |= {
        f"{_event}.rms": Entry("the event's root mean square", kind="setting"),
        f"{_event}.mean": Entry("the event's mean", kind="setting"),
        f"{_event}.spare": Entry(
            "how much of the tolerance one event takes: (bound with one − baseline) / (target − "
            "baseline)",
            source=_ROOT,
            inputs=(TARGET,),
        ),
    }
