"""Answers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from fractions import Fraction
from typing import Any

import numpy as np

from boundcalc.arithmetic import Number
from boundcalc.report.json_numbers import number, sampled
from boundcalc.report.simulation_results import metric_data
from boundcalc.simulate.statistics import Metric


def jsonable(value: Any) -> Any:
    """Plain data: numbers rounded to their safe side, infinities and NaN in words.

    >>> from boundcalc.arithmetic import Status
    >>> jsonable({"bound": Number(Fraction(1, 4), Status.PROVED), "share": float("nan")})
    {'bound': 0.25, 'share': 'nan'}
    """
    if isinstance(value, Number):
        return number(value)
    if isinstance(value, Metric):
        return metric_data(value)
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, StrEnum):
        return str(value)
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, float):
        return sampled(value)
    return value
