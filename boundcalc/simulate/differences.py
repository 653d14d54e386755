"""Where two runs of one spec differ, and by how much."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from boundcalc.operators.base import Array
from boundcalc.simulate.results import Ints, Results
from boundcalc.simulate.results_files import array_digest
from boundcalc.simulate.run import Run
from boundcalc.simulate.statistics import Metric

#: The numbers of a metric.
_PARTS = ("mean", "lower end", "upper end", "degrees", "effective samples", "rounding")

_ROUNDING = 1e-20  # of ‖u‖²: what float64 leaves of an error that is 0


@dataclass(frozen=True)
class Difference:
    """The largest difference in one quantity.

    Attributes
    ----------
    quantity
        ``loss``, ``gradient_norm``, ``diverged``, ``final_weights``, ``metrics``, ``error`` or
        ``bias``.
    where
        The entry that differs most: step, replica, metric.
    recorded, found
        Both values there.
    relative
        |recorded − found| over the scale of the quantity; ∞ where only one is finite, or where
        the difference lies in what the file does not keep.
    """

    quantity: str
    where: str
    recorded: float
    found: float
    relative: float


def differences(recorded: Results, run: Run) -> tuple[Difference, ...]:
    """Every quantity that is not the same to the last bit, the largest difference first.

    Differences of loss, gradient norm and weights are relative to the largest finite value of
    their replica, so that one that grows hides no other; those of error and bias to the largest
    error of the same iterate, and that of the final gap to the loss: values that nearly cancel
    have no relative accuracy.
    """
    found = [*_along(recorded, run), *_metrics(recorded, run), *_checks(recorded, run)]
    return tuple(sorted(found, key=lambda difference: -difference.relative))


def largest(
    quantity: str,
    recorded: Array,
    found: Array,
    scale: float | Array,
    axes: tuple[Array | None, ...],
) -> Difference | None:
    """The largest difference of two arrays of one shape; None if they are the same.

    Parameters
    ----------
    scale
        What differences are divided by, one number or one for each; 0 is the larger of both
        values.
    axes
        By dimension: what its entries are called, their positions if None.

    Examples
    --------
    >>> largest("loss", np.array([1.0, np.nan]), np.array([1.0, np.nan]), 1.0, (None,)) is None
    True
    >>> largest("loss", np.array([1.0, 2.0]), np.array([1.0, 2.5]), 2.0, (None,)).relative
    0.25
    """
    same = (recorded == found) | (np.isnan(recorded) & np.isnan(found))
    if same.all():
        return None
    with np.errstate(invalid="ignore", over="ignore"):
        gap = np.where(same, 0.0, np.abs(recorded - found))
        own = np.maximum(np.abs(recorded), np.abs(found))
        size = np.where(np.asarray(scale) > 0, scale, own)
        relative = np.where(same, 0.0, gap / np.where(same, 1.0, size))
    # NaN or ∞ on one side only; and a difference too large for a float.
    relative[~np.isfinite(relative)] = np.inf
    at = np.unravel_index(int(np.argmax(relative)), relative.shape)
    names = [str(i if axis is None else axis[i]) for i, axis in zip(at, axes, strict=True)]
    return Difference(
        quantity, ", ".join(names), float(recorded[at]), float(found[at]), float(relative[at])
    )


def _along(recorded: Results, run: Run) -> Iterator[Difference]:
    """Loss, gradient norm, divergence and final weights."""
    trajectory, rows = run.trajectory, _rows(recorded.steps, run.trajectory.steps)
    steps = np.array([f"step {t}" for t in recorded.steps])
    replicas = np.array([f"replica {r}" for r in range(run.replicas)])
    pairs: dict[str, tuple[Array, Array, Array]] = {
        "loss": (recorded.loss, trajectory.loss[rows], trajectory.loss),
        "gradient_norm": (
            recorded.gradient_norm,
            trajectory.gradient_norm[rows],
            trajectory.gradient_norm,
        ),
        "final": (recorded.final, trajectory.final[: len(recorded.final)], trajectory.final),
    }
    for name, (kept, again, whole) in pairs.items():
        axes = (steps, replicas) if name != "final" else (replicas, None)
        title = "final_weights" if name == "final" else name
        scale = _scales(again, axis=1 if name == "final" else 0)
        difference = largest(title, kept, again, scale, axes)
        if difference is not None:
            yield difference
        elif recorded.digests.get(name) != array_digest(whole):
            yield Difference(title, "what the file does not keep", math.nan, math.nan, math.inf)
    kept, again = (x.astype(np.float64) for x in (recorded.diverged, trajectory.diverged))
    difference = largest("diverged", kept, again, float(recorded.horizon), (replicas,))
    if difference is not None:
        yield difference


def _rows(kept: Ints, steps: Ints) -> Ints:
    """Where the kept steps stand among the recorded ones."""
    return np.searchsorted(steps, kept)


def _scales(values: Array, axis: int) -> Array:
    """The largest finite size along one axis, which is kept."""
    sizes = np.where(np.isfinite(values), np.abs(values), 0.0)
    return np.asarray(np.max(sizes, axis=axis, keepdims=True, initial=0.0))


def _scale(values: Array) -> float:
    finite = values[np.isfinite(values)]
    return float(np.abs(finite).max()) if finite.size else 0.0


def _metrics(recorded: Results, run: Run) -> Iterator[Difference]:
    """Means and both ends of every interval."""
    loss = recorded.metrics.get("final_loss")
    for name, metric in run.metrics.items():
        known = recorded.metrics.get(name)
        if known is None:
            yield Difference("metrics", name, math.nan, metric.mean, math.inf)
            continue
        kept, again = _numbers(known), _numbers(metric)
        scale = _scale(again[:3])
        if name == "final_gap" and loss is not None and math.isfinite(loss.mean):
            scale = max(scale, abs(loss.mean))
        axis = np.array([f"{name}, {part}" for part in _PARTS])
        # Degrees of freedom and effective numbers have scales of their own.
        scales = np.array([scale] * 3 + [0.0] * 2 + [scale])
        difference = largest("metrics", kept, again, scales, (axis,))
        if difference is not None:
            yield difference
        if known.method != metric.method:
            yield Difference("metrics", f"{name}, method", math.nan, math.nan, math.inf)


def _numbers(metric: Metric) -> Array:
    """All numbers of a metric; NaN for those that it has not."""
    more = (metric.degrees, metric.effective, metric.rounding)
    found = [metric.mean, metric.lo, metric.hi, *(math.nan if x is None else x for x in more)]
    return np.array(found)


def _checks(recorded: Results, run: Run) -> Iterator[Difference]:
    """Error and bias at the iterates, with their intervals."""
    if [c.step for c in recorded.checks] != [c.step for c in run.checks]:
        yield Difference("error", "other iterates", math.nan, math.nan, math.inf)
        return
    for kept, again in zip(recorded.checks, run.checks, strict=True):
        if kept.samples != again.samples:
            yield Difference("error", f"step {kept.step}, samples", math.nan, math.nan, math.inf)
            continue
        size = largest(
            "error",
            np.array([kept.scale]),
            np.array([again.scale]),
            0.0,
            (np.array([f"step {kept.step}, ‖u‖²"]),),
        )
        if size is not None:
            yield size
        parts = np.array([f"step {kept.step}, {part}" for part in ("mean", "lo", "hi")])
        # Where nothing is perturbed, what is left is rounding of u.
        scale = max(_scale(again.error), _ROUNDING * again.scale)
        samples = np.array([f"sample {row}" for row in kept.samples])
        for kind, values, others in (
            ("error", kept.error, (again.error, again.error_lo, again.error_hi)),
            ("bias", kept.bias, (again.bias, again.bias_lo, again.bias_hi)),
        ):
            difference = largest(kind, values, np.stack(others), scale, (parts, samples))
            if difference is not None:
                yield difference
