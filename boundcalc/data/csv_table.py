"""Data sets from CSV files: text is untrusted and is checked cell by cell."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from boundcalc.errors import DataError, nearest, shown
from boundcalc.operators.base import Array, Data

MAX_BYTES = 64 * 2**20
MAX_COLUMNS = 100_000


def csv_data(path: Path, label: str, standardize: bool = True, name: str | None = None) -> Data:
    """Features and labels from a CSV file with a header row.

    Lines at the top that start with ``#`` are comments; blank lines are skipped.  The
    smaller of the label column's two values becomes −1, the larger +1.

    Parameters
    ----------
    path
        The file: UTF-8, separated by commas, at most 64 MB.
    label
        Name of the label column; all others are features.
    standardize
        Shift and scale each feature to mean 0 and variance 1 (over M, not M − 1).
    name
        What messages call the file; its name by default.

    Returns
    -------
    Data
        Features ``(M, d)`` in the order of the columns, labels ``(M,)``.

    Raises
    ------
    DataError
        Whatever is wrong with the file, with line and column.
    """
    where = path.name if name is None else name
    header, table = _table(_text(path, where), where)
    if label not in header:
        near = nearest(label, header)
        raise DataError(
            "no column has the name of the label",
            where=where,
            value=label,
            expected="one of "
            + ", ".join(map(shown, header[:20]))
            + (", …" if len(header) > 20 else ""),
            fix=f"did you mean {near!r}?" if near else "name the label column",
        )
    at = header.index(label)
    features = np.delete(table, at, axis=1)
    if features.shape[1] == 0:
        raise DataError("there are no columns besides the label", where=where)
    labels = _signs(table[:, at], where, label)
    if standardize:
        features = _standardized(features, where, header[:at] + header[at + 1 :])
    features.setflags(write=False)
    labels.setflags(write=False)
    return Data(features=features, labels=labels)


def _text(path: Path, where: str) -> str:
    try:
        if not path.is_file():
            raise DataError("there is no such file", where=where, fix="check the path")
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise DataError(f"the file cannot be read: {error}", where=where) from None
    if len(content) > MAX_BYTES:
        raise DataError(
            "the file is too large",
            where=where,
            expected=f"at most {MAX_BYTES // 2**20} MB",
            fix="use fewer rows",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise DataError("this is not a text file", where=where, expected="CSV text in UTF-8")
    return text


def _rows(text: str, where: str) -> Iterator[tuple[int, list[str]]]:
    """Line number (of the last line of a quoted row) and cells of every row."""
    lines = io.StringIO(text, newline=None).readlines()
    comments = 0
    while comments < len(lines) and lines[comments].startswith("#"):
        comments += 1
    reader = csv.reader(lines[comments:], strict=True, skipinitialspace=True)
    try:
        for cells in reader:
            if cells:
                yield comments + reader.line_num, cells
    except csv.Error as error:
        line = comments + reader.line_num
        raise DataError(f"this is not CSV: {error}", where=f"{where}: line {line}") from None


def _table(text: str, where: str) -> tuple[list[str], Array]:
    rows = _rows(text, where)
    line, cells = next(rows, (0, []))
    if not cells:
        raise DataError(
            "the file is empty", where=where, expected="a header row and rows of numbers"
        )
    header = _header(cells, f"{where}: line {line}")
    numbers = array("d")
    for line, cells in rows:
        if len(cells) != len(header):
            raise DataError(
                f"this row has {len(cells)} cells",
                where=f"{where}: line {line}",
                expected=f"{len(header)}, one for each column of the header",
            )
        for column, cell in zip(header, cells, strict=True):
            value = _number(cell)
            if value is None:
                raise DataError(
                    "this cell is not a finite number",
                    where=f"{where}: line {line}, column {shown(column)}",
                    value=cell,
                    expected="a finite number",
                    fix="remove the row, or the column",
                )
            numbers.append(value)
    if not numbers:
        raise DataError("the file has no rows below its header", where=where)
    return header, np.array(numbers, dtype=np.float64).reshape(-1, len(header))


def _header(cells: list[str], where: str) -> list[str]:
    header = [cell.strip() for cell in cells]
    if len(header) > MAX_COLUMNS:
        raise DataError(
            f"there are {len(header)} columns", where=where, expected=f"at most {MAX_COLUMNS}"
        )
    seen: set[str] = set()
    for position, name in enumerate(header):
        if not name:
            raise DataError(f"column {position + 1} has no name", where=where)
        if name in seen:
            raise DataError(
                "two columns have the same name", where=where, value=name, fix="rename one"
            )
        seen.add(name)
    if all(_number(name) is not None for name in header):
        raise DataError(
            "the header row is missing", where=where, expected="names of columns", value=cells[0]
        )
    return header


def _number(cell: str) -> float | None:
    # float() also reads 1_000 and digits of other scripts, which no CSV means as numbers.
    if "_" in cell or not cell.isascii():
        return None
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _signs(column: Array, where: str, label: str) -> Array:
    values = np.unique(column)
    if values.size != 2:
        raise DataError(
            f"the label column has {values.size} different values",
            where=f"{where}: column {shown(label)}",
            value=", ".join(f"{value:g}" for value in values[:5])
            + (", …" if values.size > 5 else ""),
            expected="exactly two",
        )
    return np.where(column == values[1], 1.0, -1.0)


def _standardized(features: Array, where: str, names: list[str]) -> Array:
    constant = features.max(axis=0) == features.min(axis=0)
    if constant.any():
        raise DataError(
            "this column is constant and cannot have variance 1",
            where=f"{where}: column {shown(names[int(np.argmax(constant))])}",
            value=float(features[0, int(np.argmax(constant))]),
            fix="remove the column, or set standardize: false",
        )
    # The result does not depend on units; these keep squares within float64.
    scaled = features / np.abs(features).max(axis=0)
    centered = scaled - scaled.mean(axis=0)
    return np.asarray(centered / np.sqrt(np.mean(centered**2, axis=0)))
