"""Data sets made from numbers: random ones by seed, and points written out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from boundcalc.errors import DataError
from boundcalc.operators.base import Array, Data


def logistic_data(samples: int, dimension: int, seed: int = 0) -> Data:
    """The logistic regression data of Kong, Zhang, Yuan (arXiv 2602.20646, section 7).

    x*, h_1, …, h_M ~ N(0, I_d) independent; the label of h is +1 with probability
    1/(1 + exp(−hᵀx*)), else −1.

    Parameters
    ----------
    samples, dimension
        M and d; features are ``(M, d)``, labels ``(M,)``.
    seed
        Seeds NumPy's SFC64, which draws x*, then all h, then the labels.

    Examples
    --------
    >>> data = logistic_data(2000, 10, seed=1)
    >>> data.features.shape, sorted(set(data.labels))
    ((2000, 10), [np.float64(-1.0), np.float64(1.0)])
    """
    rng = _generator(seed)
    truth = rng.standard_normal(dimension)
    features = rng.standard_normal((samples, dimension))
    # 1/(1 + e^(−z)) = exp(−ln(e^0 + e^(−z))), which overflows for no z.
    probability = np.exp(-np.logaddexp(0.0, -(features @ truth)))
    return _data(features, np.where(rng.random(samples) < probability, 1.0, -1.0))


def gaussian_data(samples: int, dimension: int, seed: int = 0, scale: float = 1.0) -> Data:
    """Features scale · N(0, I_d), and labels ±1 by a fair coin that knows nothing of them.

    Parameters
    ----------
    samples, dimension
        M and d; features are ``(M, d)``, labels ``(M,)``.
    seed
        Seeds NumPy's SFC64, which draws the features, then the labels.
    scale
        Standard deviation of a feature.

    Examples
    --------
    >>> gaussian_data(3, 2, seed=1, scale=0.0).features.tolist()
    [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """
    rng = _generator(seed)
    features = rng.standard_normal((samples, dimension)) * scale + 0.0  # no −0.0
    return _data(features, np.where(rng.random(samples) < 0.5, 1.0, -1.0))


def uniform_data(
    samples: int,
    dimension: int,
    seed: int = 0,
    low: float = 0.0,
    high: float = 1.0,
    classes: int | None = None,
) -> Data:
    """Features uniform on [low, high], and labels that know nothing of them.

    Parameters
    ----------
    samples, dimension
        M and d; features are ``(M, d)``, labels ``(M,)``.
    seed
        Seeds NumPy's SFC64, which draws the features, then the labels.
    low, high
        The interval, low < high.
    classes
        Labels 0 … classes − 1, all equally likely; ±1 by a fair coin if left out.

    Raises
    ------
    DataError
        If the interval is empty.

    Examples
    --------
    >>> data = uniform_data(100, 2, seed=1, low=-1.0, high=1.0, classes=3)
    >>> bool(np.abs(data.features).max() <= 1), sorted(set(data.labels.tolist()))
    (True, [0.0, 1.0, 2.0])
    """
    if not low < high:
        raise DataError(
            "an empty interval",
            where="high",
            value=f"low {low}, high {high}",
            expected="low < high",
        )
    rng = _generator(seed)
    features = rng.uniform(low, high, (samples, dimension))
    return _data(features, _labels(rng, samples, classes))


def token_data(
    samples: int, dimension: int, vocabulary: int, seed: int = 0, classes: int | None = None
) -> Data:
    """Token numbers 0 … vocabulary − 1, all equally likely, and labels as :func:`uniform_data`.

    Parameters
    ----------
    samples, dimension
        M, and the number of tokens of a sample.
    vocabulary
        The number of different tokens.
    seed
        Seeds NumPy's SFC64, which draws the tokens, then the labels.

    Examples
    --------
    >>> sorted(set(token_data(50, 4, vocabulary=3, seed=1).features.ravel().tolist()))
    [0.0, 1.0, 2.0]
    """
    rng = _generator(seed)
    tokens = rng.integers(vocabulary, size=(samples, dimension)).astype(np.float64)
    return _data(tokens, _labels(rng, samples, classes))


def point_data(
    points: Sequence[Sequence[float]] | Array, labels: Sequence[float] | Array | None = None
) -> Data:
    """Points that are written out, with their labels or zeros.

    Raises
    ------
    DataError
        Without points, if they differ in length, if there are more or fewer labels
        than points, or if a number is not finite.

    Examples
    --------
    >>> point_data([[1, 2], [3, 4]], [1, -1])
    Data(features=array([[1., 2.], [3., 4.]]), labels=array([ 1., -1.]))
    """
    check_points(points, labels)
    data = _data(
        np.array(points, dtype=np.float64),
        np.zeros(len(points)) if labels is None else np.array(labels, dtype=np.float64),
    )
    for name, array in (("points", data.features), ("labels", data.labels)):
        if not np.isfinite(array).all():
            at = np.argwhere(~np.isfinite(array))[0]
            raise DataError(
                "not a finite number",
                where=name + "".join(f"[{index}]" for index in at),
                value=float(array[tuple(at)]),
                expected="a finite number",
            )
    return data


def check_points(
    points: Sequence[Sequence[object]] | Array, labels: Sequence[object] | Array | None
) -> None:
    """Raise DataError unless points form a table and labels, if any, match it."""
    if len(points) == 0 or len(points[0]) == 0:
        raise DataError("there are no points", where="points", expected="one point or more")
    width = len(points[0])
    for index, point in enumerate(points):
        if len(point) != width:
            raise DataError(
                f"this point has {len(point)} coordinates",
                where=f"points[{index}]",
                expected=f"{width}, as points[0] has",
            )
    if labels is not None and len(labels) != len(points):
        raise DataError(
            f"there are {len(labels)} labels for {len(points)} points",
            where="labels",
            expected="one label for each point",
            fix="leave labels out if the operators use none",
        )


def _labels(rng: np.random.Generator, samples: int, classes: int | None) -> Array:
    if classes is None:
        return np.where(rng.random(samples) < 0.5, 1.0, -1.0)
    return rng.integers(classes, size=samples).astype(np.float64)


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed)))


def _data(features: Array, labels: Array) -> Data:
    features.setflags(write=False)
    labels.setflags(write=False)
    return Data(features=features, labels=labels)
