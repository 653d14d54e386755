"""Means with confidence intervals, and the metrics of a trajectory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from boundcalc.operators.base import Array


@dataclass(frozen=True)
class Metric:
    """A sampled number: its mean and a confidence interval.

    ``lo`` and ``hi`` are infinite where the spread could not be estimated.

    Attributes
    ----------
    method
        How the interval was made: ``student``, ``batch means``, ``bootstrap`` or
        ``clopper-pearson``.
    degrees
        Of freedom, of an interval that is Student's t; None for others.
    effective
        How many independent values the recorded series is worth, where one was averaged.
    rounding
        In single precision: the measured rounding error, which the interval includes; None
        where none was measured.
    """

    mean: float
    lo: float
    hi: float
    method: str = "student"
    degrees: float | None = None
    effective: float | None = None
    rounding: float | None = None

    def rounded(self, error: float) -> Metric:
        """The same with an interval that is longer by a rounding error at both ends.

        >>> Metric(1.0, 0.5, 1.5).rounded(0.25).hi
        1.75
        """
        if not error >= 0:  # NaN too
            return replace(self, lo=-np.inf, hi=np.inf, rounding=float("nan"))
        return replace(self, lo=self.lo - error, hi=self.hi + error, rounding=error)


def t_quantile(degrees: float, confidence: float) -> float:
    """The t with P(|T| ≤ t) = confidence for Student's T.

    >>> round(t_quantile(3, 0.95), 6)
    3.182446
    """
    from scipy.special import stdtrit

    # The lower tail is (1 − confidence)/2; the upper one would lose digits near 1.
    return -float(stdtrit(degrees, (1 - confidence) / 2))


def mean_interval(values: Array, confidence: float) -> Metric:
    """Student-t interval for the mean of independent values.

    >>> metric = mean_interval(np.array([1.0, 1.0, 1.0]), 0.99)
    >>> metric.mean, metric.lo, metric.hi, metric.method, metric.degrees
    (1.0, 1.0, 1.0, 'student', 2)
    """
    mean, degrees = float(np.mean(values)), len(values) - 1
    if not np.isfinite(mean):
        return Metric(mean, -np.inf, np.inf, degrees=degrees)
    half = t_quantile(degrees, confidence) * float(np.std(values, ddof=1) / np.sqrt(len(values)))
    return Metric(mean, mean - half, mean + half, degrees=degrees)


def jackknife_interval(left_out: Array, estimate: Array, confidence: float) -> tuple[Array, Array]:
    """Jackknife-t intervals from leave-one-out estimates.

    Parameters
    ----------
    left_out
        ``(B, …)``: the estimate without batch b.
    estimate
        ``(…)``: the estimate from all batches.
    """
    batches = len(left_out)
    spread = left_out - left_out.mean(axis=0)
    deviation = np.sqrt((batches - 1) / batches * np.sum(spread**2, axis=0))
    half = t_quantile(batches - 1, confidence) * deviation
    return estimate - half, estimate + half


def share_interval(count: int, total: int, confidence: float, *, exact: bool = True) -> Metric:
    """The share of independent replicas for which something is true, with an interval.

    Parameters
    ----------
    count, total
        For how many of how many it is true.
    exact
        Clopper and Pearson's interval, which covers with at least the stated probability
        for every share; False is Wilson's score interval, which is shorter and covers so on
        average over shares.

    Notes
    -----
    Clopper–Pearson: the ends are quantiles of Beta(k, n − k + 1) and Beta(k + 1, n − k)
    (Biometrika 26, 1934).  Wilson (JASA 22, 1927):
    (p̂ + z²/(2n) ± z√(p̂(1 − p̂)/n + z²/(4n²)))/(1 + z²/n).

    Examples
    --------
    >>> none = share_interval(0, 16, 0.95)
    >>> none.lo, round(none.hi, 6), none.method
    (0.0, 0.205907, 'clopper-pearson')
    """
    from scipy.special import betaincinv, ndtri

    share, tail = count / total, (1 - confidence) / 2
    if exact:
        lo = float(betaincinv(count, total - count + 1, tail)) if count else 0.0
        hi = 1 - float(betaincinv(total - count, count + 1, tail)) if count < total else 1.0
        return Metric(share, lo, hi, "clopper-pearson")
    z = -float(ndtri(tail))
    middle = share + z * z / (2 * total)
    half = z * np.sqrt(share * (1 - share) / total + (z / (2 * total)) ** 2)
    scale = 1 + z * z / total
    # Rounding must not take the ends past the share where it is 0 or 1.
    lo = 0.0 if not count else float((middle - half) / scale)
    hi = 1.0 if count == total else float((middle + half) / scale)
    return Metric(share, lo, hi, "wilson")


def smoothed(norms: Array, decay: float) -> Array:
    """m_j = β·m_{j−1} + (1−β)·x_j with m_0 = x_0, along the first axis, replica by replica.

    Parameters
    ----------
    norms
        ``(n, R)``.
    decay
        β: for every k-th step of a series its k-th power, so that the memory in steps stays.

    >>> smoothed(np.array([[1.0], [0.0], [0.0]]), 0.5).ravel().tolist()
    [1.0, 0.5, 0.25]
    """
    from scipy.signal import lfilter

    # A filter would carry a NaN on, and an infinity would become one: so it shall be.
    with np.errstate(invalid="ignore"):
        return np.asarray(lfilter([1 - decay], [1, -decay], norms, axis=0, zi=decay * norms[:1])[0])


def stable_norm(ewma: Array) -> Array:
    """Mean of the smoothed gradient norm over the last ⌊T/2⌋ steps, by replica.

    [KZY], section 7.  ``ewma`` is ``(T, R)``, or what was recorded of it at equal distances.
    """
    half = max(1, len(ewma) // 2)
    return np.asarray(ewma[-half:].mean(axis=0))


def stable_complexity(ewma: Array, steps: npt.NDArray[np.int64] | None = None) -> Array:
    """First step at which the smoothed gradient norm is below 1.5 × its stable value.

    Parameters
    ----------
    ewma
        ``(n, R)``.
    steps
        ``(n + 1,)``: the steps of its rows, and T; 0, 1, 2, … if None.  Of a run that was
        not recorded at every step the result is the first *recorded* step.

    Returns
    -------
    Array
        By replica; T where that never happens, NaN where the norm is not finite.

    Notes
    -----
    [KZY], section 7.

    >>> stable_complexity(np.array([[4.0], [2.0], [1.0], [1.0]]))
    array([2.])
    >>> stable_complexity(np.array([[4.0], [2.0], [1.0], [1.0]]), np.array([0, 5, 10, 15, 18]))
    array([10.])
    """
    stable = stable_norm(ewma)
    steps = np.arange(len(ewma) + 1) if steps is None else steps
    with np.errstate(invalid="ignore"):
        below = ewma < 1.5 * stable
    found = np.where(below.any(axis=0), steps[below.argmax(axis=0)], steps[-1])
    return np.where(np.isfinite(stable), found, np.nan)
