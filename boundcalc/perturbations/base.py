"""What a perturbation model must offer: exact moments and a sampler.

A model describes one component of the perturbation vector; the n components
are independent and identically distributed.  What follows for the vector is in
:mod:`boundcalc.perturbations.vector`, when it acts in
:mod:`boundcalc.perturbations.schedules`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from boundcalc.arithmetic import FLOATS
from boundcalc.errors import SpecError
from boundcalc.perturbations.dependence import Dependence
from boundcalc.spec.expressions import Expression
from boundcalc.spec.fields import Frozen, custom_error

Array: TypeAlias = npt.NDArray[np.float64]

#: Fills a C-contiguous float64 array, in place, with independent draws.
Sampler: TypeAlias = Callable[[np.random.Generator, Array], None]


@dataclass(frozen=True)
class ComponentMoments:
    """Exact moments of one component x: E x, E x², E x⁴."""

    mean: Expression
    second: Expression
    fourth: Expression


class Distribution(Frozen, ABC):
    """The law of one component.  Its fields are the model's parameters in the spec."""

    model: ClassVar[str]  #: the name in the spec

    #: What is known of a draw given all drawn before it.  A law whose draws look at nothing
    #: is independent; one that rounds or compresses what it is given is not.
    dependence: ClassVar[Dependence] = Dependence.ANY

    #: Parameters that are proportional to the perturbation: all times c make x times c.
    lengths: ClassVar[tuple[str, ...]]

    #: Whether the sampler draws with ``random(out=…)`` and ``standard_normal(out=…)`` alone,
    #: so that one object may stand for the generators of all rows of what it fills.
    joint: ClassVar[bool] = False

    @abstractmethod
    def moments(self) -> ComponentMoments:
        """Exact moments of one component, as expressions over the spec's symbols."""

    @abstractmethod
    def sampler(self, values: Mapping[str, float]) -> Sampler:
        """A function that fills an array with draws.

        Parameters
        ----------
        values
            Values of the symbols that occur in the parameters.

        Raises
        ------
        SymbolError
            A symbol of the parameters has no value.
        SpecError
            As :meth:`check`.
        """

    @abstractmethod
    def symmetric(self, values: Mapping[str, float]) -> bool:
        """Whether x and 2·E x − x have the same law, so that draws may be mirrored."""

    @abstractmethod
    def largest(self, values: Mapping[str, float]) -> float:
        """The largest size of a draw; infinite if it is unbounded or a symbol has no value."""

    def check(self, values: Mapping[str, float]) -> None:
        """Raise SpecError if parameters contradict each other (an empty interval, say).

        Conditions on parameters whose symbols have no value yet are passed over.
        """


def number(expression: Expression, values: Mapping[str, float]) -> float:
    """The value of a parameter as a finite float64; zero is +0.0.

    Raises
    ------
    SymbolError
        A symbol has no value.
    SpecError
        The value is not finite or cannot be computed.

    Examples
    --------
    >>> from boundcalc.spec.grammar import parse
    >>> number(parse("a/4"), {"a": 1.0})
    0.25
    """
    value = float(expression.evaluate(FLOATS, values))
    if not math.isfinite(value):
        raise SpecError(
            "a parameter is not a finite number", value=str(expression), expected="a finite number"
        )
    return value + 0.0


def known(expression: Expression | None, values: Mapping[str, float]) -> float | None:
    """As :func:`number`, but None where there is no parameter or a symbol has no value."""
    if expression is None or not expression.symbols <= values.keys():
        return None
    return number(expression, values)


def require(holds: bool, problem: str, value: object, expected: str, fix: str) -> None:
    """Raise SpecError with these words unless the condition holds."""
    if not holds:
        raise SpecError(problem, value=value, expected=expected, fix=fix)


def require_one_of(distribution: Distribution, *alternatives: tuple[str, ...]) -> None:
    """Refuse a model unless exactly one of its alternative sets of parameters is given.

    For use in a pydantic validator, which adds the location.
    """
    names = [name for alternative in alternatives for name in alternative]
    given = [name for name in names if getattr(distribution, name) is not None]
    if any(sorted(given) == sorted(alternative) for alternative in alternatives):
        return
    wanted = [" and ".join(alternative) for alternative in alternatives]
    found = " and ".join(given) if given else "none of its parameters"
    raise custom_error(
        f"{distribution.model} is given {found}",
        expected="either " + ", or ".join(wanted),
        fix=f"give {wanted[0]} alone, or {wanted[-1]}",
    )
