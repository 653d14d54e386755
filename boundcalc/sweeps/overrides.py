"""The same spec with other values at some of its paths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from boundcalc.spec.model import Spec
from boundcalc.spec.places import dotted
from boundcalc.spec.plain import plain
from boundcalc.spec.problems import as_error
from boundcalc.spec.symbols import check_symbols
from boundcalc.spec.validation import problems_in
from boundcalc.sweeps.paths import read_path, set_at
from boundcalc.sweeps.values import read_value, text_of


def override(spec: Spec, values: Mapping[str, Any]) -> Spec:
    """A spec with other values, exact as in a file, and without its ``sweep``.

    Parameters
    ----------
    spec
        Any spec.
    values
        Path → value: a number, text as a file has it (``"1/2"``, ``"2*sqrt(C)"``), a list or a
        section.

    Raises
    ------
    SpecError
        If there is no such path, or the value does not fit.

    Notes
    -----
    O(size of the spec).

    Examples
    --------
    >>> from boundcalc.resources import example
    >>> from boundcalc.spec.loading import load
    >>> spec = load(example("logistic-nonconvex"))
    >>> override(spec, {"training.step_size": "1/3"}).training.step_size.source
    '1/3'
    >>> override(spec, {"training.stepsize": 1})
    Traceback (most recent call last):
        ...
    boundcalc.errors.SpecError: training.stepsize: unknown key 'stepsize'
      expected: one of step_size, horizon, optimizer, clip
      fix:      did you mean 'step_size'?
    """
    tree = without_sweep(spec)
    for path, value in values.items():
        set_at(tree, read_path(path), read_value(text_of(value)))
    try:
        made = Spec.model_validate(tree)
    except ValidationError as error:
        raise as_error(problems_in(error, tree, Spec), dotted) from None
    check_symbols(made)
    made._folder = spec.folder
    return made


def without_sweep(spec: Spec) -> dict[str, Any]:
    """What a file of the spec would say without its ``sweep``; see :func:`plain`."""
    return {key: value for key, value in plain(spec).items() if key != "sweep"}
