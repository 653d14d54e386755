"""Paths in untrusted files: relative, and never out of a folder."""

from __future__ import annotations

from pathlib import Path

from boundcalc.errors import DataError


def inside(folder: Path, name: str, where: str, of: str = "the spec") -> Path:
    """The file ``name``, links followed, if it lies in the folder or below.

    Parameters
    ----------
    folder
        Where relative names start.
    name
        What the untrusted file says.
    where
        The place that says it, for messages.
    of
        Whose folder it is, for messages.

    Raises
    ------
    DataError
        If the name is no path, is absolute, or leads out of the folder.

    Examples
    --------
    >>> inside(Path("."), "../secret.npz", "initial.file")
    Traceback (most recent call last):
        ...
    boundcalc.errors.DataError: initial.file: the file lies outside the folder of the spec
      found:    '../secret.npz'
      expected: a path relative to the folder of the spec, without links out of it
      fix:      copy the file next to the spec
    """
    try:
        top = folder.resolve()
        path = (top / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a null character; a loop of links
        raise DataError(f"this is not a path: {error}", where=where, value=name) from None
    if Path(name).is_absolute() or not path.is_relative_to(top):
        raise DataError(
            f"the file lies outside the folder of {of}",
            where=where,
            value=name,
            expected=f"a path relative to the folder of {of}, without links out of it",
            fix=f"copy the file next to {of}",
        )
    return path
