"""Random data sets inside known bounds: points of a box, and sequences of tokens."""

from __future__ import annotations

import numpy as np

from boundcalc.data.generators import _data as sealed
from boundcalc.data.generators import _generator as generator
from boundcalc.errors import DataError
from boundcalc.operators.base import Array, Data


def uniform_data(
    samples: int,
    dimension: int,
    seed: int = 0,
    low: float = -1.0,
    high: float = 1.0,
    classes: int | None = None,
) -> Data:
    """Features uniform in [low, high], and labels by chance that know nothing of them.

    Parameters
    ----------
    samples, dimension
        M and d; features are ``(M, d)``, labels ``(M,)``.
    seed
        Seeds NumPy's SFC64, which draws the features, then the labels.
    low, high
        Where every feature lies.
    classes
        K for labels 0, …, K − 1; labels are ±1 if it is left out.

    Raises
    ------
    DataError
        Unless low ≤ high, both finite.

    Examples
    --------
    >>> data = uniform_data(100, 2, low=3.0, high=4.0, classes=3)
    >>> bool((data.features >= 3).all()), sorted(set(data.labels.tolist()))
    (True, [0.0, 1.0, 2.0])
    """
    if not -np.inf < low <= high < np.inf:
        raise DataError(
            "this is no interval", where="low", value=f"[{low}, {high}]", expected="low ≤ high"
        )
    rng = generator(seed)
    features = np.clip(low + (high - low) * rng.random((samples, dimension)), low, high)
    return sealed(features, _labels(rng, samples, classes))


def token_data(
    samples: int, dimension: int, seed: int = 0, vocabulary: int = 2, classes: int | None = None
) -> Data:
    """Sequences of whole numbers from 0 to vocabulary − 1, all equally likely.

    Parameters
    ----------
    samples, dimension
        M and the length of a sequence; features are ``(M, d)``, labels ``(M,)``.
    seed
        Seeds NumPy's SFC64, which draws the features, then the labels.
    vocabulary
        How many tokens there are.
    classes
        As for :func:`uniform_data`.

    Examples
    --------
    >>> sorted(set(token_data(50, 4, vocabulary=3).features.ravel().tolist()))
    [0.0, 1.0, 2.0]
    """
    rng = generator(seed)
    features = rng.integers(vocabulary, size=(samples, dimension)).astype(np.float64)
    return sealed(features, _labels(rng, samples, classes))


def _labels(rng: np.random.Generator, samples: int, classes: int | None) -> Array:
    if classes is None:
        return np.where(rng.random(samples) < 0.5, 1.0, -1.0)
    return rng.integers(classes, size=samples).astype(np.float64)
