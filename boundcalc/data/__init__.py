"""Data sets that a chain is run on: generated, written out in the spec, or read from CSV.

One direction: ``sources`` (what a spec may say) → ``generators`` and ``csv_table``
(functions that make :class:`~boundcalc.operators.base.Data`).
"""

from __future__ import annotations

from boundcalc.data.csv_table import csv_data
from boundcalc.data.generators import (
    gaussian_data,
    logistic_data,
    point_data,
    token_data,
    uniform_data,
)
from boundcalc.data.sources import (
    CsvSource,
    DataSource,
    GaussianSource,
    LogisticSource,
    PointSource,
    TokenSource,
    UniformSource,
    make_data,
)

__all__ = [
    "CsvSource",
    "DataSource",
    "GaussianSource",
    "LogisticSource",
    "PointSource",
    "TokenSource",
    "UniformSource",
    "csv_data",
    "gaussian_data",
    "logistic_data",
    "make_data",
    "point_data",
    "token_data",
    "uniform_data",
]
