"""What a spec may say about data, and the one function that turns it into data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, final

from pydantic import Discriminator, Field, Tag, model_validator

from boundcalc.arithmetic import FLOATS
from boundcalc.data.csv_table import csv_data
from boundcalc.data.generators import (
    check_points,
    gaussian_data,
    logistic_data,
    point_data,
    token_data,
    uniform_data,
)
from boundcalc.data.paths import inside
from boundcalc.errors import DataError
from boundcalc.operators.base import Data
from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Frozen, Real, Size, custom_error

MAX_SAMPLES = 10**7
MAX_DIMENSION = 10**5
MAX_NUMBERS = 10**8  # samples × dimension: 800 MB

_Samples = Annotated[int, Field(strict=True, ge=1, le=MAX_SAMPLES)]
_Dimension = Annotated[int, Field(strict=True, ge=1, le=MAX_DIMENSION)]
_Classes = Annotated[int, Field(strict=True, ge=2, le=10**6)]
_Seed = Annotated[int, Field(strict=True, ge=0, lt=2**64)]


class _Generated(Frozen):
    samples: _Samples
    dimension: _Dimension
    seed: _Seed = 0

    @model_validator(mode="after")
    def _fits_in_memory(self) -> Self:
        if self.samples * self.dimension > MAX_NUMBERS:
            raise custom_error(
                f"{self.samples} samples of dimension {self.dimension} are too many numbers",
                f"samples × dimension at most {MAX_NUMBERS}",
                "use fewer samples",
            )
        return self


@final
class LogisticSource(_Generated):
    """See :func:`~boundcalc.data.generators.logistic_data`."""

    generator: Literal["logistic"]


@final
class GaussianSource(_Generated):
    """See :func:`~boundcalc.data.generators.gaussian_data`."""

    generator: Literal["gaussian"]
    scale: Size = Field(default=1, validate_default=True)


@final
class UniformSource(_Generated):
    """See :func:`~boundcalc.data.generators.uniform_data`."""

    generator: Literal["uniform"]
    low: Real = Field(default=0, validate_default=True)
    high: Real = Field(default=1, validate_default=True)
    classes: _Classes | None = None


@final
class TokenSource(_Generated):
    """See :func:`~boundcalc.data.generators.token_data`."""

    generator: Literal["tokens"]
    vocabulary: Annotated[int, Field(strict=True, ge=1, le=10**7)]
    classes: _Classes | None = None


@final
class PointSource(Frozen):
    """See :func:`~boundcalc.data.generators.point_data`."""

    points: tuple[tuple[Real, ...], ...]
    labels: tuple[Real, ...] | None = None

    @model_validator(mode="after")
    def _is_table(self) -> Self:
        try:
            check_points(self.points, self.labels)
        except DataError as error:
            raise custom_error(
                f"{error.where}: {error.problem}", error.expected, error.fix
            ) from None
        return self


@final
class CsvSource(Frozen):
    """See :func:`~boundcalc.data.csv_table.csv_data`; the path starts at the spec's folder."""

    csv: Annotated[str, Field(min_length=1, max_length=1000)]
    label: str
    standardize: Annotated[bool, Field(strict=True)] = True


def _kind(source: Any) -> str | None:
    """Which source is meant, so that errors speak of that one alone."""
    keys = source if isinstance(source, Mapping) else getattr(source, "__dict__", {})
    for name in ("points", "csv"):
        if name in keys:
            return name
    generator = keys.get("generator")
    return generator if isinstance(generator, str) else None


DataSource: TypeAlias = Annotated[
    Annotated[LogisticSource, Tag("logistic")]
    | Annotated[GaussianSource, Tag("gaussian")]
    | Annotated[UniformSource, Tag("uniform")]
    | Annotated[TokenSource, Tag("tokens")]
    | Annotated[PointSource, Tag("points")]
    | Annotated[CsvSource, Tag("csv")],
    Discriminator(
        _kind,
        custom_error_type="boundcalc",
        custom_error_message="{problem}",
        custom_error_context={
            "problem": "this is no source of data",
            "expected": "generator: logistic, gaussian, uniform or tokens; points: …; or csv: …",
            "fix": "name one of them",
        },
    ),
]


def make_data(
    source: LogisticSource | GaussianSource | UniformSource | TokenSource | PointSource | CsvSource,
    folder: Path,
    values: Mapping[str, float] | None = None,
) -> Data:
    """Make the data set that a spec names.

    Parameters
    ----------
    source
        What the spec says.
    folder
        The folder of the spec; a CSV file must lie in it or below.
    values
        Values of symbols that occur in numbers.

    Raises
    ------
    DataError
        If a file is not where it may be, or is not as it must be.
    ExpressionError, SymbolError
        If a number cannot be computed, or a symbol has no value.

    Examples
    --------
    >>> make_data(PointSource(points=[["1/2"], ["c"]]), Path(), {"c": 3.0}).features.tolist()
    [[0.5], [3.0]]
    """
    values = values or {}
    match source:
        case LogisticSource():
            return logistic_data(source.samples, source.dimension, source.seed)
        case GaussianSource():
            scale = _float(source.scale, values)
            if not 0 <= scale < math.inf:
                raise DataError(
                    "the scale is not a size",
                    where="scale",
                    value=scale,
                    expected="a finite number ≥ 0",
                )
            return gaussian_data(source.samples, source.dimension, source.seed, scale)
        case UniformSource():
            low, high = _float(source.low, values), _float(source.high, values)
            return uniform_data(
                source.samples, source.dimension, source.seed, low, high, source.classes
            )
        case TokenSource():
            return token_data(
                source.samples, source.dimension, source.vocabulary, source.seed, source.classes
            )
        case PointSource():
            points = [[_float(number, values) for number in point] for point in source.points]
            if source.labels is None:
                return point_data(points)
            return point_data(points, [_float(label, values) for label in source.labels])
        case CsvSource():
            path = inside(folder, source.csv, "csv")
            return csv_data(path, source.label, source.standardize, name=source.csv)


def _float(number: Expression, values: Mapping[str, float]) -> float:
    return float(number.evaluate(FLOATS, values))
