r"""Layer-wise staleness: constants, limits and statements of [XHH] and their sharp forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundcalc.explain.entry import Captures, Entry, Input, Rule, letter
from boundcalc.explain.stale_formulas import (
    C1,
    CONSTANTS,
    DELAY,
    FACTOR,
    GAP,
    LIMITS,
    SIGMA,
    STEPS,
    TERMS,
    K,
    L,
    blocks,
)
from boundcalc.explain.statements import stated
from boundcalc.theories.staleness.shapes import QUANTITY, SHAPES
from boundcalc.theories.values import Statement

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph

_PAGE = "docs/theory-staleness.md"


def _statement(captures: Captures, graph: OperatorGraph | None) -> Statement | None:
    """The statement with its numbers, or as it is printed."""
    key = captures["stale"]
    found = stated(graph).get(key)
    shape = next((x for x in SHAPES if x.key == key), None)
    if found is not None or shape is None:
        return found
    return Statement(
        key, shape.title, QUANTITY, shape.formula, None, shape.source, conditions=shape.conditions
    )


def bound(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """The right side of a statement."""
    found = _statement(captures, graph)
    names = [name for key, name in TERMS if key == captures["stale"]]
    inputs = tuple(
        Input(rf"t_{{{k}}}", f"the term {n}", path=f"rate.staleness.{captures['stale']}.terms.{n}")
        for k, n in enumerate(names, 1)
    )
    words = f"the bound of the statement {captures['stale']} on the average of ‖∇f‖²"
    return Entry.of(words, found, inputs)


def term(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """One term of a statement."""
    formula, inputs = TERMS[captures["stale"], captures["term"]]
    words = f"a term of the bound of the statement {captures['stale']}: {captures['term']}"
    return Entry.part(words, _statement(captures, graph), formula, inputs)


def limit(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """The largest step size of a statement."""
    formula, inputs = LIMITS[captures["stale"]]
    words = f"the largest step size for which the statement {captures['stale']} holds"
    return Entry.part(
        words, _statement(captures, graph), formula, inputs, kind="limit", quantity=r"\gamma"
    )


def constant(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """One of the constants."""
    words, formula, inputs = CONSTANTS[captures["constant"]]
    source = f"{_PAGE}, Theorem 10.6" if captures["constant"] in ("Q", "W") else "[XHH]; " + _PAGE
    if captures["constant"] == "Q" and graph is not None:
        inputs += blocks(graph)
    return Entry(words, formula=formula, relation="=", source=source, inputs=inputs, kind="bound")


def factor(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """What multiplies Lασ²."""
    corrected = captures["stale"] == "sgd.corrected"
    formula = r"2+\Delta t^2+\frac{Kc_1}{2(K+1)}" if corrected else r"2+K\Delta t^2+\frac{Kc_1}{4}"
    words = "the factor of Lασ² in the bound"
    return Entry.part(words, _statement(captures, graph), formula, (DELAY, K, C1))


def delay(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """A number of the budget."""
    del graph
    words = {
        "target": "what the bound may be",
        "largest_delay": "the largest delay Δt for which the bound meets the target at this step",
        "bound": "the bound at that delay",
        "best_delay": "the largest delay Δt at which some step meets the target",
        "best_step": "that step",
        "best_bound": "the bound at that delay and step",
        "step_size_limit": "the largest step at the spec's delays",
        "largest_step": "the largest step at the spec's delays that meets the target",
        "capped": "whether delays were looked for up to the cap only",
    }[captures["key"]]
    kind = {"bound": "bound", "best_bound": "bound", "capped": "text", "target": "value"}
    return Entry(
        f"{words}, for the statement {captures['stale']}; all delays are scaled together",
        source="docs/staleness.md",
        status=f"budget.staleness.{captures['stale']}.target",
        kind=kind.get(captures["key"], "limit"),  # type: ignore[arg-type]  # one of the kinds
    )


_RATE = "rate.staleness.{stale}"

STALE: dict[str, Rule] = {
    f"{_RATE}.bound": bound,
    f"{_RATE}.terms.{{term}}": term,
    f"{_RATE}.step_size_limit": limit,
    f"{_RATE}.noise_factor": factor,
    f"{_RATE}.corollary.step_size": Entry(
        "1/√N, or the limit where that is smaller",
        r"\gamma",
        r"\min\lbrace\frac{1}{\sqrt{N}},\text{limit}\rbrace",
        "[XHH], Corollary 1",
        (
            STEPS,
            Input(
                r"\text{limit}",
                "the largest step size of the statement",
                path="rate.staleness.sgd.step_size_limit",
            ),
        ),
        "limit",
    ),
    f"{_RATE}.corollary.bound": Entry(
        "the bound at the step 1/√N; null where that is above the limit",
        QUANTITY,
        r"\frac{2\Delta_0+L\sigma^2F}{\sqrt{N}}",
        "[XHH], Corollary 1",
        (GAP, L, SIGMA, STEPS, FACTOR),
        "bound",
    ),
    f"{_RATE}.{{constant}}": constant,
    "rate.staleness.{constant}": constant,
    "compile.staleness.{constant}": constant,
    "compile.staleness.step_size_limits.{stale}": limit,
    "compile.staleness.blocks#.kappa": Entry(
        "κ of a block: ‖𝒢 − ∇f‖² ≤ Σ κ_k d_k² for weights that moved by d_k",
        r"\lVert\mathcal{G}-\nabla f\rVert^2",
        r"\sum_k\kappa_kd_k^2",
        f"{_PAGE}, Lemma 10.4",
        (
            letter(r"\kappa_k", "this number of block k: compile.staleness.blocks[k].kappa"),
            letter("d_k", "how far the weights of block k moved"),
        ),
        "bound",
    ),
    "compile.staleness.blocks#.delay": Entry(
        "the block's delay m_k = Δt_k", source=f"{_PAGE}, Lemma 10.1", kind="count"
    ),
    "compile.staleness.blocks#.operators": Entry("how many operators the block has", kind="count"),
    "compile.staleness.blocks#.id": Entry("the block", kind="text"),
    "{verb}.staleness.queues.{queue}#": Entry(
        "the pipeline's queues: lengths p, m, q of DSP, delays Δt_k, and times t_k",
        source=f"{_PAGE}, Lemma 10.1",
        inputs=(Input("p,m", "queues", spec="staleness"),),
        kind="count",
    ),
    "simulate.queues.{queue}#": Entry(
        "lengths p, m, q of the queues", source=f"{_PAGE}, Lemma 10.1", kind="count"
    ),
    "simulate.blocks#.block": Entry("the block", kind="text"),
    "simulate.blocks#.delay": Entry("the block's delay", kind="count"),
    "simulate.blocks#.{key}": Entry(
        "measured by block: how far its weights moved meanwhile, and how far stale and exact "
        "gradient are apart",
        kind="sampled",
        status="sampled",
        source="docs/staleness.md",
    ),
    "simulate.stragglers.unit": Entry("of the numbers beside it", kind="text"),
    "simulate.stragglers.slowdowns#": Entry("how much slower a worker is", kind="setting"),
    "simulate.stragglers.rows.{row}#.mean": Entry(
        "how much longer a run with a slow worker takes, per cent",
        kind="sampled",
        status="sampled",
        source="docs/staleness.md",
    ),
    "simulate.stragglers.rows.{row}#.ci#": Entry(
        "an end of its interval", kind="sampled", status="sampled"
    ),
    "simulate.stragglers.rows.{row}#.method": Entry("how the interval was made", kind="text"),
    "simulate.stragglers.{key}#": Entry(
        "how much longer it takes if all wait for the slowest, or nobody waits, per cent",
        kind="value",
        status="computed",
        source="docs/staleness.md",
    ),
    "budget.staleness.{stale}.{key}": delay,
}
