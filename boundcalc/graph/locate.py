"""Errors about a spec get the file and line of the place they name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from boundcalc.errors import BoundcalcError
from boundcalc.spec.model import Spec

#: A path inside a spec, as `graph.operators[2].constants`.
_PATH = r"(graph|loss|perturbations|training|simulation|symbols|budget|theory|{own})\b[\w.\[\]]*"


@contextmanager
def located(spec: Spec) -> Iterator[None]:
    """Put file and line in front of the location of any error raised inside."""
    try:
        yield
    except BoundcalcError as error:
        head, colon, rest = (error.where or "").partition(": ")
        if not re.fullmatch(_PATH.format(own=re.escape(spec.theory)), head):
            raise
        place = spec.where(head) or head
        raise type(error)(
            error.problem,
            where=place + colon + rest,
            value=error.value,
            expected=error.expected,
            fix=error.fix,
        ) from None
