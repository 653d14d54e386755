"""What a simulation measured, and the verdicts, of every theory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boundcalc.explain.entry import Captures, Entry, Input, Rule, letter

if TYPE_CHECKING:
    from boundcalc.graph import OperatorGraph

#: Metric → what it is, and its formula.
_METRICS = {
    "mean_squared_gradient": (
        "the mean over the recorded steps of ‖∇ℓ‖²",
        r"\frac1T\sum_{t<T}\lVert\nabla\ell(w^{(t)})\rVert^2",
    ),
    "final_loss": ("the loss after the last step", r"\ell(w^{(T)})"),
    "final_gap": (
        "the loss after the last step over the least value that was found",
        r"\ell(w^{(T)})-\ell^*",
    ),
    "final_gradient_norm": (
        "the gradient norm after the last step",
        r"\lVert\nabla\ell(w^{(T)})\rVert",
    ),
    "stable_gradient_norm": (
        "the mean of the smoothed gradient norm over the second half of the run",
        "",
    ),
    "stable_iteration_complexity": (
        "the first step at which the smoothed gradient norm is below 1.5 times its stable value",
        "",
    ),
    "diverged_share": ("the share of replicas whose loss was not finite at a recorded step", ""),
    "recovery_time": ("steps from a spike back to the level before it", ""),
    "recovered_share": ("the share of replicas that recovered from a spike", ""),
    "mean_squared_difference": (
        "the mean over the steps of the squared difference of stale and exact gradient",
        r"\lVert\mathcal{G}-\nabla f\rVert^2",
    ),
    "gradient_average": (
        "the average of ‖∇ℓ‖² of which the nonconvex statements speak, with their weights",
        "",
    ),
    "floor": ("the mean gap over the second half of the run", r"\ell(w_k)-\ell^*"),
    "share_bounded": ("the share of runs that stayed within the escape radius", ""),
    "median_final_loss": ("the median loss after the last step", ""),
    "mean_normalised_gradient": (
        "the mean of a²/(L₀+L₁a), a the gradient norm",
        r"\frac{a^2}{L_0+L_1a}",
    ),
    "left_side": ("the left side of the discrete statement, with its weights", ""),
    "error": ("E‖ũ−u‖² at a fixed iterate, of the sample where its interval ends highest", ""),
    "bias": ("‖E[ũ−u]‖² at a fixed iterate, of the sample where its interval ends highest", ""),
}

_RUN = (
    Input("R", "replicas", spec="simulation.replicas", default=16),
    Input(r"\text{seed}", "seed", spec="simulation.seed", default=0),
)

#: Of the formulas of the metrics.
_LETTERS = (
    letter("w", "the weights after a step"),
    letter(r"\ell", "the loss, ℓ* the least value that was found"),
    letter("T", "the number of recorded steps"),
    letter(r"\mathcal{G}", "the gradient of stale weights"),
    letter("f", "the loss"),
    letter("a", "the gradient norm"),
    letter("L_0", "smoothness where the gradient vanishes: distributed.L0"),
    letter("L_1", "how smoothness grows with the gradient: distributed.L1"),
)


def metric(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """The mean of a metric, or an end of its interval."""
    del graph
    name = captures["metric"]
    stem = name.rsplit("_at_", 1)[0]
    words, formula = _METRICS.get(name) or _METRICS.get(stem, (f"the metric {name}", ""))
    end = captures.get("at1", captures.get("at0"))
    part = "mean over replicas" if end is None else ("lower", "upper")[int(end)] + " end of the "
    if end is not None:
        part += "confidence interval of the mean over replicas"
    if "_at_" in name:
        words += f", step {name.rsplit('_at_', 1)[1]}"
    return Entry(
        f"{words}: {part}",
        formula,
        source="docs/simulation.md",
        inputs=(*_RUN, *(x for x in _LETTERS if x.symbol in formula)),
        kind="sampled",
        status="sampled",
    )


def claim(
    says: str,
    kind: str = "sampled",
    formula: str = "",
    *,
    status: str = "",
    inputs: tuple[Input, ...] = (),
) -> Entry:
    """A part of a verdict."""
    return Entry(
        says,
        formula=formula,
        relation="=",
        source="docs/simulation.md#intervals",
        inputs=inputs,
        kind=kind,  # type: ignore[arg-type]  # one of the kinds
        status=status,
    )


def slack(captures: Captures, graph: OperatorGraph | None) -> Entry:
    """Bound over observation."""
    del graph
    base = f"verify.verdicts[{captures['at0']}]"
    return Entry(
        "by what factor the bound is above what was observed; null where that is no positive "
        "finite number",
        "s",
        r"\frac{b}{o}",
        "docs/simulation.md#intervals",
        (
            Input("b", "the bound", path=f"{base}.bound"),
            Input("o", "what was observed", path=f"{base}.observed"),
        ),
        "sampled",
        "=",
        "sampled",
    )


SIMULATED: dict[str, Rule] = {
    "simulate.metrics.{metric}.mean": metric,
    "simulate.metrics.{metric}.ci#": metric,
    "simulate.metrics.{metric}.method": Entry("how the interval was made", kind="text"),
    "simulate.metrics.{metric}.effective_samples": Entry(
        "how many independent values the recorded series is worth", kind="sampled", status="sampled"
    ),
    "simulate.metrics.{metric}.rounding": Entry(
        "the measured rounding error of single precision, which the interval includes",
        kind="sampled",
        status="sampled",
    ),
    "simulate.metrics.{metric}.sample": Entry("the row number of the sample", kind="count"),
    "simulate.seed": Entry("the seed of the run", inputs=_RUN[1:], kind="setting"),
    "simulate.bootstrap_seed": Entry("the seed of bootstrap intervals", kind="setting"),
    "simulate.replicas": Entry("how many runs were made", inputs=_RUN[:1], kind="setting"),
    "simulate.steps": Entry("the number of steps of each run", kind="setting"),
    "simulate.seconds": Entry(
        "how long the run took, in seconds", kind="sampled", status="sampled"
    ),
    "simulate.confidence": Entry("the confidence of each interval", kind="setting"),
    "simulate.diverged_at": Entry(
        "the first recorded step at which a replica's loss was not finite; null if none",
        kind="count",
    ),
    "simulate.diverged": Entry("how many replicas diverged", kind="count"),
    "simulate.engine": Entry("what ran it: numpy or compiled", kind="text"),
    "simulate.precision": Entry("the floating-point format of the run", kind="text"),
    "simulate.threads": Entry("how many blocks of replicas ran at a time", kind="count"),
    "verify.verdicts#.claim": claim("what is claimed", "text"),
    "verify.verdicts#.family": claim("whose claim it is", "text"),
    "verify.verdicts#.bound": claim("the bound that the observation is held against", "bound"),
    "verify.verdicts#.observed": claim("what the simulation measured", status="sampled"),
    "verify.verdicts#.ci#": claim(
        "an end of the interval of what was measured; the intervals of all claims hold at once",
        status="sampled",
    ),
    "verify.verdicts#.status": claim(
        "holds: the whole interval lies below the bound; violated: all of it lies above; "
        "undetermined: neither, or an assumption fails in the run",
        "text",
    ),
    "verify.verdicts#.slack": slack,
    "verify.verdicts#.bound_status": claim("how far the bound can be trusted", "text"),
    "verify.verdicts#.observed_status": claim("how far the observation can be trusted", "text"),
    "verify.verdicts#.detail": claim("where it was observed, or what fails", "text"),
    "verify.ok": claim("whether there is a verdict and every one holds", "text"),
    "verify.confidence.all": claim("with which all intervals hold at once", "setting"),
    "verify.confidence.each": claim(
        "of each interval, so that all hold at once (Bonferroni)",
        "setting",
        r"1-\frac{1-\text{all}}{\text{claims}}",
        inputs=(
            Input(r"\text{all}", "confidence of all together", path="verify.confidence.all"),
            Input(r"\text{claims}", "how many", path="verify.confidence.claims"),
        ),
    ),
    "verify.confidence.claims": claim("how many observations are held against bounds", "count"),
    "verify.premises#.stated": Entry(
        "a constant that the spec states, which the run is held against",
        source="docs/simulation.md#intervals",
        kind="setting",
    ),
    "verify.premises#.met": Entry(
        "what the run met: a lower bound on what the constant must be",
        source="docs/simulation.md#intervals",
        kind="sampled",
        status="sampled",
    ),
    "verify.premises#.consistent": claim("whether the run refutes the constant", "text"),
    "verify.premises#.{key}": claim("which assumption, and what it says", "text"),
    "verify.skipped#.{key}": claim("a claim that is not made here, whose, and why", "text"),
    "verify.seed": Entry("the seed of the run", inputs=_RUN[1:], kind="setting"),
}
